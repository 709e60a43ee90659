/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Forged SEV-SNP evidence in files, for tests that are scripts:
 *
 *     forge-snp DIR
 *
 * writes DIR/report.bin, DIR/root.der, DIR/vcek.der, DIR/cert_chain.pem, DIR/crl.der and DIR/vcek-path (where a KDS
 * has the leaf). All of it is good from 2020 to 2099, because commands that fetch go by the clock.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/autoptr.h"
#include "base/hex.h"
#include "base/x509.h"
#include "support/pki.h"
#include "support/snp-forge.h"

#define NOT_BEFORE G_GINT64_CONSTANT(1577836800) /* 2020-01-01 */
#define NOT_AFTER  G_GINT64_CONSTANT(4070908800) /* 2099-01-01 */

static void
write_file(const gchar *directory, const gchar *name, gconstpointer data, gsize size)
{
	g_autofree gchar *path = g_build_filename(directory, name, NULL);
	g_autoptr(GError) error = NULL;

	if (!g_file_set_contents(path, data, (gssize)size, &error)) {
		g_printerr("forge-snp: %s\n", error->message);
		exit(EXIT_FAILURE);
	}
}

static void
write_text(const gchar *directory, const gchar *name, const gchar *text)
{
	write_file(directory, name, text, strlen(text));
}

static void
write_bytes(const gchar *directory, const gchar *name, GBytes *bytes)
{
	write_file(directory, name, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static void
write_chain(const gchar *directory, GBytes *ca_der, GBytes *root_der)
{
	g_autoptr(X509) ca =
	    dstack_x509_parse_der(g_bytes_get_data(ca_der, NULL), g_bytes_get_size(ca_der), "CA", NULL);
	g_autoptr(X509) root =
	    dstack_x509_parse_der(g_bytes_get_data(root_der, NULL), g_bytes_get_size(root_der), "root", NULL);
	g_autofree gchar *pem = dstack_pki_to_pem(ca, root, NULL);

	write_text(directory, "cert_chain.pem", pem);
}

int
main(int argc, char **argv)
{
	g_autoptr(DstackSnpForge) forge = NULL;
	g_autoptr(DstackSnpForgePlan) plan = NULL;
	g_auto(DstackSnpForged) forged = {NULL, NULL};
	g_autofree gchar *chip = NULL;
	g_autofree gchar *path = NULL;
	g_autoptr(GBytes) crl = NULL;
	DstackSnpForgeCrl spec = {.this_update = NOT_BEFORE, .next_update = NOT_AFTER};
	GPtrArray *chain = NULL;

	if (argc != 2) {
		g_printerr("usage: forge-snp DIR\n");
		return EXIT_FAILURE;
	}
	forge = dstack_snp_forge_new();
	plan = dstack_snp_forge_plan_new(forge, DSTACK_SNP_GENOA, DSTACK_SNP_VCEK);
	plan->root.not_before = plan->ca.not_before = plan->leaf.not_before = NOT_BEFORE;
	plan->root.not_after = plan->ca.not_after = plan->leaf.not_after = NOT_AFTER;
	forged = dstack_snp_forge_make(plan);
	spec.signer = forge->ark;
	crl = dstack_snp_forge_crl(plan, &spec);
	chain = forged.attestation->cert_chain;
	chip = dstack_hex_encode(plan->report.chip_id, sizeof(plan->report.chip_id));
	path = g_strdup_printf("/vcek/v1/Genoa/%s?blSPL=02&teeSPL=03&snpSPL=200&ucodeSPL=77", chip);
	write_bytes(argv[1], "report.bin", forged.attestation->report);
	write_bytes(argv[1], "root.der", forged.root);
	write_bytes(argv[1], "vcek.der", g_ptr_array_index(chain, 1));
	write_bytes(argv[1], "crl.der", crl);
	write_chain(argv[1], g_ptr_array_index(chain, 0), forged.root);
	write_text(argv[1], "vcek-path", path);
	return EXIT_SUCCESS;
}
