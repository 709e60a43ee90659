/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Putting vm_config where the guest reads it: `.sys-config.json` in the directory that host and guest
 * share. formats.md, section 5; libvirt.md, "Launch consistency".
 */
#pragma once

#include <glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

#define DSTACK_SYS_CONFIG_NAME ".sys-config.json"

/*
 * The new text: vm_config and, where given, mr_config replaced; every other byte as it was.
 * @previous NULL makes a file from nothing, with every member that guests require.
 */
GBytes *dstack_sys_config_build(GBytes *previous, const gchar *vm_config, const gchar *mr_config, GError **error);

/* the file in @dirfd; *out is NULL where there is none */
gboolean dstack_sys_config_load(int dirfd, GBytes **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* the mr_config that a file holds, or NULL */
gboolean dstack_sys_config_get_mr_config(GBytes *text, gchar **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* replaces the file: the directory's group, the old file's mode or else 0640 */
gboolean dstack_sys_config_store(int dirfd, GBytes *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * All of it: loads, builds, and replaces the file unless it says so already, in which case it is left alone,
 * inode and time included. @out_changed is optional.
 */
gboolean dstack_inject(int dirfd, const gchar *vm_config, const gchar *mr_config, gboolean *out_changed,
		       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* takes back, but only a file whose digest is @written: puts @previous there, or removes it where that is NULL */
gboolean dstack_inject_undo(int dirfd, GBytes *previous, const DstackSha256 *written, gboolean *out_undone,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
