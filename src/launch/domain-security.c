/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * <launchSecurity> of a domain: libvirt's form, and an older one where an element named after the TEE stands
 * inside. libvirt.md, "From domain XML to vm_config".
 */
#include "config.h"

#include <string.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/hex.h"
#include "launch/domain-parts.h"
#include "launch/xml.h"

static gboolean
parse_policy(const gchar *text, guint64 *out)
{
	gboolean is_hex = g_str_has_prefix(text, "0x") || g_str_has_prefix(text, "0X");

	return *text != '\0' &&
	       g_ascii_string_to_unsigned(is_hex ? text + 2 : text, is_hex ? 16 : 10, 0, G_MAXUINT64, out, NULL);
}

static gboolean
read_policy(DstackDomainSecurity *self, xmlNode *node, GError **error)
{
	g_autofree gchar *text = dstack_xml_dup_text_at(node, "policy");

	if (text == NULL)
		return TRUE;
	self->has_policy = parse_policy(g_strstrip(text), &self->policy);
	if (self->has_policy)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "launchSecurity/policy: expected a number, found '%s'",
			    text);
}

/* base64 of exactly that many bytes; absent leaves NULL */
static gboolean
read_blob(xmlNode *node, const gchar *name, gsize size, GBytes **out, GError **error)
{
	g_autofree gchar *text = dstack_xml_dup_text_at(node, name);
	g_autofree gchar *what = g_strconcat("launchSecurity/", name, NULL);
	g_autoptr(GBytes) bytes = NULL;

	if (text == NULL)
		return TRUE;
	bytes = dstack_base64_decode(g_strstrip(text), what, size, error);
	if (bytes == NULL)
		return FALSE;
	if (g_bytes_get_size(bytes) != size)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "%s: expected base64 of %" G_GSIZE_FORMAT " bytes, found %" G_GSIZE_FORMAT, what,
				    size, g_bytes_get_size(bytes));
	*out = g_steal_pointer(&bytes);
	return TRUE;
}

static gboolean
read_tdx(DstackDomainSecurity *self, xmlNode *node, GError **error)
{
	self->tee = DSTACK_LAUNCH_TEE_TDX;
	self->has_quote_service = dstack_xml_first(node, NULL, "quoteGenerationService") != NULL ||
				  dstack_xml_first(node, NULL, "Quote-Generation-Service") != NULL;
	return read_policy(self, node, error) &&
	       read_blob(node, "mrConfigId", sizeof(DstackSha384), &self->mr_config_id, error);
}

static gboolean
read_snp(DstackDomainSecurity *self, xmlNode *node, GError **error)
{
	self->tee = DSTACK_LAUNCH_TEE_SNP;
	self->kernel_hashes = dstack_xml_attribute_is(node, "kernelHashes", "yes");
	return read_policy(self, node, error) &&
	       read_blob(node, "hostData", sizeof(DstackSha256), &self->host_data, error);
}

/* the older form has no type but one element that is named like it */
static gboolean
find_type(xmlNode **node, gchar **out_type, GError **error)
{
	g_autofree gchar *type = dstack_xml_dup_attribute(*node, "type");

	for (xmlNode *child = dstack_xml_first(*node, NULL, NULL); type == NULL && child != NULL;
	     child = dstack_xml_next(child, NULL, NULL)) {
		if (!g_str_equal((const gchar *)child->name, "tdx") &&
		    !g_str_equal((const gchar *)child->name, "sev-snp"))
			continue;
		type = g_strdup((const gchar *)child->name);
		*node = child;
	}
	if (type == NULL)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "launchSecurity: expected type='tdx' or type='sev-snp', found no type");
	*out_type = g_steal_pointer(&type);
	return TRUE;
}

gboolean
dstack_domain_read_security(DstackDomain *self, xmlNode *root, GError **error)
{
	xmlNode *node = dstack_xml_first(root, NULL, "launchSecurity");
	g_autofree gchar *type = NULL;

	if (node == NULL)
		return TRUE;
	if (!find_type(&node, &type, error))
		return FALSE;
	if (g_str_equal(type, "tdx"))
		return read_tdx(&self->security, node, error);
	if (g_str_equal(type, "sev-snp"))
		return read_snp(&self->security, node, error);
	self->security.other = g_steal_pointer(&type);
	return TRUE;
}
