/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * metadata.json: what is accepted has a kernel, an initrd and a version of the right form.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "image/metadata.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(DstackMetadata) metadata = dstack_metadata_parse((const gchar *)data, size, NULL);

	if (metadata == NULL)
		return 0;
	g_assert_nonnull(metadata->kernel);
	g_assert_nonnull(metadata->initrd);
	g_assert_true(metadata->version == NULL || dstack_version_is_valid(metadata->version));
	return 0;
}
