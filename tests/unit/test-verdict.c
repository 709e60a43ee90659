/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "verify/verdict.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

static const gchar *const none[] = {NULL};
static const gchar *const two[] = {"first", "second", NULL};

static void
is_not_valid_before_every_step_is_good(void)
{
	g_autoptr(DstackVerdict) empty = dstack_verdict_new(none);
	g_autoptr(DstackVerdict) verdict = dstack_verdict_new(two);
	g_autofree gchar *reason = NULL;

	g_assert_false(dstack_verdict_is_valid(empty));
	g_assert_false(dstack_verdict_is_valid(verdict));
	dstack_verdict_pass(verdict, "second", NULL);
	g_assert_false(dstack_verdict_is_valid(verdict));
	reason = dstack_verdict_dup_reason(verdict);
	g_assert_cmpstr(reason, ==, "first: not checked: it was not reached");
	dstack_verdict_waive(verdict, "first", "the caller does without");
	g_assert_true(dstack_verdict_is_valid(verdict));
	g_assert_null(dstack_verdict_dup_reason(verdict));
	dstack_verdict_leave(verdict, "first", "no input");
	g_assert_false(dstack_verdict_is_valid(verdict));
}

static void
keeps_a_failure_whatever_comes_later(void)
{
	g_autoptr(DstackVerdict) verdict = dstack_verdict_new(two);
	g_autoptr(GError) error = NULL;
	g_autofree gchar *reason = NULL;

	(void)dstack_throw(&error, DSTACK_ERROR_UNSOUND, "digest differs");
	dstack_verdict_leave(verdict, "first", "no input");
	g_assert_false(dstack_verdict_fail(verdict, "second", error));
	dstack_verdict_pass(verdict, "second", NULL);
	dstack_verdict_waive(verdict, "second", "waived");
	dstack_verdict_pass(verdict, "first", NULL);
	g_assert_false(dstack_verdict_is_valid(verdict));
	reason = dstack_verdict_dup_reason(verdict);
	g_assert_cmpstr(reason, ==, "second: digest differs");
	g_assert_cmpint(dstack_verdict_get_step(verdict, "second")->state, ==, DSTACK_STEP_FAILED);
}

static void
fails_also_without_an_error(void)
{
	g_autoptr(DstackVerdict) verdict = dstack_verdict_new(two);

	g_assert_false(dstack_verdict_fail(verdict, "first", NULL));
	g_assert_cmpint(dstack_verdict_get_step(verdict, "first")->state, ==, DSTACK_STEP_FAILED);
}

static void
shows_identity_only_where_valid(void)
{
	g_autoptr(DstackVerdict) verdict = dstack_verdict_new(two);

	verdict->has_app_info = TRUE;
	verdict->app_info.app_id = g_strdup("abcd");
	for (guint i = 0; i < 2; i++) {
		g_autoptr(JsonNode) node = dstack_verdict_to_json(verdict);
		g_autofree gchar *text = dstack_json_to_text(node, DSTACK_JSON_COMPACT);
		g_autofree gchar *words = dstack_verdict_to_text(verdict);

		g_assert_cmpint(strstr(text, "\"app_info\":{\"app_id\":\"abcd\"") != NULL, ==, i == 1);
		g_assert_cmpint(strstr(text, "\"boot_info\"") != NULL, ==, i == 1);
		g_assert_cmpint(strstr(text, "\"reason\":null") != NULL, ==, i == 1);
		g_assert_cmpint(strstr(words, "abcd") != NULL, ==, i == 1);
		g_assert_cmpint(g_str_has_prefix(words, "NOT VALID\n"), ==, i == 0);
		dstack_verdict_pass(verdict, "first", NULL);
		dstack_verdict_pass(verdict, "second", NULL);
	}
}

static void
shows_every_waiver_warning_and_root(void)
{
	g_autoptr(DstackVerdict) verdict = dstack_verdict_new(two);
	g_autoptr(JsonNode) node = NULL;
	g_autofree gchar *json = NULL;
	g_autofree gchar *words = NULL;

	dstack_verdict_warn(verdict, "a %s", "warning");
	dstack_verdict_add_waiver(verdict, "a waiver");
	verdict->root = g_strdup("another root");
	node = dstack_verdict_to_json(verdict);
	json = dstack_json_to_text(node, DSTACK_JSON_COMPACT);
	words = dstack_verdict_to_text(verdict);
	g_assert_true(g_str_has_suffix(
	    json, "\"warnings\":[\"a warning\"],\"waivers\":[\"a waiver\"],\"root\":\"another root\"}"));
	g_assert_nonnull(strstr(words, "a warning"));
	g_assert_nonnull(strstr(words, "a waiver"));
	g_assert_nonnull(strstr(words, "another root"));
}

/* text from evidence reaches a terminal without its escape sequences */
static void
writes_no_control_characters_for_people(void)
{
	g_autoptr(DstackVerdict) verdict = dstack_verdict_new(two);
	g_autofree gchar *words = NULL;

	dstack_verdict_warn(verdict, "red \033[31m, bell \a, line\nbreak");
	words = dstack_verdict_to_text(verdict);
	g_assert_null(strchr(words, '\033'));
	g_assert_null(strchr(words, '\a'));
	g_assert_nonnull(strstr(words, "line\\u{a}break"));
}

static void
groups_hex_of_registers_that_differ(void)
{
	g_autoptr(DstackVerdict) verdict = dstack_verdict_new(two);
	DstackSha384 expected = {{0x11}};
	DstackSha384 found = {{0x22}};
	DstackRegisterDebug *entry = dstack_verdict_add_register(verdict, "rtmr1", &expected, &found);
	DstackEventDebug *event = dstack_register_debug_add_event(entry, 0, 4, "separator", DSTACK_EVENT_MISMATCH);
	g_autofree gchar *words = NULL;
	g_autofree gchar *json = NULL;
	g_autoptr(JsonNode) node = NULL;

	event->has_expected = TRUE;
	event->expected = expected;
	words = dstack_verdict_to_text(verdict);
	g_assert_nonnull(strstr(words, "Register rtmr1 differs"));
	g_assert_nonnull(strstr(words, "11000000 00000000 "));
	node = dstack_verdict_to_json(verdict);
	json = dstack_json_to_text(node, DSTACK_JSON_COMPACT);
	g_assert_nonnull(strstr(json, "\"events\":[{\"index\":0,\"event_type\":4,\"event_name\":\"separator\","
				      "\"actual_digest\":null,\"expected_digest\":\"11"));
	g_assert_nonnull(strstr(json, "\"payload_len\":0,\"status\":\"mismatch\"}]"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/verdict/is-not-valid-before-every-step-is-good", is_not_valid_before_every_step_is_good);
	g_test_add_func("/verdict/keeps-a-failure-whatever-comes-later", keeps_a_failure_whatever_comes_later);
	g_test_add_func("/verdict/fails-also-without-an-error", fails_also_without_an_error);
	g_test_add_func("/verdict/shows-identity-only-where-valid", shows_identity_only_where_valid);
	g_test_add_func("/verdict/shows-every-waiver-warning-and-root", shows_every_waiver_warning_and_root);
	g_test_add_func("/verdict/writes-no-control-characters-for-people", writes_no_control_characters_for_people);
	g_test_add_func("/verdict/groups-hex-of-registers-that-differ", groups_hex_of_registers_that_differ);
	return g_test_run();
}
