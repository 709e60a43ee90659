/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * sha256sum.txt: each entry of what is accepted is found by its name, so no name stands twice.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "image/manifest.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);
	g_autoptr(DstackManifest) manifest = dstack_manifest_parse(bytes, NULL);

	if (manifest == NULL)
		return 0;
	(void)!dstack_manifest_ensure_flat(manifest, NULL);
	for (guint i = 0; i < manifest->entries->len && i < 64; i++) {
		const DstackManifestEntry *entry = g_ptr_array_index(manifest->entries, i);

		g_assert_true(dstack_manifest_find(manifest, entry->name) == entry);
	}
	return 0;
}
