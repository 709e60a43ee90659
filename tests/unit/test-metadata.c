/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "image/metadata.h"

#include <string.h>

#include "dstack/error.h"

static DstackMetadata *
parse(const gchar *text, GError **error)
{
	return dstack_metadata_parse(text, strlen(text), error);
}

static const gchar golden[] =
    "{\"bios\":\"ovmf.fd\",\"bios-sev\":\"ovmf-sev.fd\",\"kernel\":\"bzImage\",\"initrd\":\"initrd\","
    "\"cmdline\":\"console=hvc0\",\"rootfs\":\"rootfs.img.verity\",\"rootfs_hash\":null,\"hda\":null,"
    "\"version\":\"0.6.0\",\"shared_ro\":true,\"is_dev\":true,\"ovmf_variant\":\"pre202505\","
    "\"kernel_header_normalized\":true,\"git_revision\":[1,2]}";

static void
reads_every_member(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackMetadata) metadata = parse(golden, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(metadata->kernel, ==, "bzImage");
	g_assert_cmpstr(metadata->initrd, ==, "initrd");
	g_assert_cmpstr(metadata->bios, ==, "ovmf.fd");
	g_assert_cmpstr(dstack_metadata_get_bios_sev(metadata), ==, "ovmf-sev.fd");
	g_assert_cmpstr(metadata->cmdline, ==, "console=hvc0");
	g_assert_cmpstr(metadata->rootfs, ==, "rootfs.img.verity");
	g_assert_null(metadata->rootfs_hash);
	g_assert_null(metadata->hda);
	g_assert_cmpstr(metadata->version, ==, "0.6.0");
	g_assert_true(metadata->shared_ro && metadata->is_dev && metadata->kernel_header_normalized);
}

static void
needs_kernel_and_initrd_only(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackMetadata) metadata = parse("{\"kernel\":\"k\",\"initrd\":\"i\",\"bios\":\"b\"}", &error);

	g_assert_no_error(error);
	g_assert_false(metadata->shared_ro || metadata->is_dev || metadata->kernel_header_normalized);
	g_assert_cmpstr(dstack_metadata_get_bios_sev(metadata), ==, "b");
}

static const gchar *const refused[] = {
    "",
    "[]",
    "{}",
    "{\"kernel\":\"k\"}",
    "{\"initrd\":\"i\"}",
    "{\"kernel\":null,\"initrd\":\"i\"}",
    "{\"kernel\":1,\"initrd\":\"i\"}",
    "{\"kernel\":\"k\",\"initrd\":\"i\",\"kernel\":\"l\"}",
    "{\"kernel\":\"k\",\"initrd\":\"i\",\"cmdline\":[]}",
    "{\"kernel\":\"k\",\"initrd\":\"i\",\"is_dev\":\"true\"}",
    "{\"kernel\":\"k\",\"initrd\":\"i\",\"is_dev\":1}",
    "{\"kernel\":\"k\",\"initrd\":\"i\",\"version\":\"1.2\"}",
    "{\"kernel\":\"k\",\"initrd\":\"i\",\"version\":1}",
    "{\"kernel\":\"k\",\"initrd\":\"i\",\"ovmf_variant\":\"post202505\"}",
    "{\"kernel\":\"k\",\"initrd\":\"i\"} x",
};

static void
refuses_wrong_types_and_values(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(refused[i], &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
refuses_every_truncation(void)
{
	for (gsize size = 0; size < strlen(golden); size++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(dstack_metadata_parse(golden, size, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static const struct {
	const gchar *name;
	const gchar *version;
} names[] = {
    {"dstack-0.6.0", "0.6.0"},
    {"dstack-dev-1.2.3", "1.2.3"},
    {"dstack-nvidia-dev-0.6.1", "0.6.1"},
    {"dstack-0.5.4.1", "0.5.4.1"},
    {"dstack-0.5.4.rc-1", "0.5.4.rc-1"},
    {"dstack", NULL},
    {"dstack-", NULL},
    {"dstack-0.6", NULL},
    {"dstack-0.6.x", NULL},
    {"dstack-0.6.0.", NULL},
    {"dstack-0.6.0.1.2", NULL},
    {"0.6.0", NULL},
    {"dstack-v0.6.0", NULL},
};

static void
finds_the_version_in_a_name(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree gchar *version = dstack_version_from_name(names[i].name);

		g_assert_cmpstr(version, ==, names[i].version);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/metadata/reads-every-member", reads_every_member);
	g_test_add_func("/metadata/needs-kernel-and-initrd-only", needs_kernel_and_initrd_only);
	g_test_add_func("/metadata/refuses-wrong-types-and-values", refuses_wrong_types_and_values);
	g_test_add_func("/metadata/refuses-every-truncation", refuses_every_truncation);
	g_test_add_func("/metadata/finds-the-version-in-a-name", finds_the_version_in_a_name);
	return g_test_run();
}
