/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Forged evidence in files, for tests that are scripts:
 *
 *     forge-evidence DIR [MRTD RTMR0 RTMR1 RTMR2 RTMR3 [REPORT_DATA]]
 *
 * writes DIR/quote.bin, DIR/quote.hex, DIR/collateral.json, DIR/root.der and DIR/now (seconds since 1970);
 * registers and report data are hex, all zero where they are not given.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "support/tdx-forge.h"

static void
write_file(const gchar *directory, const gchar *name, gconstpointer data, gsize size)
{
	g_autofree gchar *path = g_build_filename(directory, name, NULL);
	g_autoptr(GError) error = NULL;

	if (!g_file_set_contents(path, data, (gssize)size, &error)) {
		g_printerr("forge-evidence: %s\n", error->message);
		exit(EXIT_FAILURE);
	}
}

static void
read_hex(const gchar *text, guint8 *out, gsize size)
{
	g_autoptr(GError) error = NULL;

	if (!dstack_hex_decode(text, "argument", out, size, &error)) {
		g_printerr("forge-evidence: %s\n", error->message);
		exit(EXIT_FAILURE);
	}
}

int
main(int argc, char **argv)
{
	DstackTdxRegisters registers = {0};
	guint8 report_data[64] = {0};
	g_auto(DstackForged) forged = {0};
	g_autofree gchar *hex = NULL;
	g_autofree gchar *now = NULL;

	if (argc != 2 && argc != 7 && argc != 8) {
		g_printerr("usage: forge-evidence DIR [MRTD RTMR0 RTMR1 RTMR2 RTMR3 [REPORT_DATA]]\n");
		return EXIT_FAILURE;
	}
	if (argc >= 7) {
		read_hex(argv[2], registers.mrtd.bytes, sizeof(registers.mrtd.bytes));
		for (int i = 0; i < DSTACK_N_RTMRS; i++)
			read_hex(argv[3 + i], registers.rtmr[i].bytes, sizeof(registers.rtmr[i].bytes));
	}
	if (argc == 8)
		read_hex(argv[7], report_data, sizeof(report_data));
	dstack_forge_evidence(&registers, report_data, NULL, &forged);
	hex = dstack_hex_encode_bytes(forged.quote);
	now = g_strdup_printf("%" G_GINT64_FORMAT, forged.context.now);
	write_file(argv[1], "quote.bin", g_bytes_get_data(forged.quote, NULL), g_bytes_get_size(forged.quote));
	write_file(argv[1], "quote.hex", hex, strlen(hex));
	write_file(argv[1], "collateral.json", forged.collateral, strlen(forged.collateral));
	write_file(argv[1], "root.der", g_bytes_get_data(forged.root_der, NULL), g_bytes_get_size(forged.root_der));
	write_file(argv[1], "now", now, strlen(now));
	return EXIT_SUCCESS;
}
