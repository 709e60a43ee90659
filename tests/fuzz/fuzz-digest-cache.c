/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The digest cache's file, with its checksum made right so that what is behind it is reached.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include <glib/gstdio.h>

#include "image/digest-cache.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree gchar *dir = g_dir_make_tmp("dstack-fuzz-XXXXXX", NULL);
	g_autofree gchar *file = g_build_filename(dir, "digests", NULL);
	DstackSha256 checksum = dstack_sha256(data, size);
	g_autoptr(GByteArray) content = g_byte_array_new();
	DstackContext context = {.now = 4000000000, .cache_dir = dir};
	g_autoptr(DstackDigestCache) cache = NULL;
	DstackFileDigests digests = {0};
	struct stat st = {0};

	g_byte_array_append(content, data, (guint)size);
	g_byte_array_append(content, checksum.bytes, sizeof(checksum.bytes));
	if (g_file_set_contents_full(file, (const gchar *)content->data, (gssize)content->len, G_FILE_SET_CONTENTS_NONE,
				     0600, NULL))
		cache = dstack_digest_cache_open(&context);
	if (cache != NULL) {
		(void)dstack_digest_cache_lookup(cache, &st, DSTACK_DIGEST_SHA256, &digests);
		dstack_digest_cache_store(cache, &st, &digests);
		(void)!dstack_digest_cache_save(cache, NULL);
	}
	(void)g_unlink(file);
	(void)g_rmdir(dir);
	return 0;
}
