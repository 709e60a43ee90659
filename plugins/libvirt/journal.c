/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * systemd's native journal protocol, the text form: a datagram of FIELD=VALUE lines. Source: systemd,
 * "Native Journal Protocol". No libsystemd: one message is not worth its loading time.
 */
#include "config.h"

#include "journal.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/autoptr.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* a line break would start another field, and a domain's name may hold one */
static void
append_field(GString *out, const gchar *name, const gchar *value)
{
	if (value == NULL)
		return;
	g_string_append_printf(out, "%s=", name);
	for (const gchar *p = value; *p != '\0'; p++)
		g_string_append_c(out, (guchar)*p < 0x20 || *p == 0x7f ? '?' : *p);
	g_string_append_c(out, '\n');
}

void
dstack_journal_send(DstackJournalPriority priority, const DstackJournalSubject *subject, const gchar *message)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
	g_autoptr(GString) entry = g_string_new(NULL);
	DSTACK_AUTO_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ssize_t sent;

	if (fd < 0)
		return;
	append_field(entry, "MESSAGE", message);
	g_string_append_printf(entry, "PRIORITY=%u\n", (guint)priority);
	append_field(entry, "SYSLOG_IDENTIFIER", "dstack-vmm-prep-hook");
	append_field(entry, "DSTACK_DOMAIN", subject->domain);
	append_field(entry, "DSTACK_DOMAIN_UUID", subject->uuid);
	append_field(entry, "DSTACK_OPERATION", subject->operation);
	append_field(entry, "DSTACK_IMAGE", subject->image);
	append_field(entry, "DSTACK_VARIANT", subject->variant);
	sent = sendto(fd, entry->str, entry->len, MSG_NOSIGNAL, (const struct sockaddr *)&address, sizeof(address));
	(void)sent;
}
