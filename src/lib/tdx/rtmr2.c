/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel's EFI stub measures of its command line. Source: tdx-measurement.md, section 5.
 */

#include "config.h"

#include "tdx/rtmr2.h"

#include <string.h>

#include "base/error.h"

/* OVMF appends this so that the stub loads the initrd that QEMU offers */
#define INITRD_ARGUMENT " initrd=initrd"
#define ROOTFS_ARGUMENT "dstack.rootfs_hash="
#define ROOTFS_DIGITS	64

/**
 * dstack_rtmr2_cmdline_digest:
 * @cmdline: the command line as metadata.json has it, without what the firmware adds
 * @out: (out): SHA-384 of the load options
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when it is not UTF-8
 *
 * Returns: %TRUE and the digest
 */
gboolean
dstack_rtmr2_cmdline_digest(const gchar *cmdline, DstackSha384 *out, GError **error)
{
	g_autofree gchar *whole = g_strconcat(cmdline, INITRD_ARGUMENT, NULL);
	g_autofree gunichar2 *units = NULL;
	glong n_units = 0;

	units = g_utf8_to_utf16(whole, -1, NULL, &n_units, NULL);
	if (units == NULL)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "command line: expected valid UTF-8");
	/* the terminator is measured too */
	for (glong i = 0; i <= n_units; i++)
		units[i] = GUINT16_TO_LE(units[i]);
	*out = dstack_sha384((const guint8 *)units, ((gsize)n_units + 1) * sizeof(units[0]));
	return TRUE;
}

static gboolean
rootfs_hash_is_hex(const gchar *value)
{
	if (strlen(value) != ROOTFS_DIGITS)
		return FALSE;
	for (const gchar *p = value; *p != '\0'; p++) {
		if (!g_ascii_isxdigit(*p))
			return FALSE;
	}
	return TRUE;
}

/**
 * dstack_rtmr2_ensure_cmdline:
 * @cmdline: a command line
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when it does not commit one root filesystem, or holds bytes that
 *   firmware and measuring tools turn into UTF-16 in different ways
 *
 * Returns: %TRUE when an image with this command line can be measured
 */
gboolean
dstack_rtmr2_ensure_cmdline(const gchar *cmdline, GError **error)
{
	g_auto(GStrv) words = g_strsplit_set(cmdline, " \t\r\n", -1);
	guint found = 0;

	if (!g_str_is_ascii(cmdline))
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "command line: expected ASCII characters only");
	for (guint i = 0; words[i] != NULL; i++) {
		const gchar *value = NULL;

		if (!g_str_has_prefix(words[i], ROOTFS_ARGUMENT))
			continue;
		value = words[i] + strlen(ROOTFS_ARGUMENT);
		found++;
		if (!rootfs_hash_is_hex(value))
			return dstack_throw(error, DSTACK_ERROR_UNSOUND,
					    "command line: expected " ROOTFS_ARGUMENT "<64 hex digits>, found '%s'",
					    value);
	}
	if (found != 1)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "command line: expected one " ROOTFS_ARGUMENT "<64 hex digits>, found %u", found);
	return TRUE;
}
