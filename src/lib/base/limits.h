/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The largest input accepted of each kind, and why. Policy, so it stands in one place.
 */
#pragma once

#define DSTACK_KIB(n) ((gsize)(n) * 1024)
#define DSTACK_MIB(n) ((gsize)(n) * 1024 * 1024)

#define DSTACK_LIMIT_METADATA      DSTACK_KIB(64)  /* metadata.json: under 2 KiB in every image seen */
#define DSTACK_LIMIT_MANIFEST      DSTACK_KIB(256) /* sha256sum.txt: a line a file, 20 lines in real images */
#define DSTACK_LIMIT_MATERIAL      DSTACK_KIB(64)  /* measurement.*.cbor: under 1 KiB in every image seen */
#define DSTACK_LIMIT_VM_CONFIG     DSTACK_KIB(256) /* vm_config text with two materials in base64: about 4 KiB */
#define DSTACK_LIMIT_MR_CONFIG     DSTACK_KIB(16)  /* MrConfigV3: about 400 bytes */
#define DSTACK_LIMIT_SYS_CONFIG    32768           /* .sys-config.json: the guest reads no more (formats.md 5) */
#define DSTACK_LIMIT_APP_COMPOSE   DSTACK_MIB(4)   /* app-compose.json: carries a docker compose file as text */
#define DSTACK_LIMIT_FIRMWARE      DSTACK_MIB(64)  /* OVMF builds are 2 to 16 MiB */
#define DSTACK_LIMIT_TDVF_PAGES    0x40000u        /* pages of all TDVF sections, 1 GiB: OVMF has about 1,100 */
#define DSTACK_LIMIT_PE_SECTIONS   96u             /* the PE format's own bound for loadable images; kernels have 4 to 10 */
#define DSTACK_LIMIT_KERNEL        DSTACK_MIB(512) /* distribution kernels are 8 to 20 MiB, UKIs up to 200 */
#define DSTACK_LIMIT_DOMAIN_XML    DSTACK_MIB(4)   /* libvirt's own RPC limit for a string */
#define DSTACK_LIMIT_SETTINGS      DSTACK_KIB(64)  /* a configuration file: a dozen lines */
#define DSTACK_LIMIT_SHARE         DSTACK_MIB(64)  /* a share directory put onto a disk: its largest file is app-compose.json */
#define DSTACK_LIMIT_QUOTE         DSTACK_KIB(64)  /* real quotes are 5 to 8 KiB */
#define DSTACK_LIMIT_EVENT_LOG     DSTACK_MIB(4)   /* a CCEL area is 64 KiB to 1 MiB */
#define DSTACK_LIMIT_EVENTS        8192            /* a boot makes under 200 */
#define DSTACK_LIMIT_ATTESTATION   DSTACK_MIB(10)  /* formats.md 8 */
#define DSTACK_LIMIT_EVIDENCE      DSTACK_MIB(32)  /* the same in hex, with JSON around it */
#define DSTACK_LIMIT_COLLATERAL    DSTACK_MIB(4)   /* all of one platform's, CRLs in hex: under 100 KiB */
#define DSTACK_LIMIT_CERTIFICATE   DSTACK_KIB(64)  /* one certificate or a chain of three in PEM: under 8 KiB */
#define DSTACK_LIMIT_CRL           DSTACK_MIB(1)   /* Intel's platform CRL: 129 entries, 5 KiB */
#define DSTACK_LIMIT_JSON_DEPTH    32              /* evidence.md part A; ours nest 6 deep */
#define DSTACK_LIMIT_JSON_VALUES   262144          /* of one document: bounds memory to some 64 MiB whatever its shape */
#define DSTACK_LIMIT_JSON_MEMBERS  1024            /* of one object: bounds the work that colliding names can cause */
#define DSTACK_LIMIT_JSON_NUMBER   128             /* digits of one number; 20 hold any integer we accept */
#define DSTACK_LIMIT_CBOR_DEPTH    4               /* material: map, section list, section map */
#define DSTACK_LIMIT_CBOR_ITEMS    4096            /* pairs or elements of one map or array */
