/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The TCB status of a platform: pure functions over levels that others have parsed and authenticated.
 * Rules: evidence.md part A, section 9.
 */
#pragma once

#include <glib.h>

#include "dcap/pck.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_TCB_NONE = 0, /* not evaluated; never a good answer */
	DSTACK_TCB_UP_TO_DATE,
	DSTACK_TCB_SW_HARDENING_NEEDED,
	DSTACK_TCB_CONFIGURATION_NEEDED,
	DSTACK_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
	DSTACK_TCB_OUT_OF_DATE,
	DSTACK_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
	DSTACK_TCB_TD_RELAUNCH_ADVISED,
	DSTACK_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
	DSTACK_TCB_REVOKED,
} DstackTcbStatus;

/* what a level says of those that reach it */
typedef struct {
	DstackTcbStatus status;
	gint64 date;	       /* tcbDate */
	GPtrArray *advisories; /* (element-type utf8) */
} DstackTcbGrade;

typedef struct {
	guint8 sgx[DSTACK_TCB_COMPONENTS];
	guint16 pcesvn;
	guint8 tdx[DSTACK_TCB_COMPONENTS]; /* zero in SGX's */
	DstackTcbGrade grade;
} DstackPlatformLevel;

/* of a QE identity, or of a TDX module's */
typedef struct {
	guint16 isvsvn;
	DstackTcbGrade grade;
} DstackIsvLevel;

/* who signed a TDX module, and its attributes */
typedef struct {
	guint8 mrsigner[48];
	guint8 attributes[8];
	guint8 attributes_mask[8];
} DstackTdxModule;

typedef struct {
	gchar *id; /* "TDX_01" */
	DstackTdxModule module;
	GPtrArray *levels; /* (element-type DstackIsvLevel), best first */
} DstackTdxModuleIdentity;

/* what is matched, borrowed */
typedef struct {
	GPtrArray *platform_levels;    /* (element-type DstackPlatformLevel), best first */
	GPtrArray *qe_levels;	       /* (element-type DstackIsvLevel), best first */
	const DstackTdxModule *module; /* (nullable): SGX has none */
	GPtrArray *module_identities;  /* (element-type DstackTdxModuleIdentity) */
} DstackTcbLevels;

/* whom it is matched for */
typedef struct {
	const DstackPck *pck;
	guint16 qe_isvsvn;
	gboolean is_tdx;
	guint8 tee_tcb_svn[16]; /* the rest of TDX only */
	guint8 mrsignerseam[48];
	guint8 seamattributes[8];
} DstackTcbSubject;

/* a value type; levels are borrowed from what was matched */
typedef struct {
	DstackTcbStatus status; /* all three converged */
	gint64 date;		/* the earliest of the matched levels */
	const DstackPlatformLevel *platform;
	const DstackTdxModuleIdentity *module_identity; /* (nullable) */
	const DstackIsvLevel *module;			/* (nullable) */
	const DstackIsvLevel *qe;
} DstackTcbEvaluation;

const gchar *dstack_tcb_status_to_string(DstackTcbStatus status);
/* one of the seven that a signed document may use */
gboolean dstack_tcb_status_parse(const gchar *text, DstackTcbStatus *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* best first; FALSE when two levels are the same */
gboolean dstack_platform_levels_sort(GPtrArray *levels, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_isv_levels_sort(GPtrArray *levels, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean dstack_tcb_evaluate(const DstackTcbLevels *levels, const DstackTcbSubject *subject, DstackTcbEvaluation *out,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
DstackTcbStatus dstack_tcb_converge(DstackTcbStatus platform, DstackTcbStatus module, DstackTcbStatus qe);
/* TD 1.5: what was launched against what runs now */
DstackTcbStatus dstack_tcb_relaunch(DstackTcbStatus launch, DstackTcbStatus current);
/* platform's, QE's and module's, each once (element-type utf8) */
GPtrArray *dstack_tcb_evaluation_dup_advisories(const DstackTcbEvaluation *self);

void dstack_tcb_grade_clear(DstackTcbGrade *self);
void dstack_platform_level_free(DstackPlatformLevel *self);
void dstack_isv_level_free(DstackIsvLevel *self);
void dstack_tdx_module_identity_free(DstackTdxModuleIdentity *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackPlatformLevel, dstack_platform_level_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackIsvLevel, dstack_isv_level_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackTdxModuleIdentity, dstack_tdx_module_identity_free)

G_END_DECLS
