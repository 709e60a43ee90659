/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Unpacking the arguments of the service's methods (spec: the interface XML beside this file).
 * A table names each option, its type and where it goes; what is not in the table is refused.
 */

#include "config.h"

#include "daemon/options.h"

#include <string.h>

#include "base/error.h"
#include "base/hex.h"
#include "base/limits.h"
#include "verify/allow.h"

typedef gboolean (*SetOption)(gpointer self, const gchar *name, GVariant *value, GError **error);

typedef struct {
	const gchar *name;
	const gchar *type;
	guint methods; /* bits of DstackOptionsMethod */
	SetOption set; /* NULL: stored by type at offset */
	gsize offset;
} DstackOptionRow;

#define IN_PREPARE (1u << DSTACK_OPTIONS_PREPARE)
#define IN_DOMAIN  (1u << DSTACK_OPTIONS_PREPARE_DOMAIN)
#define IN_EXPECT  (1u << DSTACK_OPTIONS_EXPECT)
#define IN_LAUNCH  (IN_PREPARE | IN_EXPECT)

static DstackLaunchRequest *
request_of(gpointer self)
{
	return ((DstackPrepareOptions *)self)->request;
}

static gboolean
set_tee(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	return dstack_launch_tee_parse(g_variant_get_string(value, NULL), &request_of(self)->tee, error);
}

static gboolean
set_policy(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	return dstack_policy_parse(g_variant_get_string(value, NULL), &request_of(self)->policy, error);
}

static gboolean
set_check(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	return dstack_check_level_parse(g_variant_get_string(value, NULL), &request_of(self)->check, error);
}

static DstackSwitch
switch_from(GVariant *value)
{
	return g_variant_get_boolean(value) ? DSTACK_SWITCH_ON : DSTACK_SWITCH_OFF;
}

static gboolean
set_measure_acpi_tables(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	request_of(self)->measure_acpi_tables = switch_from(value);
	return TRUE;
}

static gboolean
set_pic(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	request_of(self)->pic = switch_from(value);
	return TRUE;
}

static gboolean
set_single_pass(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	request_of(self)->single_pass_add_pages = switch_from(value);
	return TRUE;
}

static gboolean
set_handle(gint32 *at, const gchar *name, GVariant *value, GError **error)
{
	gint32 handle = g_variant_get_handle(value);

	if (handle < 0)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "option '%s': %d is no descriptor", name,
				    handle);
	*at = handle;
	return TRUE;
}

static gboolean
set_attach(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	DstackLaunchRequest *request = request_of(self);

	g_strfreev(request->attach);
	request->attach = g_variant_dup_strv(value, NULL);
	return TRUE;
}

static gboolean
set_inject(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	return set_handle(&((DstackPrepareOptions *)self)->inject, name, value, error);
}

static gboolean
set_domain(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	DstackPrepareOptions *options = self;

	g_free(options->domain);
	options->domain = g_variant_dup_string(value, NULL);
	return TRUE;
}

static gboolean
set_acpi(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	DstackPrepareOptions *options = self;
	gsize which = g_str_equal(name, "acpi_loader") ? 0 : g_str_equal(name, "acpi_rsdp") ? 1 : 2;

	g_free(options->acpi[which]);
	options->acpi[which] = g_variant_dup_string(value, NULL);
	return TRUE;
}

#define REQUEST(member) NULL, G_STRUCT_OFFSET(DstackLaunchRequest, member)

static const DstackOptionRow prepare_rows[] = {
    {"tee", "s", IN_LAUNCH, set_tee, 0},
    {"memory", "t", IN_LAUNCH, REQUEST(memory_size)},
    {"vcpus", "u", IN_LAUNCH, REQUEST(cpu_count)},
    {"variant", "s", IN_LAUNCH | IN_DOMAIN, set_policy, 0},
    {"measure_acpi_tables", "b", IN_LAUNCH, set_measure_acpi_tables, 0},
    {"qemu_version", "s", IN_LAUNCH, REQUEST(qemu_version)},
    {"nics", "u", IN_LAUNCH, REQUEST(num_nics)},
    {"gpus", "u", IN_LAUNCH, REQUEST(num_gpus)},
    {"nvswitches", "u", IN_LAUNCH, REQUEST(num_nvswitches)},
    {"verity_volumes", "u", IN_LAUNCH, REQUEST(num_verity_volumes)},
    {"swtpm", "b", IN_LAUNCH, REQUEST(swtpm)},
    {"hugepages", "b", IN_LAUNCH, REQUEST(hugepages)},
    {"hotplug_off", "b", IN_LAUNCH, REQUEST(hotplug_off)},
    {"pci_hole64", "t", IN_LAUNCH, REQUEST(pci_hole64_size)},
    {"pic", "b", IN_LAUNCH, set_pic, 0},
    {"single_pass_add_pages", "b", IN_LAUNCH, set_single_pass, 0},
    {"host_share", "s", IN_LAUNCH, REQUEST(host_share_mode)},
    {"vcpu_type", "s", IN_LAUNCH, REQUEST(vcpu_type)},
    {"guest_features", "t", IN_LAUNCH, REQUEST(guest_features)},
    {"mr_config", "s", IN_PREPARE, REQUEST(mr_config)},
    {"attach", "as", IN_PREPARE, set_attach, 0},
    {"check", "s", IN_PREPARE, set_check, 0},
    {"inject", "h", IN_PREPARE | IN_DOMAIN, set_inject, 0},
    {"domain", "s", IN_PREPARE, set_domain, 0},
    {"acpi_loader", "s", IN_EXPECT, set_acpi, 0},
    {"acpi_rsdp", "s", IN_EXPECT, set_acpi, 0},
    {"acpi_tables", "s", IN_EXPECT, set_acpi, 0},
};

/* a plain member of the struct at @base, by the option's type */
static void
option_store(const DstackOptionRow *row, gpointer base, GVariant *value)
{
	gpointer at = G_STRUCT_MEMBER_P(base, row->offset);

	switch (row->type[0]) {
	case 'b':
		*(gboolean *)at = g_variant_get_boolean(value);
		break;
	case 'u':
		*(guint32 *)at = g_variant_get_uint32(value);
		break;
	case 't':
		*(guint64 *)at = g_variant_get_uint64(value);
		break;
	default:
		g_free(*(gchar **)at);
		*(gchar **)at = g_variant_dup_string(value, NULL);
		break;
	}
}

static const DstackOptionRow *
option_find(const DstackOptionRow *rows, gsize n_rows, guint methods, const gchar *name)
{
	for (gsize i = 0; i < n_rows; i++) {
		if ((rows[i].methods & methods) != 0 && g_str_equal(rows[i].name, name))
			return &rows[i];
	}
	return NULL;
}

/* every option once, known, of its type: then set or stored */
static gboolean
options_unpack(const DstackOptionRow *rows, gsize n_rows, guint methods, gpointer self, gpointer base,
	       GVariant *options, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	gsize n = g_variant_n_children(options);

	if (n > DSTACK_OPTIONS_MAX)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "%" G_GSIZE_FORMAT " options, at most %d accepted", n, DSTACK_OPTIONS_MAX);
	for (gsize i = 0; i < n; i++) {
		g_autofree gchar *name = NULL;
		g_autoptr(GVariant) value = NULL;
		const DstackOptionRow *row = NULL;

		g_variant_get_child(options, i, "{sv}", &name, &value);
		row = option_find(rows, n_rows, methods, name);
		if (row == NULL)
			return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "unknown option '%s'", name);
		if (!g_variant_is_of_type(value, G_VARIANT_TYPE(row->type)))
			return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
					    "option '%s': expected type '%s', found '%s'", name, row->type,
					    g_variant_get_type_string(value));
		if (row->set != NULL && !row->set(self, name, value, error))
			return FALSE;
		if (row->set == NULL)
			option_store(row, base, value);
		if (!g_hash_table_add(seen, g_steal_pointer(&name)))
			return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "option '%s' is given twice",
					    row->name);
	}
	return TRUE;
}

/**
 * dstack_prepare_options_unpack:
 * @self: (out caller-allocates): the options; cleared by the caller, also on failure
 * @method: whose options
 * @image: (nullable): the image's name
 * @options: a variant of type `a{sv}`
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT, naming the option
 *
 * Returns: %TRUE when every option is known, of its type, given once and means something
 */
gboolean
dstack_prepare_options_unpack(DstackPrepareOptions *self, DstackOptionsMethod method, const gchar *image,
			      GVariant *options, GError **error)
{
	*self = (DstackPrepareOptions){.request = dstack_launch_request_new(), .inject = -1};
	self->request->image = g_strdup(image);
	return options_unpack(prepare_rows, G_N_ELEMENTS(prepare_rows), 1u << method, self, self->request, options,
			      error);
}

void
dstack_prepare_options_clear(DstackPrepareOptions *self)
{
	g_clear_pointer(&self->request, dstack_launch_request_free);
	g_clear_pointer(&self->domain, g_free);
	for (gsize i = 0; i < G_N_ELEMENTS(self->acpi); i++)
		g_clear_pointer(&self->acpi[i], g_free);
}

static gboolean
set_collateral(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	return set_handle(&((DstackVerifyCall *)self)->collateral, name, value, error);
}

static gboolean
set_root(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	return set_handle(&((DstackVerifyCall *)self)->root, name, value, error);
}

static gboolean
set_certificates(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	DstackVerifyCall *call = self;
	gsize n = g_variant_n_children(value);

	if (n > DSTACK_OPTIONS_MAX)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "option '%s': %" G_GSIZE_FORMAT " descriptors, at most %d accepted", name, n,
				    DSTACK_OPTIONS_MAX);
	g_clear_pointer(&call->certificates, g_array_unref);
	call->certificates = g_array_new(FALSE, FALSE, sizeof(gint32));
	for (gsize i = 0; i < n; i++) {
		g_autoptr(GVariant) child = g_variant_get_child_value(value, i);
		gint32 handle = -1;

		if (!set_handle(&handle, name, child, error))
			return FALSE;
		g_array_append_val(call->certificates, handle);
	}
	return TRUE;
}

static gboolean
set_time(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	DstackVerifyCall *call = self;

	call->time = g_variant_get_int64(value);
	call->has_time = TRUE;
	return TRUE;
}

static gboolean
set_allow(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	DstackVerifyCall *call = self;
	g_autofree const gchar **words = g_variant_get_strv(value, NULL);

	for (gsize i = 0; words[i] != NULL; i++) {
		if (!dstack_allow_parse(words[i], &call->allow, &call->max_vmpl, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
set_allow_tcb(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	DstackVerifyCall *call = self;

	g_strfreev(call->allow_tcb);
	call->allow_tcb = g_variant_dup_strv(value, NULL);
	return TRUE;
}

static gboolean
set_report_data(gpointer self, const gchar *name, GVariant *value, GError **error)
{
	DstackVerifyCall *call = self;
	guint8 bytes[64];

	if (!dstack_hex_decode(g_variant_get_string(value, NULL), "option 'report_data'", bytes, sizeof(bytes), error))
		return FALSE;
	g_clear_pointer(&call->report_data, g_bytes_unref);
	call->report_data = g_bytes_new(bytes, sizeof(bytes));
	return TRUE;
}

#define VERIFY(member) NULL, G_STRUCT_OFFSET(DstackVerifyCall, member)

static const DstackOptionRow verify_rows[] = {
    {"quote", "b", 1, VERIFY(bare)},
    {"collateral", "h", 1, set_collateral, 0},
    {"no_collateral", "b", 1, VERIFY(no_collateral)},
    {"time", "x", 1, set_time, 0},
    {"root", "h", 1, set_root, 0},
    {"certificates", "ah", 1, set_certificates, 0},
    {"text", "b", 1, VERIFY(text)},
    {"allow", "as", 1, set_allow, 0},
    {"allow_tcb", "as", 1, set_allow_tcb, 0},
    {"min_tcb", "s", 1, VERIFY(min_tcb)},
    {"report_data", "s", 1, set_report_data, 0},
    {"boot_time_mr", "b", 1, VERIFY(boot_time_mr)},
    {"debug", "b", 1, VERIFY(debug)},
};

/**
 * dstack_verify_call_unpack:
 * @self: (out caller-allocates): the options; cleared by the caller, also on failure
 * @options: a variant of type `a{sv}`
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT or %DSTACK_ERROR_MALFORMED, naming the option
 *
 * Returns: %TRUE when every option is known, of its type, given once and means something
 */
gboolean
dstack_verify_call_unpack(DstackVerifyCall *self, GVariant *options, GError **error)
{
	*self = (DstackVerifyCall){.collateral = -1, .root = -1};
	return options_unpack(verify_rows, G_N_ELEMENTS(verify_rows), 1, self, self, options, error);
}

void
dstack_verify_call_clear(DstackVerifyCall *self)
{
	g_clear_pointer(&self->certificates, g_array_unref);
	g_clear_pointer(&self->allow_tcb, g_strfreev);
	g_clear_pointer(&self->min_tcb, g_free);
	g_clear_pointer(&self->report_data, g_bytes_unref);
}
