/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A FAT32 volume of one flat directory, on a disk without partitions. Clusters of one sector, and as few as
 * make it FAT32 to every reader; only its beginning is ever written.
 * Source: Microsoft, "FAT: General Overview of On-Disk Format", version 1.03.
 */
#include "config.h"

#include "launch/fat-disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/autoptr.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/writer.h"
#include "launch/fat-names.h"

#define SECTOR		 512
#define RESERVED_SECTORS 32
#define N_FATS		 2
#define ROOT_CLUSTER	 2
#define CLUSTERS_MIN	 65600 /* FAT32 starts at 65525; the margin is for readers that count otherwise */
#define CLUSTERS_SPARE	 64
#define END_OF_CHAIN	 0x0fffffff
#define MEDIA_FIXED	 0xf8
#define FILES_MAX	 512
#define DISK_MODE	 0640

typedef struct {
	guint32 n_clusters;  /* of the volume */
	guint32 fat_sectors; /* of one FAT */
	guint32 n_used;
	guint32 volume_id;
} FatLayout;

DstackFatFile *
dstack_fat_file_new(const gchar *name, GBytes *content)
{
	DstackFatFile *self = g_new0(DstackFatFile, 1);

	self->name = g_strdup(name);
	self->content = g_bytes_ref(content);
	return self;
}

void
dstack_fat_file_free(DstackFatFile *self)
{
	if (self == NULL)
		return;
	g_free(self->name);
	g_clear_pointer(&self->content, g_bytes_unref);
	g_free(self);
}

static guint32
clusters_for(gsize size)
{
	return (guint32)((size + SECTOR - 1) / SECTOR);
}

static gint
compare_files(gconstpointer a, gconstpointer b)
{
	const DstackFatFile *const *x = a;
	const DstackFatFile *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* the temporary files of an injection, should a crash have left one */
static gboolean
is_shared(int dirfd, const struct dirent *entry)
{
	struct stat st;

	return !g_str_has_prefix(entry->d_name, "..sys-config.json.") &&
	       fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static gboolean
load_files(int dirfd, DIR *dir, GPtrArray *files, GError **error)
{
	const struct dirent *entry;
	gsize left = DSTACK_LIMIT_SHARE;

	while ((entry = readdir(dir)) != NULL) {
		g_autoptr(GBytes) content = NULL;

		if (!is_shared(dirfd, entry))
			continue;
		if (files->len == FILES_MAX)
			return dstack_throw(error, DSTACK_ERROR_REFUSED,
					    "share disk: expected at most %d files in the share directory", FILES_MAX);
		content = dstack_file_read_beneath(dirfd, entry->d_name, left, error);
		if (content == NULL) {
			g_prefix_error(error, "share disk: ");
			return FALSE;
		}
		left -= g_bytes_get_size(content);
		g_ptr_array_add(files, dstack_fat_file_new(entry->d_name, content));
	}
	return TRUE;
}

GPtrArray *
dstack_fat_files_load(int dirfd, GError **error)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)dstack_fat_file_free);
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	gboolean ok;

	if (dir == NULL) {
		dstack_throw_errno(error, "cannot list the share directory");
		dstack_fd_clear(&fd);
		return NULL;
	}
	ok = load_files(dirfd, dir, files, error);
	(void)closedir(dir);
	if (!ok)
		return NULL;
	g_ptr_array_sort(files, compare_files);
	return g_steal_pointer(&files);
}

void
dstack_fat_files_set(GPtrArray *files, const gchar *name, GBytes *content)
{
	for (guint i = 0; i < files->len; i++) {
		const DstackFatFile *file = g_ptr_array_index(files, i);

		if (g_str_equal(file->name, name)) {
			g_ptr_array_remove_index(files, i);
			break;
		}
	}
	g_ptr_array_add(files, dstack_fat_file_new(name, content));
	g_ptr_array_sort(files, compare_files);
}

/* FAT knows no case, so two names that differ in nothing else are one */
static gboolean
ensure_names(const GPtrArray *files, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < files->len; i++) {
		const DstackFatFile *file = g_ptr_array_index(files, i);

		if (!dstack_fat_name_ensure(file->name, error))
			return FALSE;
		if (!g_hash_table_add(seen, g_utf8_casefold(file->name, -1)))
			return dstack_throw(error, DSTACK_ERROR_REFUSED,
					    "share disk: FAT cannot tell '%s' from a file that differs in case only",
					    file->name);
	}
	return TRUE;
}

/* the root directory, whose own size must be known before the files' clusters are */
static void
append_root(GByteArray *out, const GPtrArray *files, guint32 next)
{
	dstack_fat_append_label(out, DSTACK_FAT_DISK_LABEL);
	for (guint i = 0; i < files->len; i++) {
		const DstackFatFile *file = g_ptr_array_index(files, i);
		gsize size = g_bytes_get_size(file->content);

		dstack_fat_append_file(out, file->name, i, size == 0 ? 0 : next, (guint32)size);
		next += clusters_for(size);
	}
}

static guint32
count_clusters(const GPtrArray *files)
{
	guint32 n = 0;

	for (guint i = 0; i < files->len; i++)
		n += clusters_for(g_bytes_get_size(((const DstackFatFile *)g_ptr_array_index(files, i))->content));
	return n;
}

static void
pad_to_sector(GByteArray *out)
{
	dstack_append_zero(out, (SECTOR - out->len % SECTOR) % SECTOR);
}

static void
append_text(GByteArray *out, const gchar *text, guint size)
{
	g_byte_array_append(out, (const guint8 *)text, size);
}

static void
append_boot_sector(GByteArray *out, const FatLayout *layout)
{
	static const guint8 jump[] = {0xeb, 0x58, 0x90};
	guint start = out->len;

	g_byte_array_append(out, jump, sizeof(jump));
	append_text(out, "DSTACK  ", 8);
	dstack_append_u16le(out, SECTOR);
	dstack_append_u8(out, 1); /* sectors a cluster */
	dstack_append_u16le(out, RESERVED_SECTORS);
	dstack_append_u8(out, N_FATS);
	dstack_append_zero(out, 4); /* FAT12 and FAT16 only: root entries, sectors */
	dstack_append_u8(out, MEDIA_FIXED);
	dstack_append_u16le(out, 0);
	dstack_append_u16le(out, 63);
	dstack_append_u16le(out, 255);
	dstack_append_u32le(out, 0); /* no partition before it */
	dstack_append_u32le(out, RESERVED_SECTORS + N_FATS * layout->fat_sectors + layout->n_clusters);
	dstack_append_u32le(out, layout->fat_sectors);
	dstack_append_u32le(out, 0); /* flags, version */
	dstack_append_u32le(out, ROOT_CLUSTER);
	dstack_append_u16le(out, 1); /* FSInfo */
	dstack_append_u16le(out, 6); /* copy of this sector */
	dstack_append_zero(out, 12);
	dstack_append_u8(out, 0x80);
	dstack_append_u8(out, 0);
	dstack_append_u8(out, 0x29);
	dstack_append_u32le(out, layout->volume_id);
	append_text(out, DSTACK_FAT_DISK_LABEL "  ", 11);
	append_text(out, "FAT32   ", 8);
	dstack_append_zero(out, SECTOR - 2 - (out->len - start));
	dstack_append_u16le(out, 0xaa55);
}

static void
append_info_sector(GByteArray *out, const FatLayout *layout)
{
	dstack_append_u32le(out, 0x41615252);
	dstack_append_zero(out, 480);
	dstack_append_u32le(out, 0x61417272);
	dstack_append_u32le(out, layout->n_clusters - layout->n_used);
	dstack_append_u32le(out, ROOT_CLUSTER + layout->n_used);
	dstack_append_zero(out, 12);
	dstack_append_u32le(out, 0xaa550000);
}

static void
append_reserved(GByteArray *out, const FatLayout *layout)
{
	append_boot_sector(out, layout);
	append_info_sector(out, layout);
	dstack_append_zero(out, 4 * SECTOR);
	append_boot_sector(out, layout);
	append_info_sector(out, layout);
	dstack_append_zero(out, RESERVED_SECTORS * SECTOR - out->len);
}

static guint32
append_chain(GByteArray *out, guint32 first, guint32 n)
{
	for (guint32 i = 1; i < n; i++)
		dstack_append_u32le(out, first + i);
	if (n > 0)
		dstack_append_u32le(out, END_OF_CHAIN);
	return first + n;
}

static void
append_fat(GByteArray *out, const FatLayout *layout, const GPtrArray *files, guint32 root_clusters)
{
	guint start = out->len;
	guint32 next = ROOT_CLUSTER;

	dstack_append_u32le(out, 0x0fffff00 | MEDIA_FIXED);
	dstack_append_u32le(out, END_OF_CHAIN);
	next = append_chain(out, next, root_clusters);
	for (guint i = 0; i < files->len; i++) {
		const DstackFatFile *file = g_ptr_array_index(files, i);

		next = append_chain(out, next, clusters_for(g_bytes_get_size(file->content)));
	}
	dstack_append_zero(out, layout->fat_sectors * SECTOR - (out->len - start));
}

static void
append_contents(GByteArray *out, const GPtrArray *files)
{
	for (guint i = 0; i < files->len; i++) {
		const DstackFatFile *file = g_ptr_array_index(files, i);
		gsize size;
		const guint8 *data = g_bytes_get_data(file->content, &size);

		if (size > 0)
			g_byte_array_append(out, data, (guint)size);
		pad_to_sector(out);
	}
}

/* an identity of the volume that depends on nothing but its content */
static guint32
compute_volume_id(const GByteArray *root)
{
	DstackSha256 digest = dstack_sha256(root->data, root->len);

	return (guint32)digest.bytes[0] | (guint32)digest.bytes[1] << 8 | (guint32)digest.bytes[2] << 16 |
	       (guint32)digest.bytes[3] << 24;
}

GBytes *
dstack_fat_disk_build(const GPtrArray *files, guint64 *out_size, GError **error)
{
	g_autoptr(GByteArray) root = g_byte_array_new();
	g_autoptr(GByteArray) out = g_byte_array_new();
	FatLayout layout = {0};
	guint32 root_clusters;

	if (!ensure_names(files, error))
		return NULL;
	append_root(root, files, 0);
	root_clusters = clusters_for(root->len);
	g_byte_array_set_size(root, 0);
	append_root(root, files, ROOT_CLUSTER + root_clusters);
	pad_to_sector(root);

	layout.n_used = root_clusters + count_clusters(files);
	layout.n_clusters = MAX(CLUSTERS_MIN, layout.n_used + CLUSTERS_SPARE);
	layout.fat_sectors = clusters_for(4 * ((gsize)layout.n_clusters + ROOT_CLUSTER));
	layout.volume_id = compute_volume_id(root);

	append_reserved(out, &layout);
	for (guint i = 0; i < N_FATS; i++)
		append_fat(out, &layout, files, root_clusters);
	g_byte_array_append(out, root->data, root->len);
	append_contents(out, files);
	*out_size = (guint64)SECTOR * (RESERVED_SECTORS + N_FATS * layout.fat_sectors + layout.n_clusters);
	return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

gboolean
dstack_fat_disk_is_ours(const guint8 *data, gsize size)
{
	static const gchar label[] = DSTACK_FAT_DISK_LABEL "  FAT32   ";

	return size >= SECTOR && memcmp(data + 71, label, strlen(label)) == 0 && data[510] == 0x55 && data[511] == 0xaa;
}

static gboolean
examine(int dirfd, const gchar *name, gboolean *out_exists, GError **error)
{
	g_autoptr(GError) local = NULL;
	guint8 head[DSTACK_FAT_DISK_HEAD];
	DSTACK_AUTO_FD int fd = dstack_file_open_beneath(dirfd, name, NULL, &local);
	ssize_t n;

	*out_exists = fd >= 0;
	if (fd < 0 && g_error_matches(local, DSTACK_ERROR, DSTACK_ERROR_NOT_FOUND))
		return TRUE;
	if (fd < 0) {
		g_propagate_prefixed_error(error, g_steal_pointer(&local), "share disk: ");
		return FALSE;
	}
	n = pread(fd, head, sizeof(head), 0);
	if (n < 0)
		return dstack_throw_errno(error, "share disk: cannot read '%s'", name);
	if (n == 0 || dstack_fat_disk_is_ours(head, (gsize)n))
		return TRUE;
	return dstack_throw(
	    error, DSTACK_ERROR_REFUSED,
	    "share disk: expected '%s' to be absent, empty or a FAT32 disk labelled %s, found something else", name,
	    DSTACK_FAT_DISK_LABEL);
}

gboolean
dstack_fat_disk_ensure_replaceable(int dirfd, const gchar *name, GError **error)
{
	gboolean exists;

	return examine(dirfd, name, &exists, error);
}

gboolean
dstack_fat_disk_store(int dirfd, const gchar *name, const GPtrArray *files, GError **error)
{
	g_autoptr(GBytes) image = NULL;
	gboolean exists;
	guint64 size;
	struct stat dir;

	if (!examine(dirfd, name, &exists, error))
		return FALSE;
	image = dstack_fat_disk_build(files, &size, error);
	if (image == NULL)
		return FALSE;
	if (fstat(dirfd, &dir) < 0)
		return dstack_throw_errno(error, "share disk: cannot stat the directory of '%s'", name);
	return dstack_file_replace_sparse_at(dirfd, name, g_bytes_get_data(image, NULL), g_bytes_get_size(image), size,
					     DISK_MODE, dir.st_gid, error);
}

gboolean
dstack_fat_disk_remove(int dirfd, const gchar *name, GError **error)
{
	gboolean exists;

	if (!examine(dirfd, name, &exists, error))
		return FALSE;
	if (exists && unlinkat(dirfd, name, 0) < 0)
		return dstack_throw_errno(error, "share disk: cannot remove '%s'", name);
	return TRUE;
}
