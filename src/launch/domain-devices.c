/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Devices of a domain, as far as vm_config counts them. libvirt.md, "From domain XML to vm_config".
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "launch/domain-parts.h"
#include "launch/fat-disk.h"
#include "launch/xml.h"

#define SHARE_TAG     "host-shared"
#define CLASS_VGA     0x0300
#define CLASS_3D      0x0302
#define CLASS_BRIDGE  0x0680
#define VENDOR_NVIDIA 0x10de
#define SYSFS_MAX     64 /* "0x030200\n" */

typedef struct {
	guint domain, bus, slot, function;
} PciAddress;

/* libvirt writes 0x with hexadecimal digits, people also decimal ones */
static gboolean
parse_pci_number(const gchar *text, guint max, guint *out)
{
	gboolean is_hex = g_str_has_prefix(text, "0x");
	const gchar *p = is_hex ? text + 2 : text;
	guint value = 0;

	if (*p == '\0')
		return FALSE;
	for (; *p != '\0'; p++) {
		gint digit = is_hex ? g_ascii_xdigit_value(*p) : g_ascii_digit_value(*p);

		if (digit < 0)
			return FALSE;
		value = value * (is_hex ? 16 : 10) + (guint)digit;
		if (value > max)
			return FALSE;
	}
	*out = value;
	return TRUE;
}

static gboolean
read_pci_number(const xmlNode *node, const gchar *name, guint max, guint *out, GError **error)
{
	g_autofree gchar *text = dstack_xml_dup_attribute(node, name);

	if (text == NULL && g_str_equal(name, "domain")) {
		*out = 0;
		return TRUE;
	}
	if (text != NULL && parse_pci_number(text, max, out))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "hostdev/source/address: %s: expected 0 to 0x%x, found '%s'",
			    name, max, text != NULL ? text : "");
}

static gboolean
read_pci_address(xmlNode *hostdev, PciAddress *out, GError **error)
{
	xmlNode *node = dstack_xml_find(hostdev, "source/address");

	if (node == NULL)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "hostdev: expected <source><address/></source>, found none");
	return read_pci_number(node, "domain", 0xffff, &out->domain, error) &&
	       read_pci_number(node, "bus", 0xff, &out->bus, error) &&
	       read_pci_number(node, "slot", 0x1f, &out->slot, error) &&
	       read_pci_number(node, "function", 7, &out->function, error);
}

/* "0x030200" of the kernel's; NULL error: the caller only wants to know whether there is one */
static gboolean
read_sysfs_number(int dirfd, const gchar *name, guint *out)
{
	g_autoptr(GBytes) bytes = dstack_file_read_beneath(dirfd, name, SYSFS_MAX, NULL);
	g_autofree gchar *text = NULL;

	if (bytes == NULL)
		return FALSE;
	text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	return parse_pci_number(g_strchomp(text), 0xffffff, out);
}

static int
open_pci_device(const gchar *sysfs, const gchar *address)
{
	g_autofree gchar *path = g_build_filename(sysfs, "bus/pci/devices", address, NULL);

	return dstack_dir_open(path, NULL);
}

static void
warn(DstackDomain *self, gchar *message)
{
	g_ptr_array_add(self->warnings, message);
}

static gboolean
count_hostdev(DstackDomain *self, xmlNode *hostdev, const gchar *sysfs, GError **error)
{
	PciAddress at;
	g_autofree gchar *address = NULL;
	DSTACK_AUTO_FD int dirfd = -1;
	guint class_code, vendor;

	if (!read_pci_address(hostdev, &at, error))
		return FALSE;
	address = g_strdup_printf("%04x:%02x:%02x.%x", at.domain, at.bus, at.slot, at.function);
	dirfd = open_pci_device(sysfs, address);
	if (dirfd < 0 || !read_sysfs_number(dirfd, "class", &class_code) ||
	    !read_sysfs_number(dirfd, "vendor", &vendor)) {
		self->num_gpus++;
		warn(self, g_strdup_printf("hostdev %s: this host has no such device; counted as a GPU", address));
		return TRUE;
	}
	if (class_code >> 8 == CLASS_VGA || class_code >> 8 == CLASS_3D)
		self->num_gpus++;
	else if (class_code >> 8 == CLASS_BRIDGE && vendor == VENDOR_NVIDIA)
		self->num_nvswitches++;
	else
		warn(self, g_strdup_printf("hostdev %s: class 0x%06x is neither GPU nor NVSwitch, and vm_config has no "
					   "place for it",
					   address, class_code));
	return TRUE;
}

static gboolean
read_hostdevs(DstackDomain *self, xmlNode *devices, const gchar *sysfs, GError **error)
{
	for (xmlNode *node = dstack_xml_first(devices, NULL, "hostdev"); node != NULL;
	     node = dstack_xml_next(node, NULL, "hostdev")) {
		if (dstack_xml_attribute_is(node, "mode", "subsystem") &&
		    dstack_xml_attribute_is(node, "type", "pci") && !count_hostdev(self, node, sysfs, error))
			return FALSE;
	}
	return TRUE;
}

/* a passed-through interface has no model */
static gboolean
read_interfaces(DstackDomain *self, xmlNode *devices, GError **error)
{
	for (xmlNode *node = dstack_xml_first(devices, NULL, "interface"); node != NULL;
	     node = dstack_xml_next(node, NULL, "interface")) {
		g_autofree gchar *model = dstack_xml_dup_attribute_at(node, "model", "type");

		if (!(model == NULL && dstack_xml_attribute_is(node, "type", "hostdev")) &&
		    g_strcmp0(model, "virtio") != 0)
			return dstack_throw(error, DSTACK_ERROR_REFUSED,
					    "interface %u: expected model virtio, found %s", self->num_nics,
					    model != NULL ? model : "none");
		self->num_nics++;
	}
	return TRUE;
}

static gboolean
read_pci_hole(DstackDomain *self, xmlNode *devices, GError **error)
{
	for (xmlNode *node = dstack_xml_first(devices, NULL, "controller"); node != NULL;
	     node = dstack_xml_next(node, NULL, "controller")) {
		xmlNode *hole = dstack_xml_first(node, NULL, "pcihole64");

		if (hole != NULL && dstack_xml_attribute_is(node, "model", "pcie-root") &&
		    !dstack_xml_get_size(hole, "controller/pcihole64", &self->pci_hole64_size, error))
			return FALSE;
	}
	return TRUE;
}

static void
read_tpm(DstackDomain *self, xmlNode *devices)
{
	for (xmlNode *node = dstack_xml_first(devices, NULL, "tpm"); node != NULL;
	     node = dstack_xml_next(node, NULL, "tpm")) {
		if (dstack_xml_attribute_is(dstack_xml_first(node, NULL, "backend"), "type", "emulator"))
			self->swtpm = TRUE;
	}
}

/* the guest mounts 9p, so a virtiofs of that name would be found by nobody */
static gboolean
read_filesystems(DstackDomain *self, xmlNode *devices, GError **error)
{
	for (xmlNode *node = dstack_xml_first(devices, NULL, "filesystem"); node != NULL;
	     node = dstack_xml_next(node, NULL, "filesystem")) {
		g_autofree gchar *target = dstack_xml_dup_attribute_at(node, "target", "dir");
		g_autofree gchar *driver = dstack_xml_dup_attribute_at(node, "driver", "type");
		g_autofree gchar *dir = dstack_xml_dup_attribute_at(node, "source", "dir");

		if (g_strcmp0(target, SHARE_TAG) != 0)
			continue;
		if (self->share_dir != NULL)
			return dstack_throw(error, DSTACK_ERROR_REFUSED, "filesystem: two have the target " SHARE_TAG);
		if (g_strcmp0(driver, "virtiofs") == 0)
			return dstack_throw(error, DSTACK_ERROR_REFUSED,
					    "filesystem " SHARE_TAG
					    ": expected 9p, which the guest mounts, found virtiofs");
		if (dir == NULL || !g_path_is_absolute(dir))
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    "filesystem " SHARE_TAG ": expected a source dir, found '%s'",
					    dir != NULL ? dir : "");
		self->share_dir = g_steal_pointer(&dir);
	}
	return TRUE;
}

static gboolean
read_disks(DstackDomain *self, xmlNode *devices, GError **error)
{
	for (xmlNode *node = dstack_xml_first(devices, NULL, "disk"); node != NULL;
	     node = dstack_xml_next(node, NULL, "disk")) {
		g_autofree gchar *file = dstack_xml_dup_attribute_at(node, "source", "file");
		g_autofree gchar *serial = dstack_xml_dup_text_at(node, "serial");

		if (file == NULL || !dstack_xml_attribute_is(node, "type", "file"))
			continue;
		if (g_strcmp0(serial, DSTACK_FAT_DISK_LABEL) != 0) {
			g_ptr_array_add(self->disk_files, g_steal_pointer(&file));
			continue;
		}
		if (self->share_disk != NULL)
			return dstack_throw(error, DSTACK_ERROR_REFUSED,
					    "disk: two have the serial " DSTACK_FAT_DISK_LABEL);
		self->share_disk = g_steal_pointer(&file);
	}
	return TRUE;
}

gboolean
dstack_domain_read_devices(DstackDomain *self, xmlNode *root, const gchar *sysfs, GError **error)
{
	xmlNode *devices = dstack_xml_first(root, NULL, "devices");

	if (devices == NULL)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "domain: expected <devices>, found none");
	self->emulator = dstack_xml_dup_text_at(devices, "emulator");
	self->hotplug_off =
	    dstack_xml_attribute_is(dstack_xml_find(root, "features/pci/acpi-bridge-hotplug"), "state", "off");
	read_tpm(self, devices);
	return read_interfaces(self, devices, error) && read_hostdevs(self, devices, sysfs, error) &&
	       read_pci_hole(self, devices, error) && read_filesystems(self, devices, error) &&
	       read_disks(self, devices, error);
}
