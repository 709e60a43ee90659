/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a caller wants launched: the `prepare` options of cli.md, or what a libvirt domain says.
 */
#pragma once

#include <glib.h>

#include "launch/settings.h"
#include "measure/hash-file.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_LAUNCH_TEE_UNSET, /* what the image allows, TDX first */
	DSTACK_LAUNCH_TEE_TDX,
	DSTACK_LAUNCH_TEE_SNP,
} DstackLaunchTee;

typedef enum {
	DSTACK_SWITCH_UNSET,
	DSTACK_SWITCH_OFF,
	DSTACK_SWITCH_ON,
} DstackSwitch;

/*
 * Filled by a front end, then only read. Strings are owned. Zero (dstack_launch_request_new()) means
 * "not said" for all but num_nics, which starts at 1.
 */
typedef struct {
	gchar *image; /* a name below the settings' image directories, or a path (with a slash) where allow_path */
	const gchar *const *image_dirs; /* (nullable), borrowed: where to look it up, instead of the settings' */
	gboolean allow_path;		/* the command line may name a directory; a domain or a bus caller may not */
	DstackLaunchTee tee;
	guint64 memory_size; /* bytes, required */
	guint32 cpu_count;   /* required */
	DstackPolicy policy;
	DstackSwitch measure_acpi_tables; /* the application's own requirement; overrides the policy */
	DstackCheckLevel check;
	guint64
	    check_skip_above; /* bytes; a larger file that no earlier check knows is left out and said so; 0: none */
	DstackHashProgress check_progress; /* (nullable), with its data: a full check may take a while */
	gpointer check_progress_data;
	gchar *qemu_path;    /* asked for its version */
	gchar *qemu_version; /* wins over qemu_path */
	guint32 num_nics, num_gpus, num_nvswitches, num_verity_volumes;
	gboolean swtpm, hugepages, hotplug_off;
	guint64 pci_hole64_size;
	DstackSwitch pic, single_pass_add_pages;
	gchar *host_share_mode; /* 9p, vvfat, vhd or NULL */
	gchar *vcpu_type;	/* SEV-SNP; NULL: EPYC-v4 */
	guint64 guest_features; /* SEV-SNP; 0: 1 */
	gchar *mr_config;	/* a MrConfigV3 document */
	gchar **attach;		/* (nullable): gcp, aws: material of other platforms to attach as well */
} DstackLaunchRequest;

DstackLaunchRequest *dstack_launch_request_new(void);
void dstack_launch_request_free(DstackLaunchRequest *self);

gboolean dstack_launch_tee_parse(const gchar *text, DstackLaunchTee *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
const gchar *dstack_launch_tee_to_string(DstackLaunchTee tee);

/* a name that can only be an entry of an image directory: letters, digits, '.', '_', '-', '+', not first a dot */
gboolean dstack_launch_image_name_is_valid(const gchar *name);

/* "4G": bytes, or K, M, G, T, powers of 1024; nothing else, no overflow */
gboolean dstack_size_parse(const gchar *text, const gchar *what, guint64 *out,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "2560 MiB", "2 GiB": exact, for people */
gchar *dstack_size_to_string(guint64 size);
/* decimal digits and nothing else, at most max */
gboolean dstack_number_parse(const gchar *text, const gchar *what, guint64 max, guint64 *out,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackLaunchRequest, dstack_launch_request_free)

G_END_DECLS
