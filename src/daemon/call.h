/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The life of a method call: authorised, put in turn, run on a worker thread, answered.
 */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "base/limits.h"
#include "daemon/configuration.h"
#include "daemon/gate.h"
#include "daemon/scheduler.h"

G_BEGIN_DECLS

typedef struct _DstackCall DstackCall;

/* the most that a call's arguments may take; a domain's XML is the only large thing that comes as a string */
#define DSTACK_CALL_SMALL  DSTACK_KIB(256)
#define DSTACK_CALL_DOMAIN (DSTACK_LIMIT_DOMAIN_XML + DSTACK_CALL_SMALL)

/* runs on a worker thread: fills reply or error, and the event if there is one to tell */
typedef gboolean (*DstackCallRun)(DstackCall *call, GCancellable *cancellable, GError **error);
/* runs on the main thread when the call has been answered */
typedef void (*DstackCallDone)(const DstackCall *call, gpointer user_data);

/* whether a caller is still on the bus; on the main thread */
typedef gboolean (*DstackCallerIsHere)(const gchar *sender, gpointer user_data);

typedef enum {
	DSTACK_EVENT_NONE,
	DSTACK_EVENT_PREPARED,
	DSTACK_EVENT_REFUSED,
} DstackEventKind;

/* what listeners are told */
typedef struct {
	DstackEventKind kind;
	gchar *image;
	gchar *os_image_hash;
	gchar *variant;
	gchar *domain;
	gchar *reason;
} DstackCallEvent;

struct _DstackCall {
	GDBusMethodInvocation *invocation; /* owned until it is answered */
	gchar *sender;
	GUnixFDList *fds; /* (nullable): what the message carried */
	GVariant *parameters;
	DstackConfiguration *configuration;
	DstackScheduler *scheduler;
	DstackGate *gate;
	DstackCallRun run;
	DstackCallDone done;
	DstackCallerIsHere is_here;
	gpointer user_data;
	const gchar *action; /* the privilege it needs; static */
	gboolean injects;    /* carries the option "inject", which needs a privilege of its own */

	GVariant *reply;
	GUnixFDList *reply_fds;
	GError *error;
	DstackCallEvent event;
};

/* what a service gives to each of its calls */
typedef struct {
	DstackConfiguration *configuration;
	DstackScheduler *scheduler;
	DstackGate *gate;
	DstackCallDone done;
	DstackCallerIsHere is_here;
	gpointer user_data;
} DstackCallEnv;

void dstack_call_begin(GDBusMethodInvocation *invocation, GUnixFDList *fds, const DstackCallEnv *env, DstackCallRun run,
		       gsize limit);
int dstack_call_dup_fd(const DstackCall *self, gint32 handle, const gchar *option, GError **error);

G_END_DECLS
