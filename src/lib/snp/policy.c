/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Guest policy and platform information (evidence.md, part B, section 4 and "What ours does").
 */

#include "config.h"

#include "snp/policy.h"

#include "base/error.h"

#define POLICY_RESERVED (~G_GUINT64_CONSTANT(0) << 26)

typedef struct {
	guint64 bit;
	const gchar *name;
} BitName;

static const BitName policy_bits[] = {
    {DSTACK_SNP_POLICY_SMT, "SMT allowed"},
    {DSTACK_SNP_POLICY_MUST_BE_ONE, "bit 17"},
    {DSTACK_SNP_POLICY_MIGRATE_MA, "migration agent allowed"},
    {DSTACK_SNP_POLICY_DEBUG, "debug allowed"},
    {DSTACK_SNP_POLICY_SINGLE_SOCKET, "single socket"},
    {DSTACK_SNP_POLICY_CXL, "CXL allowed"},
    {DSTACK_SNP_POLICY_AES_256_XTS, "AES-256-XTS"},
    {DSTACK_SNP_POLICY_RAPL_DIS, "RAPL disabled"},
    {DSTACK_SNP_POLICY_CIPHERTEXT_HIDING, "ciphertext hiding"},
    {DSTACK_SNP_POLICY_PAGE_SWAP_DISABLE, "page swap disabled"},
};

static const BitName platform_bits[] = {
    {DSTACK_SNP_PLATFORM_SMT, "SMT on"},
    {DSTACK_SNP_PLATFORM_TSME, "TSME on"},
    {DSTACK_SNP_PLATFORM_ECC, "ECC memory"},
    {DSTACK_SNP_PLATFORM_RAPL_DIS, "RAPL disabled"},
    {DSTACK_SNP_PLATFORM_CIPHERTEXT_HIDING, "ciphertext hiding"},
    {DSTACK_SNP_PLATFORM_ALIAS_CHECK, "alias check done"},
    {DSTACK_SNP_PLATFORM_TIO, "TIO on"},
};

static gboolean
guest_ensure(const DstackSnpReport *report, const DstackSnpWaivers *waivers, GError **error)
{
	if ((report->policy & DSTACK_SNP_POLICY_DEBUG) != 0 && !waivers->allow_debug)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "policy 0x%" G_GINT64_MODIFIER
				    "x: debug is allowed: the host can read the guest's memory",
				    report->policy);
	if ((report->policy & DSTACK_SNP_POLICY_MIGRATE_MA) != 0 && !waivers->allow_migratable)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "policy 0x%" G_GINT64_MODIFIER
				    "x: migrate_ma: a migration agent may be bound to the guest",
				    report->policy);
	if (report->vmpl > waivers->max_vmpl)
		return dstack_throw(error, DSTACK_ERROR_REFUSED, "vmpl: expected at most %u, found %u",
				    waivers->max_vmpl, report->vmpl);
	return TRUE;
}

/* a guest that asked for a protection must run on a platform that has it on */
static gboolean
platform_ensure(const DstackSnpReport *report, GError **error)
{
	guint64 policy = report->policy;
	guint64 platform = report->platform_info;

	if ((policy & DSTACK_SNP_POLICY_SMT) == 0 && (platform & DSTACK_SNP_PLATFORM_SMT) != 0)
		return dstack_throw(error, DSTACK_ERROR_REFUSED, "smt: the policy forbids it, the platform has it on");
	if ((policy & DSTACK_SNP_POLICY_RAPL_DIS) != 0 && (platform & DSTACK_SNP_PLATFORM_RAPL_DIS) == 0)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "rapl: the policy wants it disabled, the platform does not say so");
	if ((policy & DSTACK_SNP_POLICY_CIPHERTEXT_HIDING) != 0 &&
	    (platform & DSTACK_SNP_PLATFORM_CIPHERTEXT_HIDING) == 0)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "ciphertext hiding: the policy wants it, the platform does not have it on");
	if ((report->key_info & DSTACK_SNP_KEY_INFO_MASK_CHIP_KEY) != 0)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "mask_chip_key is set: the platform's reports are not signed by its chip");
	return TRUE;
}

static gboolean
bits_ensure(const DstackSnpReport *report, GError **error)
{
	if ((report->policy & DSTACK_SNP_POLICY_MUST_BE_ONE) == 0)
		return dstack_throw(error, DSTACK_ERROR_REFUSED, "policy 0x%" G_GINT64_MODIFIER "x: bit 17 must be one",
				    report->policy);
	if ((report->policy & POLICY_RESERVED) != 0)
		return dstack_throw(error, DSTACK_ERROR_REFUSED,
				    "policy 0x%" G_GINT64_MODIFIER "x: bits 63:26 must be zero", report->policy);
	return TRUE;
}

/**
 * dstack_snp_policy_ensure:
 * @report: a report
 * @waivers: what the caller puts up with
 * @error: (out) (optional): %DSTACK_ERROR_REFUSED names the rule
 *
 * In this order: debug, migration agent, VMPL; SMT, RAPL, ciphertext hiding, masked chip key; fixed bits.
 * Bits of PLATFORM_INFO that are not known here are no reason to refuse: real platforms set them.
 *
 * Returns: %TRUE when nothing in the policy speaks against the guest
 */
gboolean
dstack_snp_policy_ensure(const DstackSnpReport *report, const DstackSnpWaivers *waivers, GError **error)
{
	return guest_ensure(report, waivers, error) && platform_ensure(report, error) && bits_ensure(report, error);
}

static gchar *
bits_to_string(guint64 value, const BitName *names, gsize n_names, guint first_bit)
{
	GString *text = g_string_new(NULL);
	guint64 unknown = value >> first_bit << first_bit;

	for (gsize i = 0; i < n_names; i++) {
		if ((value & names[i].bit) == 0)
			continue;
		unknown &= ~names[i].bit;
		g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", names[i].name);
	}
	for (guint i = 0; i < 64; i++) {
		if ((unknown >> i & 1) != 0)
			g_string_append_printf(text, "%sunknown bit %u", text->len > 0 ? ", " : "", i);
	}
	return g_string_free(text, FALSE);
}

/**
 * dstack_snp_policy_to_string:
 * @policy: POLICY of a report
 *
 * Returns: (transfer full): its bits in words; the ABI version in bits 15:0 is left out
 */
gchar *
dstack_snp_policy_to_string(guint64 policy)
{
	return bits_to_string(policy, policy_bits, G_N_ELEMENTS(policy_bits), 16);
}

gchar *
dstack_snp_platform_info_to_string(guint64 platform_info)
{
	return bits_to_string(platform_info, platform_bits, G_N_ELEMENTS(platform_bits), 0);
}
