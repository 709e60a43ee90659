/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Options of `verify`, and the files they name.
 */

#include "config.h"

#include "cli/verify-input.h"

#include <string.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/x509.h"
#include "cli/options.h"
#include "verify/allow.h"

#define MAX_CERTIFICATE_FILES 256

static gboolean
fill_context(DstackVerifyInput *self, DstackCli *cli, GError **error)
{
	g_autoptr(GBytes) root = NULL;

	if (!dstack_cli_fill_context(cli, &self->context, error))
		return FALSE;
	if (self->time != NULL && !dstack_option_parse_time(self->time, "--time", &self->context.now, error))
		return FALSE;
	if (self->root == NULL)
		return TRUE;
	root = dstack_file_read_path(self->root, DSTACK_LIMIT_CERTIFICATE, error);
	self->root_der = root == NULL ? NULL : dstack_x509_to_der(root, self->root, error);
	self->context.root_der = self->root_der;
	return self->root_der != NULL;
}

static gboolean
fill_report_data(DstackVerifyInput *self, GError **error)
{
	g_autoptr(GError) hex_error = NULL;

	if (self->report_data == NULL)
		return TRUE;
	if (!dstack_hex_decode(self->report_data, "--report-data", self->report_data_bytes,
			       sizeof(self->report_data_bytes), &hex_error))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "%s", hex_error->message);
	self->options.report_data = self->report_data_bytes;
	return TRUE;
}

static gboolean
fill_allow(DstackVerifyInput *self, GError **error)
{
	for (gsize i = 0; self->allow != NULL && self->allow[i] != NULL; i++) {
		if (!dstack_allow_parse(self->allow[i], &self->options.allow, &self->options.max_vmpl, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
fill_acpi(DstackVerifyInput *self, GError **error)
{
	static const gchar *const choices[] = {"log", "predict", NULL};
	guint choice = 0;

	if (self->acpi != NULL && !dstack_option_parse_choice(self->acpi, "--acpi", choices, &choice, error))
		return FALSE;
	self->options.acpi = choice == 0 ? DSTACK_ACPI_LOG : DSTACK_ACPI_PREDICT;
	return TRUE;
}

/**
 * dstack_verify_input_fill:
 * @self: the options as typed
 * @cli: this run
 * @error: (out): %DSTACK_ERROR_INVALID_ARGUMENT for a value that makes no sense; what reading the root gave
 *
 * Returns: %TRUE when self->options holds everything but collateral
 */
gboolean
dstack_verify_input_fill(DstackVerifyInput *self, DstackCli *cli, GError **error)
{
	self->options.context = &self->context;
	self->options.no_collateral = self->no_collateral;
	self->options.allow_tcb = (const gchar *const *)self->allow_tcb;
	self->options.min_tcb = self->min_tcb;
	self->options.boot_time_mr = self->boot_time_mr;
	self->options.debug = self->debug;
	return fill_context(self, cli, error) && fill_report_data(self, error) && fill_allow(self, error) &&
	       fill_acpi(self, error);
}

/* told apart by content: their names are whatever somebody saved them under */
static void
add_certificate_file(DstackVerifyInput *self, GBytes *content)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(content, &size);
	g_autoptr(X509_CRL) crl = dstack_x509_crl_parse_der(data, size, "CRL", NULL);

	g_ptr_array_add(crl != NULL ? self->crls : self->certificates, g_bytes_ref(content));
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const gchar *const *)a, *(const gchar *const *)b);
}

/* (element-type utf8) (transfer full): the regular files of a directory, or the file itself */
static GPtrArray *
list_files(const gchar *path, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = NULL;
	const gchar *name = NULL;

	if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
		g_ptr_array_add(names, g_strdup(path));
		return g_steal_pointer(&names);
	}
	dir = g_dir_open(path, 0, error);
	if (dir == NULL)
		return NULL;
	while ((name = g_dir_read_name(dir)) != NULL && names->len < MAX_CERTIFICATE_FILES) {
		g_autofree gchar *file = g_build_filename(path, name, NULL);

		if (g_file_test(file, G_FILE_TEST_IS_REGULAR))
			g_ptr_array_add(names, g_steal_pointer(&file));
	}
	g_ptr_array_sort(names, compare_names);
	return g_steal_pointer(&names);
}

static gboolean
load_certificates(DstackVerifyInput *self, GError **error)
{
	g_autoptr(GPtrArray) files = list_files(self->collateral, error);

	if (files == NULL)
		return FALSE;
	self->certificates = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	self->crls = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	for (guint i = 0; i < files->len; i++) {
		g_autoptr(GBytes) content = dstack_file_read_path(g_ptr_array_index(files, i), DSTACK_LIMIT_CRL, error);

		if (content == NULL)
			return FALSE;
		add_certificate_file(self, content);
	}
	self->options.certificates = self->certificates;
	self->options.crls = self->crls;
	return TRUE;
}

/**
 * dstack_verify_input_load_collateral:
 * @self: filled options
 * @is_snp: whether the evidence is of SEV-SNP
 * @error: (out): why it cannot be read
 *
 * Returns: %TRUE when what --collateral names, if anything, is in self->options
 */
gboolean
dstack_verify_input_load_collateral(DstackVerifyInput *self, gboolean is_snp, GError **error)
{
	if (self->collateral == NULL)
		return TRUE;
	if (is_snp)
		return load_certificates(self, error);
	self->tdx_collateral = dstack_collateral_load(self->collateral, &self->context, error);
	self->options.collateral = self->tdx_collateral;
	return self->tdx_collateral != NULL;
}

/**
 * dstack_verify_input_clear:
 * @self: what to empty
 */
void
dstack_verify_input_clear(DstackVerifyInput *self)
{
	g_free(self->root);
	g_free(self->min_tcb);
	g_strfreev(self->allow);
	g_free(self->acpi);
	g_free(self->collateral);
	g_free(self->time);
	g_strfreev(self->allow_tcb);
	g_free(self->report_data);
	g_free(self->via);
	g_clear_pointer(&self->root_der, g_bytes_unref);
	g_clear_pointer(&self->tdx_collateral, dstack_collateral_unref);
	g_clear_pointer(&self->certificates, g_ptr_array_unref);
	g_clear_pointer(&self->crls, g_ptr_array_unref);
}
