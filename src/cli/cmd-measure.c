/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * measure: write measurement material from image files.
 */

#include "config.h"

#include <unistd.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/output.h"
#include "measure/material-aws.h"
#include "measure/material-gcp.h"
#include "measure/material-snp.h"
#include "measure/material-tdx.h"

#define FILE_MODE 0644

/* the options as typed; owned */
typedef struct {
	gchar *version;
	gchar *output;
	gchar *uki;
	gchar *pcr[3];
	DstackMaterialKind kind;
	guint material_version;
} MeasureOptions;

static void
measure_options_clear(MeasureOptions *self)
{
	g_free(self->version);
	g_free(self->output);
	g_free(self->uki);
	for (guint i = 0; i < G_N_ELEMENTS(self->pcr); i++)
		g_free(self->pcr[i]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MeasureOptions, measure_options_clear)

static gboolean
options_read(MeasureOptions *self, DstackCli *cli, GError **error)
{
	static const gchar *const kinds[] = {"tdx", "snp", "gcp", "aws", NULL};
	guint64 version = 0;
	guint kind = 0;

	if (!dstack_option_parse_choice(cli->args[0], "what to measure", kinds, &kind, error))
		return FALSE;
	self->kind = (DstackMaterialKind)kind;
	if (self->version != NULL && !dstack_option_parse_uint(self->version, "--material-version", 4, &version, error))
		return FALSE;
	if (self->version != NULL && (version < 3 || self->kind != DSTACK_MATERIAL_TDX))
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "--material-version: expected 3 or 4, and only for tdx, found %s for %s",
				    self->version, kinds[kind]);
	if (self->output != NULL && cli->n_args != 2)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "-o: expected one image directory, found %u",
				    cli->n_args - 1);
	self->material_version = (guint)version;
	return TRUE;
}

static GBytes *
measure_tdx(DstackCli *cli, const DstackImage *image, const MeasureOptions *options, GError **error)
{
	g_autoptr(DstackTdxMeasured) measured = NULL;
	g_autoptr(GError) unusual = NULL;

	measured = dstack_measure_tdx_material(image, options->material_version, cli->cancellable, error);
	if (measured == NULL)
		return NULL;
	if (!dstack_tdx_measured_ensure_default_cfv(measured, &unusual))
		dstack_cli_warn(cli, "%s: %s", image->name, unusual->message);
	if (measured->has_reference_kernel)
		dstack_cli_note(
		    cli,
		    "%s: the reference tool would write another kernel digest, which no launch of this image "
		    "could show",
		    image->name);
	return dstack_tdx_material_build(measured->material);
}

static GBytes *
measure_snp(DstackCli *cli, const DstackImage *image, GError **error)
{
	g_autoptr(DstackSnpMaterial) material = dstack_measure_snp_material(image, cli->cancellable, error);

	return material == NULL ? NULL : dstack_snp_material_build(material);
}

static GBytes *
measure_gcp(const DstackImage *image, const MeasureOptions *options, GError **error)
{
	DstackGcpMaterial material;

	if (options->uki == NULL) {
		(void)dstack_throw(
		    error, DSTACK_ERROR_INVALID_ARGUMENT,
		    "measure gcp: expected --uki FILE: metadata.json does not name the unified kernel image");
		return NULL;
	}
	return dstack_measure_gcp_material(image, options->uki, &material, error) ? dstack_gcp_material_build(&material)
										  : NULL;
}

static GBytes *
measure_aws(const MeasureOptions *options, GError **error)
{
	static const gchar *const names[] = {"--pcr4", "--pcr7", "--pcr12"};
	DstackSha384 pcr[G_N_ELEMENTS(names)];
	DstackAwsMaterial material;

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		if (options->pcr[i] == NULL) {
			(void)dstack_throw(
			    error, DSTACK_ERROR_INVALID_ARGUMENT,
			    "measure aws: expected %s HEX: what the platform's firmware measures is not in an "
			    "image directory, read it from a reference boot",
			    names[i]);
			return NULL;
		}
		if (!dstack_sha384_from_hex(options->pcr[i], names[i], &pcr[i], error))
			return NULL;
	}
	material = dstack_aws_measure(&pcr[0], &pcr[1], &pcr[2]);
	return dstack_aws_material_build(&material);
}

static GBytes *
measure_image(DstackCli *cli, const DstackImage *image, const MeasureOptions *options, GError **error)
{
	switch (options->kind) {
	case DSTACK_MATERIAL_TDX:
		return measure_tdx(cli, image, options, error);
	case DSTACK_MATERIAL_SNP:
		return measure_snp(cli, image, error);
	case DSTACK_MATERIAL_GCP:
		return measure_gcp(image, options, error);
	case DSTACK_MATERIAL_AWS:
		return measure_aws(options, error);
	case DSTACK_N_MATERIALS:
		break;
	}
	g_return_val_if_reached(NULL);
}

/* into the image's own directory, or where -o says */
static gchar *
write_material(const DstackImage *image, const MeasureOptions *options, GBytes *cbor, GError **error)
{
	const gchar *name = dstack_material_kind_to_file_name(options->kind);
	g_autofree gchar *directory = NULL;
	g_autofree gchar *file_name = NULL;
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(cbor, &size);
	DSTACK_AUTO_FD int fd = -1;

	if (options->output == NULL) {
		if (!dstack_file_replace_at(image->dirfd, name, data, size, FILE_MODE, (gid_t)-1, error))
			return NULL;
		return g_build_filename(image->path, name, NULL);
	}
	directory = g_path_get_dirname(options->output);
	file_name = g_path_get_basename(options->output);
	fd = dstack_dir_open(directory, error);
	if (fd < 0 || !dstack_file_replace_at(fd, file_name, data, size, FILE_MODE, (gid_t)-1, error))
		return NULL;
	return g_strdup(options->output);
}

/* the manifest commits to the material, so it has to be written again after this */
static void
warn_of_manifest(DstackCli *cli, const DstackImage *image, const gchar *name, const DstackSha256 *digest)
{
	g_autoptr(GBytes) text = dstack_file_read_beneath(image->dirfd, "sha256sum.txt", DSTACK_LIMIT_MANIFEST, NULL);
	g_autoptr(DstackManifest) manifest = text != NULL ? dstack_manifest_parse(text, NULL) : NULL;
	const DstackManifestEntry *entry = manifest != NULL ? dstack_manifest_find(manifest, name) : NULL;

	if (manifest == NULL || (entry != NULL && dstack_sha256_equal(&entry->sha256, digest)))
		return;
	if (entry != NULL)
		dstack_cli_warn(cli, "%s: sha256sum.txt lists another %s: write the manifest and digest.txt again",
				image->name, name);
	else
		dstack_cli_note(cli, "%s: sha256sum.txt does not list %s yet: write the manifest and digest.txt again",
				image->name, name);
}

static gboolean
measure_directory(DstackCli *cli, const gchar *path, const MeasureOptions *options, DstackTable *table, GError **error)
{
	const gchar *name = dstack_material_kind_to_file_name(options->kind);
	g_autoptr(DstackImage) image = dstack_image_open_unfinished(path, error);
	g_autoptr(GBytes) cbor = NULL;
	g_autofree gchar *written = NULL;
	DstackRecord *row = NULL;
	DstackSha256 digest;

	if (image == NULL)
		return FALSE;
	cbor = measure_image(cli, image, options, error);
	if (cbor == NULL) {
		g_prefix_error(error, "%s: ", image->name);
		return FALSE;
	}
	if (g_strcmp0(options->output, "-") == 0)
		return dstack_output_write(STDOUT_FILENO, g_bytes_get_data(cbor, NULL), g_bytes_get_size(cbor), error);
	written = write_material(image, options, cbor, error);
	if (written == NULL)
		return FALSE;
	digest = dstack_sha256_bytes(cbor);
	row = dstack_table_add_row(table);
	dstack_record_add_text(row, "image", "IMAGE", image->name);
	dstack_record_add_text(row, "file", "FILE", written);
	dstack_record_add_uint(row, "size", "BYTES", g_bytes_get_size(cbor));
	dstack_record_add_hex(row, "sha256", NULL, digest.bytes, sizeof(digest.bytes));
	if (options->output == NULL)
		warn_of_manifest(cli, image, name, &digest);
	return TRUE;
}

/**
 * dstack_cmd_measure:
 * @cli: the run
 * @error: (out) (optional): why there is no material
 *
 * measure tdx|snp|gcp|aws DIR…: computes material and puts it into the image directory.
 *
 * Returns: %TRUE when it has answered
 */
gboolean
dstack_cmd_measure(DstackCli *cli, GError **error)
{
	g_auto(MeasureOptions) options = {0};
	g_autoptr(DstackTable) table = NULL;
	const GOptionEntry entries[] = {
	    {"material-version", 0, 0, G_OPTION_ARG_STRING, &options.version,
	     "tdx: layout (default: 4 for a normalized kernel, else 3)", "3|4"},
	    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
	     "Write there, not into the image (-: standard output)", "FILE"},
	    {"uki", 0, 0, G_OPTION_ARG_FILENAME, &options.uki, "gcp: the image's unified kernel image", "FILE"},
	    {"pcr4", 0, 0, G_OPTION_ARG_STRING, &options.pcr[0], "aws: PCR 4 of a reference boot, SHA-384", "HEX"},
	    {"pcr7", 0, 0, G_OPTION_ARG_STRING, &options.pcr[1], "aws: PCR 7", "HEX"},
	    {"pcr12", 0, 0, G_OPTION_ARG_STRING, &options.pcr[2], "aws: PCR 12", "HEX"},
	    {NULL},
	};

	if (!dstack_cli_parse(cli, entries, 2, DSTACK_CLI_MANY, error) || !options_read(&options, cli, error))
		return FALSE;
	table = dstack_table_new();
	for (guint i = 1; i < cli->n_args; i++) {
		if (!measure_directory(cli, cli->args[i], &options, table, error))
			return FALSE;
	}
	if (g_strcmp0(options.output, "-") != 0)
		dstack_cli_print_table(cli, table);
	return TRUE;
}
