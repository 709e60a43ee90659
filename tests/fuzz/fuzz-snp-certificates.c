/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates as evidence carries them: PEM, DER or the kernel's table; and the checks of a leaf's extensions.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "snp/certificates.h"
#include "snp/report-chain.h"

static void
judge(const DstackSnpCertificates *certs)
{
	DstackSnpTrust trust = {0};
	DstackSnpChain chain = {0};
	DstackSnpReport report = {0};

	/* nobody but AMD can make a chain that leads to a pinned root */
	g_assert_false(dstack_snp_chain_verify(certs, &trust, &chain, NULL));
	if (certs->vek == NULL)
		return;
	report.version = 3;
	for (guint i = 0; i < DSTACK_SNP_N_PRODUCTS; i++) {
		DstackSnpProduct product = (DstackSnpProduct)i;

		(void)!dstack_snp_vek_ensure_product(certs->vek, product, &report, NULL);
		(void)!dstack_snp_vek_ensure_tcb(certs->vek, product, &report, NULL);
		g_assert_false(dstack_snp_vek_ensure_chip(certs->vek, DSTACK_SNP_VCEK, product, &report, NULL));
		g_assert_false(dstack_snp_vek_ensure_signature(certs->vek, &report, NULL));
	}
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GPtrArray) chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	g_auto(DstackSnpCertificates) certs = {NULL, NULL, NULL};
	DstackSnpCertTable table = {{NULL, 0}};

	if (dstack_snp_cert_table_parse(&table, data, size, NULL)) {
		g_assert_cmpuint(table.vcek.size, <=, size);
		g_assert_true(table.vcek.data >= data && table.vcek.data + table.vcek.size <= data + size);
	}
	g_ptr_array_add(chain, g_bytes_new(data, size));
	if (dstack_snp_certificates_parse(&certs, chain, NULL))
		judge(&certs);
	return 0;
}
