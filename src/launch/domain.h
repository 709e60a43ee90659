/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A libvirt domain, as far as a launch depends on it. libvirt.md, "Metadata" and "From domain XML to vm_config".
 *
 * The XML is the domain owner's: bounded in size and depth, no DTD, no entity, no network.
 */
#pragma once

#include <glib.h>

#include "launch/request.h"

G_BEGIN_DECLS

#define DSTACK_DOMAIN_NAMESPACE "https://dstack.org/xmlns/libvirt/cvm/1.0"

typedef struct {
	gchar *name;
	gchar *uuid; /* canonical lower case */

	/* <dstack:cvm>; all of it NULL or zero where has_metadata is FALSE */
	gboolean has_metadata;
	gchar *image;
	DstackLaunchTee metadata_tee;
	DstackPolicy policy;
	gchar *metadata_share_dir; /* absolute */
	guint32 num_verity_volumes;
	gchar *mr_config;

	/* what the guest gets */
	guint64 memory_size;
	guint32 cpu_count;
	gboolean hugepages;
	guint32 num_nics;
	guint32 num_gpus, num_nvswitches;
	gboolean swtpm;
	guint64 pci_hole64_size;
	gboolean hotplug_off;
	DstackSwitch pic;
	gchar *emulator;
	gchar *machine;
	gchar *smbios_product;	     /* (nullable) */
	gchar *cpu_mode, *cpu_model; /* (nullable) */
	gchar *share_dir;	     /* source of the 9p filesystem with target host-shared */
	gchar *share_disk;	     /* file of the disk with serial DSTACKSHR */

	/* what it boots; NULL where the domain has no such element */
	gchar *loader, *loader_type, *bios, *nvram, *kernel, *initrd, *cmdline;

	/* <launchSecurity> */
	DstackLaunchTee security;
	gboolean security_is_other; /* sev, s390-pv: nothing that we attest */
	guint64 security_policy;
	gboolean has_security_policy;
	gboolean kernel_hashes;
	gboolean has_quote_service;
	GBytes *host_data, *mr_config_id; /* (nullable): decoded */
} DstackDomain;

/* is there any metadata of ours? Decided on the bytes alone; may say yes where a closer look says no. */
gboolean dstack_domain_mentions_us(const gchar *xml, gsize size);

/*
 * @sysfs is where PCI classes are read ("/sys").
 * A domain without our metadata parses to has_metadata FALSE and nothing else but name and uuid.
 */
DstackDomain *dstack_domain_parse(const gchar *xml, gsize size, const gchar *sysfs, GError **error);
void dstack_domain_free(DstackDomain *self);

/* the TEE of the launch: launchSecurity, else metadata; a contradiction or none at all is refused */
gboolean dstack_domain_get_tee(const DstackDomain *self, DstackLaunchTee *out,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* the request that `prepare` with the same facts would make */
DstackLaunchRequest *dstack_domain_to_request(const DstackDomain *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackDomain, dstack_domain_free)

G_END_DECLS
