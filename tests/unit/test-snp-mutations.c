/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Real SEV-SNP evidence with one thing changed: never valid, and the step that notices is the right one.
 */

#include "config.h"

#include "verify/snp.h"

#include <string.h>

#include "config/mr-config.h"
#include "config/vm-config.h"
#include "image/material.h"
#include "support/vectors.h"

#define FIXTURE_TIME 1786838400 /* 2026-08-16 */

static DstackAttestation *
load_fixture(void)
{
	g_autoptr(GBytes) bytes = dstack_test_vector_read("snp/open/e2e/attestation-fixture.bin");
	DstackAttestation *attestation =
	    dstack_attestation_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL);

	g_assert_nonnull(attestation);
	return attestation;
}

/* name of the step that failed; NULL when the evidence is valid */
static const gchar *
judge(const DstackAttestation *attestation)
{
	DstackContext context = {.now = FIXTURE_TIME};
	DstackVerifyOptions options = {.context = &context};
	g_autoptr(DstackVerdict) verdict = dstack_verify_snp(attestation, &options, NULL);

	g_assert_nonnull(verdict);
	for (guint i = 0; i < verdict->steps->len; i++) {
		const DstackStep *step = &g_array_index(verdict->steps, DstackStep, i);

		if (step->state != DSTACK_STEP_FAILED)
			continue;
		g_assert_false(dstack_verdict_is_valid(verdict));
		g_assert_false(verdict->has_app_info);
		return step->name;
	}
	g_assert_true(dstack_verdict_is_valid(verdict));
	return NULL;
}

/* flips one bit of each byte of *bytes in turn */
static void
assert_every_flip_is_noticed(const DstackAttestation *attestation, GBytes **bytes)
{
	g_autoptr(GBytes) original = g_bytes_ref(*bytes);
	gsize size = g_bytes_get_size(original);

	for (gsize i = 0; i < size; i++) {
		guint8 *copy = g_memdup2(g_bytes_get_data(original, NULL), size);

		copy[i] ^= (guint8)(1U << (i % 8));
		g_bytes_unref(*bytes);
		*bytes = g_bytes_new_take(copy, size);
		if (judge(attestation) == NULL)
			g_error("a flip of byte 0x%" G_GSIZE_MODIFIER "x went unnoticed", i);
	}
	g_bytes_unref(*bytes);
	*bytes = g_bytes_ref(original);
}

static void
every_byte_of_the_report_matters(void)
{
	g_autoptr(DstackAttestation) attestation = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	attestation = load_fixture();
	assert_every_flip_is_noticed(attestation, &attestation->report);
	g_assert_null(judge(attestation));
}

static void
every_byte_of_the_certificates_matters(void)
{
	static const gchar *const files[] = {"snp/common/roots/milan_ask.der", "snp/open/certs/vcek-1b35b841.der"};
	g_autoptr(DstackAttestation) attestation = NULL;

	if (dstack_test_vectors_dir() == NULL)
		return;
	attestation = load_fixture();
	g_ptr_array_set_size(attestation->cert_chain, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		g_ptr_array_add(attestation->cert_chain, dstack_test_vector_read(files[i]));
	g_assert_null(judge(attestation));
	for (guint i = 0; i < attestation->cert_chain->len; i++)
		assert_every_flip_is_noticed(attestation, (GBytes **)&g_ptr_array_index(attestation->cert_chain, i));
}

/* the fixture's documents, taken apart */
typedef struct {
	DstackAttestation *attestation;
	DstackVmConfig *config;
	DstackSnpDocument *document;
	DstackSnpMaterial *material;
	DstackMrConfig *mr_config;
} Documents;

static void
documents_load(Documents *self)
{
	const gchar *text = NULL;

	self->attestation = load_fixture();
	text = self->attestation->config;
	self->config = dstack_vm_config_parse(text, strlen(text), NULL);
	self->document = dstack_snp_document_parse(self->config->sev_snp_measurement, NULL);
	self->material = dstack_snp_material_parse(self->document->measurement, NULL);
	self->mr_config = dstack_mr_config_parse(self->config->mr_config, strlen(self->config->mr_config), NULL);
	g_assert_nonnull(self->material);
	g_assert_nonnull(self->mr_config);
}

static void
documents_clear(Documents *self)
{
	dstack_attestation_free(self->attestation);
	dstack_vm_config_free(self->config);
	dstack_snp_document_free(self->document);
	dstack_snp_material_free(self->material);
	dstack_mr_config_free(self->mr_config);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Documents, documents_clear)

static void
replace_bytes(GBytes **at, GBytes *bytes)
{
	g_bytes_unref(*at);
	*at = bytes;
}

/* puts the document back into the evidence as it now is */
static const gchar *
documents_judge(Documents *self)
{
	g_free(self->config->sev_snp_measurement);
	self->config->sev_snp_measurement = dstack_snp_document_build(self->document);
	g_free(self->attestation->config);
	self->attestation->config = dstack_vm_config_to_text(self->config);
	return judge(self->attestation);
}

/* a checksum file that promises the material as it now is, and an image hash that promises the checksum file */
static void
documents_promise_material(Documents *self)
{
	g_autoptr(GBytes) cbor = dstack_snp_material_build(self->material);
	DstackSha256 hash = dstack_sha256_bytes(cbor);
	g_autofree gchar *hex = dstack_sha256_to_hex(&hash);
	gchar *line = g_strdup_printf("%s  measurement.snp.cbor\n", hex);

	replace_bytes(&self->document->measurement, g_bytes_ref(cbor));
	replace_bytes(&self->document->checksum_file, g_bytes_new_take(line, strlen(line)));
	self->config->os_image_hash = dstack_sha256_bytes(self->document->checksum_file);
}

typedef struct {
	const gchar *name;
	void (*change)(Documents *self);
	const gchar *step;
} Change;

static void
change_nothing(Documents *self)
{
}

static void
change_os_image_hash(Documents *self)
{
	self->config->os_image_hash.bytes[31] ^= 1;
}

static void
change_os_image_hash_away(Documents *self)
{
	self->config->has_os_image_hash = FALSE;
}

static void
change_checksum_file(Documents *self)
{
	replace_bytes(&self->document->checksum_file, g_bytes_new_static("", 0));
}

static void
change_checksum_promise(Documents *self)
{
	g_autofree gchar *text = g_strndup(g_bytes_get_data(self->document->checksum_file, NULL),
					   g_bytes_get_size(self->document->checksum_file));

	text[0] = text[0] == '0' ? '1' : '0';
	replace_bytes(&self->document->checksum_file, g_bytes_new(text, strlen(text)));
	self->config->os_image_hash = dstack_sha256_bytes(self->document->checksum_file);
}

static void
change_vcpus(Documents *self)
{
	self->document->vcpus++;
}

static void
change_vcpu_type(Documents *self)
{
	g_free(self->document->vcpu_type);
	self->document->vcpu_type = g_strdup("EPYC-Milan");
}

static void
change_guest_features(Documents *self)
{
	self->document->guest_features = 0x21;
}

static void
change_material_alone(Documents *self)
{
	self->material->kernel_hash.bytes[0] ^= 1;
	replace_bytes(&self->document->measurement, dstack_snp_material_build(self->material));
}

static void
change_cmdline(Documents *self)
{
	gchar *longer = g_strconcat(self->material->cmdline, " debug", NULL);

	g_free(self->material->cmdline);
	self->material->cmdline = longer;
	documents_promise_material(self);
}

static void
change_ovmf_hash(Documents *self)
{
	self->material->ovmf_hash.bytes[47] ^= 1;
	documents_promise_material(self);
}

static void
change_kernel_hash(Documents *self)
{
	self->material->kernel_hash.bytes[0] ^= 1;
	documents_promise_material(self);
}

static void
change_initrd_hash(Documents *self)
{
	self->material->initrd_hash.bytes[0] ^= 1;
	documents_promise_material(self);
}

static void
change_table_gpa(Documents *self)
{
	self->material->hashes_table_gpa += 16;
	documents_promise_material(self);
}

static void
change_reset_eip(Documents *self)
{
	self->material->reset_eip++;
	documents_promise_material(self);
}

static void
change_section_gpa(Documents *self)
{
	self->material->sections[0].gpa += 4096;
	documents_promise_material(self);
}

static void
change_section_size(Documents *self)
{
	self->material->sections[0].size += 4096;
	documents_promise_material(self);
}

static void
change_section_type(Documents *self)
{
	self->material->sections[0].type = 3;
	documents_promise_material(self);
}

static void
change_section_order(Documents *self)
{
	DstackSnpSection first = self->material->sections[0];

	self->material->sections[0] = self->material->sections[1];
	self->material->sections[1] = first;
	documents_promise_material(self);
}

static void
change_section_away(Documents *self)
{
	self->material->n_sections--; /* the last of the fixture's is the kernel's hashes */
	documents_promise_material(self);
}

/* the document that counts is that of the evidence, not the one in vm_config */
static void
put_mr_config(Documents *self)
{
	g_free(self->attestation->mr_config);
	self->attestation->mr_config = dstack_mr_config_build(self->mr_config);
}

static void
change_app_id(Documents *self)
{
	replace_bytes(&self->mr_config->app_id, g_bytes_new_static("00000000000000000000", 20));
	put_mr_config(self);
}

static void
change_compose_hash(Documents *self)
{
	self->mr_config->compose_hash.bytes[0] ^= 1;
	put_mr_config(self);
}

static void
change_instance_id(Documents *self)
{
	replace_bytes(&self->mr_config->instance_id, g_bytes_new_static("00000000000000000000", 20));
	put_mr_config(self);
}

static void
change_key_provider(Documents *self)
{
	self->mr_config->key_provider = DSTACK_KEY_PROVIDER_LOCAL;
	put_mr_config(self);
}

static void
change_key_provider_id(Documents *self)
{
	replace_bytes(&self->mr_config->key_provider_id, g_bytes_new_static("x", 1));
	put_mr_config(self);
}

static void
change_mr_config_spacing(Documents *self)
{
	gchar *spaced = g_strconcat(self->config->mr_config, " ", NULL);

	g_free(self->attestation->mr_config);
	self->attestation->mr_config = spaced;
}

static void
change_report_data(Documents *self)
{
	self->attestation->report_data[63] ^= 1;
}

static void
change_config_away(Documents *self)
{
	g_clear_pointer(&self->config->sev_snp_measurement, g_free);
}

static const Change changes[] = {
    {"nothing", change_nothing, NULL},
    {"report_data beside the report", change_report_data, "report-data"},
    {"os_image_hash", change_os_image_hash, "os-image-hash"},
    {"no os_image_hash", change_os_image_hash_away, "os-image-hash"},
    {"checksum_file", change_checksum_file, "os-image-hash"},
    {"the checksum of the material", change_checksum_promise, "material"},
    {"the material alone", change_material_alone, "material"},
    {"vcpus", change_vcpus, "measurement"},
    {"vcpu_type", change_vcpu_type, "measurement"},
    {"guest_features", change_guest_features, "measurement"},
    {"cmdline", change_cmdline, "measurement"},
    {"ovmf_hash", change_ovmf_hash, "measurement"},
    {"kernel_hash", change_kernel_hash, "measurement"},
    {"initrd_hash", change_initrd_hash, "measurement"},
    {"hashes_table_gpa", change_table_gpa, "measurement"},
    {"reset_eip", change_reset_eip, "measurement"},
    {"a section's gpa", change_section_gpa, "measurement"},
    {"a section's size", change_section_size, "measurement"},
    {"a section's type", change_section_type, "measurement"},
    {"order of the sections", change_section_order, "measurement"},
    {"no kernel hashes section", change_section_away, "material"},
    {"app_id", change_app_id, "host-data"},
    {"compose_hash", change_compose_hash, "host-data"},
    {"instance_id", change_instance_id, "host-data"},
    {"key_provider", change_key_provider, "host-data"},
    {"key_provider_id", change_key_provider_id, "host-data"},
    {"a space after the mr_config", change_mr_config_spacing, "host-data"},
};

static void
every_field_of_the_documents_matters(void)
{
	if (dstack_test_vectors_dir() == NULL)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
		g_auto(Documents) documents = {NULL, NULL, NULL, NULL, NULL};

		g_test_message("%s", changes[i].name);
		documents_load(&documents);
		changes[i].change(&documents);
		g_assert_cmpstr(documents_judge(&documents), ==, changes[i].step);
	}
}

static void
a_missing_document_is_named(void)
{
	g_auto(Documents) documents = {NULL, NULL, NULL, NULL, NULL};

	if (dstack_test_vectors_dir() == NULL)
		return;
	documents_load(&documents);
	change_config_away(&documents);
	g_free(documents.attestation->config);
	documents.attestation->config = dstack_vm_config_to_text(documents.config);
	g_assert_cmpstr(judge(documents.attestation), ==, "vm-config");
	g_clear_pointer(&documents.attestation->config, g_free);
	g_assert_cmpstr(judge(documents.attestation), ==, "vm-config");
}

/* evidence first, then the vm_config beside it, then the one inside (evidence.md, part B, section 5) */
static void
looks_for_the_mr_config_in_order(void)
{
	g_auto(Documents) documents = {NULL, NULL, NULL, NULL, NULL};
	g_autofree gchar *right = NULL;
	const gchar *wrong = "{\"mr_config\":\"{}\"}";

	if (dstack_test_vectors_dir() == NULL)
		return;
	documents_load(&documents);
	right = g_strdup(documents.config->mr_config);
	g_clear_pointer(&documents.attestation->mr_config, g_free);
	g_assert_null(documents_judge(&documents));
	documents.attestation->external_config = g_strdup(wrong);
	g_assert_cmpstr(documents_judge(&documents), ==, "host-data");
	documents.attestation->mr_config = g_strdup(right);
	g_assert_null(documents_judge(&documents));
	g_free(documents.attestation->mr_config);
	documents.attestation->mr_config = g_strdup("{}");
	g_assert_cmpstr(documents_judge(&documents), ==, "host-data");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/snp-mutations/every-field-of-the-documents-matters", every_field_of_the_documents_matters);
	g_test_add_func("/snp-mutations/a-missing-document-is-named", a_missing_document_is_named);
	g_test_add_func("/snp-mutations/looks-for-the-mr-config-in-order", looks_for_the_mr_config_in_order);
	g_test_add_func("/snp-mutations/every-byte-of-the-report-matters", every_byte_of_the_report_matters);
	g_test_add_func("/snp-mutations/every-byte-of-the-certificates-matters",
			every_byte_of_the_certificates_matters);
	return g_test_run();
}
