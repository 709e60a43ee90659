/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Real quotes with one byte changed: never valid.
 *
 * Each byte of each real quote has one of its bits flipped, with that case's collateral at its time. Under
 * `make check` every STRIDE-th byte of each quote is tried, beginning with another one in each, so that over the
 * quotes every region is covered; with DSTACK_TEST_SLOW=1 it is every byte, with two patterns.
 *
 * Bytes that no rule covers are listed in is_uncovered(): white space around and inside the PEM text may become
 * other white space, and the NUL behind it may become white space. All else in a quote is signed, compared or
 * must be zero.
 */

#include "config.h"

#include <string.h>

#include "dcap/verify.h"
#include "support/dcap-cases.h"
#include "support/vectors.h"

#define STRIDE	  61
#define ALLOW_ALL 0xf

typedef struct {
	DstackDcapCases *cases;
	GHashTable *seen; /* quotes tried already: many cases share one */
	guint n_quotes;
	guint n_flips;
	guint n_uncovered;
} Sweep;

static gboolean
is_white_space(guint8 byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* white space of the PEM text to other white space, or the NUL at its end to white space */
static gboolean
is_uncovered(const DstackQuote *original, const guint8 *data, gsize offset, guint8 changed)
{
	const DstackSlice *chain = &original->certification.data;
	gsize start = (gsize)(chain->data - data);

	if (offset < start || offset >= start + chain->size || !is_white_space(changed))
		return FALSE;
	return is_white_space(data[offset]) || (data[offset] == 0 && offset == start + chain->size - 1);
}

static gboolean
is_valid(const guint8 *data, gsize size, DstackCollateral *collateral, const DstackContext *context)
{
	g_autoptr(DstackDcapResult) result = NULL;
	DstackQuote quote;

	if (!dstack_quote_parse(&quote, data, size, NULL))
		return FALSE;
	result = dstack_dcap_verify(&quote, collateral, context, ALLOW_ALL);
	return dstack_dcap_result_is_valid(result);
}

static void
flip(Sweep *self, const DstackDcapCase *a_case, DstackCollateral *collateral, GBytes *bytes, guint8 *copy, gsize offset,
     guint8 pattern)
{
	const guint8 *data = g_bytes_get_data(bytes, NULL);
	DstackQuote original;

	copy[offset] ^= pattern;
	self->n_flips++;
	if (is_valid(copy, g_bytes_get_size(bytes), collateral, &a_case->context)) {
		g_assert_true(dstack_quote_parse(&original, data, g_bytes_get_size(bytes), NULL));
		if (is_uncovered(&original, data, offset, copy[offset])) {
			self->n_uncovered++;
		} else {
			g_test_message("%s: still valid with byte 0x%" G_GSIZE_MODIFIER "x changed to 0x%02x",
				       a_case->id, offset, copy[offset]);
			g_test_fail();
		}
	}
	copy[offset] ^= pattern;
}

static void
sweep_quote(Sweep *self, const DstackDcapCase *a_case)
{
	gboolean slow = g_getenv("DSTACK_TEST_SLOW") != NULL;
	gsize stride = slow ? 1 : STRIDE;
	g_autoptr(GBytes) bytes = dstack_dcap_cases_read_quote(self->cases, a_case);
	gsize size = g_bytes_get_size(bytes);
	g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(bytes, NULL), size);
	DstackCollateral *collateral = dstack_dcap_cases_load_collateral(self->cases, a_case, NULL);

	g_assert_true(is_valid(copy, size, collateral, &a_case->context));
	for (gsize offset = slow ? 0 : self->n_quotes % STRIDE; offset < size; offset += stride) {
		/* one bit, another one from byte to byte; then all of them */
		flip(self, a_case, collateral, bytes, copy, offset, (guint8)(1u << (offset * 5 + self->n_quotes) % 8));
		if (slow)
			flip(self, a_case, collateral, bytes, copy, offset, 0xff);
	}
	self->n_quotes++;
}

static void
no_changed_byte_passes(void)
{
	Sweep self = {0};

	if (dstack_test_vectors_dir() == NULL)
		return;
	self.cases = dstack_dcap_cases_new();
	self.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < dstack_dcap_cases_count(self.cases); i++) {
		DstackDcapCase a_case = dstack_dcap_cases_get(self.cases, i);

		if (!g_str_equal(a_case.family, "real") ||
		    !g_str_equal(json_object_get_string_member(a_case.strict, "verdict"), "accept") ||
		    !g_hash_table_add(self.seen, g_strdup(a_case.quote)))
			continue;
		sweep_quote(&self, &a_case);
	}
	g_test_message("%u real quotes, %u bytes changed, %u of them white space that no rule covers", self.n_quotes,
		       self.n_flips, self.n_uncovered);
	g_assert_cmpuint(self.n_quotes, >, 20);
	g_hash_table_unref(self.seen);
	dstack_dcap_cases_free(self.cases);
}

/* what the list of uncovered bytes says, said once by itself */
static void
white_space_of_pem_is_covered_by_no_rule(void)
{
	g_autoptr(DstackDcapCases) cases = NULL;
	DstackDcapCase a_case;
	DstackCollateral *collateral = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autofree guint8 *copy = NULL;
	DstackQuote quote;
	gsize newline = 0;

	if (dstack_test_vectors_dir() == NULL)
		return;
	cases = dstack_dcap_cases_new();
	a_case = dstack_dcap_cases_find(cases, "tdx-v4-90c06f000000-1d0342e3-eval19-v3-20260608");
	collateral = dstack_dcap_cases_load_collateral(cases, &a_case, NULL);
	bytes = dstack_dcap_cases_read_quote(cases, &a_case);
	copy = g_memdup2(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	g_assert_true(dstack_quote_parse(&quote, copy, g_bytes_get_size(bytes), NULL));
	newline = (gsize)(quote.certification.data.data - copy) + strlen("-----BEGIN CERTIFICATE-----");
	g_assert_cmpint(copy[newline], ==, '\n');
	copy[newline] = ' ';
	g_assert_true(is_valid(copy, g_bytes_get_size(bytes), collateral, &a_case.context));
	copy[newline] = '\v';
	g_assert_false(is_valid(copy, g_bytes_get_size(bytes), collateral, &a_case.context));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dcap/mutation/no-changed-byte-passes", no_changed_byte_passes);
	g_test_add_func("/dcap/mutation/white-space-of-pem-is-covered-by-no-rule",
			white_space_of_pem_is_covered_by_no_rule);
	return g_test_run();
}
