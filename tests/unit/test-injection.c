/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "launch/injection.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include "base/autoptr.h"
#include "base/limits.h"
#include "dstack/error.h"

static GBytes *
build(const gchar *previous, const gchar *vm_config, const gchar *mr_config, GError **error)
{
	g_autoptr(GBytes) bytes = previous != NULL ? g_bytes_new(previous, strlen(previous)) : NULL;

	return dstack_sys_config_build(bytes, vm_config, mr_config, error);
}

static void
assert_text(GBytes *bytes, const gchar *expected)
{
	g_autofree gchar *text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));

	g_assert_cmpstr(text, ==, expected);
}

static void
changes_two_members_and_nothing_else(void)
{
	static const struct {
		const gchar *previous, *vm_config, *mr_config, *expected;
	} cases[] = {
	    {"{}", "{}", NULL, "{\"vm_config\":\"{}\"}"},
	    {" { } ", "{}", NULL, " {\"vm_config\":\"{}\" } "},
	    {"{\"a\":1}", "x", NULL, "{\"a\":1,\"vm_config\":\"x\"}"},
	    {"{\n  \"a\": 1.50e1\n}\n", "x", NULL, "{\n  \"a\": 1.50e1,\"vm_config\":\"x\"\n}\n"},
	    {"{\"vm_config\":\"old\",\"z\":9223372036854775807,\"a\":0.10}", "new", NULL,
	     "{\"vm_config\":\"new\",\"z\":9223372036854775807,\"a\":0.10}"},
	    {"{\"a\":{\"vm_config\":1},\"vm_config\" : null , \"b\":[]}", "x", NULL,
	     "{\"a\":{\"vm_config\":1},\"vm_config\" : \"x\" , \"b\":[]}"},
	    {"{\"vm_config\":\"x\"}", "x", "m", "{\"vm_config\":\"x\",\"mr_config\":\"m\"}"},
	    {"{\"mr_config\":\"old\",\"k\":[\"}\"]}", "x", "m",
	     "{\"mr_config\":\"m\",\"k\":[\"}\"],\"vm_config\":\"x\"}"},
	    {"{\"mr_config\":\"stays\"}", "x", NULL, "{\"mr_config\":\"stays\",\"vm_config\":\"x\"}"},
	    {"{\"vm_config\":\"\\u0078\"}", "x", NULL, "{\"vm_config\":\"\\u0078\"}"},
	    {"{\"a\":\"}\"}", "a\"b\\", NULL, "{\"a\":\"}\",\"vm_config\":\"a\\\"b\\\\\"}"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) text = build(cases[i].previous, cases[i].vm_config, cases[i].mr_config, &error);
		g_autoptr(GBytes) again = NULL;

		g_assert_no_error(error);
		assert_text(text, cases[i].expected);
		again = dstack_sys_config_build(text, cases[i].vm_config, cases[i].mr_config, &error);
		g_assert_no_error(error);
		g_assert_true(g_bytes_equal(text, again));
	}
}

static void
makes_a_file_that_guests_accept(void)
{
	static const gchar *const required[] = {"kms_urls", "gateway_urls", "docker_registry", "host_api_url",
						"vm_config"};
	g_autoptr(GBytes) text = build(NULL, "{\"spec_version\":1}", NULL, NULL);
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *object;

	g_assert_true(
	    json_parser_load_from_data(parser, g_bytes_get_data(text, NULL), (gssize)g_bytes_get_size(text), NULL));
	object = json_node_get_object(json_parser_get_root(parser));
	for (guint i = 0; i < G_N_ELEMENTS(required); i++)
		g_assert_true(json_object_has_member(object, required[i]));
	g_assert_cmpstr(json_object_get_string_member(object, "vm_config"), ==, "{\"spec_version\":1}");
}

static void
refuses_what_is_no_json_object(void)
{
	static const gchar *const bad[] = {
	    "",	       "{", "[]", "null", "{\"a\":1,}", "{\"a\":1}{}", "{'a':1}", "{\"a\":1} x", "{\"a\":1,\"a\":2}",
	    "// x\n{}"};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(build(bad[i], "x", NULL, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
keeps_to_the_budget(void)
{
	for (gint over = 0; over < 2; over++) {
		g_autofree gchar *filler = NULL;
		g_autofree gchar *previous = NULL;
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) text = NULL;
		gsize fixed = strlen("{\"a\":\"\",\"vm_config\":\"x\"}");

		filler = g_strnfill(DSTACK_LIMIT_SYS_CONFIG - fixed + (gsize)over, 'a');
		previous = g_strdup_printf("{\"a\":\"%s\"}", filler);
		text = build(previous, "x", NULL, &error);
		g_assert_cmpint(text != NULL, ==, !over);
		if (over) {
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_REFUSED);
			g_assert_nonnull(strstr(error->message, "32769 bytes"));
		} else {
			g_assert_cmpuint(g_bytes_get_size(text), ==, DSTACK_LIMIT_SYS_CONFIG);
		}
	}
}

/* a share directory that goes away with the test */
typedef struct {
	gchar *path;
	gchar *file;
	int fd;
} Share;

static void
share_init(Share *self)
{
	self->path = g_dir_make_tmp("dstack-share-XXXXXX", NULL);
	self->file = g_build_filename(self->path, DSTACK_SYS_CONFIG_NAME, NULL);
	self->fd = open(self->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_cmpint(self->fd, >=, 0);
}

static void
share_clear(Share *self)
{
	(void)g_unlink(self->file);
	/* nothing else may be left: no temporary file */
	g_assert_cmpint(g_rmdir(self->path), ==, 0);
	dstack_fd_clear(&self->fd);
	g_free(self->path);
	g_free(self->file);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Share, share_clear)

static void
leaves_the_same_content_alone(void)
{
	g_auto(Share) share = {0};
	g_autoptr(GError) error = NULL;
	struct stat before, after;
	gboolean changed = FALSE;

	share_init(&share);
	g_assert_true(dstack_inject(share.fd, "{}", NULL, &changed, &error));
	g_assert_no_error(error);
	g_assert_true(changed);
	g_assert_cmpint(stat(share.file, &before), ==, 0);
	g_assert_cmpint(before.st_mode & 0777, ==, 0640);
	g_assert_true(dstack_inject(share.fd, "{}", NULL, &changed, &error));
	g_assert_false(changed);
	g_assert_cmpint(stat(share.file, &after), ==, 0);
	g_assert_cmpuint(before.st_ino, ==, after.st_ino);
	g_assert_cmpint(before.st_mtim.tv_nsec, ==, after.st_mtim.tv_nsec);
	g_assert_true(dstack_inject(share.fd, "{\"a\":1}", NULL, &changed, &error));
	g_assert_true(changed);
}

static void
keeps_mode_and_takes_the_group(void)
{
	static const mode_t modes[] = {0600, 0640, 0644, 0660};

	for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
		g_auto(Share) share = {0};
		struct stat dir, file;

		share_init(&share);
		g_assert_true(g_file_set_contents(share.file, "{}", -1, NULL));
		g_assert_cmpint(g_chmod(share.file, (int)modes[i]), ==, 0);
		g_assert_true(dstack_inject(share.fd, "x", NULL, NULL, NULL));
		g_assert_cmpint(stat(share.path, &dir), ==, 0);
		g_assert_cmpint(stat(share.file, &file), ==, 0);
		g_assert_cmpint(file.st_mode & 0777, ==, modes[i]);
		g_assert_cmpuint(file.st_gid, ==, dir.st_gid);
	}
}

static void
leaves_a_broken_file_untouched(void)
{
	g_auto(Share) share = {0};
	g_autoptr(GError) error = NULL;
	g_autofree gchar *text = NULL;
	struct stat before, after;

	share_init(&share);
	g_assert_true(g_file_set_contents(share.file, "{\"a\":", -1, NULL));
	g_assert_cmpint(stat(share.file, &before), ==, 0);
	g_assert_false(dstack_inject(share.fd, "x", NULL, NULL, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_assert_nonnull(strstr(error->message, DSTACK_SYS_CONFIG_NAME));
	g_assert_cmpint(stat(share.file, &after), ==, 0);
	g_assert_cmpuint(before.st_ino, ==, after.st_ino);
	g_assert_true(g_file_get_contents(share.file, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "{\"a\":");
}

/* the guest can write the directory: what it links to is neither read nor written */
static void
follows_no_link_out_of_the_share(void)
{
	g_auto(Share) share = {0};
	g_autoptr(GError) error = NULL;

	share_init(&share);
	g_assert_cmpint(symlink("/etc/hostname", share.file), ==, 0);
	g_assert_false(dstack_inject(share.fd, "x", NULL, NULL, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

static void
takes_back_only_what_it_wrote(void)
{
	static const gchar *const before[] = {NULL, "{\"kms_urls\":[]}"};

	for (guint i = 0; i < G_N_ELEMENTS(before); i++) {
		g_auto(Share) share = {0};
		g_autoptr(GBytes) previous = before[i] != NULL ? g_bytes_new(before[i], strlen(before[i])) : NULL;
		g_autoptr(GBytes) now = NULL;
		g_autofree gchar *text = NULL;
		DstackSha256 written;
		gboolean undone = FALSE;

		share_init(&share);
		if (before[i] != NULL)
			g_assert_true(g_file_set_contents(share.file, before[i], -1, NULL));
		g_assert_true(dstack_inject(share.fd, "x", NULL, NULL, NULL));
		g_assert_true(dstack_sys_config_load(share.fd, &now, NULL));
		written = dstack_sha256_bytes(now);
		written.bytes[0] ^= 1;
		g_assert_true(dstack_inject_undo(share.fd, previous, &written, &undone, NULL));
		g_assert_false(undone);
		g_assert_true(g_file_test(share.file, G_FILE_TEST_EXISTS));
		written.bytes[0] ^= 1;
		g_assert_true(dstack_inject_undo(share.fd, previous, &written, &undone, NULL));
		g_assert_true(undone);
		g_assert_cmpint(g_file_get_contents(share.file, &text, NULL, NULL), ==, before[i] != NULL);
		g_assert_cmpstr(text, ==, before[i]);
	}
}

/* whatever a text is cut to or flipped into, it is an error or comes out with our member and stays stable */
static void
survives_truncation_and_flips(void)
{
	static const gchar text[] = "{\"kms_urls\":[\"https://k\"],\"vm_config\":\"{\\\"a\\\":1}\",\"n\":-1.5e3}";
	gsize size = strlen(text);

	for (gsize i = 0; i < size * 9; i++) {
		g_autofree gchar *changed = g_strdup(text);
		g_autoptr(GBytes) previous = NULL;
		g_autoptr(GBytes) once = NULL;
		g_autoptr(GBytes) twice = NULL;

		if (i < size)
			changed[i] = '\0';
		else
			changed[(i - size) / 8] ^= (gchar)(1 << ((i - size) % 8));
		previous = g_bytes_new(changed, i < size ? i : size);
		once = dstack_sys_config_build(previous, "x", NULL, NULL);
		if (once == NULL)
			continue;
		twice = dstack_sys_config_build(once, "x", NULL, NULL);
		g_assert_nonnull(twice);
		g_assert_true(g_bytes_equal(once, twice));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/injection/changes-two-members-and-nothing-else", changes_two_members_and_nothing_else);
	g_test_add_func("/injection/makes-a-file-that-guests-accept", makes_a_file_that_guests_accept);
	g_test_add_func("/injection/refuses-what-is-no-json-object", refuses_what_is_no_json_object);
	g_test_add_func("/injection/keeps-to-the-budget", keeps_to_the_budget);
	g_test_add_func("/injection/leaves-the-same-content-alone", leaves_the_same_content_alone);
	g_test_add_func("/injection/keeps-mode-and-takes-the-group", keeps_mode_and_takes_the_group);
	g_test_add_func("/injection/leaves-a-broken-file-untouched", leaves_a_broken_file_untouched);
	g_test_add_func("/injection/follows-no-link-out-of-the-share", follows_no_link_out_of_the_share);
	g_test_add_func("/injection/takes-back-only-what-it-wrote", takes_back_only_what_it_wrote);
	g_test_add_func("/injection/survives-truncation-and-flips", survives_truncation_and_flips);
	return g_test_run();
}
