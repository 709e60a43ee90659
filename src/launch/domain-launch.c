/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A domain's start and end. Everything refused is refused before anything is written. libvirt.md.
 */
#include "config.h"

#include "launch/domain-launch.h"

#include <string.h>
#include <sys/stat.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/file.h"
#include "launch/consistency.h"
#include "launch/fat-disk.h"
#include "launch/injection.h"
#include "launch/record.h"
#include "launch/share.h"

/* what an injection will write, all of it found before anything is written */
typedef struct {
	DstackShare *share;
	GBytes *current;       /* (nullable): of .sys-config.json, what is there */
	GBytes *original;      /* (nullable): what was there before us */
	GBytes *text;	       /* what will be there */
	GPtrArray *disk_files; /* (nullable): of the share disk */
	gchar *disk_name;      /* its name in disk_dirfd */
	int disk_dirfd;
} Plan;

static DstackLaunchResult *
prepare_checked(const DstackDomain *domain, const DstackLaunchRequest *request, int share_fd,
		const DstackDomainEnv *env, GError **error)
{
	g_autoptr(DstackLaunchResult) result =
	    dstack_launch_prepare(request, env->settings, env->context, share_fd, env->cancellable, error);

	if (result == NULL || !dstack_launch_ensure_consistent(domain, result, env->context, env->cancellable, error))
		return NULL;
	return g_steal_pointer(&result);
}

/*
 * What the file would be if we had never touched it: the recorded text where it still is as we left it.
 * So a start that is tried twice builds on the same text twice.
 */
static gboolean
find_original(const DstackLaunchRecord *record, GBytes *current, GBytes **out)
{
	DstackSha256 digest;

	if (record != NULL && current != NULL) {
		digest = dstack_sha256_bytes(current);
		if (dstack_sha256_equal(&digest, &record->written)) {
			*out = record->previous != NULL ? g_bytes_ref(record->previous) : NULL;
			return TRUE;
		}
	}
	*out = current != NULL ? g_bytes_ref(current) : NULL;
	return FALSE;
}

static DstackLaunchRecord *
make_record(const DstackShare *share, GBytes *original, GBytes *text, GError **error)
{
	g_autoptr(DstackLaunchRecord) record = dstack_launch_record_new();
	struct stat st;

	if (fstat(share->dirfd, &st) < 0) {
		dstack_throw_errno(error, "cannot stat the share directory '%s'", share->dir);
		return NULL;
	}
	record->share_dir = g_strdup(share->dir);
	record->share_device = st.st_dev;
	record->share_inode = st.st_ino;
	record->previous = original != NULL ? g_bytes_ref(original) : NULL;
	record->written = dstack_sha256_bytes(text);
	record->disk = g_strdup(share->disk);
	return g_steal_pointer(&record);
}

static void
plan_clear(Plan *self)
{
	dstack_share_free(self->share);
	g_clear_pointer(&self->current, g_bytes_unref);
	g_clear_pointer(&self->original, g_bytes_unref);
	g_clear_pointer(&self->text, g_bytes_unref);
	g_clear_pointer(&self->disk_files, g_ptr_array_unref);
	g_free(self->disk_name);
	dstack_fd_clear(&self->disk_dirfd);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Plan, plan_clear)

/* the disk as it will be, with the text that is not written yet; building it once shows whether FAT can hold it */
static gboolean
plan_disk(Plan *self, const DstackSettings *settings, GError **error)
{
	g_autofree gchar *dir = g_path_get_dirname(self->share->disk);
	g_autoptr(GBytes) image = NULL;
	guint64 size;

	self->disk_name = g_path_get_basename(self->share->disk);
	self->disk_dirfd = dstack_dir_open(dir, error);
	if (self->disk_dirfd < 0) {
		g_prefix_error(error, "share disk: ");
		return FALSE;
	}
	if (!dstack_share_ensure_allowed(self->disk_dirfd, self->share->disk, settings, error) ||
	    !dstack_fat_disk_ensure_replaceable(self->disk_dirfd, self->disk_name, error))
		return FALSE;
	self->disk_files = dstack_fat_files_load(self->share->dirfd, error);
	if (self->disk_files == NULL)
		return FALSE;
	dstack_fat_files_set(self->disk_files, DSTACK_SYS_CONFIG_NAME, self->text);
	image = dstack_fat_disk_build(self->disk_files, &size, error);
	return image != NULL;
}

/* everything that may be refused about the share, before anything in it changes */
static gboolean
plan_injection(const DstackDomain *domain, const DstackLaunchResult *result, const DstackDomainEnv *env, Plan *out,
	       GError **error)
{
	g_autoptr(DstackLaunchRecord) record = NULL;

	out->disk_dirfd = -1;
	out->share = dstack_share_open(domain, env->settings, error);
	if (out->share == NULL || !dstack_sys_config_load(out->share->dirfd, &out->current, error))
		return FALSE;
	if (!dstack_launch_record_load(env->settings->hook_state_dir, domain->uuid, &record, NULL))
		record = NULL;
	find_original(record, out->current, &out->original);
	out->text = dstack_sys_config_build(out->original, result->vm_config, result->mr_config, error);
	if (out->text == NULL)
		g_prefix_error(error, "%s: ", out->share->dir);
	return out->text != NULL && (out->share->disk == NULL || plan_disk(out, env->settings, error));
}

/* a share that cannot be used is the last thing to complain about: what is wrong with the launch itself comes first */
DstackLaunchResult *
dstack_domain_launch_prepare(const DstackDomain *domain, const DstackDomainEnv *env, GError **error)
{
	g_autoptr(DstackLaunchRequest) request = dstack_domain_to_request(domain, error);
	g_autoptr(GError) share_error = NULL;
	g_autoptr(DstackShare) share = NULL;
	g_autoptr(DstackLaunchResult) result = NULL;
	g_auto(Plan) plan = {0};

	if (request == NULL)
		return NULL;
	request->image_dirs = env->image_dirs;
	request->check_skip_above = env->check_skip_above;
	share = dstack_share_open(domain, env->settings, &share_error);
	g_free(request->host_share_mode);
	request->host_share_mode = g_strdup(share != NULL && share->disk != NULL ? "vhd" : "9p");
	result = prepare_checked(domain, request, share != NULL ? share->dirfd : -1, env, error);
	if (result == NULL)
		return NULL;
	if (share_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&share_error));
		return NULL;
	}
	return plan_injection(domain, result, env, &plan, error) ? g_steal_pointer(&result) : NULL;
}

/* the record comes first: a crash after it leaves something that release can take back */
static gboolean
store_all(const DstackDomain *domain, const Plan *plan, const DstackSettings *settings, GError **error)
{
	g_autoptr(DstackLaunchRecord) record = make_record(plan->share, plan->original, plan->text, error);
	gboolean changed = plan->current == NULL || !g_bytes_equal(plan->current, plan->text);

	if (record == NULL || !dstack_launch_record_store(record, settings->hook_state_dir, domain->uuid, error))
		return FALSE;
	if (changed && !dstack_sys_config_store(plan->share->dirfd, plan->text, error)) {
		g_prefix_error(error, "share '%s': ", plan->share->dir);
		return FALSE;
	}
	return plan->disk_files == NULL ||
	       dstack_fat_disk_store(plan->disk_dirfd, plan->disk_name, plan->disk_files, error);
}

gboolean
dstack_domain_launch_inject(const DstackDomain *domain, const DstackLaunchResult *result, const DstackDomainEnv *env,
			    GError **error)
{
	g_auto(Plan) plan = {0};
	g_autoptr(GError) undo_error = NULL;

	if (!plan_injection(domain, result, env, &plan, error))
		return FALSE;
	if (store_all(domain, &plan, env->settings, error))
		return TRUE;
	/* a full file system, say: half of an injection is none */
	if (!dstack_domain_launch_release(domain->uuid, env, &undo_error))
		g_prefix_error(error, "cannot take back what was written (%s): ", undo_error->message);
	return FALSE;
}

/* the directory may have been replaced since; then it is another one's */
static gboolean
undo_injection(const DstackLaunchRecord *record, GError **error)
{
	DSTACK_AUTO_FD int dirfd = dstack_dir_open(record->share_dir, error);
	struct stat st;
	gboolean undone;

	if (dirfd < 0)
		return FALSE;
	if (fstat(dirfd, &st) < 0)
		return dstack_throw_errno(error, "cannot stat the share directory '%s'", record->share_dir);
	if (st.st_dev != record->share_device || st.st_ino != record->share_inode)
		return dstack_throw(error, DSTACK_ERROR_FAILED,
				    "'%s' is not the directory that was injected into; left alone", record->share_dir);
	return dstack_inject_undo(dirfd, record->previous, &record->written, &undone, error);
}

static gboolean
undo_disk(const DstackLaunchRecord *record, GError **error)
{
	g_autofree gchar *dir = g_path_get_dirname(record->disk);
	g_autofree gchar *name = g_path_get_basename(record->disk);
	DSTACK_AUTO_FD int dirfd = dstack_dir_open(dir, error);

	return dirfd >= 0 && dstack_fat_disk_remove(dirfd, name, error);
}

gboolean
dstack_domain_launch_release(const gchar *uuid, const DstackDomainEnv *env, GError **error)
{
	const gchar *state_dir = env->settings->hook_state_dir;
	g_autoptr(DstackLaunchRecord) record = NULL;
	g_autoptr(GError) disk_error = NULL;
	gboolean ok;

	if (!dstack_launch_record_load(state_dir, uuid, &record, error))
		return FALSE;
	if (record == NULL)
		return TRUE;
	if (record->disk != NULL)
		undo_disk(record, &disk_error);
	/* a disk that somebody has replaced is theirs now, and no reason to remember it */
	ok = undo_injection(record, error) && dstack_launch_record_remove(state_dir, uuid, error);
	if (ok && disk_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&disk_error));
		return FALSE;
	}
	return ok;
}
