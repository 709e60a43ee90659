/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Writes the seeds of the dcap fuzz targets anew from forged evidence: make-dcap-seeds tests/fuzz/corpus
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "dcap/collateral-parts.h"
#include "support/tdx-forge-internal.h"

static void
write_seed(const gchar *corpus, const gchar *target, const gchar *name, gconstpointer data, gsize size)
{
	g_autofree gchar *dir = g_build_filename(corpus, target, NULL);
	g_autofree gchar *path = g_build_filename(dir, name, NULL);
	g_autoptr(GError) error = NULL;

	g_mkdir_with_parents(dir, 0755);
	if (!g_file_set_contents(path, data, (gssize)size, &error)) {
		g_printerr("make-dcap-seeds: %s\n", error->message);
		exit(EXIT_FAILURE);
	}
}

static void
write_text(const gchar *corpus, const gchar *target, const gchar *name, const gchar *text)
{
	write_seed(corpus, target, name, text, strlen(text));
}

/* the member's number, then the member */
static void
write_parts(const gchar *corpus, const DstackForged *forged)
{
	g_auto(DstackCollateralParts) parts = {{NULL}};

	g_assert_true(dstack_collateral_parts_from_json(&parts, forged->collateral, strlen(forged->collateral), NULL));
	for (guint i = 0; i < DSTACK_N_PARTS; i++) {
		gsize size = 0;
		const gchar *data = g_bytes_get_data(parts.part[i], &size);
		g_autofree gchar *text = g_strndup(data, size);
		/* a capital letter whose remainder by nine is i: 'H' is 72 */
		g_autofree gchar *seed = g_strdup_printf("%c%s", 'H' + (gint)i, text);

		write_text(corpus, "collateral", dstack_part_to_string(i), seed);
	}
	{
		g_autofree gchar *hex = g_strndup(g_bytes_get_data(parts.part[DSTACK_PART_PCK_CRL], NULL),
						  g_bytes_get_size(parts.part[DSTACK_PART_PCK_CRL]));
		g_autoptr(GBytes) der = dstack_hex_decode_bytes(hex, "list", 1 << 20, NULL);

		write_text(corpus, "x509", "list-hex", hex);
		write_seed(corpus, "x509", "list-der", g_bytes_get_data(der, NULL), g_bytes_get_size(der));
	}
	write_seed(corpus, "certification", "signing",
		   g_bytes_get_data(parts.part[DSTACK_PART_TCB_INFO_ISSUER_CHAIN], NULL),
		   g_bytes_get_size(parts.part[DSTACK_PART_TCB_INFO_ISSUER_CHAIN]));
}

static void
write_chain(const gchar *corpus, const DstackForged *forged)
{
	DstackQuote quote;

	g_assert_true(
	    dstack_quote_parse(&quote, g_bytes_get_data(forged->quote, NULL), g_bytes_get_size(forged->quote), NULL));
	write_seed(corpus, "certification", "pck", quote.certification.data.data, quote.certification.data.size);
	write_seed(corpus, "x509", "pem", quote.certification.data.data, quote.certification.data.size);
	write_seed(corpus, "x509", "root", g_bytes_get_data(forged->root_der, NULL),
		   g_bytes_get_size(forged->root_der));
}

int
main(int argc, char **argv)
{
	g_auto(DstackForge) forge = {0};
	g_auto(DstackForged) forged = {0};
	g_autoptr(GBytes) extension = NULL;
	g_autofree gchar *tdx = NULL;
	g_autofree gchar *sgx = NULL;
	g_autofree gchar *old = NULL;
	g_autofree gchar *identity = NULL;

	if (argc != 2) {
		g_printerr("usage: make-dcap-seeds CORPUS\n");
		return EXIT_FAILURE;
	}
	dstack_forge_init(&forge);
	dstack_forge_build(&forge, &forged);
	extension = dstack_forge_pck_extension(&forge.pck);
	write_seed(argv[1], "pck", "platform", g_bytes_get_data(extension, NULL), g_bytes_get_size(extension));
	tdx = dstack_forge_tcb_info(&forge);
	write_text(argv[1], "tcb-info", "tdx", tdx);
	identity = dstack_forge_qe_identity(&forge);
	write_text(argv[1], "qe-identity", "td-qe", identity);
	write_parts(argv[1], &forged);
	write_chain(argv[1], &forged);
	dstack_forge_make_sgx(&forge, 3);
	sgx = dstack_forge_tcb_info(&forge);
	write_text(argv[1], "tcb-info", "sgx", sgx);
	forge.tcb_info_id = NULL;
	old = dstack_forge_tcb_info(&forge);
	write_text(argv[1], "tcb-info", "version-2", old);
	return EXIT_SUCCESS;
}
