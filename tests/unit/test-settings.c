/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "launch/settings.h"

#include <string.h>

#include <glib/gstdio.h>

#include "dstack/error.h"

static DstackSettings *
apply(const gchar *text, GError **error)
{
	g_autoptr(DstackSettings) settings = dstack_settings_new();

	if (!dstack_settings_apply(settings, text, strlen(text), "test.conf", error))
		return NULL;
	return g_steal_pointer(&settings);
}

static void
has_safe_defaults(void)
{
	g_autoptr(DstackSettings) settings = apply("", NULL);

	g_assert_cmpint(settings->policy, ==, DSTACK_POLICY_LITE);
	g_assert_cmpint(settings->check, ==, DSTACK_CHECK_FULL);
	g_assert_cmpuint(g_strv_length(settings->image_dirs), ==, 1);
	g_assert_cmpuint(g_strv_length(settings->share_roots), ==, 0);
	g_assert_null(settings->qemu_path);
	g_assert_cmpuint(settings->hook_timeout, ==, 10);
}

static void
reads_every_key(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackSettings) settings =
	    apply("# a comment\n"
		  "[images]\ndirs=/srv/images;/srv/more\n"
		  "[tdx]\n variant = auto \n"
		  "[check]\nlevel=material\n"
		  "[qemu]\npath=/usr/bin/qemu\nversion=9.1.0\n"
		  "[share]\nroots=/srv/vms\n"
		  "[collateral]\npccs=https://pccs\nkds=http://kds\ndir=/srv/collateral\n"
		  "[cache]\ndir=/srv/cache\n"
		  "[hook]\nstate=/run/here\ntimeout=3\n",
		  &error);

	g_assert_no_error(error);
	g_assert_cmpuint(g_strv_length(settings->image_dirs), ==, 2);
	g_assert_cmpstr(settings->image_dirs[1], ==, "/srv/more");
	g_assert_cmpint(settings->policy, ==, DSTACK_POLICY_AUTO);
	g_assert_cmpint(settings->check, ==, DSTACK_CHECK_MATERIAL);
	g_assert_cmpstr(settings->qemu_path, ==, "/usr/bin/qemu");
	g_assert_cmpstr(settings->qemu_version, ==, "9.1.0");
	g_assert_cmpstr(settings->share_roots[0], ==, "/srv/vms");
	g_assert_cmpstr(settings->collateral_pccs, ==, "https://pccs");
	g_assert_cmpstr(settings->collateral_kds, ==, "http://kds");
	g_assert_cmpstr(settings->collateral_dir, ==, "/srv/collateral");
	g_assert_cmpstr(settings->cache_dir, ==, "/srv/cache");
	g_assert_cmpstr(settings->hook_state_dir, ==, "/run/here");
	g_assert_cmpuint(settings->hook_timeout, ==, 3);
}

static void
names_file_and_line(void)
{
	static const struct {
		const gchar *text;
		const gchar *message;
	} cases[] = {
	    {"[images]\ndirs=/a\n\n[tdxx]\n", "test.conf:4: unknown group [tdxx]"},
	    {"[tdx]\n\nvarient=lite\n", "test.conf:3: unknown key 'varient' in [tdx]"},
	    {"[tdx]\nvariant[de]=lite\n", "test.conf:2: unknown key 'variant[de]' in [tdx]"},
	    {"[tdx]\nvariant=lite\nvariant=auto\n", "test.conf:3: 'variant' of [tdx] stands in line 2 already"},
	    {"variant=lite\n", "test.conf:1: expected a [group]"},
	    {"[tdx]\nvariant\n", "test.conf:2: expected [group] or key=value"},
	    {"[tdx]\nvariant=Lite\n", "test.conf:2: [tdx] variant: expected lite, auto or legacy, found 'Lite'"},
	    {"[tdx]\nvariant=\n", "test.conf:2: [tdx] variant: expected a value"},
	    {"[check]\nlevel=none\n", "test.conf:2: [check] level: expected full or material"},
	    {"[images]\ndirs=images\n", "test.conf:2: [images] dirs: expected an absolute path, found 'images'"},
	    {"[images]\ndirs=\n", "test.conf:2: [images] dirs: expected paths"},
	    {"[qemu]\nversion=9.1\n", "test.conf:2: [qemu] version: expected X.Y.Z"},
	    {"[qemu]\npath=qemu\n", "test.conf:2: [qemu] path: expected an absolute path"},
	    {"[collateral]\npccs=ftp://x\n", "test.conf:2: [collateral] pccs: expected an http or https URL"},
	    {"[hook]\ntimeout=0\n", "test.conf:2: [hook] timeout: expected 1 to 10"},
	    {"[hook]\ntimeout=11\n", "test.conf:2: [hook] timeout: expected 1 to 10"},
	    {"[hook]\ntimeout=-1\n", "test.conf:2: [hook] timeout: expected 1 to 10"},
	    {"\xff", "test.conf: expected UTF-8"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackSettings) settings = apply(cases[i].text, &error);

		g_assert_null(settings);
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
		g_test_message("%s", error->message);
		g_assert_true(g_str_has_prefix(error->message, cases[i].message));
	}
}

static void
survives_every_truncation(void)
{
	static const gchar text[] = "[images]\ndirs=/srv/images;/srv/more\n[tdx]\nvariant=auto\n[hook]\ntimeout=3\n";

	for (gsize len = 0; len < strlen(text); len++) {
		g_autoptr(DstackSettings) settings = dstack_settings_new();
		g_autoptr(GError) error = NULL;

		if (!dstack_settings_apply(settings, text, len, "cut.conf", &error))
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
write_file(const gchar *dir, const gchar *name, const gchar *text)
{
	g_autofree gchar *path = g_build_filename(dir, name, NULL);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
remove_file(const gchar *dir, const gchar *name)
{
	g_autofree gchar *path = g_build_filename(dir, name, NULL);

	g_assert_cmpint(g_remove(path), ==, 0);
}

static void
reads_drop_ins_in_name_order(void)
{
	g_autofree gchar *dir = g_dir_make_tmp("dstack-settings-XXXXXX", NULL);
	g_autofree gchar *path = g_build_filename(dir, "vmm-prep.conf", NULL);
	g_autofree gchar *drop_ins = g_build_filename(dir, "vmm-prep.conf.d", NULL);
	g_autoptr(DstackSettings) settings = NULL;
	g_autoptr(DstackSettings) broken = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir(drop_ins, 0755), ==, 0);
	write_file(dir, "vmm-prep.conf", "[tdx]\nvariant=auto\n[hook]\ntimeout=3\n");
	write_file(drop_ins, "20.conf", "[hook]\ntimeout=5\n");
	write_file(drop_ins, "10.conf", "[hook]\ntimeout=4\n");
	write_file(drop_ins, "30.txt", "no configuration\n");
	settings = dstack_settings_load(path, TRUE, &error);
	g_assert_no_error(error);
	g_assert_cmpint(settings->policy, ==, DSTACK_POLICY_AUTO);
	g_assert_cmpuint(settings->hook_timeout, ==, 5);

	write_file(drop_ins, "20.conf", "[hook]\ntimeuot=5\n");
	broken = dstack_settings_load(path, TRUE, &error);
	g_assert_null(broken);
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	g_assert_nonnull(strstr(error->message, "20.conf:2: unknown key"));

	remove_file(drop_ins, "10.conf");
	remove_file(drop_ins, "20.conf");
	remove_file(drop_ins, "30.txt");
	remove_file(dir, "vmm-prep.conf.d");
	remove_file(dir, "vmm-prep.conf");
	g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void
needs_a_file_only_when_named(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackSettings) defaults = dstack_settings_load("/nonexistent/vmm-prep.conf", FALSE, &error);
	g_autoptr(DstackSettings) named = NULL;

	g_assert_no_error(error);
	g_assert_nonnull(defaults);
	named = dstack_settings_load("/nonexistent/vmm-prep.conf", TRUE, &error);
	g_assert_null(named);
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/settings/has-safe-defaults", has_safe_defaults);
	g_test_add_func("/settings/reads-every-key", reads_every_key);
	g_test_add_func("/settings/names-file-and-line", names_file_and_line);
	g_test_add_func("/settings/survives-every-truncation", survives_every_truncation);
	g_test_add_func("/settings/reads-drop-ins-in-name-order", reads_drop_ins_in_name_order);
	g_test_add_func("/settings/needs-a-file-only-when-named", needs_a_file_only_when_named);
	return g_test_run();
}
