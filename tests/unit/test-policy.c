/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"

#include "launch/policy.h"

#include <string.h>

#include "dstack/error.h"

#define MIB(n) ((guint64)(n) << 20)

/* code -1: lite, -2: legacy; otherwise the error */
#define LITE   (-1)
#define LEGACY (-2)

typedef struct {
	const gchar *name;
	DstackPolicyQuestion question;
	gint outcome;
	const gchar *words;   /* in the reason or in the error */
	const gchar *warning; /* in the warning; NULL: there is none */
} Case;

#define Q(policy, requirement, memory, material, normalized, major, minor)                                             \
	{                                                                                                              \
		DSTACK_POLICY_##policy, DSTACK_REQUIREMENT_##requirement, memory, DSTACK_MATERIAL_##material,          \
		    "digest differs", normalized, major, minor                                                         \
	}

static const Case cases[] = {
    {"lite at 2 GiB", Q(LITE, NONE, MIB(2048), SOUND, FALSE, 9, 2), LITE, "sound", NULL},
    {"lite at 0xB0000000", Q(LITE, NONE, MIB(2816), SOUND, FALSE, 0, 0), LITE, "2816 MiB", NULL},
    {"lite above", Q(LITE, NONE, MIB(16384), SOUND, FALSE, 8, 2), LITE, "16 GiB", NULL},
    {"not between", Q(LITE, NONE, MIB(2560), SOUND, FALSE, 9, 2), DSTACK_ERROR_REFUSED, "2560 MiB", NULL},
    {"not one byte over 2 GiB", Q(LITE, NONE, MIB(2048) + 1, SOUND, FALSE, 9, 2), DSTACK_ERROR_REFUSED, "memory", NULL},
    {"not one byte under 0xB0000000", Q(LITE, NONE, MIB(2816) - 1, SOUND, FALSE, 9, 2), DSTACK_ERROR_REFUSED, "memory",
     NULL},
    {"not below", Q(LITE, NONE, MIB(1024), SOUND, FALSE, 9, 2), DSTACK_ERROR_REFUSED, "1 GiB", NULL},
    {"normalized holds everywhere", Q(LITE, NONE, MIB(2560), SOUND, TRUE, 9, 2), LITE, "normalized", NULL},
    {"lite needs material", Q(LITE, NONE, MIB(2048), ABSENT, FALSE, 9, 2), DSTACK_ERROR_REFUSED,
     "no measurement.tdx.cbor", NULL},
    {"unsound is an error", Q(LITE, NONE, MIB(2048), UNSOUND, FALSE, 9, 2), DSTACK_ERROR_UNSOUND, "digest differs",
     NULL},
    {"unsound with auto too", Q(AUTO, NONE, MIB(2048), UNSOUND, FALSE, 9, 2), DSTACK_ERROR_UNSOUND, "digest differs",
     NULL},
    {"unsound with legacy too", Q(LEGACY, NONE, MIB(2048), UNSOUND, FALSE, 9, 2), DSTACK_ERROR_UNSOUND,
     "digest differs", NULL},
    {"auto takes lite", Q(AUTO, NONE, MIB(2048), SOUND, FALSE, 9, 2), LITE, "sound", NULL},
    {"auto falls back for memory", Q(AUTO, NONE, MIB(2560), SOUND, FALSE, 9, 2), LEGACY, "2560 MiB", "2560 MiB"},
    {"auto falls back without material", Q(AUTO, NONE, MIB(2048), ABSENT, FALSE, 9, 2), LEGACY, "no measurement",
     "no measurement"},
    {"legacy stays legacy", Q(LEGACY, NONE, MIB(2048), SOUND, FALSE, 9, 2), LEGACY, "policy", NULL},
    {"legacy needs nothing", Q(LEGACY, NONE, MIB(1234), ABSENT, FALSE, 0, 0), LEGACY, "policy", NULL},
    {"the application wants tables", Q(LITE, LEGACY, MIB(2048), SOUND, FALSE, 9, 2), LEGACY, "application", NULL},
    {"the application wants lite", Q(LEGACY, LITE, MIB(2048), SOUND, FALSE, 9, 2), LITE, "sound", NULL},
    {"the application's lite is refused", Q(AUTO, LITE, MIB(2560), SOUND, FALSE, 9, 2), DSTACK_ERROR_REFUSED,
     "application", NULL},
    {"QEMU 9.2 is as ever", Q(LITE, NONE, MIB(2048), SOUND, FALSE, 9, 99), LITE, "sound", NULL},
    {"QEMU 10.0 is warned about", Q(LITE, NONE, MIB(2048), SOUND, FALSE, 10, 0), LITE, "sound", "10.0"},
    {"QEMU 10.1 is warned about", Q(LITE, NONE, MIB(2048), SOUND, FALSE, 10, 1), LITE, "sound", "10.1"},
    {"QEMU 10.2 is refused", Q(LITE, NONE, MIB(2048), SOUND, FALSE, 10, 2), DSTACK_ERROR_REFUSED, "10.2", NULL},
    {"QEMU 11.0 is refused", Q(AUTO, NONE, MIB(2048), SOUND, FALSE, 11, 0), DSTACK_ERROR_REFUSED, "11.0", NULL},
    {"QEMU 11.0 with a normalized kernel", Q(LITE, NONE, MIB(2560), SOUND, TRUE, 11, 0), LITE, "normalized", NULL},
    {"QEMU 10.2 and legacy", Q(LEGACY, NONE, MIB(2048), SOUND, FALSE, 10, 2), LEGACY, "policy", "10.2"},
};

static void
check_answer(const Case *c, const DstackPolicyAnswer *answer)
{
	g_assert_cmpint(answer->lite ? LITE : LEGACY, ==, c->outcome);
	g_assert_nonnull(strstr(answer->reason, c->words));
	g_assert_cmpint(answer->warning != NULL, ==, c->warning != NULL);
	if (c->warning != NULL)
		g_assert_nonnull(strstr(answer->warning, c->warning));
}

static void
decides_by_the_table(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Case *c = &cases[i];
		g_auto(DstackPolicyAnswer) answer = {0};
		g_autoptr(GError) error = NULL;
		gboolean ok = dstack_policy_decide(&c->question, &answer, &error);

		g_test_message("%s: %s", c->name, ok ? answer.reason : error->message);
		g_assert_cmpint(ok, ==, c->outcome < 0);
		if (ok) {
			check_answer(c, &answer);
			continue;
		}
		g_assert_error(error, DSTACK_ERROR, c->outcome);
		g_assert_nonnull(strstr(error->message, c->words));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/policy/decides-by-the-table", decides_by_the_table);
	return g_test_run();
}
