/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * doctor: image directories, and what each image in them can launch.
 */

#include "config.h"

#include "cli/doctor.h"

#include "image/directory.h"

static gboolean
can_launch(const DstackImage *image)
{
	return image->tdx != NULL || image->snp != NULL;
}

/* (nullable): what is wrong with the first material that is not sound */
static const gchar *
first_material_error(const DstackImage *image)
{
	for (guint kind = 0; kind < DSTACK_N_MATERIALS; kind++) {
		if (image->material_errors[kind] != NULL)
			return image->material_errors[kind]->message;
	}
	return NULL;
}

static void
add_image(DstackDoctor *self, const DstackImageEntry *entry)
{
	g_autofree gchar *check = g_strconcat("image ", entry->name, NULL);
	const gchar *problem = NULL;

	if (entry->image == NULL) {
		dstack_doctor_add(self, check, DSTACK_HEALTH_WARN, entry->error->message,
				  "complete or remove it: it cannot be launched");
		return;
	}
	problem = first_material_error(entry->image);
	if (problem != NULL)
		dstack_doctor_add(self, check, DSTACK_HEALTH_WARN, problem,
				  "fetch the image again: it contradicts itself, and launches of it are refused");
	else if (entry->shadowed)
		dstack_doctor_add(self, check, DSTACK_HEALTH_WARN, entry->path,
				  "an earlier directory has an image of this name, which the name means");
	else if (!can_launch(entry->image))
		dstack_doctor_add(self, check, DSTACK_HEALTH_WARN, "no measurement material for TDX or SEV-SNP",
				  "make it: dstack-vmm-prep measure");
	else
		dstack_doctor_add(self, check, DSTACK_HEALTH_OK,
				  entry->image->snp == NULL   ? "material for TDX"
				  : entry->image->tdx == NULL ? "material for SEV-SNP"
							      : "material for TDX and SEV-SNP",
				  NULL);
}

static void
add_images(DstackDoctor *self, const gchar *const *roots)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = dstack_images_scan(roots, &error);

	if (entries == NULL) {
		dstack_doctor_add(self, "images", DSTACK_HEALTH_MISSING, error->message, "make the directory readable");
		return;
	}
	for (guint i = 0; i < entries->len; i++)
		add_image(self, g_ptr_array_index(entries, i));
	if (entries->len == 0)
		dstack_doctor_add(self, "images", DSTACK_HEALTH_MISSING, "none",
				  "put an image (a directory such as dstack-0.6.0) into an image directory");
}

void
dstack_doctor_images(DstackDoctor *self, const gchar *const *dirs)
{
	g_autoptr(GPtrArray) roots = g_ptr_array_new_with_free_func(g_free);

	for (; *dirs != NULL; dirs++) {
		gchar *path = dstack_doctor_path(self, *dirs);

		g_ptr_array_add(roots, path);
		if (g_file_test(path, G_FILE_TEST_IS_DIR))
			dstack_doctor_add(self, "image directory", DSTACK_HEALTH_OK, path, NULL);
		else
			dstack_doctor_add(self, "image directory", DSTACK_HEALTH_WARN, path,
					  "it is not there: make it");
	}
	g_ptr_array_add(roots, NULL);
	add_images(self, (const gchar *const *)roots->pdata);
}
