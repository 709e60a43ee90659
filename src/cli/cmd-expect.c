/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * expect: the registers that a launch of an image will show, computed from its files.
 */

#include "config.h"

#include "base/error.h"
#include "cli/expect.h"
#include "cli/options.h"
#include "launch/qemu-version.h"

/* as typed; owned */
typedef struct {
	DstackLaunchOptions launch;
	gchar *kernel;
	gchar *acpi[3];
} ExpectOptions;

static void
expect_options_clear(ExpectOptions *self)
{
	dstack_launch_options_clear(&self->launch);
	g_clear_pointer(&self->kernel, g_free);
	for (guint i = 0; i < G_N_ELEMENTS(self->acpi); i++)
		g_clear_pointer(&self->acpi[i], g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ExpectOptions, expect_options_clear)

static void
expect_request_clear(DstackExpectRequest *self)
{
	g_clear_pointer(&self->launch, dstack_launch_request_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackExpectRequest, expect_request_clear)

static gboolean
read_kernel(const ExpectOptions *options, DstackExpectRequest *request, GError **error)
{
	static const gchar *const kernels[] = {"patched", "plain", NULL};
	guint kernel = 0;

	if (options->kernel == NULL)
		return TRUE;
	if (!dstack_option_parse_choice(options->kernel, "--kernel", kernels, &kernel, error))
		return FALSE;
	request->kernel = kernel == 0 ? DSTACK_EXPECT_KERNEL_PATCHED : DSTACK_EXPECT_KERNEL_PLAIN;
	return TRUE;
}

static gboolean
read_acpi(const ExpectOptions *options, DstackExpectRequest *request, GError **error)
{
	static const gchar *const names[] = {"--acpi-loader", "--acpi-rsdp", "--acpi-tables"};
	guint given = 0;

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		if (options->acpi[i] == NULL)
			continue;
		if (!dstack_sha384_from_hex(options->acpi[i], names[i], &request->acpi[i], NULL))
			return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
					    "%s: expected a SHA-384 of 96 hex digits, found '%s'", names[i],
					    options->acpi[i]);
		given++;
	}
	if (given != 0 && given != G_N_ELEMENTS(names))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "--acpi-loader, --acpi-rsdp, --acpi-tables: expected all three or none, found %u",
				    given);
	request->has_acpi = given > 0;
	return TRUE;
}

static gboolean
find_qemu_version(DstackCli *cli, DstackLaunchRequest *launch, GError **error)
{
	DstackContext context = {0};

	if (launch->qemu_version != NULL || launch->qemu_path == NULL)
		return TRUE;
	if (!dstack_cli_fill_context(cli, &context, error))
		return FALSE;
	launch->qemu_version = dstack_qemu_version_ask(launch->qemu_path, context.no_cache ? NULL : context.cache_dir,
						       cli->cancellable, error);
	return launch->qemu_version != NULL;
}

static gboolean
read_request(DstackCli *cli, const ExpectOptions *options, DstackExpectRequest *request, GError **error)
{
	request->launch = dstack_launch_options_to_request(&options->launch, cli->args[0], error);
	return request->launch != NULL && read_kernel(options, request, error) && read_acpi(options, request, error) &&
	       find_qemu_version(cli, request->launch, error);
}

/* what was asked for; else what the image has material for, TDX first */
static gboolean
wants_snp(const DstackImage *image, const DstackLaunchRequest *launch)
{
	switch (launch->tee) {
	case DSTACK_LAUNCH_TEE_SNP:
		return TRUE;
	case DSTACK_LAUNCH_TEE_TDX:
		return FALSE;
	case DSTACK_LAUNCH_TEE_UNSET:
		break;
	}
	return image->tdx == NULL && image->snp != NULL;
}

static gboolean
run(DstackCli *cli, const ExpectOptions *options, GError **error)
{
	g_auto(DstackExpectRequest) request = {0};
	g_autoptr(DstackImage) image = NULL;
	g_autoptr(DstackRecord) record = NULL;
	const gchar *const *roots = NULL;

	if (!read_request(cli, options, &request, error))
		return FALSE;
	roots = dstack_cli_image_dirs(cli, error);
	if (roots == NULL)
		return FALSE;
	image = dstack_image_find(roots, cli->args[0], error);
	if (image == NULL)
		return FALSE;
	record = wants_snp(image, request.launch) ? dstack_expect_snp(cli, image, &request, error)
						  : dstack_expect_tdx(cli, image, &request, error);
	if (record == NULL)
		return FALSE;
	dstack_cli_print(cli, record);
	return TRUE;
}

/**
 * dstack_cmd_expect:
 * @cli: the run
 * @error: (out) (optional): why nothing can be expected
 *
 * expect NAME|DIR: registers, and the event digests behind them.
 *
 * Returns: %TRUE when it has answered
 */
gboolean
dstack_cmd_expect(DstackCli *cli, GError **error)
{
	g_auto(ExpectOptions) options = {0};
	g_autoptr(GArray) entries = dstack_launch_options_entries(&options.launch);
	const GOptionEntry own[] = {
	    {"kernel", 0, 0, G_OPTION_ARG_STRING, &options.kernel, "Whether QEMU patches it (default: by its version)",
	     "patched|plain"},
	    {"acpi-loader", 0, 0, G_OPTION_ARG_STRING, &options.acpi[0], "SHA-384 of etc/table-loader", "HEX"},
	    {"acpi-rsdp", 0, 0, G_OPTION_ARG_STRING, &options.acpi[1], "SHA-384 of etc/acpi/rsdp", "HEX"},
	    {"acpi-tables", 0, 0, G_OPTION_ARG_STRING, &options.acpi[2], "SHA-384 of etc/acpi/tables", "HEX"},
	};

	g_array_prepend_vals(entries, own, G_N_ELEMENTS(own));
	return dstack_cli_parse(cli, (const GOptionEntry *)(void *)entries->data, 1, 1, error) &&
	       run(cli, &options, error);
}
