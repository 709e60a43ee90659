/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The words for checks that a caller does without (cli.md, `verify --allow`).
 */

#include "config.h"

#include "verify/allow.h"

#include "base/error.h"
#include "verify/verifier.h"

static const struct {
	const gchar *word;
	guint bit;
} allow_words[] = {
    {"debug", DSTACK_ALLOW_DEBUG},	     {"migratable", DSTACK_ALLOW_MIGRATABLE}, {"sept-ve", DSTACK_ALLOW_SEPT_VE},
    {"service-td", DSTACK_ALLOW_SERVICE_TD}, {"simulator", DSTACK_ALLOW_SIMULATOR},   {"vlek", DSTACK_ALLOW_VLEK},
};

/**
 * dstack_allow_parse:
 * @word: one of debug, migratable, sept-ve, service-td, simulator, vlek, or vmpl=N with N from 0 to 3
 * @allow: (inout): bits of #DstackAllow; the word's is added
 * @max_vmpl: (inout): the highest VMPL allowed
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT for another word
 *
 * Returns: %TRUE when the word is known
 */
gboolean
dstack_allow_parse(const gchar *word, guint *allow, guint *max_vmpl, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(allow_words); i++) {
		if (g_str_equal(word, allow_words[i].word)) {
			*allow |= allow_words[i].bit;
			return TRUE;
		}
	}
	if (g_str_has_prefix(word, "vmpl=") && word[5] >= '0' && word[5] <= '3' && word[6] == '\0') {
		*max_vmpl = MAX(*max_vmpl, (guint)(word[5] - '0'));
		return TRUE;
	}
	return dstack_throw(
	    error, DSTACK_ERROR_INVALID_ARGUMENT,
	    "cannot allow '%s': expected debug, migratable, sept-ve, service-td, simulator, vlek, or vmpl=0 to vmpl=3",
	    word);
}
