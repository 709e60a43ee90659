/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The configuration that all three doors read: one file, then a directory of drop-ins.
 * Keys: cli.md, "Configuration". A key or group that is not in this list is an error that names file and line.
 *
 * [images]     dirs=DIR;DIR…           where images are looked up by name, in this order
 *                                      (default /var/lib/dstack/images; a later file replaces the whole list)
 * [tdx]        variant=lite|auto|legacy  attestation variant of a launch that names none (default lite)
 * [check]      level=full|material     how much of an image is checked before a launch (default full)
 * [qemu]       path=FILE               emulator of a launch that names none (default: none, version unknown)
 *              version=X.Y.Z           its version, where it must not be asked
 * [share]      roots=DIR;DIR…          a share directory must lie below one of these (default: anywhere)
 * [collateral] pccs=URL                where `collateral fetch` asks for Intel's
 *              kds=URL                 and for AMD's
 *              dir=DIR                 where collateral is kept (default /var/cache/dstack/collateral)
 * [cache]      dir=DIR                 digests of files once hashed (default /var/cache/dstack/vmm-prep)
 * [hook]       state=DIR               what the libvirt hook put where, until release (default /run/dstack-vmm-prep)
 *              timeout=SECONDS         1 to 10, after that long a start is refused (default 10)
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
	DSTACK_POLICY_UNSET, /* whoever asked named none: the settings decide */
	DSTACK_POLICY_LITE,
	DSTACK_POLICY_AUTO,
	DSTACK_POLICY_LEGACY,
} DstackPolicy;

typedef enum {
	DSTACK_CHECK_UNSET,
	DSTACK_CHECK_MATERIAL, /* manifest, digest and measurement material agree */
	DSTACK_CHECK_FULL,     /* every measurement recomputed from the image's files as well */
} DstackCheckLevel;

typedef struct {
	gchar **image_dirs;
	DstackPolicy policy;	/* never UNSET */
	DstackCheckLevel check; /* never UNSET */
	gchar *qemu_path;	/* (nullable) */
	gchar *qemu_version;	/* (nullable): checked to be X.Y.Z */
	gchar **share_roots;	/* empty: anywhere */
	gchar *collateral_pccs; /* (nullable) */
	gchar *collateral_kds;	/* (nullable) */
	gchar *collateral_dir;
	gchar *cache_dir;
	gchar *hook_state_dir;
	guint hook_timeout; /* seconds */
} DstackSettings;

/* what holds without any file */
DstackSettings *dstack_settings_new(void);
void dstack_settings_free(DstackSettings *self);

/* /etc/dstack/vmm-prep.conf, and the directory of drop-ins that belongs to a file */
const gchar *dstack_settings_default_path(void);

/*
 * Defaults, then @path, then PATH.d/ *.conf in name order. A missing file or directory is no error
 * unless @must_exist (a file that somebody named).
 */
DstackSettings *dstack_settings_load(const gchar *path, gboolean must_exist, GError **error);

/* one file's text on top of what is there; @what names it in errors */
gboolean dstack_settings_apply(DstackSettings *self, const gchar *text, gsize size, const gchar *what,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean dstack_policy_parse(const gchar *text, DstackPolicy *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
const gchar *dstack_policy_to_string(DstackPolicy policy);
gboolean dstack_check_level_parse(const gchar *text, DstackCheckLevel *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
const gchar *dstack_check_level_to_string(DstackCheckLevel level);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DstackSettings, dstack_settings_free)

G_END_DECLS
