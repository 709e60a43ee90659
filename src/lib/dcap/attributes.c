/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Attributes of TDs and enclaves: evidence.md part A, "What ours does" and section 4.
 */

#include "config.h"

#include "dcap/attributes.h"

#include <string.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/reader.h"

#define TD_DEBUG	   G_GUINT64_CONSTANT(0x1)
#define TD_SEPT_VE_DISABLE (G_GUINT64_CONSTANT(1) << 28)
#define TD_PKS		   (G_GUINT64_CONSTANT(1) << 30)
#define TD_KL		   (G_GUINT64_CONSTANT(1) << 31)
#define TD_PERFMON	   (G_GUINT64_CONSTANT(1) << 63)
#define TD_KNOWN	   (TD_DEBUG | TD_SEPT_VE_DISABLE | TD_PKS | TD_KL | TD_PERFMON)

#define SGX_DEBUG 0x02 /* of the first byte of an enclave's attributes */

typedef struct {
	guint allow;
	GPtrArray *waived;
} Policy;

/* a broken rule: refused, unless the caller said that it does without */
static gboolean
break_rule(const Policy *policy, DstackDcapAllow rule, const gchar *found, GError **error)
{
	if ((policy->allow & rule) == 0)
		return dstack_throw(error, DSTACK_ERROR_REFUSED, "%s", found);
	g_ptr_array_add(policy->waived, g_strdup(found));
	return TRUE;
}

static guint64
td_attributes(const DstackTdBody *td)
{
	DstackReader reader;
	guint64 value = 0;

	dstack_reader_init(&reader, td->tdattributes, sizeof(td->tdattributes), "TD attributes");
	/* eight bytes of eight: cannot fail, and no attribute set would be refused as well */
	return dstack_reader_u64le(&reader, "attributes", &value, NULL) ? value : 0;
}

static gboolean
ensure_td_bits(guint64 attributes, const Policy *policy, GError **error)
{
	if ((attributes & TD_DEBUG) != 0 && !break_rule(policy, DSTACK_DCAP_ALLOW_DEBUG,
							"TD attributes: DEBUG is set: the host can read the TD", error))
		return FALSE;
	if ((attributes & ~TD_KNOWN) != 0) {
		g_autofree gchar *found = g_strdup_printf(
		    "TD attributes: reserved bits are set: 0x%" G_GINT64_MODIFIER "x", attributes & ~TD_KNOWN);

		if (!break_rule(policy, DSTACK_DCAP_ALLOW_RESERVED, found, error))
			return FALSE;
	}
	return (attributes & TD_SEPT_VE_DISABLE) != 0 ||
	       break_rule(policy, DSTACK_DCAP_ALLOW_SEPT_VE, "TD attributes: SEPT_VE_DISABLE is not set", error);
}

/* zero in bodies that have no such fields */
static gboolean
has_service_td(const DstackTdBody *td)
{
	return !dstack_bytes_are_zero(td->mrservicetd, sizeof(td->mrservicetd)) ||
	       !dstack_bytes_are_zero(td->initial_servtd_hash, sizeof(td->initial_servtd_hash)) ||
	       !dstack_bytes_are_zero(td->current_servtd_hash, sizeof(td->current_servtd_hash));
}

/**
 * dstack_quote_ensure_attributes:
 * @quote: a parsed quote
 * @allow: #DstackDcapAllow
 * @waived: (element-type utf8): gets what the rules in @allow found, in words
 * @error: (out) (optional): %DSTACK_ERROR_REFUSED with the rule that is broken
 *
 * Whose module runs the TD (MRSIGNERSEAM) is not asked here: the TCB info says who may sign it.
 *
 * Returns: %TRUE when no rule is broken that @allow does not name
 */
gboolean
dstack_quote_ensure_attributes(const DstackQuote *quote, guint allow, GPtrArray *waived, GError **error)
{
	Policy policy = {.allow = allow, .waived = waived};

	if (!dstack_quote_is_tdx(quote)) {
		return (quote->sgx.attributes[0] & SGX_DEBUG) == 0 ||
		       break_rule(&policy, DSTACK_DCAP_ALLOW_DEBUG,
				  "enclave attributes: DEBUG is set: the host can read the enclave", error);
	}
	if (!ensure_td_bits(td_attributes(&quote->td), &policy, error))
		return FALSE;
	return !has_service_td(&quote->td) || break_rule(&policy, DSTACK_DCAP_ALLOW_SERVICE_TD,
							 "MRSERVICETD is not zero: a service TD is bound", error);
}
