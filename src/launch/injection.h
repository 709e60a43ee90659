/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Putting vm_config where the guest reads it: `.sys-config.json` in the directory that host and guest
 * share. formats.md, section 5; libvirt.md, "Launch consistency".
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define DSTACK_SYS_CONFIG_NAME ".sys-config.json"

/* what an injection did, for a record of it */
typedef struct {
	gboolean changed; /* FALSE: the file said so already and was left alone, inode and time included */
	GBytes *previous; /* (nullable): the bytes that were there, NULL where there was no file */
	GBytes *written;  /* the bytes that are there now */
} DstackInjection;

void dstack_injection_clear(DstackInjection *self);

/*
 * The new text: vm_config and, where given, mr_config replaced; every other byte as it was.
 * @previous NULL makes a file from nothing, with every member that guests require.
 */
GBytes *dstack_sys_config_build(GBytes *previous, const gchar *vm_config, const gchar *mr_config, GError **error);

/* reads the file in @dirfd; *out is NULL where there is none */
gboolean dstack_sys_config_load(int dirfd, GBytes **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* loads, builds, and replaces the file unless it is the same already. @out is optional. */
gboolean dstack_inject(int dirfd, const gchar *vm_config, const gchar *mr_config, DstackInjection *out,
		       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* takes back: only if the file still holds @written; puts @previous there, or removes it where that is NULL */
gboolean dstack_inject_undo(int dirfd, GBytes *previous, GBytes *written, gboolean *out_undone,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackInjection, dstack_injection_clear)

G_END_DECLS
