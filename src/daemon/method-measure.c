/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Measure and Expect: what an image's files amount to.
 */

#include "config.h"

#include "daemon/methods.h"

#include <string.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/descriptor.h"
#include "daemon/options.h"
#include "image/image.h"
#include "launch/expect.h"
#include "measure/material-snp.h"
#include "measure/material-tdx.h"

static DstackImage *
call_find_image(const DstackCall *call, const gchar *name, GError **error)
{
	if (strchr(name, '/') != NULL) {
		dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "'%s' is a path, expected an image's name", name);
		return NULL;
	}
	return dstack_image_find((const gchar *const *)call->configuration->settings->image_dirs, name, error);
}

static GBytes *
measure_tee(const DstackImage *image, const gchar *tee, GCancellable *cancellable, GError **error)
{
	DstackLaunchTee which = DSTACK_LAUNCH_TEE_UNSET;

	if (!dstack_launch_tee_parse(tee, &which, error))
		return NULL;
	if (which == DSTACK_LAUNCH_TEE_TDX) {
		g_autoptr(DstackTdxMeasured) measured = dstack_measure_tdx_material(image, 0, cancellable, error);

		return measured == NULL ? NULL : dstack_tdx_material_build(measured->material);
	} else {
		g_autoptr(DstackSnpMaterial) material = dstack_measure_snp_material(image, cancellable, error);

		return material == NULL ? NULL : dstack_snp_material_build(material);
	}
}

/**
 * dstack_method_measure:
 * @call: the call, with `(ss)`
 * @cancellable: cancelled when the caller leaves
 * @error: (out): as the measurement of material
 *
 * Returns: %TRUE when the reply is in the call
 */
gboolean
dstack_method_measure(DstackCall *call, GCancellable *cancellable, GError **error)
{
	g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
	g_autoptr(DstackImage) image = NULL;
	g_autoptr(GBytes) cbor = NULL;
	DSTACK_AUTO_FD int fd = -1;
	const gchar *name = NULL;
	const gchar *tee = NULL;

	g_variant_get(call->parameters, "(&s&s)", &name, &tee);
	image = call_find_image(call, name, error);
	if (image == NULL)
		return FALSE;
	cbor = measure_tee(image, tee, cancellable, error);
	if (cbor == NULL)
		return FALSE;
	fd = dstack_descriptor_new_sealed(cbor, "measurement.cbor", error);
	if (fd < 0 || g_unix_fd_list_append(fds, fd, error) < 0)
		return FALSE;
	call->reply_fds = g_steal_pointer(&fds);
	call->reply = g_variant_ref_sink(g_variant_new("(h)", 0));
	return TRUE;
}

/**
 * dstack_method_expect:
 * @call: the call, with `(sa{sv})`
 * @cancellable: cancelled when the caller leaves
 * @error: (out): as dstack_launch_expect()
 *
 * Returns: %TRUE when the reply is in the call
 */
gboolean
dstack_method_expect(DstackCall *call, GCancellable *cancellable, GError **error)
{
	g_autoptr(GVariant) packed = g_variant_get_child_value(call->parameters, 1);
	g_autoptr(DstackExpectation) expectation = NULL;
	g_auto(DstackPrepareOptions) options = {0};
	g_autoptr(DstackImage) image = NULL;
	g_autoptr(JsonNode) json = NULL;
	g_autofree gchar *text = NULL;
	const DstackLaunchRequest *request = NULL;
	DstackExpectRequest expect = {0};
	const gchar *name = NULL;

	g_variant_get_child(call->parameters, 0, "&s", &name);
	if (!dstack_prepare_options_unpack(&options, DSTACK_OPTIONS_EXPECT, name, packed, error))
		return FALSE;
	request = options.request;
	expect = (DstackExpectRequest){.tee = request->tee,
				       .memory_size = request->memory_size,
				       .qemu_version = request->qemu_version,
				       .single_pass_add_pages = request->single_pass_add_pages,
				       .acpi = {options.acpi[0], options.acpi[1], options.acpi[2]},
				       .vcpus = request->cpu_count,
				       .vcpu_type = request->vcpu_type,
				       .guest_features = request->guest_features};
	image = call_find_image(call, name, error);
	expectation = image == NULL ? NULL : dstack_launch_expect(image, &expect, cancellable, error);
	if (expectation == NULL)
		return FALSE;
	json = dstack_expectation_to_json(expectation);
	text = dstack_json_to_text(json, DSTACK_JSON_COMPACT);
	call->reply = g_variant_ref_sink(g_variant_new("(s)", text));
	return TRUE;
}
