/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Members that Intel's signed documents share: dates, numbers, byte strings, and the grade of a level.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "dcap/tcb-status.h"

G_BEGIN_DECLS

#define DSTACK_LIMIT_TCB_LEVELS 1024 /* of one document: 20 in the field, 200 in a test vector */
#define DSTACK_LIMIT_ADVISORIES 256  /* of one level: 20 in the field */

/* "2025-05-27T19:25:06Z" and no other form of ISO 8601 */
gboolean dstack_document_get_date(JsonObject *object, const gchar *what, const gchar *member, gint64 *out,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean dstack_document_get_hex(JsonObject *object, const gchar *what, const gchar *member, guint8 *out, gsize size,
				 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* tcbStatus, tcbDate and advisoryIDs of a level */
gboolean dstack_document_get_grade(JsonObject *level, const gchar *what, DstackTcbGrade *out,
				   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* objects of a member, which must be a non-empty array of at most DSTACK_LIMIT_TCB_LEVELS */
gboolean dstack_document_get_levels(JsonObject *object, const gchar *what, const gchar *member, JsonArray **out,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* the i-th element, which must be an object */
gboolean dstack_document_get_element(JsonArray *array, guint i, const gchar *what, JsonObject **out,
				     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* levels of an enclave or module, {tcb: {isvsvn}, …}; best first (element-type DstackIsvLevel) */
GPtrArray *dstack_document_get_isv_levels(JsonObject *object, const gchar *what, GError **error);

G_END_DECLS
