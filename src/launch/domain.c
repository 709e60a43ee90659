/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A domain from its XML, and the launch request it amounts to. libvirt.md.
 */
#include "config.h"

#include "launch/domain.h"

#include <string.h>

#include "base/error.h"
#include "launch/domain-parts.h"
#include "launch/xml.h"

static void
metadata_clear(DstackDomainMetadata *self)
{
	g_free(self->image);
	g_free(self->share_dir);
	g_free(self->mr_config);
}

static void
boot_clear(DstackDomainBoot *self)
{
	g_free(self->loader);
	g_free(self->loader_type);
	g_free(self->bios);
	g_free(self->nvram);
	g_free(self->kernel);
	g_free(self->initrd);
	g_free(self->cmdline);
}

static void
security_clear(DstackDomainSecurity *self)
{
	g_free(self->other);
	g_clear_pointer(&self->host_data, g_bytes_unref);
	g_clear_pointer(&self->mr_config_id, g_bytes_unref);
}

void
dstack_domain_free(DstackDomain *self)
{
	if (self == NULL)
		return;
	metadata_clear(&self->metadata);
	boot_clear(&self->boot);
	security_clear(&self->security);
	g_free(self->name);
	g_free(self->uuid);
	g_free(self->emulator);
	g_free(self->machine);
	g_free(self->smbios_product);
	g_free(self->cpu_mode);
	g_free(self->cpu_model);
	g_free(self->share_dir);
	g_free(self->share_disk);
	g_ptr_array_unref(self->disk_files);
	g_ptr_array_unref(self->warnings);
	g_free(self);
}

gboolean
dstack_domain_mentions_us(const gchar *xml, gsize size)
{
	return memmem(xml, size, DSTACK_DOMAIN_NAMESPACE, strlen(DSTACK_DOMAIN_NAMESPACE)) != NULL;
}

/* files are named by it, so it must be one, and in one spelling */
static gchar *
dup_uuid(xmlNode *root, GError **error)
{
	g_autofree gchar *uuid = dstack_xml_dup_text_at(root, "uuid");

	if (uuid != NULL && g_uuid_string_is_valid(uuid))
		return g_ascii_strdown(uuid, -1);
	dstack_throw(error, DSTACK_ERROR_MALFORMED, "domain: expected a <uuid>, found '%s'", uuid != NULL ? uuid : "");
	return NULL;
}

static gboolean
read_identity(DstackDomain *self, xmlNode *root, GError **error)
{
	self->name = dstack_xml_dup_text_at(root, "name");
	if (self->name == NULL || *self->name == '\0')
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "domain: expected a <name>, found none");
	self->uuid = dup_uuid(root, error);
	return self->uuid != NULL;
}

static void
read_boot(DstackDomain *self, xmlNode *root)
{
	DstackDomainBoot *boot = &self->boot;

	boot->loader = dstack_xml_dup_text_at(root, "os/loader");
	boot->loader_type = dstack_xml_dup_attribute_at(root, "os/loader", "type");
	boot->nvram = dstack_xml_dup_text_at(root, "os/nvram");
	boot->kernel = dstack_xml_dup_text_at(root, "os/kernel");
	boot->initrd = dstack_xml_dup_text_at(root, "os/initrd");
	boot->cmdline = dstack_xml_dup_text_at(root, "os/cmdline");
	self->machine = dstack_xml_dup_attribute_at(root, "os/type", "machine");
}

/* the guest sees <sysinfo> only with <os><smbios mode='sysinfo'/> */
static void
read_smbios(DstackDomain *self, xmlNode *root)
{
	xmlNode *system = NULL;

	if (!dstack_xml_attribute_is(dstack_xml_find(root, "os/smbios"), "mode", "sysinfo"))
		return;
	for (xmlNode *info = dstack_xml_first(root, NULL, "sysinfo"); info != NULL && system == NULL;
	     info = dstack_xml_next(info, NULL, "sysinfo")) {
		if (dstack_xml_attribute_is(info, "type", "smbios"))
			system = dstack_xml_first(info, NULL, "system");
	}
	for (xmlNode *entry = dstack_xml_first(system, NULL, "entry"); entry != NULL;
	     entry = dstack_xml_next(entry, NULL, "entry")) {
		if (self->smbios_product == NULL && dstack_xml_attribute_is(entry, "name", "product"))
			self->smbios_product = dstack_xml_dup_text(entry);
	}
}

/* an element that libvirt knows once, and that would hide another if it came twice */
static gboolean
ensure_no_duplicates(xmlNode *root, GError **error)
{
	static const gchar *const once[] = {"metadata", "memory",  "currentMemory", "vcpu",	      "os",
					    "cpu",	"devices", "name",	    "launchSecurity", "memoryBacking"};
	static const gchar *const once_in_os[] = {"loader", "kernel", "initrd", "cmdline", "type"};
	xmlNode *ignored = NULL;
	xmlNode *os;

	for (guint i = 0; i < G_N_ELEMENTS(once); i++) {
		if (!dstack_xml_find_single(root, NULL, once[i], &ignored, error))
			return FALSE;
	}
	os = dstack_xml_first(root, NULL, "os");
	for (guint i = 0; os != NULL && i < G_N_ELEMENTS(once_in_os); i++) {
		if (!dstack_xml_find_single(os, NULL, once_in_os[i], &ignored, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
ensure_root(const xmlNode *root, GError **error)
{
	if (root != NULL && dstack_xml_is(root, NULL, "domain"))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "domain XML: expected <domain>, found <%s>",
			    root != NULL ? (const gchar *)root->name : "");
}

static gboolean
read_domain(DstackDomain *self, xmlNode *root, const gchar *sysfs, GError **error)
{
	if (!ensure_root(root, error) || !read_identity(self, root, error) || !ensure_no_duplicates(root, error) ||
	    !dstack_domain_read_metadata(self, root, error))
		return FALSE;
	if (!self->has_metadata)
		return TRUE;
	read_boot(self, root);
	read_smbios(self, root);
	return dstack_domain_read_resources(self, root, error) &&
	       dstack_domain_read_devices(self, root, sysfs, error) && dstack_domain_read_security(self, root, error) &&
	       dstack_domain_read_qemu_arguments(self, root, error);
}

DstackDomain *
dstack_domain_parse(const gchar *xml, gsize size, const gchar *sysfs, GError **error)
{
	g_autoptr(DstackDomain) self = g_new0(DstackDomain, 1);
	g_autoptr(xmlDoc) doc = NULL;

	self->disk_files = g_ptr_array_new_with_free_func(g_free);
	self->warnings = g_ptr_array_new_with_free_func(g_free);
	doc = dstack_xml_parse(xml, size, "domain XML", error);
	if (doc == NULL || !read_domain(self, xmlDocGetRootElement(doc), sysfs, error))
		return NULL;
	return g_steal_pointer(&self);
}

gchar *
dstack_domain_read_uuid(const gchar *xml, gsize size, GError **error)
{
	g_autoptr(xmlDoc) doc = dstack_xml_parse(xml, size, "domain XML", error);
	xmlNode *root = doc == NULL ? NULL : xmlDocGetRootElement(doc);

	if (doc == NULL || !ensure_root(root, error))
		return NULL;
	return dup_uuid(root, error);
}

gboolean
dstack_domain_get_tee(const DstackDomain *self, DstackLaunchTee *out, GError **error)
{
	DstackLaunchTee said = self->metadata.tee;

	if (self->security.other != NULL)
		return dstack_throw(
		    error, DSTACK_ERROR_REFUSED,
		    "launchSecurity: expected type tdx or sev-snp, found '%s', which dstack does not attest",
		    self->security.other);
	if (self->security.tee == DSTACK_LAUNCH_TEE_UNSET && said == DSTACK_LAUNCH_TEE_UNSET)
		return dstack_throw(
		    error, DSTACK_ERROR_REFUSED,
		    "launchSecurity: expected type tdx or sev-snp, found none; where this libvirt cannot "
		    "express it, let the metadata say <dstack:tee>");
	if (self->security.tee != DSTACK_LAUNCH_TEE_UNSET && said != DSTACK_LAUNCH_TEE_UNSET &&
	    said != self->security.tee)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "launchSecurity says %s, but the metadata's <tee> says %s",
				    dstack_launch_tee_to_string(self->security.tee), dstack_launch_tee_to_string(said));
	*out = said != DSTACK_LAUNCH_TEE_UNSET ? said : self->security.tee;
	return TRUE;
}

DstackLaunchRequest *
dstack_domain_to_request(const DstackDomain *self, GError **error)
{
	g_autoptr(DstackLaunchRequest) request = dstack_launch_request_new();

	if (!dstack_domain_get_tee(self, &request->tee, error))
		return NULL;
	request->image = g_strdup(self->metadata.image);
	request->policy = self->metadata.policy;
	request->mr_config = g_strdup(self->metadata.mr_config);
	request->num_verity_volumes = self->metadata.num_verity_volumes;
	request->memory_size = self->memory_size;
	request->cpu_count = self->cpu_count;
	request->hugepages = self->hugepages;
	request->num_nics = self->num_nics;
	request->num_gpus = self->num_gpus;
	request->num_nvswitches = self->num_nvswitches;
	request->swtpm = self->swtpm;
	request->pci_hole64_size = self->pci_hole64_size;
	request->hotplug_off = self->hotplug_off;
	request->qemu_path = g_strdup(self->emulator);
	if (request->tee == DSTACK_LAUNCH_TEE_SNP)
		request->vcpu_type = g_strdup(self->cpu_model);
	if (self->share_dir != NULL)
		request->host_share_mode = g_strdup("9p");
	else if (self->share_disk != NULL)
		request->host_share_mode = g_strdup("vhd");
	return g_steal_pointer(&request);
}
