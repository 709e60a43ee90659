/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands, in the order people need them, and nothing else.
 */

#include "config.h"

#include "cli/cli.h"

static const DstackCommand commands[] = {
    {"images", "[NAME...]", "what is on this host and what each image can launch",
     "--image-dir build/images-sample images", dstack_cmd_images},
    {"check", "NAME|DIR", "every file against the manifest, every measurement recomputed",
     "check build/images-sample/dstack-sample-0.1.0", dstack_cmd_check},
    {"inspect", "FILE|NAME|DIR", "decode measurement material for people (or --json)",
     "inspect build/images-sample/dstack-sample-0.1.0", dstack_cmd_inspect},
    {"measure", "tdx|snp|gcp|aws DIR...", "write measurement material from image files",
     "measure tdx build/images-sample/dstack-sample-0.1.0", dstack_cmd_measure},
    {"expect", "NAME|DIR", "the registers a launch with these parameters will show",
     "expect build/images-sample/dstack-sample-0.1.0 --memory 2G", dstack_cmd_expect},
    {"prepare", "NAME|DIR", "build a vm_config, and put it where the guest reads it",
     "prepare build/images-sample/dstack-sample-0.1.0 --memory 2G", dstack_cmd_prepare},
    {"domain", "NAME|FILE.xml|-", "what the hook would do for a libvirt domain, without doing it", "domain vm1.xml",
     dstack_cmd_domain},
    {"label", "FILE|-", "event log (CCEL or JSON) to labelled JSON", "label /sys/firmware/acpi/tables/data/CCEL",
     dstack_cmd_label},
    {"verify", "FILE|-", "evidence to verdict", "verify evidence.json --collateral collateral.json", dstack_cmd_verify},
    {"explain", "FILE|-", "evidence, register by register and event by event, for people", "explain evidence.json",
     dstack_cmd_explain},
    {"collateral", "fetch FILE|-", "what verification needs to know of a platform, from a service",
     "collateral fetch evidence.json -o collateral.json", dstack_cmd_collateral},
    {"doctor", "", "is this host ready: tools, devices, images, hook, service, policy", "doctor", dstack_cmd_doctor},
    {NULL},
};

int
main(int argc, char **argv)
{
	return dstack_cli_run(commands, argc, argv);
}
