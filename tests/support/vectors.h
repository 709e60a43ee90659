/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Test vectors: data of other projects that stands outside this tree and is never copied into it.
 *
 * A test begins with `if (dstack_test_vectors_dir() == NULL) return;` and may then read any vector;
 * a vector that cannot be read ends the test program.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/*
 * The directory with dcap/, libvirt/, snp/ and tdx/: $DSTACK_VECTORS, or shared/vectors beside the source tree.
 * NULL where there is none: the test is then marked as skipped (or as failed under DSTACK_REQUIRE_VECTORS=1).
 */
const gchar *dstack_test_vectors_dir(void);

/* "tdx/ccel/cos-113-intel-tdx.bin"; a name that ends in ".gz" gives the unpacked bytes */
GBytes *dstack_test_vector_read(const gchar *name);
/* the same as a NUL-terminated string */
gchar *dstack_test_vector_read_text(const gchar *name);
/* a JSON document (read leniently: vectors are ours to trust) */
JsonNode *dstack_test_vector_read_json(const gchar *name);
/* names of the regular files in a folder of the vectors, sorted, each with the folder in front; (element-type utf8) */
GPtrArray *dstack_test_vector_list(const gchar *folder);

G_END_DECLS
