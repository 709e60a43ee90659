/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Verifications of a quote on one core with collateral loaded once; how much of that is OpenSSL checking
 * signatures; and what a verification keeps in memory.
 *
 * The quotes are of one platform, whose chain the collateral remembers; what it costs where nothing is remembered
 * is the line "without collateral". The share is the time of the same two signature checks done by themselves (QE
 * report and quote, with their keys at hand) over the time of the whole.
 */

#include "config.h"

#include <malloc.h>
#include <string.h>
#include <time.h>

#include "base/openssl.h"
#include "base/x509.h"
#include "dcap/chain.h"
#include "dcap/verify.h"
#include "support/tdx-forge.h"

#define ROUNDS	  5
#define PER_ROUND 1000

static gint64
cpu_nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (gint64)now.tv_sec * G_GINT64_CONSTANT(1000000000) + now.tv_nsec;
}

typedef struct {
	DstackForged forged;
	DstackQuote quote;
	DstackCollateral *collateral;
	DstackChain *chain;
	EVP_PKEY *attestation_key;
} Bench;

static void
bench_init(Bench *self)
{
	DstackTdxRegisters registers = {0};
	guint8 report_data[64] = {0};
	const DstackSlice *pem = &self->quote.certification.data;

	dstack_forge_evidence(&registers, report_data, NULL, &self->forged);
	g_assert_true(dstack_quote_parse(&self->quote, g_bytes_get_data(self->forged.quote, NULL),
					 g_bytes_get_size(self->forged.quote), NULL));
	self->collateral = dstack_collateral_parse(self->forged.collateral, strlen(self->forged.collateral),
						   &self->forged.context, NULL);
	self->chain = dstack_chain_parse(DSTACK_CHAIN_PCK, (const gchar *)pem->data, pem->size, "chain", NULL);
	self->attestation_key = dstack_p256_key_from_xy(self->quote.attestation_key, NULL);
	g_assert_nonnull(self->collateral);
	g_assert_nonnull(self->chain);
}

static void
bench_clear(Bench *self)
{
	EVP_PKEY_free(self->attestation_key);
	dstack_chain_unref(self->chain);
	dstack_collateral_unref(self->collateral);
	dstack_forged_clear(&self->forged);
}

static void
verify_whole(const Bench *self)
{
	DstackQuote quote;
	g_autoptr(DstackDcapResult) result = NULL;

	g_assert_true(dstack_quote_parse(&quote, g_bytes_get_data(self->forged.quote, NULL),
					 g_bytes_get_size(self->forged.quote), NULL));
	result = dstack_dcap_verify(&quote, self->collateral, &self->forged.context, 0);
	g_assert_true(dstack_dcap_result_is_valid(result));
}

static void
verify_without_collateral(const Bench *self)
{
	g_autoptr(DstackDcapResult) result = dstack_dcap_verify(&self->quote, NULL, &self->forged.context, 0);

	g_assert_true(dstack_dcap_result_is_signed(result));
}

static void
verify_signatures(const Bench *self)
{
	const DstackQuote *quote = &self->quote;

	g_assert_true(dstack_p256_verify(X509_get0_pubkey(self->chain->leaf), quote->qe_report_signature,
					 quote->qe_report_bytes.data, quote->qe_report_bytes.size, "QE report", NULL));
	g_assert_true(dstack_p256_verify(self->attestation_key, quote->signature, quote->signed_bytes.data,
					 quote->signed_bytes.size, "quote", NULL));
}

static void
load_collateral(const Bench *self)
{
	g_autoptr(DstackCollateral) collateral = dstack_collateral_parse(
	    self->forged.collateral, strlen(self->forged.collateral), &self->forged.context, NULL);

	g_assert_true(dstack_collateral_ensure_authentic(collateral, NULL));
}

/* the best of several rounds: others use this machine too */
static gdouble
nanoseconds_each(const Bench *self, void (*work)(const Bench *self), guint n)
{
	gint64 best = G_MAXINT64;

	for (guint round = 0; round < ROUNDS; round++) {
		gint64 start = cpu_nanoseconds();

		for (guint i = 0; i < n; i++)
			work(self);
		best = MIN(best, cpu_nanoseconds() - start);
	}
	return (gdouble)best / n;
}

static void
print_memory(const Bench *self)
{
	struct mallinfo2 before = mallinfo2();
	DstackDcapResult *result = dstack_dcap_verify(&self->quote, self->collateral, &self->forged.context, 0);
	struct mallinfo2 during = mallinfo2();
	struct mallinfo2 after;

	dstack_dcap_result_free(result);
	for (guint i = 0; i < PER_ROUND; i++)
		verify_whole(self);
	after = mallinfo2();
	g_print("memory a result holds: %" G_GSIZE_FORMAT " bytes; more in use after %d verifications: %" G_GSIZE_FORMAT
		" bytes\n",
		during.uordblks - before.uordblks, PER_ROUND, after.uordblks - before.uordblks);
}

int
main(void)
{
	Bench bench = {0};
	gdouble whole = 0;
	gdouble signatures = 0;
	gdouble load = 0;
	gdouble without = 0;

	bench_init(&bench);
	whole = nanoseconds_each(&bench, verify_whole, PER_ROUND);
	signatures = nanoseconds_each(&bench, verify_signatures, PER_ROUND);
	without = nanoseconds_each(&bench, verify_without_collateral, PER_ROUND / 10);
	load = nanoseconds_each(&bench, load_collateral, PER_ROUND / 10);
	g_print("verifications a second on one core: %.0f (%.1f us each)\n", 1e9 / whole, whole / 1e3);
	g_print("its two signature checks alone: %.1f us, %.2f of the whole\n", signatures / 1e3, signatures / whole);
	g_print("without collateral, chain checked anew (five signature checks): %.1f us\n", without / 1e3);
	g_print("loading collateral: %.2f ms\n", load / 1e6);
	print_memory(&bench);
	bench_clear(&bench);
	return 0;
}
