/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reading the configuration. GKeyFile knows neither lines nor which keys there are, so the text is
 * walked line by line first; what a value means is GKeyFile's (escapes, lists).
 */
#include "config.h"

#include "launch/settings.h"

#include <errno.h>
#include <string.h>

#include <gio/gio.h>

#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "launch/qemu-version.h"
#include "launch/request.h"

typedef struct {
	DstackSettings *settings;
	GKeyFile *file;
	const gchar *group;
	const gchar *key;
	const gchar *where; /* "file:line: [group] key" */
} SettingsEntry;

typedef gboolean (*SettingsSetter)(const SettingsEntry *entry, gsize offset, GError **error);

static gchar *
entry_dup_string(const SettingsEntry *entry, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autofree gchar *value = g_key_file_get_string(entry->file, entry->group, entry->key, &local);

	/* GKeyFile keeps white space at the end of a line, where nobody sees it */
	if (value != NULL && *g_strstrip(value) != '\0')
		return g_steal_pointer(&value);
	dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected a value, found %s", entry->where,
		     local != NULL ? local->message : "nothing");
	return NULL;
}

static gboolean
set_string(const SettingsEntry *entry, gsize offset, GError **error)
{
	gchar **field = (gchar **)G_STRUCT_MEMBER_P(entry->settings, offset);
	gchar *value = entry_dup_string(entry, error);

	if (value == NULL)
		return FALSE;
	g_free(*field);
	*field = value;
	return TRUE;
}

static gboolean
ensure_absolute(const SettingsEntry *entry, const gchar *path, GError **error)
{
	if (g_path_is_absolute(path))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected an absolute path, found '%s'", entry->where,
			    path);
}

static gboolean
set_path(const SettingsEntry *entry, gsize offset, GError **error)
{
	g_autofree gchar *value = entry_dup_string(entry, error);

	return value != NULL && ensure_absolute(entry, value, error) && set_string(entry, offset, error);
}

static gboolean
set_paths(const SettingsEntry *entry, gsize offset, GError **error)
{
	gchar ***field = (gchar ***)G_STRUCT_MEMBER_P(entry->settings, offset);
	g_autoptr(GError) local = NULL;
	g_auto(GStrv) value = g_key_file_get_string_list(entry->file, entry->group, entry->key, NULL, &local);

	if (value == NULL || value[0] == NULL)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected paths with ';' between, found %s",
				    entry->where, local != NULL ? local->message : "nothing");
	for (guint i = 0; value[i] != NULL; i++) {
		if (!ensure_absolute(entry, g_strstrip(value[i]), error))
			return FALSE;
	}
	g_strfreev(*field);
	*field = g_steal_pointer(&value);
	return TRUE;
}

static gboolean
set_url(const SettingsEntry *entry, gsize offset, GError **error)
{
	g_autofree gchar *value = entry_dup_string(entry, error);

	if (value == NULL)
		return FALSE;
	if (!g_str_has_prefix(value, "https://") && !g_str_has_prefix(value, "http://"))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected an http or https URL, found '%s'",
				    entry->where, value);
	return set_string(entry, offset, error);
}

static gboolean
set_policy(const SettingsEntry *entry, gsize offset, GError **error)
{
	g_autofree gchar *value = entry_dup_string(entry, error);

	if (value == NULL)
		return FALSE;
	if (dstack_policy_parse(value, (DstackPolicy *)G_STRUCT_MEMBER_P(entry->settings, offset), NULL))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected lite, auto or legacy, found '%s'",
			    entry->where, value);
}

static gboolean
set_check(const SettingsEntry *entry, gsize offset, GError **error)
{
	g_autofree gchar *value = entry_dup_string(entry, error);

	if (value == NULL)
		return FALSE;
	if (dstack_check_level_parse(value, (DstackCheckLevel *)G_STRUCT_MEMBER_P(entry->settings, offset), NULL))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected full or material, found '%s'", entry->where,
			    value);
}

static gboolean
set_version(const SettingsEntry *entry, gsize offset, GError **error)
{
	g_autofree gchar *value = entry_dup_string(entry, error);
	guint part;

	if (value == NULL)
		return FALSE;
	if (!dstack_qemu_version_parse(value, &part, &part, &part, NULL))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected X.Y.Z, found '%s'", entry->where,
				    value);
	return set_string(entry, offset, error);
}

static gboolean
set_timeout(const SettingsEntry *entry, gsize offset, GError **error)
{
	g_autofree gchar *value = entry_dup_string(entry, error);
	guint64 number;

	if (value == NULL)
		return FALSE;
	if (!dstack_number_parse(value, entry->key, 10, &number, NULL) || number == 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected 1 to 10 seconds, found '%s'",
				    entry->where, value);
	*(guint *)G_STRUCT_MEMBER_P(entry->settings, offset) = (guint)number;
	return TRUE;
}

static const struct {
	const gchar *group;
	const gchar *key;
	SettingsSetter setter;
	gsize offset;
} settings_keys[] = {
    {"images", "dirs", set_paths, G_STRUCT_OFFSET(DstackSettings, image_dirs)},
    {"tdx", "variant", set_policy, G_STRUCT_OFFSET(DstackSettings, policy)},
    {"check", "level", set_check, G_STRUCT_OFFSET(DstackSettings, check)},
    {"qemu", "path", set_path, G_STRUCT_OFFSET(DstackSettings, qemu_path)},
    {"qemu", "version", set_version, G_STRUCT_OFFSET(DstackSettings, qemu_version)},
    {"share", "roots", set_paths, G_STRUCT_OFFSET(DstackSettings, share_roots)},
    {"collateral", "pccs", set_url, G_STRUCT_OFFSET(DstackSettings, collateral_pccs)},
    {"collateral", "kds", set_url, G_STRUCT_OFFSET(DstackSettings, collateral_kds)},
    {"collateral", "dir", set_path, G_STRUCT_OFFSET(DstackSettings, collateral_dir)},
    {"cache", "dir", set_path, G_STRUCT_OFFSET(DstackSettings, cache_dir)},
    {"hook", "state", set_path, G_STRUCT_OFFSET(DstackSettings, hook_state_dir)},
    {"hook", "timeout", set_timeout, G_STRUCT_OFFSET(DstackSettings, hook_timeout)},
};

DstackSettings *
dstack_settings_new(void)
{
	DstackSettings *self = g_new0(DstackSettings, 1);

	self->image_dirs = g_strsplit(DSTACK_LOCALSTATEDIR "/lib/dstack/images", ";", -1);
	self->policy = DSTACK_POLICY_LITE;
	self->check = DSTACK_CHECK_FULL;
	self->share_roots = g_new0(gchar *, 1);
	self->collateral_dir = g_strdup(DSTACK_LOCALSTATEDIR "/cache/dstack/collateral");
	self->cache_dir = g_strdup(DSTACK_LOCALSTATEDIR "/cache/dstack/vmm-prep");
	self->hook_state_dir = g_strdup("/run/dstack-vmm-prep");
	self->hook_timeout = 10;
	return self;
}

void
dstack_settings_free(DstackSettings *self)
{
	if (self == NULL)
		return;
	g_strfreev(self->image_dirs);
	g_free(self->qemu_path);
	g_free(self->qemu_version);
	g_strfreev(self->share_roots);
	g_free(self->collateral_pccs);
	g_free(self->collateral_kds);
	g_free(self->collateral_dir);
	g_free(self->cache_dir);
	g_free(self->hook_state_dir);
	g_free(self);
}

const gchar *
dstack_settings_default_path(void)
{
	return DSTACK_SYSCONFDIR "/dstack/vmm-prep.conf";
}

static gboolean
is_known_group(const gchar *group)
{
	for (guint i = 0; i < G_N_ELEMENTS(settings_keys); i++) {
		if (g_str_equal(settings_keys[i].group, group))
			return TRUE;
	}
	return FALSE;
}

static gint
find_key(const gchar *group, const gchar *key)
{
	for (guint i = 0; i < G_N_ELEMENTS(settings_keys); i++) {
		if (g_str_equal(settings_keys[i].group, group) && g_str_equal(settings_keys[i].key, key))
			return (gint)i;
	}
	return -1;
}

/* one stripped line that is no comment; lines[] remembers where each known key was seen last */
static gboolean
walk_line(gchar *line, const gchar *what, guint number, gchar **group, guint *lines, GError **error)
{
	gsize len = strlen(line);
	gchar *equals = strchr(line, '=');
	gint index;

	if (line[0] == '[' && line[len - 1] == ']') {
		g_free(*group);
		*group = g_strndup(line + 1, len - 2);
		if (is_known_group(*group))
			return TRUE;
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s:%u: unknown group [%s]", what, number, *group);
	}
	if (equals == NULL)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s:%u: expected [group] or key=value, found '%s'",
				    what, number, line);
	if (*group == NULL)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s:%u: expected a [group] before the first key",
				    what, number);
	*equals = '\0';
	g_strchomp(line);
	index = find_key(*group, line);
	if (index < 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s:%u: unknown key '%s' in [%s]", what, number,
				    line, *group);
	if (lines[index] != 0)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s:%u: '%s' of [%s] stands in line %u already",
				    what, number, line, *group, lines[index]);
	lines[index] = number;
	return TRUE;
}

static gboolean
walk_text(const gchar *text, const gchar *what, guint *lines, GError **error)
{
	g_auto(GStrv) split = g_strsplit(text, "\n", -1);
	g_autofree gchar *group = NULL;

	for (guint i = 0; split[i] != NULL; i++) {
		gchar *line = g_strstrip(split[i]);

		if (*line == '\0' || *line == '#')
			continue;
		if (!walk_line(line, what, i + 1, &group, lines, error))
			return FALSE;
	}
	return TRUE;
}

gboolean
dstack_settings_apply(DstackSettings *self, const gchar *text, gsize size, const gchar *what, GError **error)
{
	guint lines[G_N_ELEMENTS(settings_keys)] = {0};
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) local = NULL;
	g_autofree gchar *copy = NULL;

	if (!g_utf8_validate_len(text, size, NULL))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected UTF-8 text without NUL", what);
	copy = g_strndup(text, size);
	if (!walk_text(copy, what, lines, error))
		return FALSE;
	if (*copy != '\0' && !g_key_file_load_from_data(file, copy, size, G_KEY_FILE_NONE, &local))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: %s", what, local->message);
	for (guint i = 0; i < G_N_ELEMENTS(settings_keys); i++) {
		SettingsEntry entry = {self, file, settings_keys[i].group, settings_keys[i].key, NULL};
		g_autofree gchar *where = NULL;

		if (lines[i] == 0)
			continue;
		where = g_strdup_printf("%s:%u: [%s] %s", what, lines[i], entry.group, entry.key);
		entry.where = where;
		if (!settings_keys[i].setter(&entry, settings_keys[i].offset, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
load_file(DstackSettings *self, const gchar *path, gboolean must_exist, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) text = dstack_file_read_path(path, DSTACK_LIMIT_SETTINGS, &local);
	gsize size;
	const gchar *data;

	if (text == NULL) {
		if (!must_exist && g_error_matches(local, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	data = g_bytes_get_data(text, &size);
	return dstack_settings_apply(self, data != NULL ? data : "", size, path, error);
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const gchar *const *)a, *(const gchar *const *)b);
}

static GPtrArray *
list_drop_ins(const gchar *dir_path, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) local = NULL;
	g_autoptr(GDir) dir = g_dir_open(dir_path, 0, &local);
	const gchar *name;

	if (dir == NULL && !g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
		dstack_throw(error, DSTACK_ERROR_FAILED, "%s", local->message);
		return NULL;
	}
	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		if (*name != '.' && g_str_has_suffix(name, ".conf"))
			g_ptr_array_add(names, g_build_filename(dir_path, name, NULL));
	}
	g_ptr_array_sort(names, compare_names);
	return g_steal_pointer(&names);
}

DstackSettings *
dstack_settings_load(const gchar *path, gboolean must_exist, GError **error)
{
	g_autoptr(DstackSettings) self = dstack_settings_new();
	g_autofree gchar *dir_path = g_strconcat(path, ".d", NULL);
	g_autoptr(GPtrArray) drop_ins = NULL;

	if (!load_file(self, path, must_exist, error))
		return NULL;
	drop_ins = list_drop_ins(dir_path, error);
	if (drop_ins == NULL)
		return NULL;
	for (guint i = 0; i < drop_ins->len; i++) {
		if (!load_file(self, g_ptr_array_index(drop_ins, i), TRUE, error))
			return NULL;
	}
	return g_steal_pointer(&self);
}

gboolean
dstack_policy_parse(const gchar *text, DstackPolicy *out, GError **error)
{
	for (DstackPolicy policy = DSTACK_POLICY_LITE; policy <= DSTACK_POLICY_LEGACY; policy++) {
		if (g_str_equal(text, dstack_policy_to_string(policy))) {
			*out = policy;
			return TRUE;
		}
	}
	return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "variant: expected lite, auto or legacy, found '%s'",
			    text);
}

const gchar *
dstack_policy_to_string(DstackPolicy policy)
{
	switch (policy) {
	case DSTACK_POLICY_UNSET:
		return "unset";
	case DSTACK_POLICY_LITE:
		return "lite";
	case DSTACK_POLICY_AUTO:
		return "auto";
	case DSTACK_POLICY_LEGACY:
		return "legacy";
	}
	g_return_val_if_reached(NULL);
}

gboolean
dstack_check_level_parse(const gchar *text, DstackCheckLevel *out, GError **error)
{
	for (DstackCheckLevel level = DSTACK_CHECK_MATERIAL; level <= DSTACK_CHECK_FULL; level++) {
		if (g_str_equal(text, dstack_check_level_to_string(level))) {
			*out = level;
			return TRUE;
		}
	}
	return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "check: expected material or full, found '%s'", text);
}

const gchar *
dstack_check_level_to_string(DstackCheckLevel level)
{
	switch (level) {
	case DSTACK_CHECK_UNSET:
		return "unset";
	case DSTACK_CHECK_MATERIAL:
		return "material";
	case DSTACK_CHECK_FULL:
		return "full";
	}
	g_return_val_if_reached(NULL);
}
