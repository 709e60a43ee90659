/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * `.sys-config.json`, changed in two members and nowhere else. The text is spliced, not printed anew: what
 * other members say stays byte for byte, whatever their numbers, order or white space. formats.md, section 5.
 */
#include "config.h"

#include "launch/injection.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"

#define READ_MAX (8 * (gsize)DSTACK_LIMIT_SYS_CONFIG) /* enough to say how far over the budget a file is */
#define NEW_MODE 0640

/* SysConfig of formats.md: every member but the optional ones */
static const gchar sys_config_template[] =
    "{\"kms_urls\":[],\"gateway_urls\":[],\"docker_registry\":null,\"host_api_url\":null}";

static gchar *
quote(const gchar *text)
{
	g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), text);

	return dstack_json_to_text(node, DSTACK_JSON_COMPACT);
}

static JsonObject *
parse(const GString *text, GError **error)
{
	return dstack_json_parse_object(text->str, text->len, READ_MAX, DSTACK_SYS_CONFIG_NAME, error);
}

/* before the closing brace, which is the last byte that is not white space in a text that parsed as an object */
static void
append_member(GString *text, JsonObject *object, const gchar *member, const gchar *value)
{
	g_autofree gchar *addition =
	    g_strdup_printf("%s\"%s\":%s", json_object_get_size(object) > 0 ? "," : "", member, value);
	const gchar *brace = strrchr(text->str, '}');
	gsize at = (gsize)(brace - text->str);

	while (at > 0 && g_ascii_isspace(text->str[at - 1]))
		at--;
	g_string_insert(text, (gssize)at, addition);
}

static gboolean
set_member(GString *text, const gchar *member, const gchar *value, GError **error)
{
	g_autoptr(JsonObject) object = parse(text, error);
	g_autofree gchar *quoted = quote(value);
	JsonNode *node;
	gsize start, size;

	if (object == NULL)
		return FALSE;
	node = json_object_get_member(object, member);
	if (node == NULL) {
		append_member(text, object, member, quoted);
		return TRUE;
	}
	/* the same string may be spelled otherwise, and then stays as it is */
	if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING &&
	    g_str_equal(json_node_get_string(node), value))
		return TRUE;
	if (!dstack_json_find_member(text->str, text->len, member, DSTACK_SYS_CONFIG_NAME, &start, &size, error))
		return FALSE;
	g_string_erase(text, (gssize)start, (gssize)size);
	g_string_insert(text, (gssize)start, quoted);
	return TRUE;
}

GBytes *
dstack_sys_config_build(GBytes *previous, const gchar *vm_config, const gchar *mr_config, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);

	if (previous != NULL)
		g_string_append_len(text, g_bytes_get_data(previous, NULL), (gssize)g_bytes_get_size(previous));
	else
		g_string_append(text, sys_config_template);
	if (mr_config != NULL && !set_member(text, "mr_config", mr_config, error))
		return NULL;
	if (!set_member(text, "vm_config", vm_config, error))
		return NULL;
	if (text->len > DSTACK_LIMIT_SYS_CONFIG) {
		dstack_throw(error, DSTACK_ERROR_REFUSED,
			     "%s would have %" G_GSIZE_FORMAT
			     " bytes, but the guest reads no more than %d; shorten its other "
			     "members",
			     DSTACK_SYS_CONFIG_NAME, text->len, DSTACK_LIMIT_SYS_CONFIG);
		return NULL;
	}
	return g_string_free_to_bytes(g_steal_pointer(&text));
}

gboolean
dstack_sys_config_load(int dirfd, GBytes **out, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) text = dstack_file_read_beneath(dirfd, DSTACK_SYS_CONFIG_NAME, READ_MAX, &local);

	if (text == NULL && !g_error_matches(local, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	*out = g_steal_pointer(&text);
	return TRUE;
}

gboolean
dstack_sys_config_get_mr_config(GBytes *text, gchar **out, GError **error)
{
	gsize size;
	const gchar *data = g_bytes_get_data(text, &size);
	g_autoptr(JsonObject) object =
	    dstack_json_parse_object(data != NULL ? data : "", size, READ_MAX, DSTACK_SYS_CONFIG_NAME, error);
	const gchar *found = NULL;

	if (object == NULL ||
	    !dstack_json_get_string_optional(object, DSTACK_SYS_CONFIG_NAME, "mr_config", &found, error))
		return FALSE;
	*out = g_strdup(found);
	return TRUE;
}

gboolean
dstack_sys_config_store(int dirfd, GBytes *text, GError **error)
{
	struct stat dir, old;
	mode_t mode = NEW_MODE;

	if (fstat(dirfd, &dir) < 0)
		return dstack_throw_errno(error, "cannot stat the share directory");
	if (fstatat(dirfd, DSTACK_SYS_CONFIG_NAME, &old, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(old.st_mode))
		mode = old.st_mode & 0777;
	return dstack_file_replace_at(dirfd, DSTACK_SYS_CONFIG_NAME, g_bytes_get_data(text, NULL),
				      g_bytes_get_size(text), mode, dir.st_gid, error);
}

gboolean
dstack_inject(int dirfd, const gchar *vm_config, const gchar *mr_config, gboolean *out_changed, GError **error)
{
	g_autoptr(GBytes) previous = NULL;
	g_autoptr(GBytes) text = NULL;
	gboolean changed;

	if (!dstack_sys_config_load(dirfd, &previous, error))
		return FALSE;
	text = dstack_sys_config_build(previous, vm_config, mr_config, error);
	if (text == NULL)
		return FALSE;
	changed = previous == NULL || !g_bytes_equal(previous, text);
	if (changed && !dstack_sys_config_store(dirfd, text, error))
		return FALSE;
	if (out_changed != NULL)
		*out_changed = changed;
	return TRUE;
}

static gboolean
remove_durable(int dirfd, const gchar *name, GError **error)
{
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return dstack_throw_errno(error, "cannot remove '%s'", name);
	if (fsync(dirfd) < 0)
		return dstack_throw_errno(error, "cannot write out the share directory");
	return TRUE;
}

gboolean
dstack_inject_undo(int dirfd, GBytes *previous, const DstackSha256 *written, gboolean *out_undone, GError **error)
{
	g_autoptr(GBytes) current = NULL;
	DstackSha256 digest;
	gboolean ok;

	if (!dstack_sys_config_load(dirfd, &current, error))
		return FALSE;
	*out_undone = FALSE;
	if (current == NULL)
		return TRUE;
	digest = dstack_sha256_bytes(current);
	if (!dstack_sha256_equal(&digest, written))
		return TRUE;
	ok = previous != NULL ? dstack_sys_config_store(dirfd, previous, error)
			      : remove_durable(dirfd, DSTACK_SYS_CONFIG_NAME, error);
	*out_undone = ok;
	return ok;
}
