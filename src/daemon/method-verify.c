/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Verify and LabelEventLog: evidence and logs by descriptor.
 */

#include "config.h"

#include "daemon/methods.h"

#include "base/autoptr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/x509.h"
#include "daemon/descriptor.h"
#include "daemon/options.h"
#include "dcap/collateral.h"
#include "eventlog/event-log.h"
#include "verify/verifier.h"

/* a caller that hands over a pipe may take this long to fill it */
#define READ_TIMEOUT_MS 30000

static GBytes *
call_read_fd(const DstackCall *call, gint32 handle, const gchar *what, gsize max, GCancellable *cancellable,
	     GError **error)
{
	DSTACK_AUTO_FD int fd = dstack_call_dup_fd(call, handle, what, error);

	return fd < 0 ? NULL : dstack_descriptor_read(fd, what, max, READ_TIMEOUT_MS, cancellable, error);
}

static GBytes *
call_read_argument(const DstackCall *call, const gchar *what, gsize max, GCancellable *cancellable, GError **error)
{
	gint32 handle = -1;

	g_variant_get_child(call->parameters, 0, "h", &handle);
	return call_read_fd(call, handle, what, max, cancellable, error);
}

/* what a verification borrows while it runs */
typedef struct {
	DstackVerifyCall call;
	DstackContext context;
	GBytes *root;
	DstackCollateral *collateral;
	GPtrArray *certificates; /* (element-type GBytes) */
	GPtrArray *crls;	 /* (element-type GBytes) */
} VerifyInput;

static void
verify_input_clear(VerifyInput *self)
{
	dstack_verify_call_clear(&self->call);
	g_clear_pointer(&self->root, g_bytes_unref);
	g_clear_pointer(&self->collateral, dstack_collateral_unref);
	g_clear_pointer(&self->certificates, g_ptr_array_unref);
	g_clear_pointer(&self->crls, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VerifyInput, verify_input_clear)

/* certificates and revocation lists, told apart by content */
static gboolean
verify_input_read_certificates(VerifyInput *self, const DstackCall *call, GCancellable *cancellable, GError **error)
{
	self->certificates = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	self->crls = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	for (guint i = 0; self->call.certificates != NULL && i < self->call.certificates->len; i++) {
		gint32 handle = g_array_index(self->call.certificates, gint32, i);
		GBytes *bytes = call_read_fd(call, handle, "certificates", DSTACK_LIMIT_CRL, cancellable, error);
		g_autoptr(X509_CRL) crl = NULL;

		if (bytes == NULL)
			return FALSE;
		crl = dstack_x509_crl_parse_der(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "CRL", NULL);
		g_ptr_array_add(crl != NULL ? self->crls : self->certificates, bytes);
	}
	return TRUE;
}

static gboolean
verify_input_fill(VerifyInput *self, const DstackCall *call, GCancellable *cancellable, GError **error)
{
	g_autoptr(GBytes) text = NULL;

	self->context = dstack_configuration_to_context(call->configuration);
	if (self->call.has_time)
		self->context.now = self->call.time;
	if (self->call.root >= 0) {
		g_autoptr(GBytes) given =
		    call_read_fd(call, self->call.root, "root", DSTACK_LIMIT_CERTIFICATE, cancellable, error);

		self->root = given == NULL ? NULL : dstack_x509_to_der(given, "root", error);
		if (self->root == NULL)
			return FALSE;
		self->context.root_der = self->root;
	}
	if (!verify_input_read_certificates(self, call, cancellable, error))
		return FALSE;
	if (self->call.collateral < 0)
		return TRUE;
	text = call_read_fd(call, self->call.collateral, "collateral", DSTACK_LIMIT_COLLATERAL, cancellable, error);
	if (text == NULL)
		return FALSE;
	self->collateral =
	    dstack_collateral_parse(g_bytes_get_data(text, NULL), g_bytes_get_size(text), &self->context, error);
	return self->collateral != NULL;
}

static DstackVerdict *
verify_input_run(const VerifyInput *self, GBytes *evidence, GError **error)
{
	const DstackVerifyCall *call = &self->call;
	const DstackVerifyOptions options = {
	    .context = &self->context,
	    .collateral = self->collateral,
	    .no_collateral = call->no_collateral,
	    .allow = call->allow,
	    .max_vmpl = call->max_vmpl,
	    .allow_tcb = (const gchar *const *)call->allow_tcb,
	    .min_tcb = call->min_tcb,
	    .certificates = self->certificates,
	    .crls = self->crls,
	    .report_data = call->report_data == NULL ? NULL : g_bytes_get_data(call->report_data, NULL),
	    .boot_time_mr = call->boot_time_mr,
	    .debug = call->debug,
	};
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(evidence, &size);

	return call->bare ? dstack_verify_bare(data, size, &options, error)
			  : dstack_verify_evidence(data, size, &options, error);
}

/**
 * dstack_method_verify:
 * @call: the call, with `(ha{sv})`
 * @cancellable: cancelled when the caller leaves
 * @error: (out): when the evidence cannot be read or the options make no sense
 *
 * Returns: %TRUE when the reply is in the call, whatever the verdict
 */
gboolean
dstack_method_verify(DstackCall *call, GCancellable *cancellable, GError **error)
{
	g_autoptr(GVariant) packed = g_variant_get_child_value(call->parameters, 1);
	g_autoptr(DstackVerdict) verdict = NULL;
	g_autoptr(GBytes) evidence = NULL;
	g_autoptr(JsonNode) json = NULL;
	g_autofree gchar *text = NULL;
	g_auto(VerifyInput) input = {0};

	if (!dstack_verify_call_unpack(&input.call, packed, error))
		return FALSE;
	evidence = call_read_argument(call, "evidence", DSTACK_LIMIT_EVIDENCE, cancellable, error);
	if (evidence == NULL || !verify_input_fill(&input, call, cancellable, error))
		return FALSE;
	verdict = verify_input_run(&input, evidence, error);
	if (verdict == NULL)
		return FALSE;
	json = dstack_verdict_to_json(verdict);
	if (input.call.text) {
		g_autofree gchar *words = dstack_verdict_to_text(verdict);

		json_object_set_string_member(json_node_get_object(json), "text", words);
	}
	text = dstack_json_to_text(json, DSTACK_JSON_COMPACT);
	call->reply = g_variant_ref_sink(g_variant_new("(bs)", dstack_verdict_is_valid(verdict), text));
	return TRUE;
}

/**
 * dstack_method_label_event_log:
 * @call: the call, with `(h)`
 * @cancellable: cancelled when the caller leaves
 * @error: (out): %DSTACK_ERROR_MALFORMED for what is no event log, or has not three ACPI entries
 *
 * Returns: %TRUE when the reply is in the call
 */
gboolean
dstack_method_label_event_log(DstackCall *call, GCancellable *cancellable, GError **error)
{
	g_autoptr(GBytes) bytes = call_read_argument(call, "event log", DSTACK_LIMIT_EVENT_LOG, cancellable, error);
	g_autoptr(DstackEventLog) log = NULL;
	g_autoptr(JsonNode) json = NULL;
	g_autofree gchar *text = NULL;

	if (bytes == NULL)
		return FALSE;
	log = dstack_event_log_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
	if (log == NULL || !dstack_event_log_label(log, error))
		return FALSE;
	json = dstack_event_log_to_json(log);
	text = dstack_json_to_text(json, DSTACK_JSON_COMPACT);
	call->reply = g_variant_ref_sink(g_variant_new("(s)", text));
	return TRUE;
}
