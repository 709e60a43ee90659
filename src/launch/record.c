/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Records of what the hook put where. A small JSON document a domain, in a directory that only its owner
 * can write; libvirt.md: `release` removes what it put there for this start, nothing else.
 */
#include "config.h"

#include "launch/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"

#define RECORD_VERSION 1
#define RECORD_MAX     (16 * (gsize)DSTACK_LIMIT_SYS_CONFIG) /* the previous file in base64, and little else */

DstackLaunchRecord *
dstack_launch_record_new(void)
{
	return g_new0(DstackLaunchRecord, 1);
}

void
dstack_launch_record_free(DstackLaunchRecord *self)
{
	if (self == NULL)
		return;
	g_free(self->share_dir);
	g_clear_pointer(&self->previous, g_bytes_unref);
	g_free(self->disk);
	g_free(self);
}

/* numbers of 64 bits as text: JSON's own end at 2^53 in many hands */
static void
set_u64(JsonObject *object, const gchar *member, guint64 value)
{
	g_autofree gchar *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

	json_object_set_string_member(object, member, text);
}

static gboolean
get_u64(JsonObject *object, const gchar *member, guint64 *out, GError **error)
{
	const gchar *text = NULL;

	if (!dstack_json_get_string(object, "record", member, &text, error))
		return FALSE;
	if (g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, out, NULL))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "record: %s: expected a number, found '%s'", member, text);
}

gchar *
dstack_launch_record_build(const DstackLaunchRecord *self)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	g_autofree gchar *written = dstack_sha256_to_hex(&self->written);
	JsonObject *object = json_object_new();

	json_node_take_object(root, object);
	json_object_set_int_member(object, "version", RECORD_VERSION);
	json_object_set_string_member(object, "share_dir", self->share_dir);
	set_u64(object, "share_device", self->share_device);
	set_u64(object, "share_inode", self->share_inode);
	json_object_set_string_member(object, "written", written);
	if (self->previous != NULL) {
		g_autofree gchar *previous = dstack_base64_encode(self->previous);

		json_object_set_string_member(object, "previous", previous);
	}
	if (self->disk != NULL)
		json_object_set_string_member(object, "disk", self->disk);
	return dstack_json_to_text(root, DSTACK_JSON_COMPACT);
}

static gboolean
parse_members(DstackLaunchRecord *self, JsonObject *object, GError **error)
{
	const gchar *share_dir = NULL, *written = NULL, *previous = NULL, *disk = NULL;
	guint64 version;

	if (!dstack_json_get_uint(object, "record", "version", RECORD_VERSION, &version, error) ||
	    !dstack_json_get_string(object, "record", "share_dir", &share_dir, error) ||
	    !get_u64(object, "share_device", &self->share_device, error) ||
	    !get_u64(object, "share_inode", &self->share_inode, error) ||
	    !dstack_json_get_string(object, "record", "written", &written, error) ||
	    !dstack_json_get_string_optional(object, "record", "previous", &previous, error) ||
	    !dstack_json_get_string_optional(object, "record", "disk", &disk, error) ||
	    !dstack_sha256_from_hex(written, "record: written", &self->written, error))
		return FALSE;
	if (version != RECORD_VERSION)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "record: expected version %d, found %" G_GUINT64_FORMAT, RECORD_VERSION, version);
	if (previous != NULL) {
		self->previous = dstack_base64_decode(previous, "record: previous", RECORD_MAX, error);
		if (self->previous == NULL)
			return FALSE;
	}
	self->share_dir = g_strdup(share_dir);
	self->disk = g_strdup(disk);
	return TRUE;
}

DstackLaunchRecord *
dstack_launch_record_parse(const gchar *text, gsize size, GError **error)
{
	g_autoptr(JsonObject) object = dstack_json_parse_object(text, size, RECORD_MAX, "record", error);
	g_autoptr(DstackLaunchRecord) self = dstack_launch_record_new();

	if (object == NULL || !parse_members(self, object, error))
		return NULL;
	return g_steal_pointer(&self);
}

/* another user's directory could make release remove whatever that user likes */
static int
open_state_dir(const gchar *path, gboolean create, GError **error)
{
	DSTACK_AUTO_FD int fd = -1;
	struct stat st;

	if (create && g_mkdir_with_parents(path, 0700) < 0) {
		dstack_throw_errno(error, "cannot make the state directory '%s'", path);
		return -1;
	}
	fd = dstack_dir_open(path, error);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
		dstack_throw(error, DSTACK_ERROR_FAILED,
			     "state directory '%s': expected it to be ours and writable by no one else", path);
		return -1;
	}
	return dstack_fd_steal(&fd);
}

static gchar *
dup_file_name(const gchar *uuid)
{
	return g_strconcat(uuid, ".json", NULL);
}

gboolean
dstack_launch_record_store(const DstackLaunchRecord *self, const gchar *state_dir, const gchar *uuid, GError **error)
{
	DSTACK_AUTO_FD int dirfd = open_state_dir(state_dir, TRUE, error);
	g_autofree gchar *name = dup_file_name(uuid);
	g_autofree gchar *text = dstack_launch_record_build(self);

	g_autoptr(GBytes) current = NULL;
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	if (dirfd < 0)
		return FALSE;
	/* a start that is tried again records the same */
	current = dstack_file_read_beneath(dirfd, name, RECORD_MAX, NULL);
	if (current != NULL && g_bytes_equal(current, bytes))
		return TRUE;
	return dstack_file_replace_at(dirfd, name, (const guint8 *)text, strlen(text), 0600, (gid_t)-1, error);
}

gboolean
dstack_launch_record_load(const gchar *state_dir, const gchar *uuid, DstackLaunchRecord **out, GError **error)
{
	g_autoptr(GError) local = NULL;
	DSTACK_AUTO_FD int dirfd = open_state_dir(state_dir, FALSE, &local);
	g_autofree gchar *name = dup_file_name(uuid);
	g_autoptr(GBytes) text = NULL;

	if (dirfd >= 0)
		text = dstack_file_read_beneath(dirfd, name, RECORD_MAX, &local);
	if (g_error_matches(local, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND)) {
		*out = NULL;
		return TRUE;
	}
	if (text == NULL) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	*out = dstack_launch_record_parse(g_bytes_get_data(text, NULL), g_bytes_get_size(text), error);
	return *out != NULL;
}

gboolean
dstack_launch_record_remove(const gchar *state_dir, const gchar *uuid, GError **error)
{
	DSTACK_AUTO_FD int dirfd = open_state_dir(state_dir, FALSE, error);
	g_autofree gchar *name = dup_file_name(uuid);

	if (dirfd < 0)
		return FALSE;
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return dstack_throw_errno(error, "cannot remove the record '%s/%s'", state_dir, name);
	return TRUE;
}
