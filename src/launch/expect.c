/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The registers that a launch of an image will show. Rules: tdx-measurement.md (section 4: which kernel reaches
 * the firmware), snp-measurement.md.
 */

#include "config.h"

#include "launch/expect.h"

#include "base/error.h"
#include "base/hex.h"
#include "launch/qemu-version.h"
#include "measure/material-snp.h"
#include "measure/material-tdx.h"
#include "verify/expected-snp.h"

#define DEFAULT_VCPU_TYPE "EPYC-v4"

void
dstack_expectation_free(DstackExpectation *self)
{
	if (self == NULL)
		return;
	g_free(self->image);
	g_ptr_array_unref(self->notes);
	g_free(self->qemu_version);
	g_free(self->vcpu_type);
	dstack_snp_material_free(self->snp);
	g_free(self);
}

static void
expectation_note(DstackExpectation *self, const gchar *note)
{
	g_ptr_array_add(self->notes, g_strdup(note));
}

/* QEMU from 10.2 on leaves the header of a confidential guest's kernel alone; from 10.0 on firmware may choose */
static gboolean
choose_kernel(DstackExpectation *self, const DstackImage *image, const DstackExpectRequest *request, GError **error)
{
	guint major = 9;
	guint minor = 1;
	guint micro = 0;

	if (request->qemu_version != NULL &&
	    !dstack_qemu_version_parse(request->qemu_version, &major, &minor, &micro, error))
		return FALSE;
	if (request->kernel != DSTACK_EXPECT_KERNEL_UNSET) {
		self->kernel_plain = request->kernel == DSTACK_EXPECT_KERNEL_PLAIN;
		return TRUE;
	}
	self->kernel_plain = image->metadata->kernel_header_normalized || major > 10 || (major == 10 && minor >= 2);
	if (!self->kernel_plain && major == 10)
		expectation_note(self,
				 "this QEMU offers firmware the unpatched kernel too, and edk2 from 202502 on takes "
				 "that: then the plain kernel is measured");
	return TRUE;
}

static gboolean
read_acpi(const DstackExpectRequest *request, DstackSha384 digests[3], gboolean *out_present, GError **error)
{
	static const gchar *const names[] = {"acpi-loader", "acpi-rsdp", "acpi-tables"};
	guint n = 0;

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		if (request->acpi[i] == NULL)
			continue;
		if (!dstack_sha384_from_hex(request->acpi[i], names[i], &digests[i], NULL))
			return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
					    "%s: expected a SHA-384 of 96 hex digits, found '%s'", names[i],
					    request->acpi[i]);
		n++;
	}
	if (n != 0 && n != G_N_ELEMENTS(names))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "acpi-loader, acpi-rsdp, acpi-tables: expected all three or none, found %u", n);
	*out_present = n != 0;
	return TRUE;
}

/* what is computed is true for this launch; whether lite verification would find it is another question */
static void
note_lite(DstackExpectation *self, const DstackTdxMaterial *material, const DstackSha384 *kernel)
{
	if (!dstack_tdx_material_holds_at(material, self->memory_size))
		expectation_note(
		    self, "material does not hold at this memory size: lite needs exactly 2G, or 2816M and more");
	else if (!dstack_sha384_equal(kernel, &material->kernel_authenticode))
		expectation_note(self,
				 "material is computed for the patched kernel: a launch with the plain one does not "
				 "verify as lite");
}

static DstackTristate
switch_to_tristate(DstackSwitch value)
{
	switch (value) {
	case DSTACK_SWITCH_UNSET:
		return DSTACK_TRISTATE_UNSET;
	case DSTACK_SWITCH_OFF:
		return DSTACK_TRISTATE_FALSE;
	case DSTACK_SWITCH_ON:
		return DSTACK_TRISTATE_TRUE;
	}
	g_return_val_if_reached(DSTACK_TRISTATE_UNSET);
}

static gboolean
expect_tdx(DstackExpectation *self, const DstackImage *image, const DstackExpectRequest *request,
	   GCancellable *cancellable, GError **error)
{
	DstackTdxLaunch launch = {.memory_size = request->memory_size, .qemu_version = request->qemu_version};
	g_autoptr(DstackTdxFiles) files = NULL;
	g_autoptr(DstackTdxMeasured) measured = NULL;
	DstackSha384 acpi[3];
	DstackSha384 kernel;
	gboolean has_acpi = FALSE;

	if (request->memory_size == 0)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "memory: expected the VM's memory size, on which the registers depend");
	if (!read_acpi(request, acpi, &has_acpi, error) || !choose_kernel(self, image, request, error))
		return FALSE;
	files = dstack_tdx_files_read(image, cancellable, error);
	measured = files != NULL ? dstack_tdx_measure(&files->inputs, 0, error) : NULL;
	if (measured == NULL)
		return FALSE;
	if (self->kernel_plain
		? !dstack_tdx_inputs_kernel_plain(&files->inputs, &kernel, error)
		: !dstack_tdx_inputs_kernel_patched(&files->inputs, request->memory_size, &kernel, error))
		return FALSE;
	launch.qemu_single_pass_add_pages = switch_to_tristate(request->single_pass_add_pages);
	launch.kernel = &kernel;
	launch.cfv = &measured->cfv;
	if (has_acpi) {
		launch.acpi_loader = &acpi[0];
		launch.acpi_rsdp = &acpi[1];
		launch.acpi_tables = &acpi[2];
	}
	self->memory_size = request->memory_size;
	self->qemu_version = g_strdup(request->qemu_version);
	note_lite(self, measured->material, &kernel);
	return dstack_tdx_expected_compute(&self->tdx, measured->material, &launch, error);
}

static gboolean
expect_snp(DstackExpectation *self, const DstackImage *image, const DstackExpectRequest *request,
	   GCancellable *cancellable, GError **error)
{
	DstackSnpGuest guest;

	if (request->vcpus == 0)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "vcpus: expected how many, on which the measurement depends");
	self->vcpus = request->vcpus;
	self->vcpu_type = g_strdup(request->vcpu_type == NULL ? DEFAULT_VCPU_TYPE : request->vcpu_type);
	self->guest_features = request->guest_features == 0 ? 1 : request->guest_features;
	self->snp = dstack_measure_snp_material(image, cancellable, error);
	if (self->snp == NULL)
		return FALSE;
	guest = (DstackSnpGuest){
	    .vcpus = self->vcpus, .vcpu_type = self->vcpu_type, .guest_features = self->guest_features};
	return dstack_expected_snp_compute(self->snp, &guest, &self->measurement, error);
}

/* what was asked for; else what the image has material for, TDX first */
static DstackLaunchTee
choose_tee(const DstackImage *image, const DstackExpectRequest *request)
{
	if (request->tee != DSTACK_LAUNCH_TEE_UNSET)
		return request->tee;
	return image->tdx == NULL && image->snp != NULL ? DSTACK_LAUNCH_TEE_SNP : DSTACK_LAUNCH_TEE_TDX;
}

/**
 * dstack_launch_expect:
 * @image: the image
 * @request: what is launched
 * @cancellable: (nullable): to stop before
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT, or why the image cannot be measured
 *
 * Measures the image's files, not its material, so that the answer holds at any memory size and with either kernel.
 *
 * Returns: (transfer full) (nullable): what such a launch will show
 */
DstackExpectation *
dstack_launch_expect(const DstackImage *image, const DstackExpectRequest *request, GCancellable *cancellable,
		     GError **error)
{
	g_autoptr(DstackExpectation) self = g_new0(DstackExpectation, 1);
	gboolean done = FALSE;

	self->image = g_strdup(image->name);
	self->notes = g_ptr_array_new_with_free_func(g_free);
	self->tee = choose_tee(image, request);
	if (self->tee == DSTACK_LAUNCH_TEE_SNP)
		done = expect_snp(self, image, request, cancellable, error);
	else
		done = expect_tdx(self, image, request, cancellable, error);
	return done ? g_steal_pointer(&self) : NULL;
}

static void
set_sha384(JsonObject *object, const gchar *member, const DstackSha384 *digest)
{
	g_autofree gchar *hex = dstack_sha384_to_hex(digest);

	json_object_set_string_member(object, member, hex);
}

static void
set_sha256(JsonObject *object, const gchar *member, const DstackSha256 *digest)
{
	g_autofree gchar *hex = dstack_sha256_to_hex(digest);

	json_object_set_string_member(object, member, hex);
}

static void
add_events(JsonArray *events, const DstackTdxExpected *expected, guint rtmr)
{
	const DstackTdxEventList *list = &expected->layout->rtmr[rtmr];
	g_autofree gchar *name = g_strdup_printf("rtmr%u", rtmr);

	for (guint i = 0; i < list->n_events; i++) {
		DstackTdxEvent event = list->events[i];
		JsonObject *row = json_object_new();

		json_object_set_string_member(row, "register", name);
		json_object_set_string_member(row, "event", dstack_tdx_event_to_string(event));
		if (expected->events.known[event])
			set_sha384(row, "digest", &expected->events.digest[event]);
		else
			json_object_set_null_member(row, "digest");
		json_object_set_string_member(row, "description", dstack_tdx_event_describe(event));
		json_array_add_object_element(events, row);
	}
}

static void
tdx_to_json(const DstackExpectation *self, JsonObject *object)
{
	const DstackTdxExpected *expected = &self->tdx;
	JsonArray *events = json_array_new();

	json_object_set_int_member(object, "memory_size", (gint64)self->memory_size);
	if (self->qemu_version != NULL)
		json_object_set_string_member(object, "qemu_version", self->qemu_version);
	else
		json_object_set_null_member(object, "qemu_version");
	json_object_set_string_member(object, "kernel", self->kernel_plain ? "plain" : "patched");
	json_object_set_string_member(object, "page_order", dstack_page_order_to_string(expected->page_order));
	json_object_set_string_member(object, "layout", expected->layout->name);
	set_sha384(object, "mrtd", &expected->mrtd);
	set_sha384(object, "mrtd_single_pass", &expected->mrtd_single_pass);
	set_sha384(object, "mrtd_two_pass", &expected->mrtd_two_pass);
	for (guint i = 0; i < DSTACK_TDX_N_BOOT_RTMRS; i++) {
		g_autofree gchar *name = g_strdup_printf("rtmr%u", i);

		if (i == 0 && !expected->has_rtmr0)
			json_object_set_null_member(object, name);
		else
			set_sha384(object, name, &expected->rtmr[i]);
		add_events(events, expected, i);
	}
	json_object_set_array_member(object, "events", events);
}

/**
 * dstack_expectation_to_json:
 * @self: an expectation
 *
 * Returns: (transfer full): the registers and the event digests behind them, lower-case hex
 */
JsonNode *
dstack_expectation_to_json(const DstackExpectation *self)
{
	JsonNode *root = json_node_new(JSON_NODE_OBJECT);
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "image", self->image);
	json_object_set_string_member(object, "tee", dstack_launch_tee_to_string(self->tee));
	if (self->tee == DSTACK_LAUNCH_TEE_SNP) {
		json_object_set_int_member(object, "vcpus", self->vcpus);
		json_object_set_string_member(object, "vcpu_type", self->vcpu_type);
		json_object_set_int_member(object, "guest_features", (gint64)self->guest_features);
		set_sha384(object, "measurement", &self->measurement);
		set_sha384(object, "ovmf_hash", &self->snp->ovmf_hash);
		set_sha256(object, "kernel_hash", &self->snp->kernel_hash);
		set_sha256(object, "initrd_hash", &self->snp->initrd_hash);
	} else {
		tdx_to_json(self, object);
	}
	json_node_take_object(root, object);
	return root;
}
