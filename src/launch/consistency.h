/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a domain boots must be what its image measures, or the guest can never attest.
 * libvirt.md, "Launch consistency".
 */
#pragma once

#include <gio/gio.h>
#include <glib.h>

#include "launch/domain.h"
#include "launch/prepare.h"

G_BEGIN_DECLS

/*
 * %DSTACK_ERROR_REFUSED names the element, what it has and what the image needs. What may be but is unwise is
 * appended to the result's warnings.
 */
gboolean dstack_launch_ensure_consistent(const DstackDomain *domain, DstackLaunchResult *result,
					 const DstackContext *context, GCancellable *cancellable,
					 GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
