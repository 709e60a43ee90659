/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Standard output, written once and checked.
 */

#include "config.h"

#include "cli/output.h"

#include <errno.h>
#include <unistd.h>

#include "base/error.h"

gboolean
dstack_output_write(int fd, const gchar *text, gsize size, GError **error)
{
	while (size > 0) {
		gssize n = write(fd, text, size);

		if (n >= 0) {
			text += n;
			size -= (gsize)n;
		} else if (errno == EPIPE) {
			return TRUE;
		} else if (errno != EINTR) {
			return dstack_throw_errno(error, "standard output");
		}
	}
	return TRUE;
}
