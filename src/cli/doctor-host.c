/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * doctor: the machine and its tools. Parameters of the kernel's modules: Documentation/virt/kvm/x86.
 */

#include "config.h"

#include "cli/doctor.h"

#include <string.h>

#include "launch/qemu-version.h"

/* QEMU 8 is the first whose TDX launches can be computed (tdx-measurement.md, section 2) */
#define OLDEST_QEMU_MAJOR 8

static gboolean
parameter_is_on(const DstackDoctor *self, const gchar *parameter)
{
	g_autofree gchar *path = dstack_doctor_path(self, parameter);
	g_autofree gchar *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) && (*text == 'Y' || *text == 'y' || *text == '1');
}

static gboolean
path_exists(const DstackDoctor *self, const gchar *path)
{
	g_autofree gchar *rooted = dstack_doctor_path(self, path);

	return g_file_test(rooted, G_FILE_TEST_EXISTS);
}

static void
add_tee(DstackDoctor *self)
{
	gboolean tdx = parameter_is_on(self, "/sys/module/kvm_intel/parameters/tdx");
	gboolean snp = parameter_is_on(self, "/sys/module/kvm_amd/parameters/sev_snp");

	if (tdx)
		dstack_doctor_add(self, "confidential VMs", DSTACK_HEALTH_OK, "Intel TDX", NULL);
	else if (snp && path_exists(self, "/dev/sev"))
		dstack_doctor_add(self, "confidential VMs", DSTACK_HEALTH_OK, "AMD SEV-SNP", NULL);
	else if (snp)
		dstack_doctor_add(self, "confidential VMs", DSTACK_HEALTH_MISSING, "AMD SEV-SNP, but no /dev/sev",
				  "load the ccp module, and enable SEV-SNP in the firmware's setup");
	else
		dstack_doctor_add(
		    self, "confidential VMs", DSTACK_HEALTH_MISSING, "neither TDX nor SEV-SNP",
		    "enable it in the firmware's setup; TDX: kvm_intel.tdx=1 on a kernel from 6.16 on, "
		    "SEV-SNP: a kernel from 6.11 on. Images can be prepared and evidence verified without");
	if (!tdx)
		return;
	/* TDX quotes come from a service on the host, over a socket or vsock */
	if (path_exists(self, "/var/run/tdx-qgs/qgs.socket") || path_exists(self, "/usr/bin/qgs") ||
	    path_exists(self, "/opt/intel/tdx-qgs/qgs"))
		dstack_doctor_add(self, "quote generation", DSTACK_HEALTH_OK, "qgs", NULL);
	else
		dstack_doctor_add(self, "quote generation", DSTACK_HEALTH_WARN, "no quote generation service seen",
				  "install tdx-qgs: without it a guest starts but gets no quote");
}

void
dstack_doctor_devices(DstackDoctor *self)
{
	add_tee(self);
	if (path_exists(self, "/dev/kvm"))
		dstack_doctor_add(self, "/dev/kvm", DSTACK_HEALTH_OK, "there", NULL);
	else
		dstack_doctor_add(self, "/dev/kvm", DSTACK_HEALTH_MISSING, "not there",
				  "enable virtualization in the firmware's setup and load kvm_intel or kvm_amd");
}

static void
judge_qemu_version(DstackDoctor *self, const gchar *path, const gchar *version)
{
	g_autofree gchar *found = g_strdup_printf("%s, version %s", path, version);
	guint major = 0;
	guint minor = 0;
	guint micro = 0;

	if (dstack_qemu_version_parse(version, &major, &minor, &micro, NULL) && major >= OLDEST_QEMU_MAJOR)
		dstack_doctor_add(self, "qemu", DSTACK_HEALTH_OK, found, NULL);
	else
		dstack_doctor_add(self, "qemu", DSTACK_HEALTH_WARN, found,
				  "TDX launches can be computed for QEMU 8.0.0 and later only");
}

static void
add_qemu(DstackDoctor *self, const DstackSettings *settings)
{
	g_autofree gchar *path = settings->qemu_path != NULL ? dstack_doctor_path(self, settings->qemu_path)
							     : dstack_doctor_find_program(self, "qemu-system-x86_64");
	g_autofree gchar *output = NULL;
	g_autofree gchar *version = NULL;

	if (path == NULL || !g_file_test(path, G_FILE_TEST_IS_EXECUTABLE)) {
		dstack_doctor_add(self, "qemu", DSTACK_HEALTH_MISSING, path != NULL ? path : "not there",
				  "install qemu-system-x86, or correct path= in group [qemu] of the configuration");
		return;
	}
	output = dstack_doctor_ask(self, path, "--version");
	if (output != NULL)
		version = dstack_qemu_version_scan(output, NULL);
	if (settings->qemu_version != NULL)
		judge_qemu_version(self, path, settings->qemu_version);
	else if (version != NULL)
		judge_qemu_version(self, path, version);
	else if (dstack_doctor_is_live(self))
		dstack_doctor_add(self, "qemu", DSTACK_HEALTH_WARN, path, "it does not tell its version");
	else
		dstack_doctor_add(self, "qemu", DSTACK_HEALTH_OK, path, NULL);
}

static void
add_program(DstackDoctor *self, const gchar *name, const gchar *advice)
{
	g_autofree gchar *path = dstack_doctor_find_program(self, name);

	if (path != NULL)
		dstack_doctor_add(self, name, DSTACK_HEALTH_OK, path, NULL);
	else
		dstack_doctor_add(self, name, DSTACK_HEALTH_WARN, "not there", advice);
}

void
dstack_doctor_tools(DstackDoctor *self, const DstackSettings *settings)
{
	add_qemu(self, settings);
	add_program(self, "virsh", "install libvirt-clients: 'domain NAME' needs it");
	add_program(self, "swtpm", "install swtpm: domains with an emulated TPM need it");
}
