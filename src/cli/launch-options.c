/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A launch request from the command line.
 */
#include "config.h"

#include "cli/launch-options.h"

#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/options.h"

#define COUNT_MAX 255

void
dstack_launch_options_clear(DstackLaunchOptions *self)
{
	gchar **const strings[] = {&self->tee,
				   &self->memory,
				   &self->vcpus,
				   &self->variant,
				   &self->measure_acpi_tables,
				   &self->qemu,
				   &self->qemu_version,
				   &self->nics,
				   &self->gpus,
				   &self->nvswitches,
				   &self->verity_volumes,
				   &self->pci_hole64,
				   &self->pic,
				   &self->single_pass_add_pages,
				   &self->host_share,
				   &self->vcpu_type,
				   &self->guest_features,
				   &self->mr_config};

	for (guint i = 0; i < G_N_ELEMENTS(strings); i++)
		g_clear_pointer(strings[i], g_free);
}

GArray *
dstack_launch_options_entries(DstackLaunchOptions *self)
{
	const GOptionEntry entries[] = {
	    {"tee", 0, 0, G_OPTION_ARG_STRING, &self->tee, "Kind of confidential VM (default: what the image allows)",
	     "tdx|snp"},
	    {"memory", 0, 0, G_OPTION_ARG_STRING, &self->memory, "Memory at boot, such as 2G", "SIZE"},
	    {"vcpus", 0, 0, G_OPTION_ARG_STRING, &self->vcpus, "Number of virtual CPUs (default 1)", "N"},
	    {"variant", 0, 0, G_OPTION_ARG_STRING, &self->variant, "How TDX is attested (default: configured, or lite)",
	     "lite|auto|legacy"},
	    {"measure-acpi-tables", 0, 0, G_OPTION_ARG_STRING, &self->measure_acpi_tables,
	     "The application's own requirement", "yes|no"},
	    {"qemu", 0, 0, G_OPTION_ARG_FILENAME, &self->qemu, "The emulator: asked for its version", "PATH"},
	    {"qemu-version", 0, 0, G_OPTION_ARG_STRING, &self->qemu_version, "Its version", "X.Y.Z"},
	    {"nics", 0, 0, G_OPTION_ARG_STRING, &self->nics, "Number of network devices (default 1)", "N"},
	    {"gpus", 0, 0, G_OPTION_ARG_STRING, &self->gpus, "Number of GPUs", "N"},
	    {"nvswitches", 0, 0, G_OPTION_ARG_STRING, &self->nvswitches, "Number of NVSwitches", "N"},
	    {"verity-volumes", 0, 0, G_OPTION_ARG_STRING, &self->verity_volumes, "Number of verity volumes", "N"},
	    {"swtpm", 0, 0, G_OPTION_ARG_NONE, &self->swtpm, "The VM has an emulated TPM", NULL},
	    {"hugepages", 0, 0, G_OPTION_ARG_NONE, &self->hugepages, "Its memory is backed by huge pages", NULL},
	    {"hotplug-off", 0, 0, G_OPTION_ARG_NONE, &self->hotplug_off, "PCI hotplug through ACPI is off", NULL},
	    {"pci-hole64", 0, 0, G_OPTION_ARG_STRING, &self->pci_hole64, "Size of the 64-bit PCI hole", "SIZE"},
	    {"pic", 0, 0, G_OPTION_ARG_STRING, &self->pic, "Whether the VM has a PIC", "on|off"},
	    {"single-pass-add-pages", 0, 0, G_OPTION_ARG_STRING, &self->single_pass_add_pages,
	     "Whether QEMU adds pages in one pass", "on|off"},
	    {"host-share", 0, 0, G_OPTION_ARG_STRING, &self->host_share, "How the guest reaches the share",
	     "9p|vvfat|vhd"},
	    {"vcpu-type", 0, 0, G_OPTION_ARG_STRING, &self->vcpu_type, "SEV-SNP: CPU model (default EPYC-v4)", "TYPE"},
	    {"guest-features", 0, 0, G_OPTION_ARG_STRING, &self->guest_features, "SEV-SNP: guest features (default 1)",
	     "N"},
	    {"mr-config", 0, 0, G_OPTION_ARG_FILENAME, &self->mr_config, "MrConfigV3 document to bind", "FILE"},
	};
	GArray *array = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

	return g_array_append_vals(array, entries, G_N_ELEMENTS(entries));
}

static gboolean
read_switch(const gchar *text, const gchar *option, DstackSwitch *out, GError **error)
{
	gboolean on;

	if (text == NULL)
		return TRUE;
	if (!dstack_option_parse_switch(text, option, &on, error))
		return FALSE;
	*out = on ? DSTACK_SWITCH_ON : DSTACK_SWITCH_OFF;
	return TRUE;
}

static gboolean
read_count(const gchar *text, const gchar *option, guint64 max, guint32 *out, GError **error)
{
	guint64 number;

	if (text == NULL)
		return TRUE;
	if (!dstack_option_parse_uint(text, option, max, &number, error))
		return FALSE;
	*out = (guint32)number;
	return TRUE;
}

static gboolean
read_size(const gchar *text, const gchar *option, guint64 *out, GError **error)
{
	return text == NULL || dstack_option_parse_size(text, option, out, error);
}

static gboolean
read_numbers(const DstackLaunchOptions *self, DstackLaunchRequest *request, GError **error)
{
	if (self->memory == NULL)
		return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT,
				    "--memory: expected a size such as 2G, found none");
	request->cpu_count = 1;
	if (self->guest_features != NULL && !dstack_option_parse_uint(self->guest_features, "--guest-features",
								      G_MAXUINT64, &request->guest_features, error))
		return FALSE;
	return read_size(self->memory, "--memory", &request->memory_size, error) &&
	       read_size(self->pci_hole64, "--pci-hole64", &request->pci_hole64_size, error) &&
	       read_count(self->vcpus, "--vcpus", 4096, &request->cpu_count, error) &&
	       read_count(self->nics, "--nics", COUNT_MAX, &request->num_nics, error) &&
	       read_count(self->gpus, "--gpus", COUNT_MAX, &request->num_gpus, error) &&
	       read_count(self->nvswitches, "--nvswitches", COUNT_MAX, &request->num_nvswitches, error) &&
	       read_count(self->verity_volumes, "--verity-volumes", COUNT_MAX, &request->num_verity_volumes, error);
}

static gboolean
read_choices(const DstackLaunchOptions *self, DstackLaunchRequest *request, GError **error)
{
	if (self->tee != NULL && !dstack_launch_tee_parse(self->tee, &request->tee, error))
		return FALSE;
	if (self->variant != NULL && !dstack_policy_parse(self->variant, &request->policy, error))
		return FALSE;
	return read_switch(self->measure_acpi_tables, "--measure-acpi-tables", &request->measure_acpi_tables, error) &&
	       read_switch(self->pic, "--pic", &request->pic, error) &&
	       read_switch(self->single_pass_add_pages, "--single-pass-add-pages", &request->single_pass_add_pages,
			   error);
}

static gboolean
read_mr_config(const DstackLaunchOptions *self, DstackLaunchRequest *request, GError **error)
{
	g_autoptr(GBytes) document = NULL;
	gsize size;
	const gchar *data;

	if (self->mr_config == NULL)
		return TRUE;
	document = dstack_file_read_path(self->mr_config, DSTACK_LIMIT_MR_CONFIG, error);
	if (document == NULL)
		return FALSE;
	data = g_bytes_get_data(document, &size);
	if (!g_utf8_validate_len(data != NULL ? data : "", size, NULL))
		return dstack_throw(error, DSTACK_ERROR_MALFORMED, "'%s': expected JSON text in UTF-8 without NUL",
				    self->mr_config);
	request->mr_config = g_strndup(data != NULL ? data : "", size);
	return TRUE;
}

DstackLaunchRequest *
dstack_launch_options_to_request(const DstackLaunchOptions *self, const gchar *image, GError **error)
{
	g_autoptr(DstackLaunchRequest) request = dstack_launch_request_new();

	request->image = g_strdup(image);
	request->allow_path = TRUE;
	request->qemu_path = g_strdup(self->qemu);
	request->qemu_version = g_strdup(self->qemu_version);
	request->host_share_mode = g_strdup(self->host_share);
	request->vcpu_type = g_strdup(self->vcpu_type);
	request->swtpm = self->swtpm;
	request->hugepages = self->hugepages;
	request->hotplug_off = self->hotplug_off;
	if (!read_numbers(self, request, error) || !read_choices(self, request, error) ||
	    !read_mr_config(self, request, error))
		return NULL;
	return g_steal_pointer(&request);
}
