/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands, in the order people need them, and nothing else.
 */

#include "config.h"

#include "cli/cli.h"

static const DstackCommand commands[] = {
    {"doctor", "", "is this host ready: tools, devices, images, hook, service, policy", "doctor", dstack_cmd_doctor},
    {NULL},
};

int
main(int argc, char **argv)
{
	return dstack_cli_run(commands, argc, argv);
}
