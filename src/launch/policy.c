/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The TDX variant of a launch, with the reason in words. formats.md, section 4; what QEMU versions do to
 * the measured kernel: tdx-measurement.md, section 4. A pure function: no file, no clock.
 */
#include "config.h"

#include "launch/policy.h"

#include "base/error.h"
#include "launch/request.h"

#define MEMORY_EXACT G_GUINT64_CONSTANT(0x80000000)
#define MEMORY_FROM  G_GUINT64_CONSTANT(0xB0000000)

gboolean
dstack_policy_memory_allows_lite(guint64 memory_size)
{
	return memory_size == MEMORY_EXACT || memory_size >= MEMORY_FROM;
}

void
dstack_policy_answer_clear(DstackPolicyAnswer *self)
{
	g_clear_pointer(&self->reason, g_free);
	g_clear_pointer(&self->warning, g_free);
}

static gboolean
qemu_is_at_least(const DstackPolicyQuestion *question, guint major, guint minor)
{
	return question->qemu_major > major || (question->qemu_major == major && question->qemu_minor >= minor);
}

/* why lite cannot be, or NULL where it can; out_help says what would make it possible */
static gchar *
find_obstacle(const DstackPolicyQuestion *question, const gchar **out_help)
{
	if (question->material == DSTACK_MATERIAL_ABSENT) {
		*out_help =
		    "use an image that has it, or write it with 'measure tdx', or choose --variant auto or legacy";
		return g_strdup("the image has no measurement.tdx.cbor");
	}
	if (!question->kernel_normalized && !dstack_policy_memory_allows_lite(question->memory_size)) {
		g_autofree gchar *size = dstack_size_to_string(question->memory_size);

		*out_help = "give the guest 2 GiB or at least 2816 MiB, or choose --variant auto or legacy";
		return g_strdup_printf(
		    "memory: lite needs exactly 2 GiB or at least 2816 MiB, found %s, where QEMU patches "
		    "another initrd address into the measured kernel",
		    size);
	}
	return NULL;
}

static gchar *
explain_lite(const DstackPolicyQuestion *question)
{
	g_autofree gchar *size = dstack_size_to_string(question->memory_size);

	if (question->kernel_normalized)
		return g_strdup_printf(
		    "the image's kernel header is normalized, so its material holds at %s as at every size", size);
	return g_strdup_printf("the image's material is sound and holds at %s", size);
}

static void
answer_lite(const DstackPolicyQuestion *question, DstackPolicyAnswer *out)
{
	out->lite = TRUE;
	out->reason = explain_lite(question);
	out->warning = NULL;
	if (!question->kernel_normalized && qemu_is_at_least(question, 10, 0))
		out->warning = g_strdup_printf("qemu %u.%u also offers the kernel unpatched, which firmware of "
					       "edk2-stable202502 or later measures instead: the guest may not attest",
					       question->qemu_major, question->qemu_minor);
}

static void
answer_legacy(gchar *reason, gchar *warning, DstackPolicyAnswer *out)
{
	out->lite = FALSE;
	out->reason = reason;
	out->warning = warning;
}

/* the application's own requirement stands above the operator's choice */
static DstackPolicy
get_effective_policy(const DstackPolicyQuestion *question)
{
	switch (question->requirement) {
	case DSTACK_REQUIREMENT_LITE:
		return DSTACK_POLICY_LITE;
	case DSTACK_REQUIREMENT_LEGACY:
		return DSTACK_POLICY_LEGACY;
	case DSTACK_REQUIREMENT_NONE:
		return question->policy;
	}
	g_return_val_if_reached(DSTACK_POLICY_LITE);
}

static gboolean
refuse(const DstackPolicyQuestion *question, const gchar *obstacle, const gchar *help, GError **error)
{
	if (question->requirement == DSTACK_REQUIREMENT_LITE)
		return dstack_throw(
		    error, DSTACK_ERROR_REFUSED,
		    "%s; the application requires lite (tdx_measure_acpi_tables is false), so no --variant "
		    "helps: %s",
		    obstacle, help);
	return dstack_throw(error, DSTACK_ERROR_REFUSED, "%s; %s", obstacle, help);
}

/* always an error: vm_config carries the material even where the variant is legacy */
static gboolean
ensure_sound(const DstackPolicyQuestion *question, GError **error)
{
	if (question->material != DSTACK_MATERIAL_UNSOUND)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_UNSOUND, "measurement.tdx.cbor: %s",
			    question->material_problem != NULL ? question->material_problem : "unsound");
}

/* QEMU from 10.2 measures a kernel that neither this material nor a verifier that patches it expects */
static gchar *
find_qemu_obstacle(const DstackPolicyQuestion *question)
{
	if (question->kernel_normalized || question->material == DSTACK_MATERIAL_ABSENT ||
	    !qemu_is_at_least(question, 10, 2))
		return NULL;
	return g_strdup_printf("qemu: version %u.%u leaves the kernel header alone, but the image's material is for "
			       "the header as QEMU before 10.2 patches it",
			       question->qemu_major, question->qemu_minor);
}

static void
decide_legacy(const DstackPolicyQuestion *question, DstackPolicyAnswer *out)
{
	g_autofree gchar *obstacle = find_qemu_obstacle(question);

	answer_legacy(g_strdup(question->requirement == DSTACK_REQUIREMENT_LEGACY
				   ? "the application requires measured ACPI tables (tdx_measure_acpi_tables is true)"
				   : "the policy says legacy"),
		      g_steal_pointer(&obstacle), out);
}

gboolean
dstack_policy_decide(const DstackPolicyQuestion *question, DstackPolicyAnswer *out, GError **error)
{
	DstackPolicy policy = get_effective_policy(question);
	g_autofree gchar *obstacle = NULL;
	const gchar *help = "use an image with a normalized kernel, or an older QEMU";

	if (!ensure_sound(question, error))
		return FALSE;
	if (policy == DSTACK_POLICY_LEGACY) {
		decide_legacy(question, out);
		return TRUE;
	}
	/* auto does not help here: what would be measured fits no variant */
	obstacle = find_qemu_obstacle(question);
	if (obstacle != NULL)
		return refuse(question, obstacle, help, error);
	obstacle = find_obstacle(question, &help);
	if (obstacle == NULL) {
		answer_lite(question, out);
		return TRUE;
	}
	if (policy != DSTACK_POLICY_AUTO)
		return refuse(question, obstacle, help, error);
	answer_legacy(g_strdup(obstacle), g_strdup_printf("legacy instead of lite: %s", obstacle), out);
	return TRUE;
}
