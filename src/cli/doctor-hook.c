/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * doctor: the libvirt hook and the D-Bus service. Where libvirt looks for hooks, and when: libvirt.md, and
 * libvirt's docs/hooks.rst (qemu.d since 6.5.0; a daemon that found no hook at its start looks again on reload).
 */

#include "config.h"

#include "cli/doctor.h"

#include <string.h>
#include <sys/stat.h>

#include "launch/qemu-version.h"

#define HOOK_FOLDER  "/etc/libvirt/hooks/qemu.d"
#define HOOK_NAME    "50-dstack-vmm-prep"
#define INSTALL_HOOK "install the hook as " HOOK_FOLDER "/" HOOK_NAME ", then reload libvirt"

static gboolean
path_exists(const DstackDoctor *self, const gchar *path)
{
	g_autofree gchar *rooted = dstack_doctor_path(self, path);

	return g_file_test(rooted, G_FILE_TEST_EXISTS);
}

/* libvirt before 6.5 runs hooks/qemu alone */
static void
add_libvirt(DstackDoctor *self)
{
	g_autofree gchar *path = dstack_doctor_find_program(self, "libvirtd");
	g_autofree gchar *output = NULL;
	g_autofree gchar *version = NULL;
	g_autofree gchar *found = NULL;
	guint major = 0;
	guint minor = 0;
	guint micro = 0;

	if (path == NULL)
		path = dstack_doctor_find_program(self, "virtqemud");
	if (path == NULL) {
		dstack_doctor_add(self, "libvirt", DSTACK_HEALTH_WARN, "neither libvirtd nor virtqemud",
				  "install libvirt-daemon-system, unless another launcher is used");
		return;
	}
	output = dstack_doctor_ask(self, path, "--version");
	/* "libvirtd (libvirt) 9.0.0" */
	version = output != NULL && strrchr(output, ' ') != NULL ? g_strdup(strrchr(output, ' ') + 1) : NULL;
	if (version != NULL)
		g_strchomp(version);
	if (version == NULL || !dstack_qemu_version_parse(version, &major, &minor, &micro, NULL)) {
		dstack_doctor_add(self, "libvirt", DSTACK_HEALTH_OK, path, NULL);
		return;
	}
	found = g_strdup_printf("%s, version %s", path, version);
	if (major < 6 || (major == 6 && minor < 5))
		dstack_doctor_add(self, "libvirt", DSTACK_HEALTH_MISSING, found,
				  "libvirt before 6.5 does not read qemu.d: update it, or call the hook from "
				  "/etc/libvirt/hooks/qemu");
	else
		dstack_doctor_add(self, "libvirt", DSTACK_HEALTH_OK, found, NULL);
}

/* libvirt runs every executable in the folder, a forgotten copy too */
static void
warn_of_copies(DstackDoctor *self, const gchar *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const gchar *name = NULL;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree gchar *path = g_build_filename(folder, name, NULL);

		if (strstr(name, "dstack-vmm-prep") != NULL && !g_str_equal(name, HOOK_NAME) &&
		    g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
			dstack_doctor_add(self, "hook, a copy", DSTACK_HEALTH_WARN, path,
					  "remove it: libvirt runs every executable in this folder, this one as well");
	}
}

/* the daemon has looked at the folder when it started, or when it was told to reload */
static gboolean
daemon_is_older_than(const DstackDoctor *self, const struct stat *hook)
{
	static const gchar *const pid_files[] = {"/run/libvirtd.pid", "/run/virtqemud.pid"};

	for (gsize i = 0; i < G_N_ELEMENTS(pid_files); i++) {
		g_autofree gchar *path = dstack_doctor_path(self, pid_files[i]);
		struct stat st;

		if (stat(path, &st) == 0)
			return st.st_mtim.tv_sec < hook->st_ctim.tv_sec;
	}
	return FALSE;
}

void
dstack_doctor_hook(DstackDoctor *self)
{
	g_autofree gchar *folder = dstack_doctor_path(self, HOOK_FOLDER);
	g_autofree gchar *path = g_build_filename(folder, HOOK_NAME, NULL);
	struct stat st;

	add_libvirt(self);
	if (stat(path, &st) < 0)
		dstack_doctor_add(self, "hook", DSTACK_HEALTH_WARN, "not installed", INSTALL_HOOK);
	else if (!S_ISREG(st.st_mode) || (st.st_mode & S_IXUSR) == 0)
		dstack_doctor_add(self, "hook", DSTACK_HEALTH_MISSING, path,
				  "make it an executable file: libvirt passes over what is not");
	else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		dstack_doctor_add(self, "hook", DSTACK_HEALTH_MISSING, path,
				  "it runs as root and others may write it: chmod go-w");
	else if (daemon_is_older_than(self, &st))
		dstack_doctor_add(self, "hook", DSTACK_HEALTH_WARN, path,
				  "newer than the running daemon: if it is the first hook there, reload libvirt");
	else
		dstack_doctor_add(self, "hook", DSTACK_HEALTH_OK, path, NULL);
	warn_of_copies(self, folder);
}

void
dstack_doctor_service(DstackDoctor *self)
{
	static const gchar *const activation[] = {
	    DSTACK_DATADIR "/dbus-1/system-services/org.dstack.VmmPrep1.service",
	    "/usr/share/dbus-1/system-services/org.dstack.VmmPrep1.service",
	};
	static const gchar *const policy[] = {
	    DSTACK_DATADIR "/dbus-1/system.d/org.dstack.VmmPrep1.conf",
	    "/usr/share/dbus-1/system.d/org.dstack.VmmPrep1.conf",
	    "/etc/dbus-1/system.d/org.dstack.VmmPrep1.conf",
	};
	gboolean activated = FALSE;
	gboolean allowed = FALSE;

	for (gsize i = 0; i < G_N_ELEMENTS(activation); i++)
		activated = activated || path_exists(self, activation[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(policy); i++)
		allowed = allowed || path_exists(self, policy[i]);
	if (activated && allowed)
		dstack_doctor_add(self, "service", DSTACK_HEALTH_OK, "org.dstack.VmmPrep1 can be activated", NULL);
	else if (activated)
		dstack_doctor_add(self, "service", DSTACK_HEALTH_WARN, "installed, but the bus has no policy for it",
				  "install org.dstack.VmmPrep1.conf under /usr/share/dbus-1/system.d");
	else
		dstack_doctor_add(self, "service", DSTACK_HEALTH_WARN, "not installed",
				  "only orchestration over D-Bus needs it: hook and command line work without");
}
