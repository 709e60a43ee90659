/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What an application asks of its launch: app-compose.json. formats.md, section 4.
 */
#pragma once

#include <glib.h>

#include "config/tristate.h"

G_BEGIN_DECLS

typedef struct {
	DstackTristate tdx_measure_acpi_tables; /* true selects legacy, false lite */
} DstackAppRequirements;

gboolean dstack_app_requirements_parse(const gchar *text, gsize size, DstackAppRequirements *out,
				       GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
