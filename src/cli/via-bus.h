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

/* a call to the service; errors come back in the library's own domain */
GVariant *dstack_via_bus_call(DstackCli *cli, const gchar *method, GVariant *arguments, const GVariantType *reply,
			      GUnixFDList *fds, GError **error);

G_END_DECLS
