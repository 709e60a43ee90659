/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What doctor looks at, part by part. Each part adds rows; nothing is changed, nothing started.
 */
#pragma once

#include "cli/command.h"

G_BEGIN_DECLS

typedef enum {
	DSTACK_HEALTH_OK,
	DSTACK_HEALTH_WARN,    /* works, with a limit that is named */
	DSTACK_HEALTH_MISSING, /* stops something that a launch needs */
} DstackHealth;

typedef struct {
	DstackCli *cli;
	const gchar *root; /* "" for this host; else a directory that holds another host's files */
	DstackTable *rows;
	gboolean missing; /* some row says so */
} DstackDoctor;

/* found: what is there; advice (nullable): what to do about it */
void dstack_doctor_add(DstackDoctor *self, const gchar *check, DstackHealth health, const gchar *found,
		       const gchar *advice);
/* an absolute path on the host looked at */
gchar *dstack_doctor_path(const DstackDoctor *self, const gchar *path);
/* programs can be run, services asked: not so for another root */
gboolean dstack_doctor_is_live(const DstackDoctor *self);
/* (nullable): what a program prints; NULL when it fails, or is of another root */
gchar *dstack_doctor_ask(const DstackDoctor *self, const gchar *path, const gchar *argument);
/* (nullable): a program in the usual folders, as a path on the host looked at */
gchar *dstack_doctor_find_program(const DstackDoctor *self, const gchar *name);

void dstack_doctor_tools(DstackDoctor *self, const DstackSettings *settings);
void dstack_doctor_devices(DstackDoctor *self);
void dstack_doctor_images(DstackDoctor *self, const gchar *const *dirs);
void dstack_doctor_hook(DstackDoctor *self);
void dstack_doctor_service(DstackDoctor *self);

G_END_DECLS
