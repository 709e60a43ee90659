/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * GCP material from a unified kernel image. Form: formats.md, section 2.
 */

#include "config.h"

#include "measure/material-gcp.h"

#include "base/autoptr.h"
#include "base/file.h"
#include "base/limits.h"
#include "tdx/authenticode.h"

/**
 * dstack_measure_gcp_material:
 * @image: an open image
 * @uki: name of the unified kernel image below its directory
 * @out: (out): the material
 * @error: (out) (optional): as opening, reading and dstack_authenticode_sha256()
 *
 * Returns: %TRUE and the material
 */
gboolean
dstack_measure_gcp_material(const DstackImage *image, const gchar *uki, DstackGcpMaterial *out, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;
	DstackGcpMaterial material;
	gsize size = 0;
	const guint8 *data = NULL;
	DSTACK_AUTO_FD int fd = dstack_image_open_file(image, uki, NULL, error);

	if (fd < 0)
		return FALSE;
	bytes = dstack_file_read_fd(fd, uki, DSTACK_LIMIT_KERNEL, error);
	if (bytes == NULL)
		return FALSE;
	data = g_bytes_get_data(bytes, &size);
	if (!dstack_authenticode_sha256(data, size, &material.uki_auth, error)) {
		g_prefix_error(error, "'%s': ", uki);
		return FALSE;
	}
	*out = material;
	return TRUE;
}
