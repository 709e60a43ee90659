/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * MRTD: what the TDX module measures while the VMM builds a TD from the firmware.
 */
#pragma once

#include "base/digest.h"
#include "tdx/tdvf.h"

G_BEGIN_DECLS

/* the order in which QEMU adds and measures a section's pages */
typedef enum {
	DSTACK_PAGE_ORDER_SINGLE_PASS, /* each page is added, then measured: QEMU 9 and later */
	DSTACK_PAGE_ORDER_TWO_PASS,    /* all pages of a section are added, then all are measured: QEMU 8 */
} DstackPageOrder;

DstackSha384 dstack_mrtd_compute(const DstackTdvf *tdvf, DstackPageOrder order);
const gchar *dstack_page_order_to_string(DstackPageOrder order);

/*
 * The order a launch uses. qemu_version is "X.Y.Z" or NULL for the default, 9.1.0. The override is vm_config's
 * qemu_single_pass_add_pages, NULL if unset, which means the opposite of its name: see mrtd.c.
 */
gboolean dstack_page_order_for_launch(const gchar *qemu_version, const gboolean *qemu_single_pass_add_pages,
				      DstackPageOrder *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
