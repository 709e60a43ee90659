/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Fetched collateral, checked and kept.
 */

#include "config.h"

#include "fetch/keep.h"

#include <errno.h>
#include <string.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"

/**
 * dstack_collateral_check:
 * @text: QuoteCollateralV3 as JSON
 * @id: the platform it should be of
 * @context: the root to trust and the time
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when it is not authentic, not in date, or of another platform
 *
 * Returns: (transfer full) (nullable): the collateral, good for @id at the time of @context
 */
DstackCollateral *
dstack_collateral_check(const gchar *text, const DstackPlatformId *id, const DstackContext *context, GError **error)
{
	g_autoptr(DstackCollateral) collateral = dstack_collateral_parse(text, strlen(text), context, error);
	const DstackTcbInfo *info = NULL;

	if (collateral == NULL || !dstack_collateral_ensure_authentic(collateral, error) ||
	    !dstack_collateral_ensure_in_date(collateral, context->now, error))
		return NULL;
	info = dstack_collateral_peek_tcb_info(collateral);
	if (info->is_tdx != id->is_tdx || memcmp(info->fmspc, id->fmspc, sizeof(info->fmspc)) != 0) {
		dstack_throw(error, DSTACK_ERROR_UNSOUND, "TCB info: of another platform than the one asked for");
		return NULL;
	}
	return g_steal_pointer(&collateral);
}

/**
 * dstack_collateral_find_kept:
 * @dir: where collateral is kept
 * @id: the platform
 * @context: the root to trust and the time
 *
 * Returns: (transfer full) (nullable): what is kept for @id; %NULL when there is none or it is not good any more
 */
gchar *
dstack_collateral_find_kept(const gchar *dir, const DstackPlatformId *id, const DstackContext *context)
{
	g_autofree gchar *name = dstack_platform_id_to_file_name(id);
	g_autoptr(DstackCollateral) collateral = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autofree gchar *text = NULL;
	DSTACK_AUTO_FD int dirfd = dstack_dir_open(dir, NULL);

	if (dirfd >= 0)
		bytes = dstack_file_read_beneath(dirfd, name, DSTACK_LIMIT_COLLATERAL, NULL);
	if (bytes == NULL || g_bytes_get_size(bytes) == 0)
		return NULL;
	text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	collateral = dstack_collateral_check(text, id, context, NULL);
	return collateral != NULL ? g_steal_pointer(&text) : NULL;
}

/**
 * dstack_collateral_keep:
 * @dir: where collateral is kept; made where it is missing
 * @id: the platform
 * @text: its collateral
 * @error: (out) (optional): %DSTACK_ERROR_FAILED when it cannot be written
 *
 * Returns: %TRUE when @text replaced what was kept for @id
 */
gboolean
dstack_collateral_keep(const gchar *dir, const DstackPlatformId *id, const gchar *text, GError **error)
{
	g_autofree gchar *name = dstack_platform_id_to_file_name(id);
	DSTACK_AUTO_FD int dirfd = -1;

	if (g_mkdir_with_parents(dir, 0755) != 0)
		return dstack_throw_errno(error, "'%s'", dir);
	dirfd = dstack_dir_open(dir, error);
	return dirfd >= 0 &&
	       dstack_file_replace_at(dirfd, name, (const guint8 *)text, strlen(text), 0644, (gid_t)-1, error);
}
