/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * AWS material: the boot PCRs of a NitroTPM.
 */
#pragma once

#include "image/material.h"

G_BEGIN_DECLS

/*
 * What PCR 4, 7 and 12 hold after a boot depends on AWS's firmware and on the boot loader in the image, not only on
 * files that an image directory has, so they are given: read from a reference boot.
 */
DstackAwsMaterial dstack_aws_measure(const DstackSha384 *pcr4, const DstackSha384 *pcr7, const DstackSha384 *pcr12);

G_END_DECLS
