/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A launch request, and reading the numbers in it. Sizes: cli.md, "prepare options".
 */
#include "config.h"

#include "launch/request.h"

#include <limits.h>
#include <string.h>

#include "base/error.h"

DstackLaunchRequest *
dstack_launch_request_new(void)
{
	DstackLaunchRequest *self = g_new0(DstackLaunchRequest, 1);

	self->num_nics = 1;
	return self;
}

void
dstack_launch_request_free(DstackLaunchRequest *self)
{
	if (self == NULL)
		return;
	g_free(self->image);
	g_free(self->qemu_path);
	g_free(self->qemu_version);
	g_free(self->host_share_mode);
	g_free(self->vcpu_type);
	g_free(self->mr_config);
	g_strfreev(self->attach);
	g_free(self);
}

/* tdx or snp, as the command line and our metadata spell them */
gboolean
dstack_launch_tee_parse(const gchar *text, DstackLaunchTee *out, GError **error)
{
	for (DstackLaunchTee tee = DSTACK_LAUNCH_TEE_TDX; tee <= DSTACK_LAUNCH_TEE_SNP; tee++) {
		if (g_str_equal(text, dstack_launch_tee_to_string(tee))) {
			*out = tee;
			return TRUE;
		}
	}
	return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "tee: expected tdx or snp, found '%s'", text);
}

const gchar *
dstack_launch_tee_to_string(DstackLaunchTee tee)
{
	switch (tee) {
	case DSTACK_LAUNCH_TEE_UNSET:
		return "unset";
	case DSTACK_LAUNCH_TEE_TDX:
		return "tdx";
	case DSTACK_LAUNCH_TEE_SNP:
		return "snp";
	}
	g_return_val_if_reached(NULL);
}

gboolean
dstack_launch_image_name_is_valid(const gchar *name)
{
	gsize len = strlen(name);

	if (len == 0 || len > NAME_MAX || *name == '.' || *name == '-')
		return FALSE;
	for (gsize i = 0; i < len; i++) {
		if (!g_ascii_isalnum(name[i]) && strchr("._+-", name[i]) == NULL)
			return FALSE;
	}
	return TRUE;
}

/* stricter than g_ascii_string_to_unsigned(): no sign, no white space, and an error of our own kind */
gboolean
dstack_number_parse(const gchar *text, const gchar *what, guint64 max, guint64 *out, GError **error)
{
	guint64 value = 0;

	if (*text == '\0')
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "%s: expected a number, found nothing", what);
	for (const gchar *p = text; *p != '\0'; p++) {
		if (!g_ascii_isdigit(*p))
			return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
					    "%s: expected decimal digits, found '%s'", what, text);
		if (!g_uint64_checked_mul(&value, value, 10) ||
		    !g_uint64_checked_add(&value, value, (guint64)(*p - '0')) || value > max)
			return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
					    "%s: expected at most %" G_GUINT64_FORMAT ", found '%s'", what, max, text);
	}
	*out = value;
	return TRUE;
}

gboolean
dstack_size_parse(const gchar *text, const gchar *what, guint64 *out, GError **error)
{
	static const gchar suffixes[] = "KMGT";
	g_autofree gchar *digits = g_strdup(text);
	gsize len = strlen(digits);
	const gchar *suffix = len > 0 ? strchr(suffixes, digits[len - 1]) : NULL;
	guint64 value;
	guint shift = 0;

	if (suffix != NULL && *suffix != '\0') {
		shift = 10 * (guint)(suffix - suffixes + 1);
		digits[len - 1] = '\0';
	}
	if (!dstack_number_parse(digits, what, G_MAXUINT64, &value, error))
		return FALSE;
	if (value > (G_MAXUINT64 >> shift))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "%s: '%s' does not fit in 64 bits", what,
				    text);
	*out = value << shift;
	return TRUE;
}

gchar *
dstack_size_to_string(guint64 size)
{
	static const gchar *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	guint unit = 0;

	while (size != 0 && size % 1024 == 0 && unit + 1 < G_N_ELEMENTS(units)) {
		size /= 1024;
		unit++;
	}
	return g_strdup_printf("%" G_GUINT64_FORMAT " %s", size, units[unit]);
}
