/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TDX material from an image's files, the command line's rules, and the table of layouts.
 */

#include "config.h"

#include "measure/material-tdx.h"

#include <string.h>

#include "base/writer.h"
#include "dstack/error.h"
#include "sample-firmware.h"
#include "sample-kernel.h"
#include "tdx/layout.h"
#include "tdx/rtmr0.h"
#include "tdx/rtmr2.h"

#define HASH	"92f2549790ec41f55c75f73cb583cb3fc2601203bd85ec69ea2ffbecd37a647f"
#define CMDLINE "console=ttyS0 dstack.rootfs_hash=" HASH

typedef struct {
	GByteArray *firmware;
	GByteArray *kernel;
	DstackTdxInputs inputs;
} Fixture;

static void
fixture_init(Fixture *self)
{
	self->firmware = dstack_sample_firmware_default();
	self->kernel = dstack_sample_kernel_build();
	self->inputs = (DstackTdxInputs){.initrd_size = 5000, .cmdline = CMDLINE};
	memset(self->inputs.initrd_sha384.bytes, 7, sizeof(self->inputs.initrd_sha384.bytes));
}

static void
fixture_clear(Fixture *self)
{
	g_byte_array_unref(self->firmware);
	g_byte_array_unref(self->kernel);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static DstackTdxMeasured *
measure(Fixture *self, guint version, GError **error)
{
	g_autoptr(GBytes) firmware = g_bytes_new_static(self->firmware->data, self->firmware->len);
	g_autoptr(GBytes) kernel = g_bytes_new_static(self->kernel->data, self->kernel->len);

	self->inputs.firmware = firmware;
	self->inputs.kernel = kernel;
	return dstack_tdx_measure(&self->inputs, version, error);
}

static void
make_normalized(Fixture *self)
{
	dstack_store_u16le(self->kernel->data + 0x224, 0);
	self->inputs.kernel_header_normalized = TRUE;
}

static void
measures_every_field(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackTdxMeasured) measured = NULL;
	g_autoptr(GBytes) witness = NULL;
	DstackSha384 cmdline;

	fixture_init(&fixture);
	measured = measure(&fixture, 0, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(measured->material->version, ==, 3);
	g_assert_null(measured->material->cmdline);
	g_assert_true(dstack_rtmr2_cmdline_digest(CMDLINE, &cmdline, &error));
	g_assert_true(dstack_sha384_equal(&measured->material->cmdline_sha384, &cmdline));
	g_assert_true(dstack_sha384_equal(&measured->material->initrd_sha384, &fixture.inputs.initrd_sha384));
	g_assert_false(dstack_sha384_equal(&measured->material->mrtd_single_pass, &measured->material->mrtd_two_pass));
	witness = g_bytes_new_static("\x80\x10\x09\x04\x00\x06\x09\x02\x0b\x02\x10\x10", 12);
	g_assert_true(g_bytes_equal(measured->material->td_hob, witness));
	g_assert_false(measured->has_reference_kernel);
	g_assert_true(dstack_tdx_measured_ensure_default_cfv(measured, &error));
}

static void
chooses_the_version(void)
{
	static const struct {
		gboolean normalized;
		guint wanted;
		guint version; /* 0: refused */
	} cases[] = {
	    {FALSE, 0, 3}, {FALSE, 3, 3}, {FALSE, 4, 4}, {FALSE, 2, 0},
	    {FALSE, 5, 0}, {TRUE, 0, 4},  {TRUE, 4, 4},	 {TRUE, 3, 0},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(Fixture) fixture = {0};
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackTdxMeasured) measured = NULL;

		fixture_init(&fixture);
		if (cases[i].normalized)
			make_normalized(&fixture);
		measured = measure(&fixture, cases[i].wanted, &error);
		if (cases[i].version == 0) {
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
			continue;
		}
		g_assert_no_error(error);
		g_assert_cmpuint(measured->material->version, ==, cases[i].version);
		g_assert_cmpstr(measured->material->cmdline, ==, cases[i].version == 4 ? CMDLINE : NULL);
		g_assert_cmpint(measured->material->kernel_header_normalized, ==, cases[i].normalized);
	}
}

static void
takes_a_normalized_kernel_as_it_is(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackTdxMeasured) measured = NULL;
	g_autoptr(GBytes) kernel = NULL;
	DstackSha384 plain;

	fixture_init(&fixture);
	fixture.inputs.kernel_header_normalized = TRUE;
	g_assert_null(measure(&fixture, 0, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	g_clear_error(&error);
	make_normalized(&fixture);
	measured = measure(&fixture, 0, &error);
	g_assert_no_error(error);
	g_assert_cmpint(measured->normalized, ==, DSTACK_KERNEL_NORMALIZED_ZERO);
	kernel = g_bytes_new_static(fixture.kernel->data, fixture.kernel->len);
	fixture.inputs.kernel = kernel;
	g_assert_true(dstack_tdx_inputs_kernel_plain(&fixture.inputs, &plain, &error));
	g_assert_true(dstack_sha384_equal(&measured->material->kernel_authenticode, &plain));
}

static void
gives_the_reference_answer_beside_ours(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackTdxMeasured) measured = NULL;

	fixture_init(&fixture);
	dstack_store_u16le(fixture.kernel->data + 0x236, 0x02);
	measured = measure(&fixture, 0, &error);
	g_assert_no_error(error);
	g_assert_true(measured->has_reference_kernel);
	g_assert_false(dstack_sha384_equal(&measured->reference_kernel, &measured->material->kernel_authenticode));
}

static void
notices_another_variable_store(void)
{
	g_auto(Fixture) fixture = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackTdxMeasured) measured = NULL;

	fixture_init(&fixture);
	fixture.firmware->data[0x1000] = 0;
	measured = measure(&fixture, 0, &error);
	g_assert_no_error(error);
	g_assert_false(dstack_tdx_measured_ensure_default_cfv(measured, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
}

static void
wants_one_root_hash(void)
{
	static const struct {
		const gchar *cmdline;
		gboolean sound;
	} cases[] = {
	    {CMDLINE, TRUE},
	    {"dstack.rootfs_hash=" HASH, TRUE},
	    {"a\tdstack.rootfs_hash=" HASH "\n", TRUE},
	    {"", FALSE},
	    {"console=ttyS0", FALSE},
	    {"dstack.rootfs_hash=", FALSE},
	    {"dstack.rootfs_hash=" HASH "0", FALSE},
	    {"dstack.rootfs_hash=" HASH ",x", FALSE},
	    {"xdstack.rootfs_hash=" HASH, FALSE},
	    {"dstack.rootfs_hash=" HASH " dstack.rootfs_hash=" HASH, FALSE},
	    {"dstack.rootfs_hash=g2f2549790ec41f55c75f73cb583cb3fc2601203bd85ec69ea2ffbecd37a647f", FALSE},
	    {CMDLINE " name=\xc3\xa4", FALSE},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		if (dstack_rtmr2_ensure_cmdline(cases[i].cmdline, &error) != cases[i].sound)
			g_error("wrong answer for '%s'", cases[i].cmdline);
		if (!cases[i].sound)
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_UNSOUND);
	}
}

static void
hashes_the_command_line_as_utf16(void)
{
	static const guint8 bytes[] = {'a', 0, ' ', 0, 'i', 0, 'n', 0, 'i', 0, 't', 0, 'r', 0, 'd', 0,
				       '=', 0, 'i', 0, 'n', 0, 'i', 0, 't', 0, 'r', 0, 'd', 0, 0,   0};
	DstackSha384 expected = dstack_sha384(bytes, sizeof(bytes));
	g_autoptr(GError) error = NULL;
	DstackSha384 found;

	g_assert_true(dstack_rtmr2_cmdline_digest("a", &found, &error));
	g_assert_true(dstack_sha384_equal(&found, &expected));
	g_assert_false(dstack_rtmr2_cmdline_digest("\xff", &found, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

static void
names_layouts_and_missing_events(void)
{
	g_autoptr(GError) error = NULL;
	const DstackTdxLayout *layout = dstack_tdx_layout_find("pre202505", &error);
	DstackTdxEventSet events = {0};
	DstackSha384 value;

	g_assert_no_error(error);
	g_assert_cmpuint(layout->rtmr[0].n_events, ==, 13);
	g_assert_cmpuint(layout->rtmr[1].n_events, ==, 5);
	g_assert_cmpuint(layout->rtmr[2].n_events, ==, 2);
	dstack_rtmr0_add_constants(&events);
	g_assert_false(dstack_tdx_event_set_covers(&events, &layout->rtmr[0]));
	g_assert_false(dstack_tdx_event_set_replay(&events, &layout->rtmr[0], &value, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_INVALID_ARGUMENT);
	g_assert_nonnull(strstr(error->message, "td-hob"));
	g_clear_error(&error);
	g_assert_null(dstack_tdx_layout_find("pre202506", &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	for (guint i = 0; i < DSTACK_TDX_N_EVENTS; i++) {
		g_assert_nonnull(dstack_tdx_event_to_string((DstackTdxEvent)i));
		g_assert_nonnull(dstack_tdx_event_describe((DstackTdxEvent)i));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/measure/tdx/measures-every-field", measures_every_field);
	g_test_add_func("/measure/tdx/chooses-the-version", chooses_the_version);
	g_test_add_func("/measure/tdx/takes-a-normalized-kernel-as-it-is", takes_a_normalized_kernel_as_it_is);
	g_test_add_func("/measure/tdx/gives-the-reference-answer-beside-ours", gives_the_reference_answer_beside_ours);
	g_test_add_func("/measure/tdx/notices-another-variable-store", notices_another_variable_store);
	g_test_add_func("/measure/tdx/wants-one-root-hash", wants_one_root_hash);
	g_test_add_func("/measure/tdx/hashes-the-command-line-as-utf16", hashes_the_command_line_as_utf16);
	g_test_add_func("/measure/tdx/names-layouts-and-missing-events", names_layouts_and_missing_events);
	return g_test_run();
}
