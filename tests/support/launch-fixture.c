/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The host that tests of launch/ and of the hook start domains on.
 */
#include "config.h"

#include "support/launch-fixture.h"

#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

#include "image/material.h"

static const gchar domain_template[] =
    "<domain type='kvm' id='7'>\n"
    "  <name>guest</name>\n"
    "  <uuid>" DSTACK_FIXTURE_UUID "</uuid>\n"
    "  <metadata>\n"
    "    <dstack:cvm xmlns:dstack=\"" DSTACK_DOMAIN_NAMESPACE "\">\n"
    "      <dstack:image>dstack-0.6.0</dstack:image>\n"
    "    </dstack:cvm>\n"
    "  </metadata>\n"
    "  <memory unit='KiB'>2097152</memory>\n"
    "  <currentMemory unit='KiB'>2097152</currentMemory>\n"
    "  <vcpu placement='static'>2</vcpu>\n"
    "  <sysinfo type='smbios'><system><entry name='product'>dstack</entry></system></sysinfo>\n"
    "  <os>\n"
    "    <type arch='x86_64' machine='pc-q35-9.2'>hvm</type>\n"
    "    <loader type='rom' format='raw' stateless='yes'>ROOT/images/dstack-0.6.0/ovmf.fd</loader>\n"
    "    <kernel>ROOT/images/dstack-0.6.0/bzImage</kernel>\n"
    "    <initrd>ROOT/images/dstack-0.6.0/initramfs.cpio.gz</initrd>\n"
    "    <cmdline>" DSTACK_FIXTURE_CMDLINE "</cmdline>\n"
    "    <smbios mode='sysinfo'/>\n"
    "  </os>\n"
    "  <cpu mode='host-passthrough' check='none' migratable='off'></cpu>\n"
    "  <devices>\n"
    "    <emulator>ROOT/qemu</emulator>\n"
    "    <disk type='file' device='disk'><source file='ROOT/other.img'/><target dev='vda' bus='virtio'/></disk>\n"
    "    <interface type='bridge'><source bridge='virbr0'/><model type='virtio'/></interface>\n"
    "    <filesystem type='mount' accessmode='mapped'>"
    "<source dir='ROOT/share'/><target dir='host-shared'/></filesystem>\n"
    "    <controller type='pci' index='0' model='pcie-root'/>\n"
    "  </devices>\n"
    "  <launchSecurity type='tdx'>\n"
    "    <policy>0x10000000</policy>\n"
    "    <quoteGenerationService path='/var/run/tdx-qgs/qgs.socket'/>\n"
    "  </launchSecurity>\n"
    "</domain>\n";

gchar *
dstack_launch_fixture_path(const DstackLaunchFixture *self, const gchar *name)
{
	return g_build_filename(self->root, name, NULL);
}

static void
write_bytes(const DstackLaunchFixture *self, const gchar *name, gconstpointer data, gsize size)
{
	g_autofree gchar *path = dstack_launch_fixture_path(self, name);
	g_autofree gchar *dir = g_path_get_dirname(path);

	g_assert_cmpint(g_mkdir_with_parents(dir, 0755), ==, 0);
	g_assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
}

void
dstack_launch_fixture_write(const DstackLaunchFixture *self, const gchar *name, const gchar *text)
{
	write_bytes(self, name, text, strlen(text));
}

gchar *
dstack_launch_fixture_read(const DstackLaunchFixture *self, const gchar *name)
{
	g_autofree gchar *path = dstack_launch_fixture_path(self, name);
	gchar *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

guint
dstack_launch_fixture_count(const DstackLaunchFixture *self, const gchar *name)
{
	g_autofree gchar *path = dstack_launch_fixture_path(self, name);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	guint n = 0;

	while (dir != NULL && g_dir_read_name(dir) != NULL)
		n++;
	return n;
}

static void
write_material(const DstackLaunchFixture *self)
{
	static const guint8 witness[] = {0x80, 0x10, 0x09, 0x04, 0x00, 0x06, 0x09, 0x02, 0x0b, 0x02, 0x10, 0x10};
	g_autoptr(DstackTdxMaterial) tdx = dstack_tdx_material_new();
	g_autoptr(DstackSnpMaterial) snp = dstack_snp_material_new();
	g_autoptr(GBytes) tdx_cbor = NULL;
	g_autoptr(GBytes) snp_cbor = NULL;

	tdx->version = 3;
	tdx->td_hob = g_bytes_new_static(witness, sizeof(witness));
	tdx_cbor = dstack_tdx_material_build(tdx);
	g_free(snp->cmdline);
	snp->cmdline = g_strdup(DSTACK_FIXTURE_CMDLINE);
	snp->hashes_table_gpa = 0x810c00;
	snp->reset_eip = 0x80b004;
	snp->n_sections = 1;
	snp->sections[0] = (DstackSnpSection){0x810000, 0x1000, 0x10};
	snp_cbor = dstack_snp_material_build(snp);
	write_bytes(self, "images/dstack-0.6.0/measurement.tdx.cbor", g_bytes_get_data(tdx_cbor, NULL),
		    g_bytes_get_size(tdx_cbor));
	write_bytes(self, "images/dstack-0.6.0/measurement.snp.cbor", g_bytes_get_data(snp_cbor, NULL),
		    g_bytes_get_size(snp_cbor));
}

void
dstack_launch_fixture_seal(const DstackLaunchFixture *self)
{
	static const gchar *const names[] = {
	    "metadata.json", "ovmf.fd", "bzImage", "initramfs.cpio.gz", "measurement.tdx.cbor", "measurement.snp.cbor"};
	g_autoptr(GString) manifest = g_string_new(NULL);
	g_autofree gchar *digest = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree gchar *path = g_build_filename(self->image, names[i], NULL);
		g_autofree gchar *text = NULL;
		g_autofree gchar *hex = NULL;
		gsize size;

		if (!g_file_get_contents(path, &text, &size, NULL))
			continue;
		hex = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guint8 *)text, size);
		g_string_append_printf(manifest, "%s  %s\n", hex, names[i]);
	}
	digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, manifest->str, -1);
	dstack_launch_fixture_write(self, "images/dstack-0.6.0/sha256sum.txt", manifest->str);
	dstack_launch_fixture_write(self, "images/dstack-0.6.0/digest.txt", digest);
}

static void
write_image(const DstackLaunchFixture *self)
{
	dstack_launch_fixture_write(self, "images/dstack-0.6.0/metadata.json",
				    "{\"kernel\":\"bzImage\",\"initrd\":\"initramfs.cpio.gz\",\"bios\":\"ovmf.fd\","
				    "\"cmdline\":\"" DSTACK_FIXTURE_CMDLINE "\",\"version\":\"0.6.0\"}");
	dstack_launch_fixture_write(self, "images/dstack-0.6.0/ovmf.fd", "firmware");
	dstack_launch_fixture_write(self, "images/dstack-0.6.0/bzImage", "kernel");
	dstack_launch_fixture_write(self, "images/dstack-0.6.0/initramfs.cpio.gz", "initrd");
	write_material(self);
	dstack_launch_fixture_seal(self);
}

static void
write_gpu(const DstackLaunchFixture *self, const gchar *address)
{
	g_autofree gchar *class_name = g_strdup_printf("sys/bus/pci/devices/%s/class", address);
	g_autofree gchar *vendor_name = g_strdup_printf("sys/bus/pci/devices/%s/vendor", address);

	dstack_launch_fixture_write(self, class_name, "0x030200\n");
	dstack_launch_fixture_write(self, vendor_name, "0x10de\n");
}

void
dstack_launch_fixture_set_qemu(const DstackLaunchFixture *self, const gchar *version)
{
	g_autofree gchar *script = g_strdup_printf("#!/bin/sh\necho 'QEMU emulator version %s (fixture)'\n", version);

	dstack_launch_fixture_write(self, "qemu", script);
	g_assert_cmpint(g_chmod(self->emulator, 0755), ==, 0);
}

void
dstack_launch_fixture_init(DstackLaunchFixture *self)
{
	g_autofree gchar *cache G_GNUC_UNUSED = NULL;
	GError *error = NULL;

	memset(self, 0, sizeof(*self));
	self->root = g_dir_make_tmp("dstack-launch-XXXXXX", &error);
	g_assert_no_error(error);
	self->images = dstack_launch_fixture_path(self, "images");
	self->image = dstack_launch_fixture_path(self, "images/dstack-0.6.0");
	self->share = dstack_launch_fixture_path(self, "share");
	self->emulator = dstack_launch_fixture_path(self, "qemu");
	self->sysfs = dstack_launch_fixture_path(self, "sys");
	self->state = dstack_launch_fixture_path(self, "state");
	write_image(self);
	g_assert_cmpint(g_mkdir(self->share, 0750), ==, 0);
	dstack_launch_fixture_set_qemu(self, "9.2.1");
	write_gpu(self, "0000:18:00.0");
	write_gpu(self, "0000:2a:00.0");

	self->settings = dstack_settings_new();
	g_strfreev(self->settings->image_dirs);
	self->settings->image_dirs = g_new0(gchar *, 2);
	self->settings->image_dirs[0] = g_strdup(self->images);
	g_free(self->settings->hook_state_dir);
	self->settings->hook_state_dir = g_strdup(self->state);
	/* the image's kernel is none: there is nothing to recompute */
	self->settings->check = DSTACK_CHECK_MATERIAL;
	self->env.settings = self->settings;
	self->env.context = &self->context;
	self->env.sysfs = self->sysfs;
}

static void
remove_tree(const gchar *path)
{
	g_autoptr(GDir) dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
	const gchar *name;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree gchar *child = g_build_filename(path, name, NULL);

		remove_tree(child);
	}
	(void)g_remove(path);
}

void
dstack_launch_fixture_clear(DstackLaunchFixture *self)
{
	if (self->root != NULL) /* a test that is skipped has made nothing */
		remove_tree(self->root);
	dstack_launch_fixture_leave(self);
}

void
dstack_launch_fixture_leave(DstackLaunchFixture *self)
{
	g_free(self->root);
	g_free(self->images);
	g_free(self->image);
	g_free(self->share);
	g_free(self->emulator);
	g_free(self->sysfs);
	g_free(self->state);
	dstack_settings_free(self->settings);
}

static gchar *
replace(const gchar *text, const gchar *from, const gchar *to)
{
	g_auto(GStrv) parts = g_strsplit(text, from, -1);

	g_assert_cmpuint(g_strv_length(parts), >, 1);
	return g_strjoinv(to, parts);
}

gchar *
dstack_launch_fixture_domain(const DstackLaunchFixture *self, const gchar *from, const gchar *to)
{
	g_autofree gchar *changed = from != NULL ? replace(domain_template, from, to) : g_strdup(domain_template);

	return replace(changed, "ROOT", self->root);
}
