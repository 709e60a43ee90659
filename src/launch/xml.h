/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The little of libxml2 that reading a domain takes, with our errors.
 */
#pragma once

#include <glib.h>
#include <libxml/tree.h>

G_BEGIN_DECLS

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/* no DTD, no entity but the five of XML, no network, bounded size and depth */
xmlDoc *dstack_xml_parse(const gchar *xml, gsize size, const gchar *what, GError **error);

gboolean dstack_xml_is(const xmlNode *node, const gchar *namespace_uri, const gchar *name);
/* elements only; @namespace_uri NULL: elements of no namespace; @name NULL: any */
xmlNode *dstack_xml_first(xmlNode *parent, const gchar *namespace_uri, const gchar *name);
xmlNode *dstack_xml_next(xmlNode *node, const gchar *namespace_uri, const gchar *name);
/* follows "os/loader" from parent; NULL where a step is missing */
xmlNode *dstack_xml_find(xmlNode *parent, const gchar *path);
/* the one element of that name: more than one is an error, none gives NULL */
gboolean dstack_xml_find_single(xmlNode *parent, const gchar *namespace_uri, const gchar *name, xmlNode **out,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;

gchar *dstack_xml_dup_text(const xmlNode *node);
/* NULL where the attribute is absent */
gchar *dstack_xml_dup_attribute(const xmlNode *node, const gchar *name);
gchar *dstack_xml_dup_text_at(xmlNode *parent, const gchar *path);
gchar *dstack_xml_dup_attribute_at(xmlNode *parent, const gchar *path, const gchar *name);
gboolean dstack_xml_attribute_is(const xmlNode *node, const gchar *name, const gchar *value);

/* a size with libvirt's `unit` attribute (default KiB), in bytes */
gboolean dstack_xml_get_size(const xmlNode *node, const gchar *what, guint64 *out,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* the same where the number is an attribute, as <cell memory= unit=> has it; absent is an error */
gboolean dstack_xml_get_size_attribute(const xmlNode *node, const gchar *name, const gchar *what, guint64 *out,
				       GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
