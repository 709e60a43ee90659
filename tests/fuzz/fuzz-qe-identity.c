/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * QE identity, and a report held against it.
 */

#include "config.h"

#include "fuzz/fuzz.h"

#include "dcap/qe-identity.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(DstackQeIdentity) identity = dstack_qe_identity_parse((const gchar *)data, size, NULL);
	DstackSgxBody report = {0};

	if (identity == NULL)
		return 0;
	g_assert_cmpuint(identity->levels->len, >, 0);
	/* it cannot be the enclave of both kinds of quote */
	g_assert_false(dstack_qe_identity_ensure_fits(identity, &report, FALSE, NULL) &&
		       dstack_qe_identity_ensure_fits(identity, &report, TRUE, NULL));
	return 0;
}
