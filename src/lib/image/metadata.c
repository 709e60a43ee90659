/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reading metadata.json. formats.md, section 1.
 */

#include "config.h"

#include "image/metadata.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"

#define WHAT "metadata.json"

/**
 * dstack_metadata_free:
 * @self: (nullable): the metadata
 */
void
dstack_metadata_free(DstackMetadata *self)
{
	if (self == NULL)
		return;
	g_free(self->kernel);
	g_free(self->initrd);
	g_free(self->cmdline);
	g_free(self->bios);
	g_free(self->bios_sev);
	g_free(self->hda);
	g_free(self->rootfs);
	g_free(self->rootfs_hash);
	g_free(self->version);
	g_free(self->ovmf_variant);
	g_free(self);
}

static gboolean
read_strings(DstackMetadata *self, JsonObject *object, GError **error)
{
	const struct {
		const gchar *member;
		gchar **out;
	} strings[] = {
	    {"cmdline", &self->cmdline},   {"bios", &self->bios},
	    {"bios-sev", &self->bios_sev}, {"hda", &self->hda},
	    {"rootfs", &self->rootfs},	   {"rootfs_hash", &self->rootfs_hash},
	    {"version", &self->version},   {"ovmf_variant", &self->ovmf_variant},
	};

	for (guint i = 0; i < G_N_ELEMENTS(strings); i++) {
		const gchar *text = NULL;

		if (!dstack_json_get_string_optional(object, WHAT, strings[i].member, &text, error))
			return FALSE;
		*strings[i].out = g_strdup(text);
	}
	return TRUE;
}

static gboolean
read_required(DstackMetadata *self, JsonObject *object, GError **error)
{
	const gchar *kernel = NULL;
	const gchar *initrd = NULL;

	if (!dstack_json_get_string(object, WHAT, "kernel", &kernel, error) ||
	    !dstack_json_get_string(object, WHAT, "initrd", &initrd, error))
		return FALSE;
	self->kernel = g_strdup(kernel);
	self->initrd = g_strdup(initrd);
	return TRUE;
}

static gboolean
read_flags(DstackMetadata *self, JsonObject *object, GError **error)
{
	return dstack_json_get_bool_optional(object, WHAT, "shared_ro", &self->shared_ro, NULL, error) &&
	       dstack_json_get_bool_optional(object, WHAT, "is_dev", &self->is_dev, NULL, error) &&
	       dstack_json_get_bool_optional(object, WHAT, "kernel_header_normalized", &self->kernel_header_normalized,
					     NULL, error);
}

static gboolean
ensure_values(const DstackMetadata *self, GError **error)
{
	if (self->version != NULL && !dstack_version_is_valid(self->version)) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    WHAT ": 'version': expected X.Y.Z or X.Y.Z.W with X, Y and Z numbers, found '%s'",
				    self->version);
	}
	if (self->ovmf_variant != NULL && !g_str_equal(self->ovmf_variant, "pre202505")) {
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    WHAT ": 'ovmf_variant': expected 'pre202505', found '%s'", self->ovmf_variant);
	}
	return TRUE;
}

/**
 * dstack_metadata_parse:
 * @text: (array length=size): the file's text
 * @size: bytes of @text
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED
 *
 * Reads metadata.json; unknown members are ignored. That the names lead to files is not asked here.
 *
 * Returns: (transfer full): the metadata, or %NULL
 */
DstackMetadata *
dstack_metadata_parse(const gchar *text, gsize size, GError **error)
{
	g_autoptr(DstackMetadata) self = g_new0(DstackMetadata, 1);
	g_autoptr(JsonObject) object = dstack_json_parse_object(text, size, DSTACK_LIMIT_METADATA, WHAT, error);

	if (object == NULL || !read_required(self, object, error) || !read_strings(self, object, error) ||
	    !read_flags(self, object, error) || !ensure_values(self, error))
		return NULL;
	return g_steal_pointer(&self);
}

/**
 * dstack_metadata_get_bios_sev:
 * @self: the metadata
 *
 * Returns: (transfer none) (nullable): name of the firmware for SEV-SNP: `bios-sev`, else `bios`
 */
const gchar *
dstack_metadata_get_bios_sev(const DstackMetadata *self)
{
	return self->bios_sev != NULL ? self->bios_sev : self->bios;
}

static gboolean
is_number(const gchar *text)
{
	return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

/**
 * dstack_version_is_valid:
 * @text: a text
 *
 * Returns: whether @text is `X.Y.Z` with one optional non-empty fourth component, the first three numeric
 */
gboolean
dstack_version_is_valid(const gchar *text)
{
	g_auto(GStrv) parts = g_strsplit(text, ".", 5);
	guint n = g_strv_length(parts);

	if (n != 3 && n != 4)
		return FALSE;
	for (guint i = 0; i < 3; i++) {
		if (!is_number(parts[i]))
			return FALSE;
	}
	return n == 3 || parts[3][0] != '\0';
}

/**
 * dstack_version_from_name:
 * @name: a directory's name, as "dstack-nvidia-dev-0.6.1"
 *
 * Returns: (transfer full) (nullable): what follows a hyphen and is a version, the longest such text
 */
gchar *
dstack_version_from_name(const gchar *name)
{
	for (const gchar *p = strchr(name, '-'); p != NULL; p = strchr(p + 1, '-')) {
		if (dstack_version_is_valid(p + 1))
			return g_strdup(p + 1);
	}
	return NULL;
}
