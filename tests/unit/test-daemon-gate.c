/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "daemon/gate.h"

/* notes who came in and who was turned away, a letter each */
typedef struct {
	GString *notes;
	gchar letter;
} Visitor;

static void
note(gpointer data, gboolean admitted)
{
	Visitor *visitor = data;

	g_string_append_c(visitor->notes, admitted ? visitor->letter : g_ascii_toupper(visitor->letter));
}

static void
admits_in_order_and_no_more_than_may_be_inside(void)
{
	g_autoptr(DstackGate) gate = dstack_gate_new(1, 2);
	g_autoptr(GString) notes = g_string_new(NULL);
	Visitor visitors[] = {{notes, 'a'}, {notes, 'b'}, {notes, 'c'}, {notes, 'd'}};

	for (gsize i = 0; i < G_N_ELEMENTS(visitors); i++)
		dstack_gate_enter(gate, ":1.1", note, &visitors[i]);
	/* one is inside, two wait, the fourth is one too many */
	g_assert_cmpstr(notes->str, ==, "aD");
	dstack_gate_leave(gate, ":1.1");
	dstack_gate_leave(gate, ":1.1");
	g_assert_cmpstr(notes->str, ==, "aDbc");
	dstack_gate_leave(gate, ":1.1");
	dstack_gate_enter(gate, ":1.1", note, &visitors[3]);
	g_assert_cmpstr(notes->str, ==, "aDbcd");
	dstack_gate_leave(gate, ":1.1");
}

static void
one_caller_does_not_stand_in_anothers_way(void)
{
	g_autoptr(DstackGate) gate = dstack_gate_new(1, 2);
	g_autoptr(GString) notes = g_string_new(NULL);
	Visitor flood = {notes, 'f'};
	Visitor other = {notes, 'o'};

	for (guint i = 0; i < 3; i++)
		dstack_gate_enter(gate, ":1.1", note, &flood);
	dstack_gate_enter(gate, ":1.2", note, &other);
	g_assert_cmpstr(notes->str, ==, "fo");
	dstack_gate_drop_caller(gate, ":1.1");
	g_assert_cmpstr(notes->str, ==, "foFF");
	dstack_gate_leave(gate, ":1.1");
	dstack_gate_leave(gate, ":1.2");
	dstack_gate_drop_caller(gate, ":1.3");
	g_assert_cmpstr(notes->str, ==, "foFF");
}

static void
who_waits_at_the_end_is_turned_away(void)
{
	DstackGate *gate = dstack_gate_new(1, 1);
	g_autoptr(GString) notes = g_string_new(NULL);
	Visitor visitor = {notes, 'v'};

	dstack_gate_enter(gate, ":1.1", note, &visitor);
	dstack_gate_enter(gate, ":1.1", note, &visitor);
	dstack_gate_free(gate);
	g_assert_cmpstr(notes->str, ==, "vV");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/daemon/gate/admits-in-order-and-no-more-than-may-be-inside",
			admits_in_order_and_no_more_than_may_be_inside);
	g_test_add_func("/daemon/gate/one-caller-does-not-stand-in-anothers-way",
			one_caller_does_not_stand_in_anothers_way);
	g_test_add_func("/daemon/gate/who-waits-at-the-end-is-turned-away", who_waits_at_the_end_is_turned_away);
	return g_test_run();
}
