/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "daemon/options.h"

#include <string.h>

#include "dstack/error.h"

static GVariant *
parse_options(const gchar *text)
{
	g_autoptr(GError) error = NULL;
	GVariant *options = g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);

	g_assert_no_error(error);
	return options;
}

static void
every_prepare_option_lands_in_its_place(void)
{
	g_autoptr(GVariant) options = parse_options(
	    "{'tee': <'snp'>, 'memory': <uint64 2147483648>, 'vcpus': <uint32 4>, 'variant': <'auto'>,"
	    " 'measure_acpi_tables': <false>, 'qemu_version': <'9.2.0'>, 'nics': <uint32 0>, 'gpus': <uint32 2>,"
	    " 'nvswitches': <uint32 1>, 'verity_volumes': <uint32 3>, 'swtpm': <true>, 'hugepages': <true>,"
	    " 'hotplug_off': <true>, 'pci_hole64': <uint64 1099511627776>, 'pic': <true>,"
	    " 'single_pass_add_pages': <false>, 'host_share': <'9p'>, 'vcpu_type': <'EPYC-Milan'>,"
	    " 'guest_features': <uint64 33>, 'mr_config': <'{}'>, 'check': <'material'>, 'inject': <handle 0>,"
	    " 'domain': <'vm'>, 'attach': <['gcp', 'aws']>}");
	g_auto(DstackPrepareOptions) self = {0};
	g_autoptr(GError) error = NULL;
	const DstackLaunchRequest *request = NULL;

	g_assert_true(dstack_prepare_options_unpack(&self, DSTACK_OPTIONS_PREPARE, "img", options, &error));
	g_assert_no_error(error);
	request = self.request;
	g_assert_cmpstr(request->image, ==, "img");
	g_assert_false(request->allow_path);
	g_assert_cmpint(request->tee, ==, DSTACK_LAUNCH_TEE_SNP);
	g_assert_cmphex(request->memory_size, ==, G_GUINT64_CONSTANT(0x80000000));
	g_assert_cmpuint(request->cpu_count, ==, 4);
	g_assert_cmpint(request->policy, ==, DSTACK_POLICY_AUTO);
	g_assert_cmpint(request->measure_acpi_tables, ==, DSTACK_SWITCH_OFF);
	g_assert_cmpstr(request->qemu_version, ==, "9.2.0");
	g_assert_cmpuint(request->num_nics, ==, 0);
	g_assert_cmpuint(request->num_gpus, ==, 2);
	g_assert_cmpuint(request->num_nvswitches, ==, 1);
	g_assert_cmpuint(request->num_verity_volumes, ==, 3);
	g_assert_true(request->swtpm && request->hugepages && request->hotplug_off);
	g_assert_cmphex(request->pci_hole64_size, ==, G_GUINT64_CONSTANT(1) << 40);
	g_assert_cmpint(request->pic, ==, DSTACK_SWITCH_ON);
	g_assert_cmpint(request->single_pass_add_pages, ==, DSTACK_SWITCH_OFF);
	g_assert_cmpstr(request->host_share_mode, ==, "9p");
	g_assert_cmpstr(request->vcpu_type, ==, "EPYC-Milan");
	g_assert_cmpuint(request->guest_features, ==, 33);
	g_assert_cmpstr(request->mr_config, ==, "{}");
	g_assert_cmpint(request->check, ==, DSTACK_CHECK_MATERIAL);
	g_assert_cmpint(self.inject, ==, 0);
	g_assert_cmpstr(self.domain, ==, "vm");
	g_assert_cmpstr(request->attach[1], ==, "aws");
}

static void
every_verify_option_lands_in_its_place(void)
{
	g_autofree gchar *data = g_strnfill(128, 'a');
	g_autofree gchar *text = g_strdup_printf(
	    "{'quote': <true>, 'collateral': <handle 1>, 'no_collateral': <true>, 'time': <int64 -5>,"
	    " 'root': <handle 2>, 'allow': <['debug', 'vmpl=2', 'vmpl=1']>, 'allow_tcb': <['UpToDate']>,"
	    " 'min_tcb': <'Milan:1'>, 'report_data': <'%s'>, 'boot_time_mr': <true>, 'debug': <true>,"
	    " 'certificates': <[handle 3, handle 4]>, 'text': <true>}",
	    data);
	g_autoptr(GVariant) options = parse_options(text);
	g_auto(DstackVerifyCall) self = {0};
	g_autoptr(GError) error = NULL;

	g_assert_true(dstack_verify_call_unpack(&self, options, &error));
	g_assert_no_error(error);
	g_assert_true(self.bare && self.no_collateral && self.boot_time_mr && self.debug && self.has_time);
	g_assert_true(self.text);
	g_assert_cmpuint(self.certificates->len, ==, 2);
	g_assert_cmpint(g_array_index(self.certificates, gint32, 1), ==, 4);
	g_assert_cmpint(self.time, ==, -5);
	g_assert_cmpint(self.collateral, ==, 1);
	g_assert_cmpint(self.root, ==, 2);
	g_assert_cmphex(self.allow, ==, DSTACK_ALLOW_DEBUG);
	g_assert_cmpuint(self.max_vmpl, ==, 2);
	g_assert_cmpstr(self.allow_tcb[0], ==, "UpToDate");
	g_assert_cmpstr(self.min_tcb, ==, "Milan:1");
	g_assert_cmpuint(g_bytes_get_size(self.report_data), ==, 64);
}

static void
nonsense_is_refused_by_name(void)
{
	static const struct {
		const gchar *options;
		const gchar *expected;
	} cases[] = {
	    {"{'memori': <uint64 1>}", "unknown option 'memori'"},
	    {"{'memory': <uint32 1>}", "option 'memory': expected type 't', found 'u'"},
	    {"{'memory': <'2G'>}", "option 'memory': expected type 't', found 's'"},
	    {"{'vcpus': <uint32 1>, 'vcpus': <uint32 2>}", "option 'vcpus' is given twice"},
	    {"{'inject': <handle -1>}", "option 'inject': -1 is no descriptor"},
	    {"{'inject': <'/etc'>}", "option 'inject': expected type 'h', found 's'"},
	    {"{'acpi_rsdp': <'00'>}", "unknown option 'acpi_rsdp'"},
	    {"{'variant': <'strict'>}", "strict"},
	    {"{'tee': <'sgx'>}", "sgx"},
	    {"{'check': <'none'>}", "none"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GVariant) options = parse_options(cases[i].options);
		g_auto(DstackPrepareOptions) self = {0};
		g_autoptr(GError) error = NULL;

		g_assert_false(dstack_prepare_options_unpack(&self, DSTACK_OPTIONS_PREPARE, "img", options, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
		g_assert_nonnull(strstr(error->message, cases[i].expected));
	}
}

static void
each_method_has_its_own_options(void)
{
	g_autoptr(GVariant) inject = parse_options("{'inject': <handle 0>}");
	g_autoptr(GVariant) memory = parse_options("{'memory': <uint64 1>}");
	g_auto(DstackPrepareOptions) a = {0};
	g_auto(DstackPrepareOptions) b = {0};
	g_auto(DstackPrepareOptions) c = {0};

	g_assert_false(dstack_prepare_options_unpack(&a, DSTACK_OPTIONS_EXPECT, "img", inject, NULL));
	g_assert_false(dstack_prepare_options_unpack(&b, DSTACK_OPTIONS_PREPARE_DOMAIN, NULL, memory, NULL));
	g_assert_true(dstack_prepare_options_unpack(&c, DSTACK_OPTIONS_PREPARE_DOMAIN, NULL, inject, NULL));
}

static void
too_many_options_are_refused_unread(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) options = NULL;
	g_auto(DstackPrepareOptions) self = {0};
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
	for (guint i = 0; i <= DSTACK_OPTIONS_MAX; i++)
		g_variant_builder_add(&builder, "{sv}", "nics", g_variant_new_uint32(i));
	options = g_variant_ref_sink(g_variant_builder_end(&builder));
	g_assert_false(dstack_prepare_options_unpack(&self, DSTACK_OPTIONS_PREPARE, "img", options, &error));
	g_assert_cmpstr(error->message, ==, "65 options, at most 64 accepted");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/daemon/options/every-prepare-option-lands-in-its-place",
			every_prepare_option_lands_in_its_place);
	g_test_add_func("/daemon/options/every-verify-option-lands-in-its-place",
			every_verify_option_lands_in_its_place);
	g_test_add_func("/daemon/options/nonsense-is-refused-by-name", nonsense_is_refused_by_name);
	g_test_add_func("/daemon/options/each-method-has-its-own-options", each_method_has_its_own_options);
	g_test_add_func("/daemon/options/too-many-options-are-refused-unread", too_many_options_are_refused_unread);
	return g_test_run();
}
