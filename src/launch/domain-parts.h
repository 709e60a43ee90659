/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The parts of reading a domain, each in a file of its own. Private to launch/domain*.c.
 */
#pragma once

#include <libxml/tree.h>

#include "launch/domain.h"

G_BEGIN_DECLS

/* finds <dstack:cvm>; has_metadata stays FALSE where there is none */
gboolean dstack_domain_read_metadata(DstackDomain *self, xmlNode *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* memory, vcpu, cpu */
gboolean dstack_domain_read_resources(DstackDomain *self, xmlNode *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_domain_read_devices(DstackDomain *self, xmlNode *root, const gchar *sysfs,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_domain_read_security(DstackDomain *self, xmlNode *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* <qemu:commandline>: what of it changes the launch */
gboolean dstack_domain_read_qemu_arguments(DstackDomain *self, xmlNode *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
