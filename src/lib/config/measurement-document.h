/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * {"checksum_file": base64, "measurement": base64}, as a member of vm_config. The types are vm-config.h's.
 */
#pragma once

#include "config/vm-config.h"

G_BEGIN_DECLS

DstackMeasurement *dstack_measurement_read(JsonObject *object, const gchar *what, GError **error);
JsonObject *dstack_measurement_write(const DstackMeasurement *self);

G_END_DECLS
