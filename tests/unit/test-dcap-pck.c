/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "dcap/pck.h"

#include <string.h>

#include "base/error.h"
#include "dcap/der.h"
#include "support/tdx-forge-internal.h"

static GBytes *
good(DstackPck *out)
{
	g_auto(DstackForge) forge = {0};

	dstack_forge_init(&forge);
	for (guint i = 0; i < DSTACK_TCB_COMPONENTS; i++)
		forge.pck.components[i] = (guint8)(i * 17);
	forge.pck.pcesvn = 300;
	forge.pck.pceid[1] = 7;
	*out = forge.pck;
	return dstack_forge_pck_extension(&forge.pck);
}

static void
reads_every_member(void)
{
	DstackPck expected;
	DstackPck found;
	g_autoptr(GBytes) bytes = good(&expected);
	g_autoptr(GError) error = NULL;

	g_assert_true(dstack_pck_parse(&found, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &error));
	g_assert_no_error(error);
	g_assert_cmpmem(&found, (int)sizeof(found), &expected, (int)sizeof(expected));
}

/* a processor's certificate has no platform instance id and no configuration */
static void
does_without_what_a_processor_lacks(void)
{
	DstackPck expected;
	DstackPck found;
	g_autoptr(GBytes) unused G_GNUC_UNUSED = good(&expected);
	g_autoptr(GBytes) bytes = NULL;

	expected.has_platform_instance_id = FALSE;
	memset(expected.platform_instance_id, 0, sizeof(expected.platform_instance_id));
	expected.dynamic_platform = DSTACK_FLAG_ABSENT;
	expected.cached_keys = DSTACK_FLAG_ABSENT;
	expected.smt_enabled = DSTACK_FLAG_ABSENT;
	bytes = dstack_forge_pck_extension(&expected);
	g_assert_true(dstack_pck_parse(&found, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL));
	g_assert_cmpmem(&found, (int)sizeof(found), &expected, (int)sizeof(expected));
}

static void
rejects_every_truncation_and_a_byte_more(void)
{
	DstackPck pck;
	g_autoptr(GBytes) bytes = good(&pck);
	gsize size = g_bytes_get_size(bytes);
	g_autofree guint8 *longer = g_malloc0(size + 1);
	g_autoptr(GError) error = NULL;

	for (gsize cut = 0; cut < size; cut++)
		g_assert_false(dstack_pck_parse(&pck, g_bytes_get_data(bytes, NULL), cut, NULL));
	memcpy(longer, g_bytes_get_data(bytes, NULL), size);
	g_assert_false(dstack_pck_parse(&pck, longer, size + 1, &error));
	g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
}

/* every flip is noticed, or shows in what was read, or turned a member into one we do not know and so is missing */
static void
lets_no_flip_go_unseen(void)
{
	DstackPck expected;
	g_autoptr(GBytes) bytes = good(&expected);
	gsize size = g_bytes_get_size(bytes);
	g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(bytes, NULL), size);
	guint n_unseen = 0;

	for (gsize i = 0; i < size; i++) {
		for (guint bit = 0; bit < 8; bit++) {
			DstackPck found;

			copy[i] ^= (guint8)(1u << bit);
			if (dstack_pck_parse(&found, copy, size, NULL) && memcmp(&found, &expected, sizeof(found)) == 0)
				n_unseen++;
			copy[i] ^= (guint8)(1u << bit);
		}
	}
	g_assert_cmpuint(n_unseen, ==, 0);
}

/* the members of a sequence, by number; each may be left out or doubled */
static const struct {
	guint8 drop;
	guint8 twice;
	gboolean good;
} members[] = {
    {0, 0, TRUE},  {1, 0, FALSE}, {2, 0, FALSE}, {3, 0, FALSE}, {4, 0, FALSE},
    {5, 0, FALSE}, {6, 0, TRUE},  {7, 0, TRUE},	 {0, 1, FALSE}, {0, 2, FALSE},
    {0, 3, FALSE}, {0, 4, FALSE}, {0, 5, FALSE}, {0, 6, FALSE}, {0, 7, FALSE},
};

/* puts the extension together again from its members */
static GByteArray *
rebuild(GBytes *bytes, guint8 drop, guint8 twice)
{
	DstackReader outer;
	DstackReader sequence;
	GByteArray *content = g_byte_array_new();
	GByteArray *out = g_byte_array_new();
	guint8 head[4] = {0x30, 0x82};

	dstack_reader_init_bytes(&outer, bytes, "test");
	g_assert_true(dstack_der_take(&outer, DSTACK_DER_SEQUENCE, "all", &sequence, NULL));
	while (dstack_reader_left(&sequence) > 0) {
		const guint8 *start = dstack_reader_peek(&sequence);
		DstackReader pair;
		DstackReader oid;
		guint8 number = 0;
		guint size = 0;

		g_assert_true(dstack_der_take(&sequence, DSTACK_DER_SEQUENCE, "pair", &pair, NULL));
		size = (guint)(dstack_reader_peek(&sequence) - start);
		g_assert_true(dstack_der_take(&pair, DSTACK_DER_OID, "oid", &oid, NULL));
		number = oid.base[oid.size - 1];
		if (number != drop)
			g_byte_array_append(content, start, size);
		if (number == twice)
			g_byte_array_append(content, start, size);
	}
	head[2] = (guint8)(content->len >> 8);
	head[3] = (guint8)content->len;
	g_byte_array_append(out, head, sizeof(head));
	g_byte_array_append(out, content->data, content->len);
	g_byte_array_unref(content);
	return out;
}

static void
wants_every_member_once(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
		DstackPck pck;
		g_autoptr(GBytes) bytes = good(&pck);
		g_autoptr(GByteArray) built = rebuild(bytes, members[i].drop, members[i].twice);
		g_autoptr(GError) error = NULL;

		g_assert_cmpint(dstack_pck_parse(&pck, built->data, built->len, &error), ==, members[i].good);
		if (!members[i].good)
			g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static const struct {
	guint8 der[8];
	gsize size;
	guint32 max;
	gint64 value; /* -1: refused */
} integers[] = {
    {{0x02, 0x01, 0x00}, 3, 255, 0},
    {{0x02, 0x01, 0x7f}, 3, 255, 127},
    {{0x02, 0x02, 0x00, 0x80}, 4, 255, 128},
    {{0x02, 0x02, 0x00, 0xff}, 4, 255, 255},
    {{0x02, 0x02, 0x00, 0xc8}, 4, 65535, 200},
    {{0x02, 0x02, 0x01, 0x2c}, 4, 65535, 300},
    {{0x02, 0x03, 0x00, 0xff, 0xff}, 5, 65535, 65535},
    {{0x02, 0x02, 0x01, 0x00}, 4, 255, -1},		      /* too large */
    {{0x02, 0x03, 0x01, 0x00, 0x00}, 5, 65535, -1},	      /* too large */
    {{0x02, 0x01, 0x80}, 3, 255, -1},			      /* negative */
    {{0x02, 0x02, 0x00, 0x7f}, 4, 255, -1},		      /* not shortest */
    {{0x02, 0x00}, 2, 255, -1},				      /* empty */
    {{0x02, 0x81, 0x01, 0x05}, 4, 255, -1},		      /* long length */
    {{0x02, 0x80, 0x05, 0x00, 0x00}, 5, 255, -1},	      /* indefinite length */
    {{0x02, 0x84, 0x00, 0x00, 0x00, 0x01, 0x05}, 7, 255, -1}, /* length of four bytes */
    {{0x03, 0x01, 0x05}, 3, 255, -1},			      /* another tag */
    {{0x02, 0x05, 0x00, 0x00, 0x00, 0x00, 0x05}, 7, 255, -1}, /* five bytes */
};

static void
reads_integers_as_der_writes_them(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(integers); i++) {
		DstackReader reader;
		guint32 value = 0;
		gboolean ok = FALSE;

		dstack_reader_init(&reader, integers[i].der, integers[i].size, "test");
		ok = dstack_der_uint(&reader, DSTACK_DER_INTEGER, "number", integers[i].max, &value, NULL);
		g_assert_cmpint(ok, ==, integers[i].value >= 0);
		if (ok)
			g_assert_cmpuint(value, ==, integers[i].value);
		else
			g_assert_cmpuint(reader.pos, ==, 0);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dcap/pck/reads-every-member", reads_every_member);
	g_test_add_func("/dcap/pck/does-without-what-a-processor-lacks", does_without_what_a_processor_lacks);
	g_test_add_func("/dcap/pck/rejects-every-truncation-and-a-byte-more", rejects_every_truncation_and_a_byte_more);
	g_test_add_func("/dcap/pck/lets-no-flip-go-unseen", lets_no_flip_go_unseen);
	g_test_add_func("/dcap/pck/wants-every-member-once", wants_every_member_once);
	g_test_add_func("/dcap/pck/reads-integers-as-der-writes-them", reads_integers_as_der_writes_them);
	return g_test_run();
}
