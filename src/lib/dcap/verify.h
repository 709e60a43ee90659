/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A quote against its platform's certificates and Intel's collateral, step by step (evidence.md part A).
 *
 * Fails closed by construction: the zero value of every step is "not checked", and a result is valid only
 * when each of them is ok or waived.
 */
#pragma once

#include <glib.h>

#include "base/context.h"
#include "base/digest.h"
#include "dcap/attributes.h"
#include "dcap/collateral.h"
#include "dcap/pck.h"
#include "dcap/tcb-status.h"
#include "tdx/quote.h"

G_BEGIN_DECLS

/* in the order they are taken; after the first that fails no other is */
typedef enum {
	DSTACK_DCAP_PCK_CHAIN,	     /* leaf, CA, root: names, signatures, dates, the root's key */
	DSTACK_DCAP_QE_REPORT,	     /* signed by the PCK certificate's key */
	DSTACK_DCAP_ATTESTATION_KEY, /* the QE report commits to the attestation key */
	DSTACK_DCAP_QUOTE_SIGNATURE, /* by the attestation key */
	DSTACK_DCAP_COLLATERAL,	     /* chains and signatures; this and the next five need collateral */
	DSTACK_DCAP_DATES,	     /* every item of the collateral */
	DSTACK_DCAP_REVOCATION,	     /* leaf, PCK CA, TCB signer; lists of the right CAs */
	DSTACK_DCAP_QE_IDENTITY,     /* the QE report is of the enclave that may sign */
	DSTACK_DCAP_TCB_INFO,	     /* it speaks of this platform */
	DSTACK_DCAP_TCB_STATUS,	     /* a level was found, and it is not Revoked */
	DSTACK_DCAP_ATTRIBUTES,	     /* of the TD or enclave: debug, reserved bits, SEPT_VE_DISABLE, service TD */
	DSTACK_N_DCAP_STEPS
} DstackDcapStep;

typedef enum {
	DSTACK_DCAP_NOT_CHECKED = 0,
	DSTACK_DCAP_OK,
	DSTACK_DCAP_FAILED,
	DSTACK_DCAP_WAIVED, /* would have failed, and the caller said that it does without */
} DstackDcapState;

/* what users of Intel's own library find in its supplemental data */
typedef struct {
	gint64 earliest_issue_date;
	gint64 latest_issue_date;
	gint64 earliest_expiration_date;
	gint64 tcb_level_date_tag; /* the earliest tcbDate of the matched levels */
	guint64 root_ca_crl_number;
	guint64 pck_crl_number;
	guint32 tcb_eval_ref_num; /* the lower of TCB info's and QE identity's */
	DstackSha384 root_key_id; /* SHA-384 of the root's public key, as a point without its first byte */
} DstackDcapSupplement;

typedef struct {
	DstackDcapState state[DSTACK_N_DCAP_STEPS];
	GError *error;		 /* (nullable): why the failed step failed */
	GPtrArray *waived;	 /* (element-type utf8): what the waived rules found, in words */
	gboolean root_is_pinned; /* FALSE: the caller gave another root, which every output must say */
	DstackSha256 root_spki;

	gboolean has_pck;
	DstackPck pck;
	gboolean is_tdx;

	DstackTcbStatus status; /* DSTACK_TCB_NONE until evaluated, so also without collateral */
	GPtrArray *advisories;	/* (element-type utf8) */
	DstackTcbEvaluation launch;
	gboolean has_current; /* TD 1.5 and later: what runs now, which may differ from what was launched */
	DstackTcbEvaluation current;
	gboolean has_supplement;
	DstackDcapSupplement supplement;

	DstackCollateral *collateral; /* (nullable): keeps the levels alive */
} DstackDcapResult;

/*
 * Never NULL. collateral NULL: only the first four steps and the attributes are taken, and the result is not valid,
 * but dstack_dcap_result_is_signed() may hold. allow: DstackDcapAllow.
 */
DstackDcapResult *dstack_dcap_verify(const DstackQuote *quote, DstackCollateral *collateral,
				     const DstackContext *context, guint allow);
void dstack_dcap_result_free(DstackDcapResult *self);
/* every step is ok or waived */
gboolean dstack_dcap_result_is_valid(const DstackDcapResult *self);
/* chain, QE report, attestation key and quote signature hold: all that can be known without collateral */
gboolean dstack_dcap_result_is_signed(const DstackDcapResult *self);
const gchar *dstack_dcap_step_to_string(DstackDcapStep step);
const gchar *dstack_dcap_state_to_string(DstackDcapState state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackDcapResult, dstack_dcap_result_free)

G_END_DECLS
