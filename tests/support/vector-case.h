/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reading members of a vector's case in tests: any surprise ends the test.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "base/digest.h"

G_BEGIN_DECLS

typedef void (*DstackCaseFunc)(const gchar *id, JsonObject *test_case);

/* calls func for each object of "cases" of a vector file; checks that there are exactly n */
void dstack_case_foreach(const gchar *file, guint n, DstackCaseFunc func);

/* NULL where the member is absent or null */
const gchar *dstack_case_string(JsonObject *object, const gchar *member);
gboolean dstack_case_bool(JsonObject *object, const gchar *member);
/* a number, or text such as "0x800000" */
guint64 dstack_case_uint(JsonObject *object, const gchar *member);
DstackSha256 dstack_case_sha256(JsonObject *object, const gchar *member);
DstackSha384 dstack_case_sha384(JsonObject *object, const gchar *member);
/* "expect" */
JsonObject *dstack_case_expect(JsonObject *object);
/* RFC 3339 to seconds since 1970 */
gint64 dstack_case_time(JsonObject *object, const gchar *member);

G_END_DECLS
