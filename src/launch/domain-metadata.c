/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Our own element in a domain. libvirt.md, "Metadata": any prefix; what we do not know is an error, because
 * a typo must not weaken a launch.
 */
#include "config.h"

#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "launch/domain-parts.h"
#include "launch/xml.h"

#define VOLUMES_MAX 255

typedef gboolean (*MetadataReader)(DstackDomainMetadata *self, xmlNode *node, GError **error);

static gchar *
dup_stripped_text(const xmlNode *node)
{
	return g_strstrip(dstack_xml_dup_text(node));
}

static gboolean
read_image(DstackDomainMetadata *self, xmlNode *node, GError **error)
{
	g_autofree gchar *name = dup_stripped_text(node);

	if (!dstack_launch_image_name_is_valid(name))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "metadata: <image>: expected an image's name like dstack-0.6.0, found '%s'", name);
	self->image = g_steal_pointer(&name);
	return TRUE;
}

static gboolean
read_tee(DstackDomainMetadata *self, xmlNode *node, GError **error)
{
	g_autofree gchar *text = dup_stripped_text(node);
	const gchar *name = g_str_equal(text, "sev-snp") ? "snp" : text;

	if (dstack_launch_tee_parse(name, &self->tee, NULL))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "metadata: <tee>: expected tdx or snp, found '%s'", text);
}

static gboolean
read_attestation(DstackDomainMetadata *self, xmlNode *node, GError **error)
{
	g_autofree gchar *text = dstack_xml_dup_attribute(node, "variant");

	if (text != NULL && dstack_policy_parse(text, &self->policy, NULL))
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_MALFORMED,
			    "metadata: <attestation variant>: expected lite, auto or legacy, found '%s'",
			    text != NULL ? text : "");
}

static gboolean
read_share(DstackDomainMetadata *self, xmlNode *node, GError **error)
{
	g_autofree gchar *dir = dstack_xml_dup_attribute(node, "dir");

	if (dir == NULL || !g_path_is_absolute(dir))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "metadata: <share dir>: expected an absolute path, found '%s'",
				    dir != NULL ? dir : "");
	self->share_dir = g_steal_pointer(&dir);
	return TRUE;
}

static gboolean
read_volumes(DstackDomainMetadata *self, xmlNode *node, GError **error)
{
	g_autofree gchar *count = dstack_xml_dup_attribute(node, "count");
	guint64 number;

	if (count == NULL || !dstack_number_parse(count, "count", VOLUMES_MAX, &number, NULL))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "metadata: <volumes count>: expected 0 to %d, found '%s'", VOLUMES_MAX,
				    count != NULL ? count : "");
	self->num_verity_volumes = (guint32)number;
	return TRUE;
}

static gboolean
read_mr_config(DstackDomainMetadata *self, xmlNode *node, GError **error)
{
	g_autofree gchar *text = dup_stripped_text(node);

	if (*text == '\0' || strlen(text) > DSTACK_LIMIT_MR_CONFIG)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED,
				    "metadata: <mrConfig>: expected a JSON document of at most %" G_GSIZE_FORMAT
				    " bytes, found %" G_GSIZE_FORMAT,
				    DSTACK_LIMIT_MR_CONFIG, strlen(text));
	self->mr_config = g_steal_pointer(&text);
	return TRUE;
}

/* an element has one attribute or a text, never both */
static const struct {
	const gchar *name;
	const gchar *attribute;
	MetadataReader read;
} metadata_elements[] = {
    {"image", NULL, read_image},
    {"tee", NULL, read_tee},
    {"attestation", "variant", read_attestation},
    {"share", "dir", read_share},
    {"volumes", "count", read_volumes},
    {"mrConfig", NULL, read_mr_config},
};

static gboolean
ensure_attributes(const xmlNode *node, const gchar *known, GError **error)
{
	for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next) {
		const gchar *name = (const gchar *)attribute->name;
		gboolean is_ours =
		    attribute->ns != NULL && g_str_equal((const gchar *)attribute->ns->href, DSTACK_DOMAIN_NAMESPACE);

		if (is_ours || (attribute->ns == NULL && g_strcmp0(name, known) != 0))
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, "metadata: <%s>: unknown attribute '%s'",
					    (const gchar *)node->name, name);
	}
	return TRUE;
}

/* text is all that may stand in an element without attribute, white space all that may stand beside one */
static gboolean
ensure_content(const xmlNode *node, gboolean text_allowed, GError **error)
{
	for (const xmlNode *child = node->children; child != NULL; child = child->next) {
		gboolean is_text = child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE;

		if (child->type == XML_COMMENT_NODE || (is_text && (text_allowed || xmlIsBlankNode(child) == 1)))
			continue;
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "metadata: <%s>: unexpected content",
				    (const gchar *)node->name);
	}
	return TRUE;
}

static gboolean
read_element(DstackDomainMetadata *self, xmlNode *node, guint *seen, GError **error)
{
	for (guint i = 0; i < G_N_ELEMENTS(metadata_elements); i++) {
		const gchar *attribute = metadata_elements[i].attribute;

		if (!g_str_equal((const gchar *)node->name, metadata_elements[i].name))
			continue;
		if ((*seen & (1U << i)) != 0)
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, "metadata: <%s> stands there twice",
					    metadata_elements[i].name);
		*seen |= 1U << i;
		return ensure_attributes(node, attribute, error) && ensure_content(node, attribute == NULL, error) &&
		       metadata_elements[i].read(self, node, error);
	}
	return dstack_throw(error, DSTACK_ERROR_MALFORMED, "metadata: unknown element <%s>", (const gchar *)node->name);
}

/* a child without any namespace is a forgotten prefix; one of a foreign namespace is not ours to judge */
static gboolean
read_cvm(DstackDomainMetadata *self, xmlNode *cvm, GError **error)
{
	guint seen = 0;

	if (!ensure_attributes(cvm, NULL, error))
		return FALSE;
	for (xmlNode *node = cvm->children; node != NULL; node = node->next) {
		if (node->type == XML_COMMENT_NODE || xmlIsBlankNode(node) == 1)
			continue;
		if (node->type != XML_ELEMENT_NODE || node->ns == NULL)
			return dstack_throw(error, DSTACK_ERROR_MALFORMED,
					    "metadata: <cvm>: expected elements of its own namespace, found '%s'",
					    node->name != NULL ? (const gchar *)node->name : "text");
		if (dstack_xml_is(node, DSTACK_DOMAIN_NAMESPACE, NULL) && !read_element(self, node, &seen, error))
			return FALSE;
	}
	if (self->image == NULL)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "metadata: <cvm>: expected an <image>, found none");
	return TRUE;
}

gboolean
dstack_domain_read_metadata(DstackDomain *self, xmlNode *root, GError **error)
{
	xmlNode *metadata = dstack_xml_first(root, NULL, "metadata");

	for (xmlNode *node = dstack_xml_first(metadata, DSTACK_DOMAIN_NAMESPACE, NULL); node != NULL;
	     node = dstack_xml_next(node, DSTACK_DOMAIN_NAMESPACE, NULL)) {
		if (!dstack_xml_is(node, DSTACK_DOMAIN_NAMESPACE, "cvm"))
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, "metadata: expected <cvm>, found <%s>",
					    (const gchar *)node->name);
		if (self->has_metadata)
			return dstack_throw(error, DSTACK_ERROR_MALFORMED, "metadata: <cvm> stands there twice");
		self->has_metadata = TRUE;
		if (!read_cvm(&self->metadata, node, error))
			return FALSE;
	}
	return TRUE;
}
