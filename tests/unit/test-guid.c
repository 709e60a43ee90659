/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "base/guid.h"

#include "base/hex.h"
#include "dstack/error.h"

#define TEXT "8be4df61-93ca-11d2-aa0d-00e098032b8c" /* EFI_GLOBAL_VARIABLE */

static void
assert_wire(const gchar *text, DstackGuidOrder order, const gchar *hex)
{
	g_autoptr(GError) error = NULL;
	g_autofree gchar *wire = NULL;
	g_autofree gchar *again = NULL;
	DstackGuid guid = {{0}};

	g_assert_true(dstack_guid_parse(text, order, &guid, &error));
	g_assert_no_error(error);
	wire = dstack_hex_encode(guid.bytes, sizeof(guid.bytes));
	g_assert_cmpstr(wire, ==, hex);
	again = dstack_guid_to_string(&guid, order);
	g_assert_cmpstr(again, ==, TEXT);
}

static void
orders_bytes_as_each_wire_does(void)
{
	assert_wire(TEXT, DSTACK_GUID_EFI, "61dfe48bca93d211aa0d00e098032b8c");
	assert_wire(TEXT, DSTACK_GUID_RFC4122, "8be4df6193ca11d2aa0d00e098032b8c");
	assert_wire("8BE4DF61-93CA-11D2-AA0D-00E098032B8C", DSTACK_GUID_EFI, "61dfe48bca93d211aa0d00e098032b8c");
}

static void
refuses_other_texts(void)
{
	static const gchar *const bad[] = {
	    "",
	    "8be4df61",
	    "8be4df6193ca11d2aa0d00e098032b8c",
	    "{8be4df61-93ca-11d2-aa0d-00e098032b8c}",
	    "8be4df61-93ca-11d2-aa0d-00e098032b8",
	    "8be4df61-93ca-11d2-aa0d-00e098032b8c0",
	    "8be4df61-93ca-11d2-aa0d-00e098032b8g",
	    "8be4df61-93ca-11d2-aa0d000e098032b8c",
	};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		DstackGuid guid = {{0}};

		g_assert_false(dstack_guid_parse(bad[i], DSTACK_GUID_EFI, &guid, &error));
		g_assert_error(error, DSTACK_ERROR, DSTACK_ERROR_MALFORMED);
	}
}

static void
compares_all_bytes(void)
{
	DstackGuid a = dstack_guid_from_constant(TEXT, DSTACK_GUID_EFI);
	DstackGuid b = a;

	g_assert_true(dstack_guid_equal(&a, &b));
	b.bytes[15] ^= 1;
	g_assert_false(dstack_guid_equal(&a, &b));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/guid/orders-bytes-as-each-wire-does", orders_bytes_as_each_wire_does);
	g_test_add_func("/guid/refuses-other-texts", refuses_other_texts);
	g_test_add_func("/guid/compares-all-bytes", compares_all_bytes);
	return g_test_run();
}
