/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The options that describe a launch: `prepare` and `expect` take the same ones (cli.md).
 */
#pragma once

#include <glib.h>

#include "launch/request.h"

G_BEGIN_DECLS

typedef struct {
	gchar *tee, *memory, *vcpus, *variant, *measure_acpi_tables, *qemu, *qemu_version;
	gchar *nics, *gpus, *nvswitches, *verity_volumes, *pci_hole64, *pic, *single_pass_add_pages;
	gchar *host_share, *vcpu_type, *guest_features, *mr_config;
	gboolean swtpm, hugepages, hotplug_off;
} DstackLaunchOptions;

void dstack_launch_options_clear(DstackLaunchOptions *self);

/* (element-type GOptionEntry), ended by an empty one; a command inserts its own at the front */
GArray *dstack_launch_options_entries(DstackLaunchOptions *self);

/* after parsing; @image is a name or a directory. Reads the file of --mr-config. */
DstackLaunchRequest *dstack_launch_options_to_request(const DstackLaunchOptions *self, const gchar *image,
						      GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackLaunchOptions, dstack_launch_options_clear)

G_END_DECLS
