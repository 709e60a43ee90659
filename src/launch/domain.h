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

/* <launchSecurity>, or a guest object on QEMU's command line: one of the two */
typedef struct {
	DstackLaunchTee tee; /* UNSET: the domain has none */
	gchar *other;	     /* (nullable): a type that nobody attests with us, such as sev */
	guint64 policy;
	gboolean has_policy;
	gboolean kernel_hashes;
	gboolean has_quote_service;
	GBytes *host_data;    /* (nullable): 32 bytes */
	GBytes *mr_config_id; /* (nullable): 48 bytes */
} DstackDomainSecurity;

/* <dstack:cvm> */
typedef struct {
	gchar *image;
	DstackLaunchTee tee;
	DstackPolicy policy;
	gchar *share_dir; /* (nullable): absolute */
	guint32 num_verity_volumes;
	gchar *mr_config; /* (nullable) */
} DstackDomainMetadata;

/* what it boots; NULL where the domain has no such element */
typedef struct {
	gchar *loader, *loader_type, *bios, *nvram, *kernel, *initrd, *cmdline;
} DstackDomainBoot;

typedef struct {
	gchar *name;
	gchar *uuid; /* canonical, lower case */
	gboolean has_metadata;
	DstackDomainMetadata metadata;
	DstackDomainBoot boot;
	DstackDomainSecurity security;

	/* what the guest gets */
	guint64 memory_size;
	guint32 cpu_count;
	gboolean hugepages;
	guint32 num_nics, num_gpus, num_nvswitches;
	gboolean swtpm;
	guint64 pci_hole64_size;
	gboolean hotplug_off;
	gchar *emulator;	     /* (nullable) */
	gchar *machine;		     /* (nullable) */
	gchar *smbios_product;	     /* (nullable): as the guest will see it */
	gchar *cpu_mode, *cpu_model; /* (nullable) */
	gchar *share_dir;	     /* (nullable): source of the 9p filesystem with target host-shared */
	gchar *share_disk;	     /* (nullable): file of the disk with serial DSTACKSHR */
	GPtrArray *disk_files;	     /* files of the other disks */
	GPtrArray *warnings;
} DstackDomain;

/* is there any metadata of ours? Decided on the bytes alone; may say yes where a closer look says no. */
gboolean dstack_domain_mentions_us(const gchar *xml, gsize size);

/*
 * @sysfs is where PCI classes are read ("/sys").
 * A domain without our metadata parses to has_metadata FALSE and nothing else but name and uuid.
 */
DstackDomain *dstack_domain_parse(const gchar *xml, gsize size, const gchar *sysfs, GError **error);
void dstack_domain_free(DstackDomain *self);

/* the UUID alone, whatever else the XML says */
gchar *dstack_domain_read_uuid(const gchar *xml, gsize size, GError **error);

/* the TEE of the launch: launchSecurity, else metadata; a contradiction or none at all is refused */
gboolean dstack_domain_get_tee(const DstackDomain *self, DstackLaunchTee *out,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* the request that `prepare` with the same facts would make */
DstackLaunchRequest *dstack_domain_to_request(const DstackDomain *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackDomain, dstack_domain_free)

G_END_DECLS
