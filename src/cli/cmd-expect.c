/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * expect: the registers that a launch of an image will show, computed from its files.
 */

#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/expect.h"
#include "cli/launch-options.h"
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

static void
print_expectation(DstackCli *cli, const DstackExpectation *expectation)
{
	g_autoptr(JsonNode) json = dstack_expectation_to_json(expectation);
	g_autofree gchar *text = dstack_json_to_text(json, DSTACK_JSON_PRETTY);
	g_autoptr(DstackRecord) record = dstack_expect_render(expectation);

	for (guint i = 0; i < expectation->notes->len; i++)
		dstack_cli_note(cli, "%s", (const gchar *)g_ptr_array_index(expectation->notes, i));
	/* the service gives the same document */
	if (cli->json)
		dstack_cli_print_json_text(cli, text);
	else
		dstack_cli_print(cli, record);
}

static gboolean
expect_image(DstackCli *cli, const ExpectOptions *options, const DstackLaunchRequest *launch, GError **error)
{
	DstackExpectRequest request = {.tee = launch->tee,
				       .memory_size = launch->memory_size,
				       .qemu_version = launch->qemu_version,
				       .single_pass_add_pages = launch->single_pass_add_pages,
				       .acpi = {options->acpi[0], options->acpi[1], options->acpi[2]},
				       .vcpus = launch->cpu_count,
				       .vcpu_type = launch->vcpu_type,
				       .guest_features = launch->guest_features};
	const gchar *const *roots = NULL;
	g_autoptr(DstackImage) image = NULL;
	g_autoptr(DstackExpectation) expectation = NULL;

	if (!read_kernel(options, &request, error))
		return FALSE;
	roots = dstack_cli_image_dirs(cli, error);
	image = roots == NULL ? NULL : dstack_image_find(roots, cli->args[0], error);
	expectation = image == NULL ? NULL : dstack_launch_expect(image, &request, cli->cancellable, error);
	if (expectation == NULL)
		return FALSE;
	print_expectation(cli, expectation);
	return TRUE;
}

static gboolean
run(DstackCli *cli, const ExpectOptions *options, GError **error)
{
	g_autoptr(DstackLaunchRequest) launch = dstack_launch_options_to_request(&options->launch, cli->args[0], error);

	return launch != NULL && find_qemu_version(cli, launch, error) && expect_image(cli, options, launch, error);
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
