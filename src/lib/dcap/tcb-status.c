/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Matching levels and converging statuses. Rules: evidence.md part A, section 9, which are those of Intel's
 * own verification library; the numbers in comments are that section's items.
 */

#include "config.h"

#include "dcap/tcb-status.h"

#include <string.h>

#include "base/error.h"

static const struct {
	DstackTcbStatus status;
	const gchar *name;
	gboolean on_the_wire; /* the other two are results only */
} statuses[] = {
    {DSTACK_TCB_UP_TO_DATE, "UpToDate", TRUE},
    {DSTACK_TCB_SW_HARDENING_NEEDED, "SWHardeningNeeded", TRUE},
    {DSTACK_TCB_CONFIGURATION_NEEDED, "ConfigurationNeeded", TRUE},
    {DSTACK_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED, "ConfigurationAndSWHardeningNeeded", TRUE},
    {DSTACK_TCB_OUT_OF_DATE, "OutOfDate", TRUE},
    {DSTACK_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED, "OutOfDateConfigurationNeeded", TRUE},
    {DSTACK_TCB_TD_RELAUNCH_ADVISED, "TdRelaunchAdvised", FALSE},
    {DSTACK_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED, "TdRelaunchAdvisedConfigurationNeeded", FALSE},
    {DSTACK_TCB_REVOKED, "Revoked", TRUE},
};

/**
 * dstack_tcb_status_to_string:
 * @status: a status
 *
 * Returns: (transfer none) (nullable): its name, as Intel spells it; %NULL for %DSTACK_TCB_NONE
 */
const gchar *
dstack_tcb_status_to_string(DstackTcbStatus status)
{
	for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++) {
		if (statuses[i].status == status)
			return statuses[i].name;
	}
	return NULL;
}

/**
 * dstack_tcb_status_parse:
 * @text: value of a "tcbStatus" member
 * @out: (out): the status
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED on any other text, also in another case
 *
 * Returns: %TRUE when @text is one of the seven statuses that a level may have
 */
gboolean
dstack_tcb_status_parse(const gchar *text, DstackTcbStatus *out, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++) {
		if (statuses[i].on_the_wire && g_str_equal(statuses[i].name, text)) {
			*out = statuses[i].status;
			return TRUE;
		}
	}
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "tcbStatus: '%s' is none of the known ones", text);
}

void
dstack_tcb_grade_clear(DstackTcbGrade *self)
{
	g_clear_pointer(&self->advisories, g_ptr_array_unref);
}

void
dstack_platform_level_free(DstackPlatformLevel *self)
{
	dstack_tcb_grade_clear(&self->grade);
	g_free(self);
}

void
dstack_isv_level_free(DstackIsvLevel *self)
{
	dstack_tcb_grade_clear(&self->grade);
	g_free(self);
}

void
dstack_tdx_module_identity_free(DstackTdxModuleIdentity *self)
{
	g_free(self->id);
	g_clear_pointer(&self->levels, g_ptr_array_unref);
	g_free(self);
}

/* item 1: SGX components as one big-endian number, then PCESVN, then TDX components; the higher comes first */
static gint
compare_platform_levels(gconstpointer pa, gconstpointer pb)
{
	const DstackPlatformLevel *a = *(const DstackPlatformLevel *const *)pa;
	const DstackPlatformLevel *b = *(const DstackPlatformLevel *const *)pb;
	gint order = memcmp(b->sgx, a->sgx, sizeof(a->sgx));

	if (order == 0)
		order = (gint)b->pcesvn - (gint)a->pcesvn;
	if (order == 0)
		order = memcmp(b->tdx, a->tdx, sizeof(a->tdx));
	return order;
}

static gint
compare_isv_levels(gconstpointer pa, gconstpointer pb)
{
	const DstackIsvLevel *a = *(const DstackIsvLevel *const *)pa;
	const DstackIsvLevel *b = *(const DstackIsvLevel *const *)pb;

	return (gint)b->isvsvn - (gint)a->isvsvn;
}

static gboolean
sort_levels(GPtrArray *levels, GCompareFunc compare, GError **error)
{
	g_ptr_array_sort(levels, compare);
	for (guint i = 1; i < levels->len; i++) {
		if (compare(&levels->pdata[i - 1], &levels->pdata[i]) == 0)
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, "tcbLevels: the same level is there twice");
	}
	return TRUE;
}

/**
 * dstack_platform_levels_sort:
 * @levels: (element-type DstackPlatformLevel): levels in any order
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when two are the same
 *
 * Sorts best first, whatever order the document has.
 *
 * Returns: %TRUE when every level is there once
 */
gboolean
dstack_platform_levels_sort(GPtrArray *levels, GError **error)
{
	return sort_levels(levels, compare_platform_levels, error);
}

/**
 * dstack_isv_levels_sort:
 * @levels: (element-type DstackIsvLevel): levels in any order
 * @error: (out) (optional): %DSTACK_ERROR_MALFORMED when two are the same
 *
 * Sorts best first, whatever order the document has.
 *
 * Returns: %TRUE when every level is there once
 */
gboolean
dstack_isv_levels_sort(GPtrArray *levels, GError **error)
{
	return sort_levels(levels, compare_isv_levels, error);
}

static gboolean
components_reach(const guint8 *have, const guint8 *want, guint start)
{
	for (guint i = start; i < DSTACK_TCB_COMPONENTS; i++) {
		if (have[i] < want[i])
			return FALSE;
	}
	return TRUE;
}

/* the module's major version; 0 is a module from before versions were told apart */
static guint8
module_version(const DstackTcbSubject *subject)
{
	return subject->tee_tcb_svn[1];
}

/* item 2: where the module has its own levels, its SVN (0) and version (1) are no business of the platform's */
static gboolean
platform_level_is_reached(const DstackPlatformLevel *level, const DstackTcbSubject *subject)
{
	return components_reach(subject->pck->components, level->sgx, 0) && subject->pck->pcesvn >= level->pcesvn &&
	       (!subject->is_tdx ||
		components_reach(subject->tee_tcb_svn, level->tdx, module_version(subject) > 0 ? 2 : 0));
}

static gboolean
find_platform_level(GPtrArray *levels, const DstackTcbSubject *subject, const DstackPlatformLevel **out, GError **error)
{
	for (guint i = 0; i < levels->len; i++) {
		const DstackPlatformLevel *level = g_ptr_array_index(levels, i);

		if (platform_level_is_reached(level, subject)) {
			*out = level;
			return TRUE;
		}
	}
	return dstack_throw(error, DSTACK_ERROR_UNSOUND,
			    "TCB info: the platform reaches none of the %u levels: its TCB is not supported",
			    levels->len);
}

/* a status that means nothing for this kind of level refuses, as not supported */
static gboolean
find_isv_level(GPtrArray *levels, guint16 isvsvn, guint allowed, const gchar *what, const DstackIsvLevel **out,
	       GError **error)
{
	for (guint i = 0; i < levels->len; i++) {
		const DstackIsvLevel *level = g_ptr_array_index(levels, i);

		if (level->isvsvn > isvsvn)
			continue;
		if ((allowed & 1u << level->grade.status) == 0) {
			return dstack_throw(error, DSTACK_ERROR_UNSOUND,
					    "%s: level %u has status %s, which it may not have", what, level->isvsvn,
					    dstack_tcb_status_to_string(level->grade.status));
		}
		*out = level;
		return TRUE;
	}
	return dstack_throw(error, DSTACK_ERROR_UNSOUND,
			    "%s: SVN %u is below each of the %u levels: its TCB is not supported", what, isvsvn,
			    levels->len);
}

/* item 3: by id, in hex and of either case */
static gboolean
find_module_identity(GPtrArray *identities, guint8 version, const DstackTdxModuleIdentity **out, GError **error)
{
	g_autofree gchar *id = g_strdup_printf("TDX_%02X", version);

	for (guint i = 0; i < identities->len; i++) {
		const DstackTdxModuleIdentity *identity = g_ptr_array_index(identities, i);

		if (g_ascii_strcasecmp(identity->id, id) == 0) {
			*out = identity;
			return TRUE;
		}
	}
	return dstack_throw(error, DSTACK_ERROR_UNSOUND,
			    "TCB info: expected a TDX module identity %s, found none of %u", id, identities->len);
}

/* the mask is not applied: Intel's library does not either, and every attribute is zero in the field */
static gboolean
ensure_module(const DstackTdxModule *module, const DstackTcbSubject *subject, GError **error)
{
	if (memcmp(module->mrsigner, subject->mrsignerseam, sizeof(module->mrsigner)) != 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "TDX module: MRSIGNERSEAM is not the signer in the TCB info");
	if (memcmp(module->attributes, subject->seamattributes, sizeof(module->attributes)) != 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "TDX module: SEAMATTRIBUTES are not those in the TCB info");
	return TRUE;
}

static gboolean
evaluate_module(const DstackTcbLevels *levels, const DstackTcbSubject *subject, DstackTcbEvaluation *out,
		GError **error)
{
	const guint allowed = 1u << DSTACK_TCB_UP_TO_DATE | 1u << DSTACK_TCB_OUT_OF_DATE | 1u << DSTACK_TCB_REVOKED;

	if (levels->module == NULL)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "TCB info: says nothing of a TDX module");
	if (module_version(subject) == 0)
		return ensure_module(levels->module, subject, error);
	return find_module_identity(levels->module_identities, module_version(subject), &out->module_identity, error) &&
	       ensure_module(&out->module_identity->module, subject, error) &&
	       find_isv_level(out->module_identity->levels, subject->tee_tcb_svn[0], allowed, "TDX module",
			      &out->module, error);
}

/* item 4 */
static gboolean
evaluate_qe(const DstackTcbLevels *levels, const DstackTcbSubject *subject, DstackTcbEvaluation *out, GError **error)
{
	const guint allowed = 1u << DSTACK_TCB_UP_TO_DATE | 1u << DSTACK_TCB_OUT_OF_DATE |
			      1u << DSTACK_TCB_CONFIGURATION_NEEDED |
			      1u << DSTACK_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED | 1u << DSTACK_TCB_REVOKED;

	return find_isv_level(levels->qe_levels, subject->qe_isvsvn, allowed, "quoting enclave", &out->qe, error);
}

/**
 * dstack_tcb_converge:
 * @platform: status of the platform's level
 * @module: status of the TDX module's level; %DSTACK_TCB_NONE where there is none
 * @qe: status of the quoting enclave's level
 *
 * Item 5: an old module or enclave makes the whole old, a revoked one revokes it, nothing makes it better.
 *
 * Returns: the status of the whole
 */
DstackTcbStatus
dstack_tcb_converge(DstackTcbStatus platform, DstackTcbStatus module, DstackTcbStatus qe)
{
	if (platform == DSTACK_TCB_REVOKED || module == DSTACK_TCB_REVOKED || qe == DSTACK_TCB_REVOKED)
		return DSTACK_TCB_REVOKED;
	if (module != DSTACK_TCB_OUT_OF_DATE && qe != DSTACK_TCB_OUT_OF_DATE)
		return platform;
	switch (platform) {
	case DSTACK_TCB_UP_TO_DATE:
	case DSTACK_TCB_SW_HARDENING_NEEDED:
		return DSTACK_TCB_OUT_OF_DATE;
	case DSTACK_TCB_CONFIGURATION_NEEDED:
	case DSTACK_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
		return DSTACK_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
	case DSTACK_TCB_NONE:
	case DSTACK_TCB_OUT_OF_DATE:
	case DSTACK_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED:
	case DSTACK_TCB_TD_RELAUNCH_ADVISED:
	case DSTACK_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED:
	case DSTACK_TCB_REVOKED:
		return platform;
	}
	return DSTACK_TCB_NONE;
}

static gboolean
needs_configuration(DstackTcbStatus status)
{
	return status == DSTACK_TCB_CONFIGURATION_NEEDED ||
	       status == DSTACK_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED ||
	       status == DSTACK_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

static gboolean
is_current(DstackTcbStatus status)
{
	return status == DSTACK_TCB_UP_TO_DATE || status == DSTACK_TCB_SW_HARDENING_NEEDED ||
	       status == DSTACK_TCB_CONFIGURATION_NEEDED || status == DSTACK_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED;
}

/**
 * dstack_tcb_relaunch:
 * @launch: status with the SVNs the TD was launched under
 * @current: status with the SVNs of what runs now
 *
 * Item 7: a TD launched on an old module that was updated beneath it should be launched again.
 *
 * Returns: the status of the whole
 */
DstackTcbStatus
dstack_tcb_relaunch(DstackTcbStatus launch, DstackTcbStatus current)
{
	if ((launch != DSTACK_TCB_OUT_OF_DATE && launch != DSTACK_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED) ||
	    !is_current(current))
		return launch;
	return needs_configuration(launch) || needs_configuration(current)
		   ? DSTACK_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
		   : DSTACK_TCB_TD_RELAUNCH_ADVISED;
}

/**
 * dstack_tcb_evaluate:
 * @levels: levels of platform, module and quoting enclave
 * @subject: what the platform shows
 * @out: (out): the matched levels and what follows; untouched on failure
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when no level is reached or the module is another
 *
 * Items 1 to 6 and 8. A level that is Revoked is a result like the others here: refusing it is the caller's part.
 *
 * Returns: %TRUE when all levels were found
 */
gboolean
dstack_tcb_evaluate(const DstackTcbLevels *levels, const DstackTcbSubject *subject, DstackTcbEvaluation *out,
		    GError **error)
{
	DstackTcbEvaluation result = {0};
	DstackTcbStatus module_status = DSTACK_TCB_NONE;

	if ((subject->is_tdx && !evaluate_module(levels, subject, &result, error)) ||
	    !evaluate_qe(levels, subject, &result, error) ||
	    !find_platform_level(levels->platform_levels, subject, &result.platform, error))
		return FALSE;
	result.date = MIN(result.platform->grade.date, result.qe->grade.date);
	if (result.module != NULL) {
		module_status = result.module->grade.status;
		result.date = MIN(result.date, result.module->grade.date);
	}
	result.status = dstack_tcb_converge(result.platform->grade.status, module_status, result.qe->grade.status);
	*out = result;
	return TRUE;
}

static void
add_advisories(GPtrArray *all, const DstackTcbGrade *grade)
{
	for (guint i = 0; i < grade->advisories->len; i++) {
		const gchar *advisory = g_ptr_array_index(grade->advisories, i);

		if (!g_ptr_array_find_with_equal_func(all, advisory, g_str_equal, NULL))
			g_ptr_array_add(all, g_strdup(advisory));
	}
}

/**
 * dstack_tcb_evaluation_dup_advisories:
 * @self: an evaluation that succeeded
 *
 * Returns: (transfer full) (element-type utf8): platform's, QE's and module's advisories, each once
 */
GPtrArray *
dstack_tcb_evaluation_dup_advisories(const DstackTcbEvaluation *self)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);

	add_advisories(all, &self->platform->grade);
	add_advisories(all, &self->qe->grade);
	if (self->module != NULL)
		add_advisories(all, &self->module->grade);
	return all;
}
