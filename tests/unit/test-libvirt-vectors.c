/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include <string.h>

#include "dstack/error.h"
#include "launch/domain-launch.h"
#include "support/launch-fixture.h"
#include "support/vectors.h"

#define LITE	(-1)
#define SNP	(-2)
#define FOREIGN (-3)
/* not a vector's verdict: it only must not crash, and any error must be one of ours */
#define ANY (-4)

/* what vectors/libvirt/INDEX.md says of each file of domains/ */
static const struct {
	const gchar *name;
	gint outcome;
	const gchar *words; /* in the error or in a warning */
} domains[] = {
    {"dstack-metadata-without-launchsecurity", DSTACK_ERROR_REFUSED, "launchSecurity"},
    {"plain-kvm-foreign-metadata", FOREIGN, NULL},
    {"snp-2560M", SNP, NULL},
    {"snp-debug-policy", DSTACK_ERROR_REFUSED, "debug"},
    {"snp-no-kernelhashes", DSTACK_ERROR_REFUSED, "kernelHashes"},
    {"tdx-2gpu-hugepages-numa", LITE, NULL},
    {"tdx-debug-policy", DSTACK_ERROR_REFUSED, "debug"},
    {"tdx-mem-16384M", LITE, NULL},
    {"tdx-mem-2048M", LITE, NULL},
    {"tdx-mem-2560M", DSTACK_ERROR_REFUSED, "memory"},
    {"tdx-mem-2816M-0xB0000000", LITE, NULL},
    {"tdx-mem-3072M", LITE, NULL},
    {"tdx-metadata-default-namespace", LITE, NULL},
    {"tdx-nics-0", LITE, NULL},
    {"tdx-no-qgs", LITE, "quote"},
    {"tdx-old-machine-type", LITE, "machine"},
    {"tdx-qgs-no-path", LITE, NULL},
    {"tdx-vcpu-current-lt-max", DSTACK_ERROR_REFUSED, "current"},
};

/* hostile ones: an error but where what they do is legal */
static const struct {
	const gchar *name;
	gint outcome;
} hostile[] = {
    {"deep-nesting", DSTACK_ERROR_MALFORMED},
    {"doctype-external-entity", DSTACK_ERROR_MALFORMED},
    {"image-00", DSTACK_ERROR_MALFORMED},
    {"image-02", DSTACK_ERROR_MALFORMED},
    {"image-04", DSTACK_ERROR_MALFORMED},
    {"image-06", DSTACK_ERROR_MALFORMED},
    {"image-element-twice", DSTACK_ERROR_MALFORMED},
    {"launchsecurity-no-type", DSTACK_ERROR_MALFORMED},
    {"memory-01", DSTACK_ERROR_MALFORMED},
    {"memory-03", DSTACK_ERROR_MALFORMED},
    {"memory-05", DSTACK_ERROR_REFUSED},
    {"memory-07", DSTACK_ERROR_MALFORMED},
    {"memory-unit-G", LITE}, /* two of them, which is what currentMemory says */
    {"memory-unit-KB", DSTACK_ERROR_REFUSED},
    {"memory-unit-MB", DSTACK_ERROR_REFUSED},
    {"memory-unit-TB", DSTACK_ERROR_REFUSED},
    {"memory-unit-bogus", DSTACK_ERROR_MALFORMED},
    {"memory-unit-k", DSTACK_ERROR_REFUSED},
    {"name-01", LITE},
    {"name-03", LITE},
    {"name-05", LITE},
    {"name-07", LITE},
    {"name-09", LITE},
    {"nul-byte", DSTACK_ERROR_MALFORMED},
    {"two-launchsecurity", DSTACK_ERROR_MALFORMED},
};

static void
replace(gchar **text, const gchar *from, const gchar *to)
{
	g_auto(GStrv) parts = g_strsplit(*text, from, -1);

	g_free(*text);
	*text = g_strjoinv(to, parts);
}

/* the image's files at the paths that the XML names: the paths are moved into the fixture */
static gchar *
place_domain(const DstackLaunchFixture *fixture, const gchar *text)
{
	g_autofree gchar *xml = g_strdup(text);

	replace(&xml, "/var/lib/dstack/images", fixture->images);
	replace(&xml, "/var/lib/dstack/vms/shared", fixture->share);
	replace(&xml, "/usr/bin/qemu-system-x86_64", fixture->emulator);
	return g_steal_pointer(&xml);
}

static gboolean
warns_of(const DstackLaunchResult *result, const gchar *words)
{
	for (guint i = 0; result->warnings[i] != NULL; i++) {
		if (strstr(result->warnings[i], words) != NULL)
			return TRUE;
	}
	return FALSE;
}

static void
assert_launch(const DstackDomain *domain, const DstackLaunchFixture *fixture, gint outcome, const gchar *words)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackLaunchResult) result = dstack_domain_launch_prepare(domain, &fixture->env, &error);

	g_test_message("  %s", result != NULL ? result->reason : error->message);
	if (outcome >= 0) {
		g_assert_error(error, DSTACK_ERROR, outcome);
		if (words != NULL)
			g_assert_nonnull(strstr(error->message, words));
		return;
	}
	g_assert_no_error(error);
	g_assert_cmpstr(result->variant, ==, outcome == LITE ? "lite" : NULL);
	if (words != NULL)
		g_assert_true(warns_of(result, words));
}

static void
check_vector(const DstackLaunchFixture *fixture, const gchar *name, gint outcome, const gchar *words)
{
	g_autoptr(GBytes) bytes = dstack_test_vector_read(name);
	gboolean has_nul = memchr(g_bytes_get_data(bytes, NULL), '\0', g_bytes_get_size(bytes)) != NULL;
	g_autofree gchar *text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	g_autofree gchar *xml = has_nul ? NULL : place_domain(fixture, text);
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackDomain) domain = has_nul ? dstack_domain_parse(g_bytes_get_data(bytes, NULL),
								       g_bytes_get_size(bytes), fixture->sysfs, &error)
						 : dstack_domain_parse(xml, strlen(xml), fixture->sysfs, &error);

	g_test_message("%s: %s", name, error != NULL ? error->message : "parsed");
	if (domain == NULL) {
		g_assert_cmpint(error->domain, ==, DSTACK_ERROR);
		g_assert_true(outcome == ANY || error->code == outcome);
		g_assert_true(words == NULL || strstr(error->message, words) != NULL);
		return;
	}
	if (outcome == ANY)
		return;
	g_assert_cmpint(domain->has_metadata, ==, outcome != FOREIGN);
	if (outcome != FOREIGN)
		assert_launch(domain, fixture, outcome, words);
}

/* an emulator of 10.1, as the domains' machine types say */
static void
init_host(DstackLaunchFixture *fixture)
{
	dstack_launch_fixture_init(fixture);
	dstack_launch_fixture_set_qemu(fixture, "10.1.0");
}

static void
gives_each_domain_its_verdict(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};
	g_autoptr(GPtrArray) names = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	init_host(&fixture);
	names = dstack_test_vector_list("libvirt/domains");
	g_assert_cmpuint(names->len, ==, G_N_ELEMENTS(domains));
	for (guint i = 0; i < G_N_ELEMENTS(domains); i++) {
		g_autofree gchar *name = g_strdup_printf("libvirt/domains/%s.xml", domains[i].name);

		check_vector(&fixture, name, domains[i].outcome, domains[i].words);
	}
}

static void
withstands_hostile_domains(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};
	g_autoptr(GPtrArray) names = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	init_host(&fixture);
	names = dstack_test_vector_list("libvirt/domains/hostile");
	g_assert_cmpuint(names->len, ==, G_N_ELEMENTS(hostile));
	for (guint i = 0; i < G_N_ELEMENTS(hostile); i++) {
		g_autofree gchar *name = g_strdup_printf("libvirt/domains/hostile/%s.xml", hostile[i].name);

		check_vector(&fixture, name, hostile[i].outcome, NULL);
	}
}

/* with our metadata put into it, a domain of somebody else's is read in full */
static void
check_adopted(const DstackLaunchFixture *fixture, const gchar *name)
{
	g_autofree gchar *text = dstack_test_vector_read_text(name);
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackDomain) domain = NULL;

	replace(&text, "</uuid>",
		"</uuid><metadata><cvm xmlns='" DSTACK_DOMAIN_NAMESPACE
		"'><image>dstack-0.6.0</image></cvm></metadata>");
	domain = dstack_domain_parse(text, strlen(text), fixture->sysfs, &error);
	g_test_message("%s: %s", name, error != NULL ? error->message : "read");
	g_assert_true(domain != NULL || error->domain == DSTACK_ERROR);
}

static void
leaves_other_domains_alone(void)
{
	static const gchar *const folders[] = {"libvirt/captured-libvirt-9.0.0", "libvirt/libvirt", "libvirt/kubevirt"};
	g_auto(DstackLaunchFixture) fixture = {0};
	guint n = 0;

	if (dstack_test_vectors_dir() == NULL)
		return;
	init_host(&fixture);
	for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autoptr(GPtrArray) names = dstack_test_vector_list(folders[i]);

		for (guint j = 0; j < names->len; j++) {
			const gchar *name = g_ptr_array_index(names, j);
			/* capabilities are no domains, and KubeVirt's template is no complete one */
			gboolean is_domain =
			    strstr(name, "domcapabilities") == NULL && strstr(name, "kubevirt/") == NULL;

			if (!g_str_has_suffix(name, ".xml"))
				continue;
			check_vector(&fixture, name, is_domain ? FOREIGN : ANY, NULL);
			check_adopted(&fixture, name);
			n++;
		}
	}
	g_assert_cmpuint(n, >, 25);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/libvirt-vectors/gives-each-domain-its-verdict", gives_each_domain_its_verdict);
	g_test_add_func("/libvirt-vectors/withstands-hostile-domains", withstands_hostile_domains);
	g_test_add_func("/libvirt-vectors/leaves-other-domains-alone", leaves_other_domains_alone);
	return g_test_run();
}
