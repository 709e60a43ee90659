/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Comparing a domain with its image before anything is written. libvirt.md, "Launch consistency".
 */
#include "config.h"

#include "launch/consistency.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/hex.h"
#include "config/mr-config.h"
#include "launch/qemu-version.h"

#define TDX_POLICY_DEBUG   0x1
#define TDX_POLICY_SEPT_VE 0x10000000
#define SNP_POLICY_DEBUG   0x80000
#define SMBIOS_PRODUCT	   "dstack"
#define HASH_STEP	   (256 * 1024)

typedef struct {
	const DstackDomain *domain;
	DstackLaunchResult *result;
	GCancellable *cancellable;
} Comparison;

static gboolean
hash_fd(const Comparison *self, int fd, const gchar *what, DstackSha256 *out, GError **error)
{
	g_autoptr(DstackHasher) hasher = dstack_hasher_new_sha256();
	g_autofree guint8 *buffer = g_malloc(HASH_STEP);
	off_t at = 0;
	ssize_t n;

	do {
		if (g_cancellable_is_cancelled(self->cancellable))
			return dstack_throw(error, DSTACK_ERROR_FAILED, "%s: out of time while hashing it", what);
		n = pread(fd, buffer, HASH_STEP, at);
		if (n < 0)
			return dstack_throw_errno(error, "cannot read '%s'", what);
		dstack_hasher_update(hasher, buffer, (gsize)n);
		at += n;
	} while (n > 0);
	*out = dstack_hasher_finish_sha256(hasher);
	return TRUE;
}

static int
open_named_file(const gchar *path, const gchar *element, struct stat *out, GError **error)
{
	DSTACK_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, out) < 0) {
		dstack_throw_errno(error, "%s: cannot open '%s'", element, path);
		return -1;
	}
	if (!S_ISREG(out->st_mode)) {
		dstack_throw(error, DSTACK_ERROR_REFUSED, "%s: expected a regular file, found something else at '%s'",
			     element, path);
		return -1;
	}
	return dstack_fd_steal(&fd);
}

static gboolean
refuse_file(const Comparison *self, const gchar *element, const gchar *path, const gchar *name, GError **error)
{
	return dstack_throw(error, DSTACK_ERROR_REFUSED,
			    "%s: '%s' is not %s of image %s, so the guest could never attest; point it at '%s/%s'",
			    element, path, name, self->result->image, self->result->image_path, name);
}

/* the same file, or one with the same content: a copy boots as well */
static gboolean
ensure_file(const Comparison *self, const gchar *element, const gchar *path, const gchar *name, GError **error)
{
	struct stat own, image;
	DSTACK_AUTO_FD int own_fd = -1;
	DSTACK_AUTO_FD int image_fd = -1;
	DstackSha256 own_hash, image_hash;

	if (path == NULL)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "%s: the domain has none, but image %s boots with '%s/%s'", element,
				    self->result->image, self->result->image_path, name);
	image_fd = dstack_image_open_file(self->result->opened, name, &image, error);
	if (image_fd < 0)
		return FALSE;
	own_fd = open_named_file(path, element, &own, error);
	if (own_fd < 0)
		return FALSE;
	if (own.st_dev == image.st_dev && own.st_ino == image.st_ino)
		return TRUE;
	if (own.st_size != image.st_size)
		return refuse_file(self, element, path, name, error);
	if (!hash_fd(self, own_fd, path, &own_hash, error) || !hash_fd(self, image_fd, name, &image_hash, error))
		return FALSE;
	return dstack_sha256_equal(&own_hash, &image_hash) || refuse_file(self, element, path, name, error);
}

static const gchar *
get_firmware_name(const Comparison *self)
{
	const DstackMetadata *metadata = self->result->opened->metadata;

	return self->result->tee == DSTACK_LAUNCH_TEE_SNP ? dstack_metadata_get_bios_sev(metadata) : metadata->bios;
}

static gboolean
ensure_firmware(const Comparison *self, GError **error)
{
	const DstackDomainBoot *boot = &self->domain->boot;
	const gchar *name = get_firmware_name(self);
	gboolean is_flash = boot->nvram != NULL || g_strcmp0(boot->loader_type, "pflash") == 0;

	if (name == NULL)
		return dstack_throw(error, DSTACK_ERROR_REFUSED, "image %s: metadata.json names no firmware",
				    self->result->image);
	if (boot->loader != NULL && boot->bios != NULL)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "os/loader and -bios in qemu:commandline: expected one of them, found both");
	if (self->result->tee == DSTACK_LAUNCH_TEE_TDX && boot->bios == NULL && is_flash)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "os/loader: TDX measures no flash; expected type='rom' and no nvram, found %s",
				    boot->nvram != NULL ? "nvram" : "type='pflash'");
	return ensure_file(self, boot->bios != NULL ? "-bios" : "os/loader",
			   boot->bios != NULL ? boot->bios : boot->loader, name, error);
}

static gboolean
ensure_cmdline(const Comparison *self, GError **error)
{
	const gchar *found = self->domain->boot.cmdline != NULL ? self->domain->boot.cmdline : "";
	const DstackMetadata *metadata = self->result->opened->metadata;
	const gchar *expected = metadata->cmdline != NULL ? metadata->cmdline : "";

	if (g_str_equal(found, expected))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_REFUSED, "os/cmdline: image %s needs '%s', found '%s'",
			    self->result->image, expected, found);
}

static gboolean
ensure_boot(const Comparison *self, GError **error)
{
	const DstackMetadata *metadata = self->result->opened->metadata;
	const DstackDomainBoot *boot = &self->domain->boot;

	return ensure_firmware(self, error) && ensure_file(self, "os/kernel", boot->kernel, metadata->kernel, error) &&
	       ensure_file(self, "os/initrd", boot->initrd, metadata->initrd, error) && ensure_cmdline(self, error);
}

/* the field of the launch that binds the document, if both are there */
static gboolean
ensure_binding(const Comparison *self, const gchar *element, GBytes *found, const guint8 *expected, gsize size,
	       GError **error)
{
	g_autofree gchar *expected_base64 = NULL;
	g_autofree gchar *found_base64 = NULL;

	if (found != NULL && dstack_bytes_equal(g_bytes_get_data(found, NULL), expected, size))
		return TRUE;
	expected_base64 = g_base64_encode(expected, size);
	if (found == NULL) {
		dstack_launch_result_warn(self->result,
					  g_strdup_printf("%s: absent, but there is an MrConfigV3 document; "
							  "to bind it: %s",
							  element, expected_base64));
		return TRUE;
	}
	found_base64 = dstack_base64_encode(found);
	return dstack_throw(error, DSTACK_ERROR_REFUSED, "%s: the MrConfigV3 document needs %s, found %s", element,
			    expected_base64, found_base64);
}

static gboolean
ensure_tdx(const Comparison *self, GError **error)
{
	const DstackDomainSecurity *security = &self->domain->security;
	const gchar *document = self->result->mr_config;

	if (security->tee != DSTACK_LAUNCH_TEE_TDX)
		return TRUE;
	if ((security->policy & TDX_POLICY_DEBUG) != 0)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "launchSecurity/policy: the debug bit (0x1) is set in 0x%" G_GINT64_MODIFIER
				    "x, and a debug guest is never attested; clear it",
				    security->policy);
	if (security->has_policy && (security->policy & TDX_POLICY_SEPT_VE) == 0)
		dstack_launch_result_warn(self->result,
					  g_strdup("launchSecurity/policy: SEPT_VE_DISABLE (0x10000000) is not set; a "
						   "verifier will not accept the guest"));
	if (!security->has_quote_service)
		dstack_launch_result_warn(self->result,
					  g_strdup("launchSecurity: no quoteGenerationService, so the guest "
						   "gets no quotes through it"));
	if (document != NULL) {
		DstackMrConfigId id = dstack_mr_config_id_v3(document, strlen(document));

		return ensure_binding(self, "launchSecurity/mrConfigId", security->mr_config_id, id.bytes,
				      sizeof(id.bytes), error);
	}
	return TRUE;
}

/* the launch digest covers QEMU's model, which host-passthrough and host-model leave open */
static gboolean
ensure_snp_cpu(const Comparison *self, GError **error)
{
	const DstackDomain *domain = self->domain;

	if (domain->cpu_model != NULL && (domain->cpu_mode == NULL || g_str_equal(domain->cpu_mode, "custom")))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_REFUSED,
			    "cpu: SEV-SNP measures the CPU model; expected mode='custom' with a model such as EPYC-v4, "
			    "found mode='%s' and model '%s'",
			    domain->cpu_mode != NULL ? domain->cpu_mode : "",
			    domain->cpu_model != NULL ? domain->cpu_model : "");
}

static gboolean
ensure_snp(const Comparison *self, GError **error)
{
	const DstackDomainSecurity *security = &self->domain->security;
	const gchar *document = self->result->mr_config;

	if (!ensure_snp_cpu(self, error))
		return FALSE;
	if (security->tee != DSTACK_LAUNCH_TEE_SNP)
		return TRUE;
	if ((security->policy & SNP_POLICY_DEBUG) != 0)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "launchSecurity/policy: the debug bit (0x80000) is set in 0x%" G_GINT64_MODIFIER
				    "x, and a debug guest is never attested; clear it",
				    security->policy);
	if (!security->kernel_hashes)
		return dstack_throw(
		    error, DSTACK_ERROR_REFUSED,
		    "launchSecurity: expected kernelHashes='yes', or nothing covers kernel, initrd and command "
		    "line");
	if (document != NULL) {
		DstackSha256 hash = dstack_mr_config_hash(document, strlen(document));

		return ensure_binding(self, "launchSecurity/hostData", security->host_data, hash.bytes,
				      sizeof(hash.bytes), error);
	}
	return TRUE;
}

/* "pc-q35-9.2": the two numbers at the end; distributions append more after them */
static gboolean
parse_machine_version(const gchar *machine, guint *out_major, guint *out_minor)
{
	static const gchar prefix[] = "pc-q35-";
	g_auto(GStrv) parts = NULL;
	guint64 major, minor;

	if (!g_str_has_prefix(machine, prefix))
		return FALSE;
	parts = g_strsplit(machine + strlen(prefix), ".", 2);
	if (g_strv_length(parts) != 2 || !dstack_number_parse(parts[0], "machine", 999, &major, NULL) ||
	    !dstack_number_parse(parts[1], "machine", 999, &minor, NULL))
		return FALSE;
	*out_major = (guint)major;
	*out_minor = (guint)minor;
	return TRUE;
}

static void
warn_old_machine(const Comparison *self)
{
	const gchar *machine = self->domain->machine;
	const gchar *version = self->result->qemu_version;
	guint major, minor, qemu_major, qemu_minor, qemu_micro;

	if (machine == NULL || version == NULL || !parse_machine_version(machine, &major, &minor) ||
	    !dstack_qemu_version_parse(version, &qemu_major, &qemu_minor, &qemu_micro, NULL))
		return;
	if (major < qemu_major || (major == qemu_major && minor < qemu_minor))
		dstack_launch_result_warn(
		    self->result,
		    g_strdup_printf("os/type: the ACPI tables follow machine type %s, which is older than "
				    "the emulator's %s",
				    machine, version));
}

static void
warn_general(const Comparison *self)
{
	const gchar *product = self->domain->smbios_product;

	for (guint i = 0; i < self->domain->warnings->len; i++)
		dstack_launch_result_warn(self->result, g_strdup(g_ptr_array_index(self->domain->warnings, i)));
	if (g_strcmp0(product, SMBIOS_PRODUCT) != 0)
		dstack_launch_result_warn(
		    self->result,
		    g_strdup_printf("sysinfo: the guest expects the SMBIOS product '" SMBIOS_PRODUCT "', found %s",
				    product != NULL ? product : "none"));
	warn_old_machine(self);
}

gboolean
dstack_launch_ensure_consistent(const DstackDomain *domain, DstackLaunchResult *result, const DstackContext *context,
				GCancellable *cancellable, GError **error)
{
	const Comparison self = {domain, result, cancellable};

	if (!ensure_boot(&self, error))
		return FALSE;
	warn_general(&self);
	switch (result->tee) {
	case DSTACK_LAUNCH_TEE_TDX:
		return ensure_tdx(&self, error);
	case DSTACK_LAUNCH_TEE_SNP:
		return ensure_snp(&self, error);
	case DSTACK_LAUNCH_TEE_UNSET:
		break;
	}
	g_return_val_if_reached(FALSE);
}
