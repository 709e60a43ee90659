/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A host in a temporary directory: an image, a share, an emulator that tells a version, PCI devices.
 * Its image holds together as far as manifest and material go; its kernel is no kernel.
 */
#pragma once

#include <glib.h>

#include "launch/domain-launch.h"

G_BEGIN_DECLS

#define DSTACK_FIXTURE_UUID    "5ad7a9f4-8a2e-4d07-9b1b-3f0c1a2b3c4d"
#define DSTACK_FIXTURE_CMDLINE "console=ttyS0 init=/init panic=1"

typedef struct {
	gchar *root;
	gchar *images;	 /* root/images */
	gchar *image;	 /* root/images/dstack-0.6.0 */
	gchar *share;	 /* root/share */
	gchar *emulator; /* root/qemu: claims to be version 9.2.1 */
	gchar *sysfs;	 /* root/sys: two GPUs at 0000:18:00.0 and 0000:2a:00.0 */
	gchar *state;	 /* root/state, made by the first record */
	DstackSettings *settings;
	DstackContext context;
	DstackDomainEnv env;
} DstackLaunchFixture;

void dstack_launch_fixture_init(DstackLaunchFixture *self);
/* removes the directory and all in it */
void dstack_launch_fixture_clear(DstackLaunchFixture *self);
/* leaves the directory to the caller */
void dstack_launch_fixture_leave(DstackLaunchFixture *self);

/* the path of a file below root, to be freed */
gchar *dstack_launch_fixture_path(const DstackLaunchFixture *self, const gchar *name);
void dstack_launch_fixture_write(const DstackLaunchFixture *self, const gchar *name, const gchar *text);
/* NULL where there is no such file */
gchar *dstack_launch_fixture_read(const DstackLaunchFixture *self, const gchar *name);
/* how many entries a directory below root has, 0 where there is none */
guint dstack_launch_fixture_count(const DstackLaunchFixture *self, const gchar *name);
/* the manifest again, after a change to the image's files; digest.txt with it */
void dstack_launch_fixture_seal(const DstackLaunchFixture *self);
/* the emulator claims to be another version */
void dstack_launch_fixture_set_qemu(const DstackLaunchFixture *self, const gchar *version);

/* a TDX domain that this host starts; @from is replaced by @to where it is not NULL (and must be there) */
gchar *dstack_launch_fixture_domain(const DstackLaunchFixture *self, const gchar *from, const gchar *to);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DstackLaunchFixture, dstack_launch_fixture_clear)

G_END_DECLS
