/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A domain's start from end to end: parse, prepare, consistency; and, for the hook, inject and take back.
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>

#include "base/context.h"
#include "launch/domain.h"
#include "launch/prepare.h"

G_BEGIN_DECLS

typedef struct {
	const DstackSettings *settings;
	const DstackContext *context;
	const gchar *sysfs;		/* "/sys" */
	const gchar *const *image_dirs; /* (nullable): where images are looked up, instead of the settings' */
	guint64 check_skip_above;	/* as in the request: the hook has little time */
	GCancellable *cancellable;	/* (nullable) */
} DstackDomainEnv;

/* what the hook would do: nothing is written. @domain has metadata of ours. */
DstackLaunchResult *dstack_domain_launch_prepare(const DstackDomain *domain, const DstackDomainEnv *env,
						 GError **error);

/* does it: .sys-config.json into the share directory, the FAT disk where the domain has one, and a record of both */
gboolean dstack_domain_launch_inject(const DstackDomain *domain, const DstackLaunchResult *result,
				     const DstackDomainEnv *env, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* takes back exactly what the record of this domain's UUID says; no record is no error */
gboolean dstack_domain_launch_release(const gchar *uuid, const DstackDomainEnv *env,
				      GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
