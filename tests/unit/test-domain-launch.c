/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "launch/domain-launch.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "config/mr-config.h"
#include "config/vm-config.h"
#include "dstack/error.h"
#include "launch/fat-disk.h"
#include "launch/injection.h"
#include "support/launch-fixture.h"

#define IMAGE  "<dstack:image>dstack-0.6.0</dstack:image>"
#define MEMORY "<memory unit='KiB'>2097152</memory>\n  <currentMemory unit='KiB'>2097152</currentMemory>"
#define SHARED "share/" DSTACK_SYS_CONFIG_NAME
#define POLICY "<policy>0x10000000</policy>"
#define TDX    "<launchSecurity type='tdx'>\n    " POLICY "\n"
#define QUOTES "<quoteGenerationService path='/var/run/tdx-qgs/qgs.socket'/>"
#define MR_CONFIG                                                                                                      \
	"{\"compose_hash\":\"0000000000000000000000000000000000000000000000000000000000000000\","                      \
	"\"key_provider\":\"none\",\"version\":3}"

#define LITE   (-1)
#define LEGACY (-2)
#define SNP    (-3)

typedef struct {
	const gchar *name;
	const gchar *from, *to;
	gint outcome;	    /* LITE, LEGACY, SNP or an error */
	const gchar *words; /* in the error, or in one of the warnings; NULL: there is no warning */
} Case;

static const Case cases[] = {
    {"as it is", NULL, NULL, LITE, NULL},
    {"2560 MiB", MEMORY, "<memory unit='MiB'>2560</memory>", DSTACK_ERROR_REFUSED, "memory"},
    {"auto", IMAGE, IMAGE "<dstack:attestation variant='auto'/>", LITE, NULL},
    {"legacy", IMAGE, IMAGE "<dstack:attestation variant='legacy'/>", LEGACY, NULL},
    {"no such image", IMAGE, "<dstack:image>dstack-9.9.9</dstack:image>", DSTACK_ERROR_NOT_FOUND, "dstack-9.9.9"},
    {"another command line", "panic=1", "panic=2", DSTACK_ERROR_REFUSED, "os/cmdline"},
    {"no command line", "<cmdline>" DSTACK_FIXTURE_CMDLINE "</cmdline>", "", DSTACK_ERROR_REFUSED, "os/cmdline"},
    {"a copy of the kernel", "ROOT/images/dstack-0.6.0/bzImage", "ROOT/kernel-copy", LITE, NULL},
    {"another kernel", "ROOT/images/dstack-0.6.0/bzImage", "ROOT/kernel-other", DSTACK_ERROR_REFUSED, "os/kernel"},
    {"a longer kernel", "ROOT/images/dstack-0.6.0/bzImage", "ROOT/qemu", DSTACK_ERROR_REFUSED, "os/kernel"},
    {"no such kernel", "ROOT/images/dstack-0.6.0/bzImage", "ROOT/none", DSTACK_ERROR_NOT_FOUND, "os/kernel"},
    {"a directory as kernel", "ROOT/images/dstack-0.6.0/bzImage", "ROOT/share", DSTACK_ERROR_REFUSED, "os/kernel"},
    {"no kernel", "<kernel>ROOT/images/dstack-0.6.0/bzImage</kernel>", "", DSTACK_ERROR_REFUSED, "os/kernel"},
    {"the kernel as initrd", "initramfs.cpio.gz</initrd>", "bzImage</initrd>", DSTACK_ERROR_REFUSED, "os/initrd"},
    {"another firmware", "ovmf.fd</loader>", "bzImage</loader>", DSTACK_ERROR_REFUSED, "os/loader"},
    {"flash", "type='rom'", "type='pflash'", DSTACK_ERROR_REFUSED, "pflash"},
    {"variables", "<kernel>", "<nvram>/x</nvram><kernel>", DSTACK_ERROR_REFUSED, "nvram"},
    {"debug", POLICY, "<policy>0x10000001</policy>", DSTACK_ERROR_REFUSED, "debug"},
    {"SEPT_VE_DISABLE off", POLICY, "<policy>0x0</policy>", LITE, "SEPT_VE_DISABLE"},
    {"no quote service", QUOTES, "", LITE, "quote"},
    {"a quote service without path", QUOTES, "<quoteGenerationService/>", LITE, NULL},
    {"an old machine", "pc-q35-9.2", "pc-q35-8.2", LITE, "machine"},
    {"no product", "<entry name='product'>dstack</entry>", "", LITE, "SMBIOS"},
    {"another product", "<entry name='product'>dstack<", "<entry name='product'>x<", LITE, "SMBIOS"},
    {"product without smbios mode", "<smbios mode='sysinfo'/>", "", LITE, "SMBIOS"},
    {"no launch security", TDX "    " QUOTES "\n  </launchSecurity>", "", DSTACK_ERROR_REFUSED, "launchSecurity"},
    {"sev", "type='tdx'", "type='sev'", DSTACK_ERROR_REFUSED, "sev"},
    {"no share", "<target dir='host-shared'/>", "<target dir='other'/>", DSTACK_ERROR_REFUSED, "host-shared"},
    {"no share directory", "ROOT/share", "ROOT/none", DSTACK_ERROR_NOT_FOUND, "share"},
    {"another share", IMAGE, IMAGE "<dstack:share dir='ROOT/images'/>", DSTACK_ERROR_REFUSED, "share"},
    {"the same share", IMAGE, IMAGE "<dstack:share dir='ROOT/share/../share'/>", LITE, NULL},
    {"a document that is none", IMAGE, IMAGE "<dstack:mrConfig>{}</dstack:mrConfig>", DSTACK_ERROR_MALFORMED,
     "mr_config"},
    {"a document that nothing binds", IMAGE, IMAGE "<dstack:mrConfig>" MR_CONFIG "</dstack:mrConfig>", LITE,
     "mrConfigId"},
    {"an emulator that is none", "ROOT/qemu", "ROOT/none", DSTACK_ERROR_NOT_FOUND, "emulator"},
};

/* SEV-SNP: what replaces the whole of <launchSecurity> and <cpu> */
static const Case snp_cases[] = {
    {"as it is", "", "", SNP, "MrConfigV3"},
    {"any memory", MEMORY, "<memory unit='MiB'>2560</memory>", SNP, "MrConfigV3"},
    {"no kernel hashes", " kernelHashes='yes'", "", DSTACK_ERROR_REFUSED, "kernelHashes"},
    {"debug", "0x30000", "0xb0000", DSTACK_ERROR_REFUSED, "debug"},
    {"host-passthrough", "mode='custom'", "mode='host-passthrough'", DSTACK_ERROR_REFUSED, "cpu"},
    {"a model without signature", "EPYC-v4", "Skylake", DSTACK_ERROR_REFUSED, "Skylake"},
    {"another model", "EPYC-v4", "EPYC-Milan", SNP, "MrConfigV3"},
    {"host data of no document", IMAGE, IMAGE "<dstack:mrConfig>" MR_CONFIG "</dstack:mrConfig>", DSTACK_ERROR_REFUSED,
     "hostData"},
};

static gchar *
replace(const gchar *text, const gchar *from, const gchar *to)
{
	g_auto(GStrv) parts = g_strsplit(text, from, -1);

	g_assert_cmpuint(g_strv_length(parts), >, 1);
	return g_strjoinv(to, parts);
}

static DstackLaunchResult *
prepare_xml(const DstackLaunchFixture *fixture, const gchar *xml, GError **error)
{
	g_autoptr(DstackDomain) domain = dstack_domain_parse(xml, strlen(xml), fixture->sysfs, error);

	return domain != NULL ? dstack_domain_launch_prepare(domain, &fixture->env, error) : NULL;
}

static gboolean
has_warning(const DstackLaunchResult *result, const gchar *words)
{
	for (guint i = 0; result->warnings[i] != NULL; i++) {
		if (strstr(result->warnings[i], words) != NULL)
			return TRUE;
	}
	return FALSE;
}

static void
assert_outcome(const Case *c, const DstackLaunchResult *result, const GError *error)
{
	g_test_message("%s: %s", c->name, result != NULL ? result->reason : error->message);
	if (c->outcome >= 0) {
		g_assert_null(result);
		g_assert_error(error, DSTACK_ERROR, c->outcome);
		g_assert_nonnull(strstr(error->message, c->words));
		return;
	}
	g_assert_no_error(error);
	g_assert_cmpstr(result->variant, ==, c->outcome == LITE ? "lite" : c->outcome == LEGACY ? "legacy" : NULL);
	if (c->words == NULL)
		g_assert_cmpuint(g_strv_length(result->warnings), ==, 0);
	else
		g_assert_true(has_warning(result, c->words));
}

/* whatever it says, asking writes nothing */
static void
assert_untouched(const DstackLaunchFixture *fixture)
{
	g_assert_cmpuint(dstack_launch_fixture_count(fixture, "share"), ==, 0);
	g_assert_cmpuint(dstack_launch_fixture_count(fixture, "state"), ==, 0);
}

static void
compares_domain_and_image(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};

	dstack_launch_fixture_init(&fixture);
	dstack_launch_fixture_write(&fixture, "kernel-copy", "kernel");
	dstack_launch_fixture_write(&fixture, "kernel-other", "kernal");
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree gchar *xml = dstack_launch_fixture_domain(&fixture, cases[i].from, cases[i].to);
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackLaunchResult) result = prepare_xml(&fixture, xml, &error);

		assert_outcome(&cases[i], result, error);
		assert_untouched(&fixture);
	}
}

static gchar *
snp_domain(const DstackLaunchFixture *fixture)
{
	static const gchar security[] =
	    "<launchSecurity type='sev-snp' kernelHashes='yes'><policy>0x30000</policy>"
	    "<hostData>AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=</hostData></launchSecurity>";
	g_autofree gchar *xml =
	    dstack_launch_fixture_domain(fixture, TDX "    " QUOTES "\n  </launchSecurity>", security);

	return replace(xml, "<cpu mode='host-passthrough' check='none' migratable='off'></cpu>",
		       "<cpu mode='custom'><model>EPYC-v4</model></cpu>");
}

static void
compares_snp_domains(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};
	g_autofree gchar *base = NULL;

	dstack_launch_fixture_init(&fixture);
	base = snp_domain(&fixture);
	for (guint i = 0; i < G_N_ELEMENTS(snp_cases); i++) {
		const Case *c = &snp_cases[i];
		g_autofree gchar *xml = *c->from != '\0' ? replace(base, c->from, c->to) : g_strdup(base);
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackLaunchResult) result = prepare_xml(&fixture, xml, &error);

		assert_outcome(c, result, error);
	}
}

static void
accepts_the_document_that_is_bound(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};
	DstackMrConfigId id = dstack_mr_config_id_v3(MR_CONFIG, strlen(MR_CONFIG));
	g_autofree gchar *good = g_base64_encode(id.bytes, sizeof(id.bytes));
	g_autofree gchar *bad = NULL;

	id.bytes[47] ^= 1;
	bad = g_base64_encode(id.bytes, sizeof(id.bytes));
	dstack_launch_fixture_init(&fixture);
	dstack_launch_fixture_write(&fixture, SHARED,
				    "{\"mr_config\":"
				    "\""
				    "{\\\"compose_hash\\\":"
				    "\\\"0000000000000000000000000000000000000000000000000000000000000000\\\","
				    "\\\"key_provider\\\":\\\"none\\\",\\\"version\\\":3}"
				    "\"}");
	for (guint i = 0; i < 2; i++) {
		g_autofree gchar *element = g_strdup_printf(POLICY "<mrConfigId>%s</mrConfigId>", i == 0 ? good : bad);
		g_autofree gchar *xml = dstack_launch_fixture_domain(&fixture, POLICY, element);
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackLaunchResult) result = prepare_xml(&fixture, xml, &error);

		g_assert_cmpint(result != NULL, ==, i == 0);
		if (result != NULL)
			g_assert_cmpstr(result->mr_config, ==, MR_CONFIG);
		else
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_REFUSED);
	}
}

static void
follows_the_application(void)
{
	static const struct {
		const gchar *compose, *variant;
	} apps[] = {{"{\"requirements\":{\"tdx_measure_acpi_tables\":true}}", "legacy"},
		    {"{\"requirements\":{\"tdx_measure_acpi_tables\":false}}", "lite"},
		    {"{\"requirements\":{}}", "lite"},
		    {"{}", "lite"}};
	g_auto(DstackLaunchFixture) fixture = {0};
	g_autofree gchar *xml = NULL;

	dstack_launch_fixture_init(&fixture);
	xml = dstack_launch_fixture_domain(&fixture, NULL, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(apps); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackLaunchResult) result = NULL;

		dstack_launch_fixture_write(&fixture, "share/app-compose.json", apps[i].compose);
		result = prepare_xml(&fixture, xml, &error);
		g_assert_no_error(error);
		g_assert_cmpstr(result->variant, ==, apps[i].variant);
	}
	dstack_launch_fixture_write(&fixture, "share/app-compose.json", "not json");
	g_assert_null(prepare_xml(&fixture, xml, NULL));
}

static void
keeps_to_the_configured_roots(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};
	g_autofree gchar *xml = NULL;
	g_autoptr(DstackLaunchResult) inside = NULL;
	g_autoptr(GError) error = NULL;

	dstack_launch_fixture_init(&fixture);
	xml = dstack_launch_fixture_domain(&fixture, NULL, NULL);
	g_strfreev(fixture.settings->share_roots);
	fixture.settings->share_roots = g_strsplit(fixture.root, ";", -1);
	inside = prepare_xml(&fixture, xml, &error);
	g_assert_no_error(error);
	g_strfreev(fixture.settings->share_roots);
	fixture.settings->share_roots = g_strsplit("/usr", ";", -1);
	g_assert_null(prepare_xml(&fixture, xml, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_REFUSED);
}

/* unsound as an image: refused before the domain is looked at */
static void
refuses_unsound_images(void)
{
	static const struct {
		const gchar *file, *text, *words;
	} breaks[] = {
	    {"images/dstack-0.6.0/digest.txt", "0000000000000000000000000000000000000000000000000000000000000000",
	     "digest.txt"},
	    {"images/dstack-0.6.0/measurement.tdx.cbor", "changed", "measurement.tdx.cbor"},
	    {"images/dstack-0.6.0/metadata.json", "{\"kernel\":\"../x\",\"initrd\":\"y\"}", "x"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(breaks); i++) {
		g_auto(DstackLaunchFixture) fixture = {0};
		g_autofree gchar *xml = NULL;
		g_autoptr(GError) error = NULL;

		dstack_launch_fixture_init(&fixture);
		xml = dstack_launch_fixture_domain(&fixture, NULL, NULL);
		dstack_launch_fixture_write(&fixture, breaks[i].file, breaks[i].text);
		g_assert_null(prepare_xml(&fixture, xml, &error));
		g_test_message("%s", error->message);
		g_assert_nonnull(strstr(error->message, breaks[i].words));
		assert_untouched(&fixture);
	}
}

static void
inject(const DstackLaunchFixture *fixture, const gchar *xml)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackDomain) domain = dstack_domain_parse(xml, strlen(xml), fixture->sysfs, &error);
	g_autoptr(DstackLaunchResult) result = NULL;

	g_assert_no_error(error);
	result = dstack_domain_launch_prepare(domain, &fixture->env, &error);
	g_assert_no_error(error);
	g_assert_true(dstack_domain_launch_inject(domain, result, &fixture->env, &error));
	g_assert_no_error(error);
}

static void
release(const DstackLaunchFixture *fixture)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(dstack_domain_launch_release(DSTACK_FIXTURE_UUID, &fixture->env, &error));
	g_assert_no_error(error);
}

/* start, start again (libvirt may), end: what was there before is there again */
static void
takes_back_what_it_put_there(void)
{
	static const gchar *const before[] = {NULL, "{\"kms_urls\": [\"https://kms\"]}\n",
					      "{\"vm_config\":\"mine\",\"mr_config\":null}"};

	for (guint i = 0; i < G_N_ELEMENTS(before); i++) {
		g_auto(DstackLaunchFixture) fixture = {0};
		g_autofree gchar *xml = NULL;
		g_autofree gchar *first = NULL;
		g_autofree gchar *second = NULL;
		g_autofree gchar *after = NULL;

		dstack_launch_fixture_init(&fixture);
		xml = dstack_launch_fixture_domain(&fixture, NULL, NULL);
		if (before[i] != NULL)
			dstack_launch_fixture_write(&fixture, SHARED, before[i]);
		inject(&fixture, xml);
		first = dstack_launch_fixture_read(&fixture, SHARED);
		g_assert_nonnull(strstr(first, "tdx_measurement"));
		g_assert_cmpuint(dstack_launch_fixture_count(&fixture, "state"), ==, 1);
		inject(&fixture, xml);
		second = dstack_launch_fixture_read(&fixture, SHARED);
		g_assert_cmpstr(first, ==, second);
		release(&fixture);
		after = dstack_launch_fixture_read(&fixture, SHARED);
		g_assert_cmpstr(after, ==, before[i]);
		g_assert_cmpuint(dstack_launch_fixture_count(&fixture, "state"), ==, 0);
		release(&fixture);
	}
}

static void
leaves_a_changed_file_at_release(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};
	g_autofree gchar *xml = NULL;
	g_autofree gchar *after = NULL;

	dstack_launch_fixture_init(&fixture);
	xml = dstack_launch_fixture_domain(&fixture, NULL, NULL);
	inject(&fixture, xml);
	dstack_launch_fixture_write(&fixture, SHARED, "{\"mine\":1}");
	release(&fixture);
	after = dstack_launch_fixture_read(&fixture, SHARED);
	g_assert_cmpstr(after, ==, "{\"mine\":1}");
}

static void
leaves_another_directory_at_release(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};
	g_autofree gchar *xml = NULL;
	g_autofree gchar *moved = NULL;
	g_autofree gchar *text = NULL;
	g_autoptr(GError) error = NULL;

	dstack_launch_fixture_init(&fixture);
	xml = dstack_launch_fixture_domain(&fixture, NULL, NULL);
	inject(&fixture, xml);
	text = dstack_launch_fixture_read(&fixture, SHARED);
	moved = dstack_launch_fixture_path(&fixture, "moved");
	g_assert_cmpint(g_rename(fixture.share, moved), ==, 0);
	dstack_launch_fixture_write(&fixture, SHARED, text);
	g_assert_false(dstack_domain_launch_release(DSTACK_FIXTURE_UUID, &fixture.env, &error));
	g_assert_nonnull(strstr(error->message, "left alone"));
	g_assert_cmpuint(dstack_launch_fixture_count(&fixture, "share"), ==, 1);
}

static void
makes_and_removes_a_share_disk(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};
	g_autofree gchar *base = NULL;
	g_autofree gchar *xml = NULL;
	g_autofree gchar *share = NULL;
	g_autofree gchar *disk = NULL;
	g_autofree gchar *text = NULL;
	g_autofree gchar *head = NULL;
	gsize size = 0;

	dstack_launch_fixture_init(&fixture);
	base = dstack_launch_fixture_domain(&fixture, "<target dir='host-shared'/>", "<target dir='other'/>");
	share = g_strdup_printf(IMAGE "<dstack:share dir='%s'/>", fixture.share);
	xml = replace(base, IMAGE, share);
	g_clear_pointer(&base, g_free);
	base = replace(xml, "other.img'/>", "share.img'/><serial>" DSTACK_FAT_DISK_LABEL "</serial>");
	disk = dstack_launch_fixture_path(&fixture, "share.img");
	inject(&fixture, base);
	text = dstack_launch_fixture_read(&fixture, SHARED);
	g_assert_nonnull(strstr(text, "\\\"host_share_mode\\\":\\\"vhd\\\""));
	g_assert_true(g_file_get_contents(disk, &head, &size, NULL));
	g_assert_true(dstack_fat_disk_is_ours((const guint8 *)head, size));
	g_assert_nonnull(memmem(head, size, text, strlen(text)));
	release(&fixture);
	g_assert_false(g_file_test(disk, G_FILE_TEST_EXISTS));
	g_assert_cmpuint(dstack_launch_fixture_count(&fixture, "share"), ==, 0);
}

static void
says_what_the_launch_is(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};
	g_autofree gchar *xml = NULL;
	g_autoptr(DstackLaunchResult) result = NULL;
	g_autoptr(DstackVmConfig) config = NULL;
	g_autoptr(GError) error = NULL;

	dstack_launch_fixture_init(&fixture);
	xml = dstack_launch_fixture_domain(&fixture, NULL, NULL);
	result = prepare_xml(&fixture, xml, &error);
	g_assert_no_error(error);
	config = dstack_vm_config_parse(result->vm_config, strlen(result->vm_config), &error);
	g_assert_no_error(error);
	g_assert_true(dstack_sha256_equal(&config->os_image_hash, &result->os_image_hash));
	g_assert_cmpuint(config->cpu_count, ==, 2);
	g_assert_cmpuint(config->memory_size, ==, G_GUINT64_CONSTANT(0x80000000));
	g_assert_cmpstr(config->qemu_version, ==, "9.2.1");
	g_assert_cmpstr(config->image, ==, "dstack-0.6.0");
	g_assert_cmpstr(config->host_share_mode, ==, "9p");
	g_assert_cmpint(config->tdx_attestation_variant, ==, DSTACK_TDX_VARIANT_LITE);
	g_assert_cmpint(config->ovmf_variant, ==, DSTACK_OVMF_VARIANT_PRE202505);
	g_assert_nonnull(config->tdx_measurement);
	g_assert_null(config->sev_snp_measurement);
}

static void
minds_the_version_of_qemu(void)
{
	static const Case versions[] = {{"8.2.2", NULL, NULL, LITE, NULL},
					{"10.0.0", NULL, NULL, LITE, "10.0"},
					{"10.2.1", NULL, NULL, DSTACK_ERROR_REFUSED, "10.2"},
					{"7.2.22", NULL, NULL, LITE, "7.2.22"}};
	g_auto(DstackLaunchFixture) fixture = {0};
	g_autofree gchar *xml = NULL;

	dstack_launch_fixture_init(&fixture);
	xml = dstack_launch_fixture_domain(&fixture, "pc-q35-9.2", "q35");
	for (guint i = 0; i < G_N_ELEMENTS(versions); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackLaunchResult) result = NULL;

		dstack_launch_fixture_set_qemu(&fixture, versions[i].name);
		result = prepare_xml(&fixture, xml, &error);
		assert_outcome(&versions[i], result, error);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/domain-launch/compares-domain-and-image", compares_domain_and_image);
	g_test_add_func("/domain-launch/compares-snp-domains", compares_snp_domains);
	g_test_add_func("/domain-launch/accepts-the-document-that-is-bound", accepts_the_document_that_is_bound);
	g_test_add_func("/domain-launch/follows-the-application", follows_the_application);
	g_test_add_func("/domain-launch/keeps-to-the-configured-roots", keeps_to_the_configured_roots);
	g_test_add_func("/domain-launch/refuses-unsound-images", refuses_unsound_images);
	g_test_add_func("/domain-launch/takes-back-what-it-put-there", takes_back_what_it_put_there);
	g_test_add_func("/domain-launch/leaves-a-changed-file-at-release", leaves_a_changed_file_at_release);
	g_test_add_func("/domain-launch/leaves-another-directory-at-release", leaves_another_directory_at_release);
	g_test_add_func("/domain-launch/makes-and-removes-a-share-disk", makes_and_removes_a_share_disk);
	g_test_add_func("/domain-launch/says-what-the-launch-is", says_what_the_launch_is);
	g_test_add_func("/domain-launch/minds-the-version-of-qemu", minds_the_version_of_qemu);
	return g_test_run();
}
