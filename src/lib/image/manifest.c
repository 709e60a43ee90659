/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reading sha256sum.txt. formats.md, section 1.
 */

#include "config.h"

#include "image/manifest.h"

#include <string.h>

#include "base/error.h"
#include "base/limits.h"

#define WHAT "sha256sum.txt"

static void
manifest_entry_free(DstackManifestEntry *self)
{
	g_free(self->name);
	g_free(self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackManifestEntry, manifest_entry_free)

/**
 * dstack_manifest_free:
 * @self: (nullable): the manifest
 */
void
dstack_manifest_free(DstackManifest *self)
{
	if (self == NULL)
		return;
	g_bytes_unref(self->bytes);
	g_ptr_array_unref(self->entries);
	g_free(self);
}

/* cuts the first token off a line that has been trimmed; an empty one when nothing is left */
static gchar *
take_token(const gchar **line)
{
	gsize length = strcspn(*line, " \t");
	gchar *token = g_strndup(*line, length);

	*line += length;
	*line += strspn(*line, " \t");
	return token;
}

static DstackManifestEntry *
parse_line(const gchar *line, guint number, GError **error)
{
	g_autoptr(DstackManifestEntry) entry = g_new0(DstackManifestEntry, 1);
	g_autofree gchar *where = g_strdup_printf(WHAT ": line %u", number);
	g_autofree gchar *digest = take_token(&line);

	entry->name = take_token(&line);
	entry->extra = line[0] != '\0';
	if (entry->name[0] == '\0') {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected a digest and a name, found no name", where);
		return NULL;
	}
	if (!dstack_sha256_from_hex(digest, where, &entry->sha256, error))
		return NULL;
	return g_steal_pointer(&entry);
}

static gboolean
parse_lines(DstackManifest *self, const gchar *text, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; lines[i] != NULL; i++) {
		DstackManifestEntry *entry = NULL;

		if (g_strstrip(lines[i])[0] == '\0')
			continue;
		entry = parse_line(lines[i], i + 1, error);
		if (entry == NULL)
			return FALSE;
		g_ptr_array_add(self->entries, entry);
		if (!g_hash_table_add(names, entry->name)) {
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    WHAT ": '%s' is listed twice, again in line %u", entry->name, i + 1);
		}
	}
	return TRUE;
}

/**
 * dstack_manifest_parse:
 * @bytes: the file's bytes
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED, naming the line
 *
 * Reads lines of a digest and a name. The rules that only a check of the whole directory has are
 * dstack_manifest_ensure_flat()'s: a vm_config may carry manifests that break them.
 *
 * Returns: (transfer full): the manifest, or %NULL
 */
DstackManifest *
dstack_manifest_parse(GBytes *bytes, GError **error)
{
	g_autoptr(DstackManifest) self = g_new0(DstackManifest, 1);
	gsize size = 0;
	const gchar *data = g_bytes_get_data(bytes, &size);
	g_autofree gchar *text = g_strndup(data == NULL ? "" : data, size);

	self->bytes = g_bytes_ref(bytes);
	self->entries = g_ptr_array_new_with_free_func((GDestroyNotify)manifest_entry_free);
	self->os_image_hash = dstack_sha256_bytes(bytes);
	if (size > DSTACK_LIMIT_MANIFEST) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, WHAT ": larger than the %" G_GSIZE_FORMAT " bytes accepted",
			     DSTACK_LIMIT_MANIFEST);
		return NULL;
	}
	if (!g_utf8_validate_len(data == NULL ? "" : data, size, NULL)) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, WHAT ": not UTF-8 without NUL");
		return NULL;
	}
	if (!parse_lines(self, text, error))
		return NULL;
	return g_steal_pointer(&self);
}

/**
 * dstack_manifest_find:
 * @self: the manifest
 * @name: a file name, exactly as the manifest has it
 *
 * Returns: (transfer none) (nullable): the entry, or %NULL
 */
const DstackManifestEntry *
dstack_manifest_find(const DstackManifest *self, const gchar *name)
{
	for (guint i = 0; i < self->entries->len; i++) {
		const DstackManifestEntry *entry = g_ptr_array_index(self->entries, i);

		if (g_str_equal(entry->name, name))
			return entry;
	}
	return NULL;
}

/**
 * dstack_manifest_ensure_file:
 * @self: the manifest
 * @name: a file name
 * @content: the file's bytes
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND
 *
 * Returns: %TRUE when the manifest lists @name with the digest of @content
 */
gboolean
dstack_manifest_ensure_file(const DstackManifest *self, const gchar *name, GBytes *content, GError **error)
{
	const DstackManifestEntry *entry = dstack_manifest_find(self, name);
	DstackSha256 found = dstack_sha256_bytes(content);
	g_autofree gchar *expected_hex = NULL;
	g_autofree gchar *found_hex = NULL;

	if (entry == NULL)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, WHAT ": '%s' is not listed", name);
	if (dstack_sha256_equal(&entry->sha256, &found))
		return TRUE;
	expected_hex = dstack_sha256_to_hex(&entry->sha256);
	found_hex = dstack_sha256_to_hex(&found);
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "'%s': " WHAT " expects SHA-256 %s, found %s", name,
			    expected_hex, found_hex);
}

/**
 * dstack_manifest_ensure_flat:
 * @self: the manifest
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED, naming the entry
 *
 * Returns: %TRUE when every entry is a digest and a plain file name, and none is the manifest itself
 */
gboolean
dstack_manifest_ensure_flat(const DstackManifest *self, GError **error)
{
	for (guint i = 0; i < self->entries->len; i++) {
		const DstackManifestEntry *entry = g_ptr_array_index(self->entries, i);

		if (strchr(entry->name, '/') != NULL || strstr(entry->name, "..") != NULL ||
		    g_str_equal(entry->name, ".")) {
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    WHAT ": '%s': expected a plain file name without '/' or '..'", entry->name);
		}
		if (entry->extra) {
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    WHAT ": '%s': more than a digest and a name on its line", entry->name);
		}
		if (g_str_equal(entry->name, WHAT))
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, WHAT ": lists itself");
	}
	return TRUE;
}
