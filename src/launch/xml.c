/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reading domain XML. Units: libvirt's documentation of <memory>, "Domain XML format".
 */
#include "config.h"

#include "launch/xml.h"

#include <string.h>

#include <libxml/parser.h>

#include "base/error.h"
#include "base/limits.h"
#include "launch/request.h"

static xmlDoc *
throw_parse_error(xmlParserCtxt *context, const gchar *what, GError **error)
{
	const xmlError *last = xmlCtxtGetLastError(context);
	g_autofree gchar *message = g_strdup(last != NULL && last->message != NULL ? last->message : "not well-formed");

	dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: line %d: %s", what, last != NULL ? last->line : 0,
		     g_strstrip(message));
	return NULL;
}

xmlDoc *
dstack_xml_parse(const gchar *xml, gsize size, const gchar *what, GError **error)
{
	xmlParserCtxt *context;
	xmlDoc *doc;

	if (size == 0 || size > DSTACK_LIMIT_DOMAIN_XML || !g_utf8_validate_len(xml, size, NULL)) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED,
			     "%s: expected 1 to %" G_GSIZE_FORMAT " bytes of UTF-8 without NUL, found %" G_GSIZE_FORMAT
			     " bytes",
			     what, DSTACK_LIMIT_DOMAIN_XML, size);
		return NULL;
	}
	/* libvirt writes no document type; refused before the parser can act on one */
	if (g_strstr_len(xml, (gssize)size, "<!DOCTYPE") != NULL) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: a document type is not allowed", what);
		return NULL;
	}
	context = xmlNewParserCtxt();
	if (context == NULL) {
		dstack_throw(error, DSTACK_ERROR_FAILED, "%s: cannot make an XML parser", what);
		return NULL;
	}
	doc = xmlCtxtReadMemory(context, xml, (int)size, NULL, "UTF-8",
				XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	if (doc == NULL)
		throw_parse_error(context, what, error);
	xmlFreeParserCtxt(context);
	return doc;
}

gboolean
dstack_xml_is(const xmlNode *node, const gchar *namespace_uri, const gchar *name)
{
	const gchar *found = node->ns != NULL ? (const gchar *)node->ns->href : NULL;

	return node->type == XML_ELEMENT_NODE && g_strcmp0(found, namespace_uri) == 0 &&
	       (name == NULL || g_str_equal((const gchar *)node->name, name));
}

static xmlNode *
find_from(xmlNode *node, const gchar *namespace_uri, const gchar *name)
{
	while (node != NULL && !dstack_xml_is(node, namespace_uri, name))
		node = node->next;
	return node;
}

xmlNode *
dstack_xml_first(xmlNode *parent, const gchar *namespace_uri, const gchar *name)
{
	return parent == NULL ? NULL : find_from(parent->children, namespace_uri, name);
}

xmlNode *
dstack_xml_next(xmlNode *node, const gchar *namespace_uri, const gchar *name)
{
	return find_from(node->next, namespace_uri, name);
}

xmlNode *
dstack_xml_find(xmlNode *parent, const gchar *path)
{
	g_auto(GStrv) steps = g_strsplit(path, "/", -1);

	for (guint i = 0; steps[i] != NULL && parent != NULL; i++)
		parent = dstack_xml_first(parent, NULL, steps[i]);
	return parent;
}

gboolean
dstack_xml_find_single(xmlNode *parent, const gchar *namespace_uri, const gchar *name, xmlNode **out, GError **error)
{
	xmlNode *found = dstack_xml_first(parent, namespace_uri, name);

	if (found != NULL && dstack_xml_next(found, namespace_uri, name) != NULL)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected at most one <%s>, found more",
				    (const gchar *)parent->name, name);
	*out = found;
	return TRUE;
}

static gchar *
dup_xml_string(xmlChar *text)
{
	gchar *copy = g_strdup((const gchar *)text);

	xmlFree(text);
	return copy;
}

gchar *
dstack_xml_dup_text(const xmlNode *node)
{
	gchar *text = dup_xml_string(xmlNodeGetContent(node));

	return text != NULL ? text : g_strdup("");
}

gchar *
dstack_xml_dup_attribute(const xmlNode *node, const gchar *name)
{
	return dup_xml_string(xmlGetNoNsProp(node, (const xmlChar *)name));
}

gchar *
dstack_xml_dup_text_at(xmlNode *parent, const gchar *path)
{
	xmlNode *node = dstack_xml_find(parent, path);

	return node == NULL ? NULL : dstack_xml_dup_text(node);
}

gchar *
dstack_xml_dup_attribute_at(xmlNode *parent, const gchar *path, const gchar *name)
{
	xmlNode *node = dstack_xml_find(parent, path);

	return node == NULL ? NULL : dstack_xml_dup_attribute(node, name);
}

gboolean
dstack_xml_attribute_is(const xmlNode *node, const gchar *name, const gchar *value)
{
	g_autofree gchar *found = node == NULL ? NULL : dstack_xml_dup_attribute(node, name);

	return g_strcmp0(found, value) == 0;
}

/* k, KiB: 1024; KB: 1000; b, byte, bytes: 1. Letters in either case, as libvirt takes them. */
static gboolean
parse_unit(const gchar *unit, guint64 *out_scale)
{
	static const gchar letters[] = "kmgtpe";
	const gchar *letter;
	guint64 base;

	*out_scale = 1;
	if (g_ascii_strcasecmp(unit, "b") == 0 || g_ascii_strcasecmp(unit, "byte") == 0 ||
	    g_ascii_strcasecmp(unit, "bytes") == 0)
		return TRUE;
	letter = *unit == '\0' ? NULL : strchr(letters, g_ascii_tolower(*unit));
	if (letter == NULL)
		return FALSE;
	if (unit[1] == '\0' || g_ascii_strcasecmp(unit + 1, "ib") == 0)
		base = 1024;
	else if (g_ascii_strcasecmp(unit + 1, "b") == 0)
		base = 1000;
	else
		return FALSE;
	for (const gchar *p = letters; p <= letter; p++)
		*out_scale *= base;
	return TRUE;
}

static gboolean
parse_size(const gchar *text, const gchar *unit, const gchar *what, guint64 *out, GError **error)
{
	guint64 number;
	guint64 scale;

	if (!parse_unit(unit, &scale))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: unknown unit '%s'", what, unit);
	if (!dstack_number_parse(text, what, G_MAXUINT64, &number, NULL))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected a whole number, found '%s'", what,
				    text);
	if (!g_uint64_checked_mul(&number, number, scale))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: %s %s does not fit in 64 bits", what, text,
				    unit);
	*out = number;
	return TRUE;
}

gboolean
dstack_xml_get_size(const xmlNode *node, const gchar *what, guint64 *out, GError **error)
{
	g_autofree gchar *text = dstack_xml_dup_text(node);
	g_autofree gchar *unit = dstack_xml_dup_attribute(node, "unit");

	return parse_size(text, unit != NULL ? unit : "KiB", what, out, error);
}

gboolean
dstack_xml_get_size_attribute(const xmlNode *node, const gchar *name, const gchar *what, guint64 *out, GError **error)
{
	g_autofree gchar *text = dstack_xml_dup_attribute(node, name);
	g_autofree gchar *unit = dstack_xml_dup_attribute(node, "unit");

	if (text == NULL)
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "%s: expected a size, found none", what);
	return parse_size(text, unit != NULL ? unit : "KiB", what, out, error);
}
