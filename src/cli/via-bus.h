/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Asking the D-Bus service instead of doing the work here: `--via bus`. What comes back is the same struct that the
 * library would have given, so that one renderer serves both.
 */
#pragma once

#include "cli/command.h"
#include "cli/verify-input.h"
#include "launch/prepare.h"
#include "measure/check.h"

G_BEGIN_DECLS

#define DSTACK_CLI_VIA_ENTRY(variable)                                                                                 \
	{                                                                                                              \
		"via", 0, 0, G_OPTION_ARG_STRING, variable, "Ask the D-Bus service instead of doing it here", "bus"    \
	}

/* what --via said: TRUE for "bus", FALSE where it was not given */
gboolean dstack_via_parse(const gchar *via, gboolean *out_bus, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* share_fd: where the service is to inject, or -1 */
DstackLaunchResult *dstack_via_bus_prepare(DstackCli *cli, const DstackLaunchRequest *request, int share_fd,
					   gboolean *out_changed, GError **error);

/* the evidence is the run's argument; prints the verdict */
gboolean dstack_via_bus_verify(DstackCli *cli, const DstackVerifyInput *input,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (element-type DstackImageRow), of cli/image-row.h */
GPtrArray *dstack_via_bus_images(DstackCli *cli, GError **error);
/* out_json: the report as it came */
DstackCheckReport *dstack_via_bus_check(DstackCli *cli, gchar **out_json, GError **error);

#define DSTACK_BUS_NAME "org.dstack.VmmPrep1"
#define DSTACK_BUS_PATH "/org/dstack/VmmPrep1"

/* an object of the service's, and one of its interfaces */
typedef struct {
	const gchar *path;
	const gchar *interface;
} DstackBusTarget;

/* who holds this stays the same caller: the service cancels the jobs of callers that leave */
GDBusConnection *dstack_via_bus_connect(DstackCli *cli, GError **error);
GVariant *dstack_via_bus_call_on(DstackCli *cli, const DstackBusTarget *target, const gchar *method,
				 GVariant *arguments, const GVariantType *reply, GUnixFDList *fds, GError **error);
/* a call to the service's manager; errors come back in the library's own domain */
GVariant *dstack_via_bus_call(DstackCli *cli, const gchar *method, GVariant *arguments, const GVariantType *reply,
			      GUnixFDList *fds, GError **error);

G_END_DECLS
