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

/* a share that cannot be used is the last thing to complain about: what is wrong with the launch itself comes first */
DstackLaunchResult *
dstack_domain_launch_prepare(const DstackDomain *domain, const DstackDomainEnv *env, GError **error)
{
	g_autoptr(DstackLaunchRequest) request = dstack_domain_to_request(domain, error);
	g_autoptr(GError) share_error = NULL;
	g_autoptr(DstackShare) share = NULL;
	g_autoptr(DstackLaunchResult) result = NULL;

	if (request == NULL)
		return NULL;
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

static gboolean
store_disk(const DstackShare *share, const DstackSettings *settings, GError **error)
{
	g_autofree gchar *dir = g_path_get_dirname(share->disk);
	g_autofree gchar *name = g_path_get_basename(share->disk);
	DSTACK_AUTO_FD int dirfd = dstack_dir_open(dir, error);
	g_autoptr(GPtrArray) files = NULL;

	if (dirfd < 0) {
		g_prefix_error(error, "share disk: ");
		return FALSE;
	}
	if (!dstack_share_ensure_allowed(dirfd, share->disk, settings, error))
		return FALSE;
	files = dstack_fat_files_load(share->dirfd, error);
	return files != NULL && dstack_fat_disk_store(dirfd, name, files, error);
}

/* the record comes first: a crash after it leaves something that release can take back */
static gboolean
store_all(const DstackDomain *domain, const DstackShare *share, GBytes *current, GBytes *original, GBytes *text,
	  const DstackSettings *settings, GError **error)
{
	g_autoptr(DstackLaunchRecord) record = make_record(share, original, text, error);
	gboolean changed = current == NULL || !g_bytes_equal(current, text);

	if (record == NULL || !dstack_launch_record_store(record, settings->hook_state_dir, domain->uuid, error))
		return FALSE;
	if (changed && !dstack_sys_config_store(share->dirfd, text, error))
		return FALSE;
	return share->disk == NULL || store_disk(share, settings, error);
}

gboolean
dstack_domain_launch_inject(const DstackDomain *domain, const DstackLaunchResult *result, const DstackDomainEnv *env,
			    GError **error)
{
	g_autoptr(DstackShare) share = dstack_share_open(domain, env->settings, error);
	g_autoptr(DstackLaunchRecord) record = NULL;
	g_autoptr(GBytes) current = NULL;
	g_autoptr(GBytes) original = NULL;
	g_autoptr(GBytes) text = NULL;

	if (share == NULL || !dstack_sys_config_load(share->dirfd, &current, error))
		return FALSE;
	if (!dstack_launch_record_load(env->settings->hook_state_dir, domain->uuid, &record, NULL))
		record = NULL;
	find_original(record, current, &original);
	text = dstack_sys_config_build(original, result->vm_config, result->mr_config, error);
	return text != NULL && store_all(domain, share, current, original, text, env->settings, error);
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
	ok = undo_injection(record, error);
	if (ok && disk_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&disk_error));
		return FALSE;
	}
	return ok && dstack_launch_record_remove(state_dir, uuid, error);
}
