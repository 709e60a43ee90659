/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "launch/domain.h"

#include <string.h>

#include "dstack/error.h"
#include "support/launch-fixture.h"

#define IMAGE "<dstack:image>dstack-0.6.0</dstack:image>"

/* a change to the fixture's domain, and what it makes of it */
typedef struct {
	const gchar *from, *to;
	gint code;	      /* an error, or -1 */
	const gchar *message; /* in the error */
} Refusal;

static const Refusal refusals[] = {
    /* our metadata: nothing unknown, nothing twice */
    {IMAGE, IMAGE IMAGE, DSTACK_ERROR_MALFORMED, "twice"},
    {IMAGE, "", DSTACK_ERROR_MALFORMED, "expected an <image>"},
    {IMAGE, "<dstack:imgae>x</dstack:imgae>", DSTACK_ERROR_MALFORMED, "unknown element <imgae>"},
    {IMAGE, IMAGE "<tee>tdx</tee>", DSTACK_ERROR_MALFORMED, "own namespace"},
    {IMAGE, IMAGE "words", DSTACK_ERROR_MALFORMED, "own namespace"},
    {IMAGE, "<dstack:image x='1'>dstack-0.6.0</dstack:image>", DSTACK_ERROR_MALFORMED, "unknown attribute 'x'"},
    {IMAGE, "<dstack:image dstack:x='1'>dstack-0.6.0</dstack:image>", DSTACK_ERROR_MALFORMED, "unknown attribute 'x'"},
    {IMAGE, "<dstack:image>dstack<b/>-0.6.0</dstack:image>", DSTACK_ERROR_MALFORMED, "unexpected content"},
    {IMAGE, "<dstack:image>../etc</dstack:image>", DSTACK_ERROR_MALFORMED, "'../etc'"},
    {IMAGE, IMAGE "<dstack:tee>sgx</dstack:tee>", DSTACK_ERROR_MALFORMED, "'sgx'"},
    {IMAGE, IMAGE "<dstack:attestation/>", DSTACK_ERROR_MALFORMED, "lite, auto or legacy"},
    {IMAGE, IMAGE "<dstack:attestation variant='Lite'/>", DSTACK_ERROR_MALFORMED, "'Lite'"},
    {IMAGE, IMAGE "<dstack:attestation varaint='auto'/>", DSTACK_ERROR_MALFORMED, "unknown attribute 'varaint'"},
    {IMAGE, IMAGE "<dstack:share dir='shared'/>", DSTACK_ERROR_MALFORMED, "absolute path"},
    {IMAGE, IMAGE "<dstack:volumes count='-1'/>", DSTACK_ERROR_MALFORMED, "'-1'"},
    {IMAGE, IMAGE "<dstack:volumes/>", DSTACK_ERROR_MALFORMED, "0 to 255"},
    {IMAGE, IMAGE "<dstack:mrConfig> </dstack:mrConfig>", DSTACK_ERROR_MALFORMED, "JSON document"},
    {"<dstack:cvm ", "<dstack:cvm mode='x' ", DSTACK_ERROR_MALFORMED, "unknown attribute 'mode'"},
    {"dstack:cvm", "dstack:vm", DSTACK_ERROR_MALFORMED, "expected <cvm>"},
    /* memory: what QEMU gets, and nothing that changes later */
    {"<memory unit='KiB'>2097152</memory>", "", DSTACK_ERROR_MALFORMED, "expected a <memory>"},
    {"<memory unit='KiB'>2097152<", "<memory unit='KiB'>0<", DSTACK_ERROR_MALFORMED, "more than 0"},
    {"<memory unit='KiB'>2097152<", "<memory unit='KiB'>-1<", DSTACK_ERROR_MALFORMED, "whole number"},
    {"<memory unit='KiB'>2097152<", "<memory unit='KiB'>2e6<", DSTACK_ERROR_MALFORMED, "whole number"},
    {"<memory unit='KiB'>2097152<", "<memory unit='QiB'>2<", DSTACK_ERROR_MALFORMED, "unknown unit"},
    {"<memory unit='KiB'>2097152<", "<memory unit='EiB'>16<", DSTACK_ERROR_MALFORMED, "64 bits"},
    {"<memory unit='KiB'>2097152<", "<memory unit='KiB'>2097153<", DSTACK_ERROR_REFUSED, "whole MiB"},
    {"<currentMemory unit='KiB'>2097152<", "<currentMemory unit='KiB'>1048576<", DSTACK_ERROR_REFUSED, "currentMemory"},
    {"<vcpu placement", "<maxMemory slots='16' unit='KiB'>4194304</maxMemory><vcpu placement", DSTACK_ERROR_REFUSED,
     "maxMemory"},
    {"<devices>", "<devices><memory model='dimm'><target><size>1</size></target></memory>", DSTACK_ERROR_REFUSED,
     "devices/memory"},
    {"migratable='off'><", "migratable='off'><numa><cell cpus='0-1'/></numa><", DSTACK_ERROR_MALFORMED, "cell"},
    {"migratable='off'><", "migratable='off'><numa><cell memory='524800'/><cell memory='1572352'/></numa><",
     DSTACK_ERROR_REFUSED, "whole MiB"},
    /* processors */
    {"'static'>2<", "'static' current='1'>2<", DSTACK_ERROR_REFUSED, "current='1'"},
    {"'static'>2<", "'static'>0<", DSTACK_ERROR_MALFORMED, "vcpu"},
    {"'static'>2<", "'static'>two<", DSTACK_ERROR_MALFORMED, "vcpu"},
    /* devices */
    {"<model type='virtio'/>", "<model type='e1000e'/>", DSTACK_ERROR_REFUSED, "virtio"},
    {"<model type='virtio'/>", "", DSTACK_ERROR_REFUSED, "virtio"},
    {"<target dir='host-shared'/>", "<target dir='host-shared'/><driver type='virtiofs'/>", DSTACK_ERROR_REFUSED,
     "virtiofs"},
    {"<devices>", "<devices><hostdev mode='subsystem' type='pci'/>", DSTACK_ERROR_MALFORMED, "address"},
    {"<devices>",
     "<devices><hostdev mode='subsystem' type='pci'><source><address bus='0x100' slot='0' function='0'/></source>"
     "</hostdev>",
     DSTACK_ERROR_MALFORMED, "'0x100'"},
    /* launch security */
    {"<launchSecurity type='tdx'>", "<launchSecurity>", DSTACK_ERROR_MALFORMED, "no type"},
    {"0x10000000", "many", DSTACK_ERROR_MALFORMED, "policy"},
    {"<quoteGen", "<mrConfigId>AAAA</mrConfigId><quoteGen", DSTACK_ERROR_MALFORMED, "48 bytes"},
    {"<quoteGen", "<mrConfigId>%%%</mrConfigId><quoteGen", DSTACK_ERROR_MALFORMED, "mrConfigId"},
    {"</domain>", "<launchSecurity type='tdx'/></domain>", DSTACK_ERROR_MALFORMED, "more"},
    /* the document */
    {"<domain ", "<!DOCTYPE domain><domain ", DSTACK_ERROR_MALFORMED, "document type"},
    {"<name>guest</name>", "", DSTACK_ERROR_MALFORMED, "<name>"},
    {DSTACK_FIXTURE_UUID, "../../etc/passwd", DSTACK_ERROR_MALFORMED, "<uuid>"},
    {"</kernel>", "</kernel><kernel>/other</kernel>", DSTACK_ERROR_MALFORMED, "more"},
};

/* the same for <qemu:commandline> arguments */
static const Refusal arguments[] = {
    {"-kernel", "/boot/other", DSTACK_ERROR_REFUSED, "-kernel"},
    {"--initrd", "/boot/other", DSTACK_ERROR_REFUSED, "-initrd"},
    {"-append", "x", DSTACK_ERROR_REFUSED, "-append"},
    {"-m", "4G", DSTACK_ERROR_REFUSED, "-m"},
    {"-drive", "if=pflash,file=/x", DSTACK_ERROR_REFUSED, "pflash"},
    {"-machine", "q35,kernel=/x", DSTACK_ERROR_REFUSED, "kernel=/x"},
    {"-machine", "kernel-irqchip=split,confidential-guest-support=tdx0", -1, NULL},
    {"-object", "tdx-guest,id=tdx0,debug=on", DSTACK_ERROR_REFUSED, "debug"},
    {"-object", "tdx-guest,id=tdx0", -1, NULL},
    {"-object", "tdx-guest,id=tdx0,debug=yes", DSTACK_ERROR_REFUSED, "debug"},
    {"-object", "{&quot;qom-type&quot;:&quot;tdx-guest&quot;,&quot;debug&quot;:true}", DSTACK_ERROR_REFUSED, "JSON"},
    {"-object", "sev-snp-guest,id=s,kernel-hashes=on,policy=0x30000", -1, NULL},
    {"-object", "sev-snp-guest,id=s,kernel-hashes=on,policy=0xb0000", DSTACK_ERROR_REFUSED, "debug"},
    {"-object", "sev-snp-guest,id=s,kernel-hashes=on,policy=720896", DSTACK_ERROR_REFUSED, "debug"},
    {"-object", "sev-snp-guest,id=s,policy=0x30000", DSTACK_ERROR_REFUSED, "kernel-hashes"},
    {"-bios", "/x", -1, NULL},
    {"-readconfig", "/x", DSTACK_ERROR_REFUSED, "-readconfig"},
};

static DstackDomain *
parse(const DstackLaunchFixture *fixture, const gchar *from, const gchar *to, GError **error)
{
	g_autofree gchar *xml = dstack_launch_fixture_domain(fixture, from, to);

	return dstack_domain_parse(xml, strlen(xml), fixture->sysfs, error);
}

static void
reads_the_whole_domain(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};
	g_autoptr(DstackDomain) domain = NULL;
	g_autoptr(DstackLaunchRequest) request = NULL;
	g_autoptr(GError) error = NULL;

	dstack_launch_fixture_init(&fixture);
	domain = parse(&fixture, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(domain->has_metadata);
	g_assert_cmpstr(domain->uuid, ==, DSTACK_FIXTURE_UUID);
	g_assert_cmpuint(domain->memory_size, ==, G_GUINT64_CONSTANT(0x80000000));
	g_assert_cmpuint(domain->num_nics, ==, 1);
	g_assert_cmpstr(domain->smbios_product, ==, "dstack");
	g_assert_cmpstr(domain->boot.cmdline, ==, DSTACK_FIXTURE_CMDLINE);
	g_assert_cmpint(domain->security.tee, ==, DSTACK_LAUNCH_TEE_TDX);
	g_assert_true(domain->security.has_quote_service);
	g_assert_cmpstr(domain->share_dir, ==, fixture.share);
	request = dstack_domain_to_request(domain, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(request->image, ==, "dstack-0.6.0");
	g_assert_cmpstr(request->qemu_path, ==, fixture.emulator);
	g_assert_cmpuint(request->cpu_count, ==, 2);
}

static void
assert_outcome(const DstackDomain *domain, const GError *error, const Refusal *expected)
{
	g_test_message("%s -> %s: %s", expected->from, expected->to, error != NULL ? error->message : "accepted");
	if (expected->code < 0) {
		g_assert_no_error(error);
		g_assert_nonnull(domain);
		return;
	}
	g_assert_null(domain);
	g_assert_error(error, DSTACK_ERROR, expected->code);
	g_assert_nonnull(strstr(error->message, expected->message));
}

static void
refuses_what_it_does_not_know(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};

	dstack_launch_fixture_init(&fixture);
	for (guint i = 0; i < G_N_ELEMENTS(refusals); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackDomain) domain = parse(&fixture, refusals[i].from, refusals[i].to, &error);

		assert_outcome(domain, error, &refusals[i]);
	}
}

static void
refuses_arguments_behind_libvirts_back(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};

	dstack_launch_fixture_init(&fixture);
	for (guint i = 0; i < G_N_ELEMENTS(arguments); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree gchar *line =
		    g_strdup_printf("<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
				    "<qemu:arg value='%s'/><qemu:arg value='%s'/></qemu:commandline></domain>",
				    arguments[i].from, arguments[i].to);
		g_autoptr(DstackDomain) domain = parse(&fixture, "</domain>", line, &error);

		assert_outcome(domain, error, &arguments[i]);
	}
}

/* one fact of the domain after a change to it */
#define ASSERT_FACT(from, to, field, value)                                                                            \
	G_STMT_START                                                                                                   \
	{                                                                                                              \
		g_autoptr(DstackDomain) d_ = parse(&fixture, from, to, NULL);                                          \
		g_assert_nonnull(d_);                                                                                  \
		g_assert_cmpuint(d_->field, ==, value);                                                                \
	}                                                                                                              \
	G_STMT_END

#define HOSTDEV(bus)                                                                                                   \
	"<hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='" bus                              \
	"' slot='0x00' function='0x0'/></source></hostdev>"
#define COMMANDLINE(args)                                                                                              \
	"<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>" args "</qemu:commandline></"      \
	"domain>"

static void
counts_what_vm_config_counts(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};

	dstack_launch_fixture_init(&fixture);
	ASSERT_FACT("<memory unit='KiB'>2097152<", "<memory>2097152<", memory_size, G_GUINT64_CONSTANT(0x80000000));
	ASSERT_FACT("<memory unit='KiB'>2097152<", "<memory unit='g'>2<", memory_size, G_GUINT64_CONSTANT(0x80000000));
	ASSERT_FACT("<memory unit='KiB'>2097152<", "<memory unit='bytes'>2147483648<", memory_size,
		    G_GUINT64_CONSTANT(0x80000000));
	ASSERT_FACT(
	    "migratable='off'><",
	    "migratable='off'><numa><cell cpus='0' memory='1' unit='GiB'/><cell cpus='1' memory='1048576'/></numa><",
	    memory_size, G_GUINT64_CONSTANT(0x80000000));
	ASSERT_FACT("<os>", "<memoryBacking><hugepages/></memoryBacking><os>", hugepages, TRUE);
	ASSERT_FACT("<interface type='bridge'><source bridge='virbr0'/><model type='virtio'/></interface>", "",
		    num_nics, 0);
	ASSERT_FACT("<devices>", "<devices><interface type='hostdev'/>", num_nics, 2);
	ASSERT_FACT("<devices>", "<devices>" HOSTDEV("0x18") HOSTDEV("42"), num_gpus, 2);
	ASSERT_FACT("<devices>", "<devices>" HOSTDEV("0x99"), num_gpus, 1);
	ASSERT_FACT("<devices>", "<devices>" HOSTDEV("0x99"), warnings->len, 1);
	ASSERT_FACT("<devices>", "<devices><tpm model='tpm-crb'><backend type='emulator'/></tpm>", swtpm, TRUE);
	ASSERT_FACT("<devices>", "<devices><tpm model='tpm-crb'><backend type='passthrough'/></tpm>", swtpm, FALSE);
	ASSERT_FACT("model='pcie-root'/>", "model='pcie-root'><pcihole64 unit='GiB'>64</pcihole64></controller>",
		    pci_hole64_size, G_GUINT64_CONSTANT(64) << 30);
	ASSERT_FACT("</domain>",
		    COMMANDLINE("<qemu:arg value='-global'/>"
				"<qemu:arg value='ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off'/>"),
		    hotplug_off, TRUE);
	ASSERT_FACT("<os>", "<features><pci><acpi-bridge-hotplug state='off'/></pci></features><os>", hotplug_off,
		    TRUE);
	ASSERT_FACT(IMAGE, IMAGE "<dstack:volumes count='3'/>", metadata.num_verity_volumes, 3);
	ASSERT_FACT(IMAGE, IMAGE "<dstack:attestation variant='auto'/>", metadata.policy, DSTACK_POLICY_AUTO);
	ASSERT_FACT(IMAGE, IMAGE "<x:note xmlns:x='urn:x'>not ours</x:note><!-- nor this -->", has_metadata, TRUE);
	ASSERT_FACT("<launchSecurity type='tdx'>", "<launchSecurity><tdx/>", security.tee, DSTACK_LAUNCH_TEE_TDX);
}

static void
tells_nvswitches_from_gpus(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};

	dstack_launch_fixture_init(&fixture);
	dstack_launch_fixture_write(&fixture, "sys/bus/pci/devices/0000:18:00.0/class", "0x068000\n");
	ASSERT_FACT("<devices>", "<devices>" HOSTDEV("0x18"), num_nvswitches, 1);
	dstack_launch_fixture_write(&fixture, "sys/bus/pci/devices/0000:18:00.0/vendor", "0x8086\n");
	ASSERT_FACT("<devices>", "<devices>" HOSTDEV("0x18"), num_nvswitches, 0);
	ASSERT_FACT("<devices>", "<devices>" HOSTDEV("0x18"), num_gpus, 0);
	dstack_launch_fixture_write(&fixture, "sys/bus/pci/devices/0000:18:00.0/class", "0x030000\n");
	ASSERT_FACT("<devices>", "<devices>" HOSTDEV("0x18"), num_gpus, 1);
}

static void
finds_the_tee(void)
{
	static const struct {
		const gchar *security, *metadata;
		gint outcome; /* a TEE, or -1 - code */
	} cases[] = {
	    {"tdx", NULL, DSTACK_LAUNCH_TEE_TDX},     {"sev-snp", NULL, DSTACK_LAUNCH_TEE_SNP},
	    {NULL, "tdx", DSTACK_LAUNCH_TEE_TDX},     {NULL, "snp", DSTACK_LAUNCH_TEE_SNP},
	    {"tdx", "tdx", DSTACK_LAUNCH_TEE_TDX},    {"tdx", "snp", -1 - DSTACK_ERROR_REFUSED},
	    {"sev", NULL, -1 - DSTACK_ERROR_REFUSED}, {"sev", "snp", -1 - DSTACK_ERROR_REFUSED},
	    {NULL, NULL, -1 - DSTACK_ERROR_REFUSED},
	};
	g_auto(DstackLaunchFixture) fixture = {0};

	dstack_launch_fixture_init(&fixture);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree gchar *xml = g_strdup_printf(
		    "<domain><name>n</name><uuid>" DSTACK_FIXTURE_UUID "</uuid><metadata>"
		    "<cvm xmlns='" DSTACK_DOMAIN_NAMESPACE "'><image>i</image>%s%s%s</cvm></metadata>"
		    "<memory>1048576</memory><vcpu>1</vcpu><devices/>%s%s%s</domain>",
		    cases[i].metadata != NULL ? "<tee>" : "", cases[i].metadata != NULL ? cases[i].metadata : "",
		    cases[i].metadata != NULL ? "</tee>" : "",
		    cases[i].security != NULL ? "<launchSecurity type='" : "",
		    cases[i].security != NULL ? cases[i].security : "", cases[i].security != NULL ? "'/>" : "");
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackDomain) domain = dstack_domain_parse(xml, strlen(xml), fixture.sysfs, &error);
		DstackLaunchTee tee = DSTACK_LAUNCH_TEE_UNSET;
		gboolean ok;

		g_assert_no_error(error);
		ok = dstack_domain_get_tee(domain, &tee, &error);
		g_assert_cmpint(ok, ==, cases[i].outcome >= 0);
		if (ok)
			g_assert_cmpint(tee, ==, cases[i].outcome);
		else
			g_assert_error(error, DSTACK_ERROR, -1 - cases[i].outcome);
	}
}

/* a foreign domain may be as odd as it likes */
static void
reads_nothing_of_a_foreign_domain(void)
{
	static const gchar xml[] = "<domain><name>n</name><uuid>" DSTACK_FIXTURE_UUID "</uuid><metadata>"
				   "<x xmlns='urn:other'/></metadata><memory>no number</memory></domain>";
	g_autoptr(GError) error = NULL;
	g_autoptr(DstackDomain) domain = dstack_domain_parse(xml, strlen(xml), "/nonexistent", &error);

	g_assert_no_error(error);
	g_assert_false(domain->has_metadata);
	g_assert_false(dstack_domain_mentions_us(xml, strlen(xml)));
}

/* cut anywhere or flipped anywhere it is an error or a domain, never a crash */
static void
survives_truncation_and_flips(void)
{
	g_auto(DstackLaunchFixture) fixture = {0};
	g_autofree gchar *xml = NULL;
	gsize size;

	dstack_launch_fixture_init(&fixture);
	xml = dstack_launch_fixture_domain(&fixture, NULL, NULL);
	size = strlen(xml);
	for (gsize i = 0; i < size; i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DstackDomain) cut = dstack_domain_parse(xml, i, fixture.sysfs, &error);
		g_autoptr(DstackDomain) flipped = NULL;

		/* the last byte is a line break */
		g_assert_true(cut == NULL || i + 1 == size);
		xml[i] ^= (gchar)(1 << (i % 7));
		flipped = dstack_domain_parse(xml, size, fixture.sysfs, NULL);
		xml[i] ^= (gchar)(1 << (i % 7));
		if (flipped != NULL)
			g_assert_nonnull(flipped->uuid);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/domain/reads-the-whole-domain", reads_the_whole_domain);
	g_test_add_func("/domain/refuses-what-it-does-not-know", refuses_what_it_does_not_know);
	g_test_add_func("/domain/refuses-arguments-behind-libvirts-back", refuses_arguments_behind_libvirts_back);
	g_test_add_func("/domain/counts-what-vm-config-counts", counts_what_vm_config_counts);
	g_test_add_func("/domain/tells-nvswitches-from-gpus", tells_nvswitches_from_gpus);
	g_test_add_func("/domain/finds-the-tee", finds_the_tee);
	g_test_add_func("/domain/reads-nothing-of-a-foreign-domain", reads_nothing_of_a_foreign_domain);
	g_test_add_func("/domain/survives-truncation-and-flips", survives_truncation_and_flips);
	return g_test_run();
}
