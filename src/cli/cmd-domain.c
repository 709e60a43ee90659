/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * domain: what the libvirt hook would do for a domain, without doing it. The same calls as the hook's, up to
 * where it writes.
 */
#include "config.h"

#include "cli/command.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "launch/domain-launch.h"
#include "launch/injection.h"

/* "-", a path or FILE.xml; anything else is a domain's name, which may be any text */
static gboolean
is_file(const gchar *argument)
{
	return g_str_equal(argument, "-") || strchr(argument, '/') != NULL || g_str_has_suffix(argument, ".xml");
}

static GBytes *
ask_libvirt(DstackCli *cli, const gchar *name, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GSubprocess) process =
	    g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &local, "virsh", "-q",
			     "dumpxml", "--", name, NULL);
	g_autoptr(GBytes) xml = NULL;
	g_autoptr(GBytes) words = NULL;
	g_autofree gchar *why = NULL;

	if (process == NULL || !g_subprocess_communicate(process, NULL, cli->cancellable, &xml, &words, &local)) {
		dstack_throw(error, DSTACK_ERROR_FAILED, "cannot ask virsh for domain '%s': %s", name, local->message);
		return NULL;
	}
	if (g_subprocess_get_successful(process))
		return g_steal_pointer(&xml);
	why = g_strndup(g_bytes_get_size(words) > 0 ? g_bytes_get_data(words, NULL) : "", g_bytes_get_size(words));
	g_strdelimit(why, "\n", ' ');
	dstack_throw(error, DSTACK_ERROR_NOT_FOUND, "domain '%s': virsh says: %s", name, g_strstrip(why));
	return NULL;
}

static DstackDomain *
read_domain(DstackCli *cli, GError **error)
{
	const gchar *argument = cli->args[0];
	g_autoptr(GBytes) xml = is_file(argument) ? dstack_file_read_path(argument, DSTACK_LIMIT_DOMAIN_XML, error)
						  : ask_libvirt(cli, argument, error);
	gsize size;
	const gchar *data;

	if (xml == NULL)
		return NULL;
	data = g_bytes_get_data(xml, &size);
	return dstack_domain_parse(data != NULL ? data : "", size, "/sys", error);
}

static void
print_foreign(DstackCli *cli, const DstackDomain *domain)
{
	g_autoptr(DstackRecord) record = dstack_record_new();

	dstack_record_add_text(record, "domain", "Domain", domain->name);
	dstack_record_add_text(record, "uuid", "UUID", domain->uuid);
	dstack_record_add_text(record, "verdict", "Verdict", "not ours");
	dstack_record_add_note(record, DSTACK_TONE_DIM,
			       "Its metadata names no dstack image: the hook leaves it alone and touches nothing.");
	dstack_cli_print(cli, record);
}

static void
add_launch(DstackRecord *record, const DstackLaunchResult *result)
{
	JsonNode *vm_config =
	    dstack_json_parse(result->vm_config, strlen(result->vm_config), DSTACK_LIMIT_VM_CONFIG, "vm_config", NULL);

	dstack_record_add_text(record, "image", "Image", result->image);
	dstack_record_add_text(record, "image_version", "Version", result->image_version);
	dstack_record_add_hex(record, "os_image_hash", "OS image hash", result->os_image_hash.bytes,
			      sizeof(result->os_image_hash.bytes));
	dstack_record_add_text(record, "tee", "TEE", dstack_launch_tee_to_string(result->tee));
	dstack_record_add_text(record, "variant", "Variant", result->variant);
	dstack_record_add_text(record, "reason", "Because", result->reason);
	dstack_record_add_text(record, "qemu_version", "QEMU", result->qemu_version);
	dstack_record_add_strv(record, "warnings", NULL, (const gchar *const *)result->warnings);
	dstack_record_add_json(record, "vm_config", "vm_config", vm_config);
}

static void
print_ours(DstackCli *cli, const DstackDomain *domain, const DstackLaunchResult *result)
{
	g_autoptr(DstackRecord) record = dstack_record_new();
	const gchar *share = domain->metadata.share_dir != NULL ? domain->metadata.share_dir : domain->share_dir;
	g_autofree gchar *file = g_build_filename(share, DSTACK_SYS_CONFIG_NAME, NULL);

	dstack_record_add_text(record, "domain", "Domain", domain->name);
	dstack_record_add_text(record, "uuid", "UUID", domain->uuid);
	dstack_record_add_toned(record, "verdict", "Verdict", DSTACK_TONE_GOOD, "starts");
	dstack_record_add_size(record, "memory_size", "Memory", domain->memory_size);
	dstack_record_add_uint(record, "cpu_count", "CPUs", domain->cpu_count);
	dstack_record_add_text(record, "file", "Injected into", file);
	add_launch(record, result);
	dstack_cli_print(cli, record);
	for (guint i = 0; result->warnings[i] != NULL; i++)
		dstack_cli_warn(cli, "%s", result->warnings[i]);
}

static gboolean
run(DstackCli *cli, GError **error)
{
	g_autoptr(DstackDomain) domain = read_domain(cli, error);
	g_autoptr(DstackLaunchResult) result = NULL;
	DstackContext context;
	DstackDomainEnv env = {.context = &context, .sysfs = "/sys", .cancellable = cli->cancellable};

	if (domain == NULL)
		return FALSE;
	if (!domain->has_metadata) {
		print_foreign(cli, domain);
		return TRUE;
	}
	env.settings = dstack_cli_settings(cli, error);
	if (env.settings == NULL || !dstack_cli_fill_context(cli, &context, error))
		return FALSE;
	env.image_dirs = dstack_cli_image_dirs(cli, error);
	if (env.image_dirs == NULL)
		return FALSE;
	result = dstack_domain_launch_prepare(domain, &env, error);
	if (result == NULL)
		return FALSE;
	print_ours(cli, domain, result);
	return TRUE;
}

gboolean
dstack_cmd_domain(DstackCli *cli, GError **error)
{
	const GOptionEntry entries[] = {{NULL}};

	return dstack_cli_parse(cli, entries, 1, 1, error) && run(cli, error);
}
