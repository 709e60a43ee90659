/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * <qemu:commandline>: arguments that libvirt hands to QEMU unread. Those that change what is measured are
 * taken into account or refused; libvirt.md, "Launch consistency" (also -bios).
 */
#include "config.h"

#include <string.h>

#include "base/error.h"
#include "launch/domain-parts.h"
#include "launch/xml.h"

#define QEMU_NAMESPACE	 "http://libvirt.org/schemas/domain/qemu/1.0"
#define SNP_POLICY_DEBUG 0x80000
#define HOTPLUG_OFF	 "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"

/* arguments that say over again what the domain says elsewhere */
static const struct {
	const gchar *name;
	const gchar *element;
} refused_arguments[] = {
    {"kernel", "<os><kernel>"}, {"initrd", "<os><initrd>"}, {"append", "<os><cmdline>"},
    {"shim", "<os><kernel>"},	{"m", "<memory>"},	    {"smp", "<vcpu>"},
    {"cpu", "<cpu>"},		{"pflash", "<os><loader>"}, {"readconfig", "the domain's own elements"},
};

static gboolean
ensure_allowed(const gchar *name, GError **error)
{
	for (guint i = 0; i < G_N_ELEMENTS(refused_arguments); i++) {
		if (g_str_equal(name, refused_arguments[i].name))
			return dstack_throw(
			    error, DSTACK_ERROR_REFUSED,
			    "qemu:commandline: -%s changes what is measured behind libvirt's back; use %s", name,
			    refused_arguments[i].element);
	}
	return TRUE;
}

static gboolean
is_on(const gchar *value)
{
	static const gchar *const words[] = {"on", "yes", "true", "y", NULL};

	return g_strv_contains(words, value);
}

/* as QEMU reads the number: 0x hexadecimal, 0 octal; what cannot be read counts as set */
static gboolean
snp_policy_has_debug(const gchar *value)
{
	gchar *end = NULL;
	guint64 policy = g_ascii_strtoull(value, &end, 0);

	return end == value || *end != '\0' || (policy & SNP_POLICY_DEBUG) != 0;
}

/* the last of equal properties counts for QEMU; debug is refused wherever it stands */
static gboolean
read_tee_properties(const gchar *value, gboolean is_snp, GError **error)
{
	g_auto(GStrv) properties = g_strsplit(value, ",", -1);
	gboolean kernel_hashes = FALSE;

	for (guint i = 0; properties[i] != NULL; i++) {
		gchar **pair = g_strsplit(properties[i], "=", 2);
		const gchar *name = pair[0] != NULL ? pair[0] : "";
		const gchar *text = pair[0] != NULL && pair[1] != NULL ? pair[1] : "on";
		gboolean debug = (g_str_equal(name, "debug") && is_on(text)) ||
				 (is_snp && g_str_equal(name, "policy") && snp_policy_has_debug(text));

		if (g_str_equal(name, "kernel-hashes"))
			kernel_hashes = is_on(text);
		g_strfreev(pair);
		if (debug)
			return dstack_throw(error, DSTACK_ERROR_REFUSED,
					    "qemu:commandline: -object %s: a debug guest is never attested", value);
	}
	if (is_snp && !kernel_hashes)
		return dstack_throw(
		    error, DSTACK_ERROR_REFUSED,
		    "qemu:commandline: -object %s: expected kernel-hashes=on, or nothing covers kernel, "
		    "initrd and command line",
		    value);
	return TRUE;
}

/* a TEE that this libvirt cannot express comes as an object; only what refuses a launch is read from it */
static gboolean
read_object(const gchar *value, GError **error)
{
	gboolean is_tdx = g_str_has_prefix(value, "tdx-guest") || g_str_has_prefix(value, "qom-type=tdx-guest");
	gboolean is_snp = g_str_has_prefix(value, "sev-snp-guest") || g_str_has_prefix(value, "qom-type=sev-snp-guest");

	if (*value == '{' && (strstr(value, "tdx-guest") != NULL || strstr(value, "sev-snp-guest") != NULL))
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "qemu:commandline: -object: expected the TEE as type,name=value, found JSON");
	return (!is_tdx && !is_snp) || read_tee_properties(value, is_snp, error);
}

/* -machine also names the TEE's object, so only the properties that name what is measured are refused */
static gboolean
read_machine(const gchar *value, GError **error)
{
	static const gchar *const refused[] = {
	    "kernel=", "initrd=", "append=", "firmware=", "smp.", "memory.", "pflash"};
	g_auto(GStrv) properties = g_strsplit(value, ",", -1);

	for (guint i = 0; properties[i] != NULL; i++) {
		for (guint j = 0; j < G_N_ELEMENTS(refused); j++) {
			if (g_str_has_prefix(properties[i], refused[j]))
				return dstack_throw(error, DSTACK_ERROR_REFUSED,
						    "qemu:commandline: -machine %s changes what is measured behind "
						    "libvirt's back; use the domain's own elements",
						    properties[i]);
		}
	}
	return TRUE;
}

static gboolean
read_argument(DstackDomain *self, const gchar *name, const gchar *value, GError **error)
{
	if (!ensure_allowed(name, error))
		return FALSE;
	if (g_str_equal(name, "global") && g_strcmp0(value, HOTPLUG_OFF) == 0)
		self->hotplug_off = TRUE;
	if (g_str_equal(name, "object") && value != NULL)
		return read_object(value, error);
	if ((g_str_equal(name, "machine") || g_str_equal(name, "M")) && value != NULL)
		return read_machine(value, error);
	if (g_str_equal(name, "drive") && value != NULL && strstr(value, "if=pflash") != NULL)
		return ensure_allowed("pflash", error);
	if (!g_str_equal(name, "bios"))
		return TRUE;
	if (self->boot.bios != NULL || value == NULL)
		return dstack_throw(error, DSTACK_ERROR_REFUSED, "qemu:commandline: expected one -bios with a path");
	self->boot.bios = g_strdup(value);
	return TRUE;
}

/* -name and --name are the same to QEMU; a value never starts with a dash here */
static const gchar *
peek_name(const gchar *argument)
{
	if (*argument != '-')
		return NULL;
	argument++;
	return *argument == '-' ? argument + 1 : argument;
}

gboolean
dstack_domain_read_qemu_arguments(DstackDomain *self, xmlNode *root, GError **error)
{
	xmlNode *line = dstack_xml_first(root, QEMU_NAMESPACE, "commandline");
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);

	for (xmlNode *arg = dstack_xml_first(line, QEMU_NAMESPACE, "arg"); arg != NULL;
	     arg = dstack_xml_next(arg, QEMU_NAMESPACE, "arg")) {
		gchar *value = dstack_xml_dup_attribute(arg, "value");

		g_ptr_array_add(arguments, value != NULL ? value : g_strdup(""));
	}
	for (guint i = 0; i < arguments->len; i++) {
		const gchar *name = peek_name(g_ptr_array_index(arguments, i));
		const gchar *value = i + 1 < arguments->len ? g_ptr_array_index(arguments, i + 1) : NULL;

		if (name != NULL && !read_argument(self, name, value, error))
			return FALSE;
	}
	return TRUE;
}
