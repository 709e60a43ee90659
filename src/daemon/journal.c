/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the service says to the host's log. GLib sends the fields to the journal where standard error
 * is one, and prints the message elsewhere.
 */

#include "config.h"

#include "daemon/journal.h"

/**
 * dstack_journal_prepared:
 * @image: the image
 * @os_image_hash: its identity, hex
 * @variant: the TDX variant, or empty
 * @domain: the domain's name, or empty
 * @caller: who asked: a unique bus name
 */
void
dstack_journal_prepared(const gchar *image, const gchar *os_image_hash, const gchar *variant, const gchar *domain,
			const gchar *caller)
{
	g_log_structured(G_LOG_DOMAIN, G_LOG_LEVEL_INFO, "DSTACK_EVENT", "prepared", "DSTACK_IMAGE", image,
			 "DSTACK_OS_IMAGE_HASH", os_image_hash, "DSTACK_VARIANT", variant, "DSTACK_DOMAIN", domain,
			 "DSTACK_CALLER", caller, "MESSAGE", "prepared a launch of image '%s'%s%s", image,
			 *variant == '\0' ? "" : ", variant ", variant);
}

/**
 * dstack_journal_refused:
 * @image: the image as asked for
 * @reason: why
 * @domain: the domain's name, or empty
 * @caller: who asked: a unique bus name
 */
void
dstack_journal_refused(const gchar *image, const gchar *reason, const gchar *domain, const gchar *caller)
{
	g_log_structured(G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "DSTACK_EVENT", "refused", "DSTACK_IMAGE", image,
			 "DSTACK_DOMAIN", domain, "DSTACK_CALLER", caller, "MESSAGE",
			 "refused a launch of image '%s': %s", image, reason);
}

/**
 * dstack_journal_image:
 * @image: the image
 * @state: what it is now
 * @problem: (nullable): the first problem
 */
void
dstack_journal_image(const gchar *image, const gchar *state, const gchar *problem)
{
	g_log_structured(G_LOG_DOMAIN, problem == NULL ? G_LOG_LEVEL_INFO : G_LOG_LEVEL_MESSAGE, "DSTACK_EVENT",
			 "image", "DSTACK_IMAGE", image, "DSTACK_STATE", state, "MESSAGE", "image '%s' is %s%s%s",
			 image, state, problem == NULL ? "" : ": ", problem == NULL ? "" : problem);
}
