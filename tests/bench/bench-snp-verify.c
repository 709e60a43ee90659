/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SEV-SNP verifications a second on one core, and how much of their time is OpenSSL checking signatures.
 */

#include "config.h"

#include <sys/resource.h>

#include "base/autoptr.h"
#include "base/openssl.h"
#include "base/x509.h"
#include "support/snp-forge.h"
#include "verify/snp.h"

#define N_RUNS 400

static void
verify(const DstackSnpForged *forged)
{
	DstackContext context = {.now = DSTACK_SNP_FORGE_NOW, .root_der = forged->root};
	DstackVerifyOptions options = {.context = &context};
	g_autoptr(DstackVerdict) verdict = dstack_verify_snp(forged->attestation, &options, NULL);

	g_assert_true(dstack_verdict_is_valid(verdict));
}

static X509 *
parse(GBytes *der)
{
	X509 *cert = dstack_x509_parse_der(g_bytes_get_data(der, NULL), g_bytes_get_size(der), "forged", NULL);

	g_assert_nonnull(cert);
	return cert;
}

/* what no verifier can do without: the CA under the root, the leaf under the CA, the report under the leaf */
typedef struct {
	X509 *root;
	X509 *ca;
	X509 *vek;
	DstackSnpReport report;
} Signatures;

static void
signatures_init(Signatures *self, const DstackSnpForged *forged)
{
	GBytes *report = forged->attestation->report;

	self->root = parse(forged->root);
	self->ca = parse(g_ptr_array_index(forged->attestation->cert_chain, 0));
	self->vek = parse(g_ptr_array_index(forged->attestation->cert_chain, 1));
	g_assert_true(
	    dstack_snp_report_parse(&self->report, g_bytes_get_data(report, NULL), g_bytes_get_size(report), NULL));
}

static void
signatures_clear(Signatures *self)
{
	X509_free(self->root);
	X509_free(self->ca);
	X509_free(self->vek);
}

static void
check_signatures(const Signatures *self)
{
	g_assert_cmpint(X509_verify(self->ca, X509_get0_pubkey(self->root)), ==, 1);
	g_assert_cmpint(X509_verify(self->vek, X509_get0_pubkey(self->ca)), ==, 1);
	g_assert_true(dstack_p384_verify_le(X509_get0_pubkey(self->vek), self->report.bytes.signature_r,
					    self->report.bytes.signature_s, (const guint8 *)&self->report.bytes,
					    DSTACK_SNP_REPORT_SIGNED_SIZE, "report", NULL));
}

/* the same with keys and certificates that OpenSSL has to decode first, as it has to for a verifier */
static void
decode_and_check_signatures(const DstackSnpForged *forged)
{
	Signatures fresh;

	signatures_init(&fresh, forged);
	check_signatures(&fresh);
	signatures_clear(&fresh);
}

static glong
peak_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

int
main(void)
{
	g_autoptr(DstackSnpForge) forge = dstack_snp_forge_new();
	g_autoptr(DstackSnpForgePlan) plan = dstack_snp_forge_plan_new(forge, DSTACK_SNP_GENOA, DSTACK_SNP_VCEK);
	g_auto(DstackSnpForged) forged = {NULL, NULL};
	Signatures signatures;
	gint64 start = 0;
	gdouble whole = 0;
	gdouble openssl = 0;
	gdouble decoding = 0;
	glong before = 0;

	plan->send_root = FALSE;
	forged = dstack_snp_forge_make_whole(plan);
	signatures_init(&signatures, &forged);
	verify(&forged); /* fills OpenSSL's own caches */
	before = peak_kib();
	start = g_get_monotonic_time();
	for (guint i = 0; i < N_RUNS; i++)
		verify(&forged);
	whole = (gdouble)(g_get_monotonic_time() - start) / N_RUNS;
	start = g_get_monotonic_time();
	for (guint i = 0; i < N_RUNS; i++)
		check_signatures(&signatures);
	openssl = (gdouble)(g_get_monotonic_time() - start) / N_RUNS;
	start = g_get_monotonic_time();
	for (guint i = 0; i < N_RUNS; i++)
		decode_and_check_signatures(&forged);
	decoding = (gdouble)(g_get_monotonic_time() - start) / N_RUNS;
	g_print("verifications a second, one core: %.0f (%.0f us each)\n", 1e6 / whole, whole);
	g_print("share of OpenSSL's signature checks: %.2f (%.0f us; goal: above 0.85)\n", openssl / whole, openssl);
	g_print("share with OpenSSL's decoding of the three certificates: %.2f (%.0f us)\n", decoding / whole,
		decoding);
	g_print("growth of memory over %d verifications: %ld KiB\n", N_RUNS, peak_kib() - before);
	signatures_clear(&signatures);
	return 0;
}
