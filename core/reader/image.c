/* SPDX-License-Identifier: Apache-2.0 */
#include "core/reader/image.h"

#include <blkid.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/backend/session.h"
#include "core/base/io.h"
#include "core/base/log.h"
#include "core/format/dax.h"
#include "core/format/discoverable.h"
#include "core/format/geometry.h"
#include "core/reader/reader.h"
#include "core/tree/holes.h"
#include "lib/checked.h"

/* A name that ends in ":2" is that file's second partition, unless there is a file of the name. */
char *image_file_path(const char *source, unsigned int *partition)
{
	char *path = strdup(source), *colon = path ? strrchr(path, ':') : NULL, *end;
	unsigned long number;
	struct stat st;

	*partition = 0;
	if (!colon || !isdigit((unsigned char)colon[1]) || stat(source, &st) == 0)
		return path;
	number = strtoul(colon + 1, &end, 10);
	if (*end || number == 0 || number > 1000)
		return path;
	*colon = '\0';
	*partition = (unsigned int)number;
	return path;
}

/* ---- Who knows it ---- */

/* A window that a backend knows. */
struct find {
	const struct backend_search *search;
	struct host_range window;
	bool sound_archives; /* of what is no disk, only what is whole */
	char *backend;       /* owned */
	struct error error;  /* of one that it is, but broken */
};

static void find_release(struct find *find)
{
	free(find->backend);
	error_clear(&find->error);
}

static int ask_backend(void *arg, const struct backend *backend)
{
	struct find *find = arg;
	struct kataimg_fs_info info;
	int ret = backend_probe(backend, &find->window, &info, &find->error);

	if (ret == -ENODATA)
		return 0;
	if (ret < 0 && find->sound_archives && backend->table.capabilities & KATAIMG_CAP_NO_DISK)
		return 0;
	free(find->backend);
	find->backend = strdup(backend->table.name);
	if (!find->backend)
		return -ENOMEM;
	return ret == 0;
}

/* Does a backend know what is in the window? 1, 0, or -errno of backend_for_each. */
static int ask_backends(struct find *find, const struct host_range *window)
{
	int ret;

	find->window = *window;
	ret = backend_for_each(find->search, ask_backend, find);
	return ret < 0 ? ret : find->backend != NULL;
}

/* ---- Where it is ---- */

static void free_probe(blkid_probe *probe)
{
	blkid_free_probe(*probe);
}

/* The partitions of any table, of which the whole file is one when it has none. */
struct table {
	blkid_probe probe;
	blkid_partlist list; /* the probe's; NULL: there is no table */
	int count;
};

static int read_table_with(int fd, uint64_t size, unsigned int sector_bytes, struct table *table)
{
	if (blkid_probe_set_device(table->probe, fd, 0, (blkid_loff_t)size) < 0)
		return -errno;
	if (sector_bytes)
		blkid_probe_set_sectorsize(table->probe, sector_bytes);
	table->list = blkid_probe_get_partitions(table->probe);
	table->count = table->list ? blkid_partlist_numof_partitions(table->list) : 0;
	return 0;
}

/* A table of a device with sectors of 4096 bytes is what libblkid does not look for in a file; what
 * it then finds may be the MBR that protects it. */
static int read_table(int fd, uint64_t size, struct table *table)
{
	int ret = read_table_with(fd, size, 4096, table);

	if (ret == 0 && table->count > 0 &&
	    strcmp(blkid_parttable_get_type(blkid_partlist_get_table(table->list)), "gpt") == 0)
		return 0;
	return ret < 0 ? ret : read_table_with(fd, size, SECTOR_BYTES, table);
}

static struct host_range range_of(const struct host_range *whole, blkid_partition partition)
{
	return (struct host_range){ whole->fd,
				    (uint64_t)blkid_partition_get_start(partition) * SECTOR_BYTES,
				    (uint64_t)blkid_partition_get_size(partition) * SECTOR_BYTES };
}

static bool is_inside(const struct host_range *whole, const struct host_range *part)
{
	return part->len_bytes > 0 &&
	       range_within(part->offset_bytes, part->len_bytes, whole->len_bytes);
}

static int find_named(struct find *find, const struct host_range *whole, const struct table *table,
		      unsigned int number, struct error *error)
{
	for (int i = 0; i < table->count; i++) {
		blkid_partition partition = blkid_partlist_get_partition(table->list, i);
		struct host_range part = range_of(whole, partition);

		if (blkid_partition_get_partno(partition) != (int)number)
			continue;
		if (!is_inside(whole, &part))
			return error_set(error, EUCLEAN,
					 "partition %u reaches beyond the end of the image",
					 number);
		return ask_backends(find, &part);
	}
	return error_set(error, ENOENT, "there is no partition %u", number);
}

/* Does the table say that this is a root filesystem? */
static bool is_root(blkid_partition partition)
{
	const char *type = blkid_partition_get_type_string(partition);
	uint8_t guid[GUID_BYTES];

	return type && guid_parse(type, guid) == 0 && discoverable_is(guid, PARTITION_ROOT);
}

static int find_in_partitions(struct find *find, const struct host_range *whole,
			      const struct table *table, bool roots)
{
	int found = 0;

	for (int i = 0; i < table->count && found == 0; i++) {
		blkid_partition partition = blkid_partlist_get_partition(table->list, i);
		struct host_range part = range_of(whole, partition);

		if (is_root(partition) == roots && is_inside(whole, &part))
			found = ask_backends(find, &part);
	}
	return found;
}

/* Behind an NVDIMM header there may be a filesystem without a table. */
static int find_in_device(struct find *find, const struct host_range *whole)
{
	const struct host_range device = { whole->fd, DAX_HEADER_BYTES,
					   whole->len_bytes - DAX_HEADER_BYTES };
	uint8_t block[DAX_INFO_BYTES];
	struct dax_info info;

	if (whole->len_bytes <= DAX_HEADER_BYTES ||
	    io_pread(whole->fd, block, sizeof(block), DAX_INFO_OFFSET) < 0 ||
	    dax_decode(block, &info) < 0)
		return 0;
	return ask_backends(find, &device);
}

static int find_any(struct find *find, const struct host_range *whole, const struct table *table)
{
	int found = find_in_partitions(find, whole, table, true);

	if (found == 0)
		found = find_in_partitions(find, whole, table, false);
	if (found == 0)
		found = ask_backends(find, whole);
	return found ? found : find_in_device(find, whole);
}

static int find_filesystem(struct find *find, const struct host_range *whole, unsigned int number,
			   struct error *error)
{
	blkid_probe probe __attribute__((cleanup(free_probe))) = blkid_new_probe();
	struct table table = { .probe = probe };
	int ret = probe ? read_table(whole->fd, whole->len_bytes, &table) : -ENOMEM;

	if (ret < 0)
		return error_errno(error, -ret, "cannot read its partition table");
	ret = number ? find_named(find, whole, &table, number, error)
		     : find_any(find, whole, &table);
	if (ret < 0 && error->code == 0)
		return ret == -ENOMEM ? error_nomem(error)
				      : error_errno(error, -ret, "cannot ask the backends");
	if (ret == 0)
		return error_set(error, ENODATA,
				 "there is no filesystem in it that a backend here knows");
	if (ret > 0 && find->error.code)
		return error_set(error, find->error.code, "%s", error_sentence(&find->error));
	return ret < 0 ? ret : 0;
}

/* ---- All of it ---- */

static int open_image(const char *path, struct host_range *whole, struct error *error)
{
	/* A pipe that nobody writes is not waited for. */
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	off_t end;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(error, errno, "cannot open it");
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_set(error, EINVAL, "it is neither a file nor a block device");
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return error_errno(error, errno, "cannot find its size");
	*whole = (struct host_range){ steal_fd(&fd), 0, (uint64_t)end };
	return 0;
}

static int read_window(const struct find *find, const struct tree_options *options,
		       struct tree **tree, struct error *error)
{
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	autofree char *links = NULL;
	const struct reader_options reading = { .threads = options->threads, .links = &links };
	int ret = backend_load(find->search, find->backend, &backend, error);

	if (ret == 0)
		ret = reader_read(backend, &find->window, &reading, tree, error);
	if (ret == 0 && links)
		log_warning("%s: %s", find->backend, links);
	return ret;
}

static int read_image(const char *path, unsigned int number, const struct tree_options *options,
		      struct tree **tree, struct error *error)
{
	struct find find __attribute__((cleanup(find_release))) = { .search = options->backends };
	struct host_range whole = { .fd = -1 };
	int ret = open_image(path, &whole, error);

	if (ret == 0)
		ret = find_filesystem(&find, &whole, number, error);
	if (ret == 0)
		ret = read_window(&find, options, tree, error);
	if (whole.fd >= 0)
		close(whole.fd);
	return ret < 0 ? ret : tree_set_holes(*tree, options->holes, error);
}

/* What is none is not opened: opening a device or a pipe may do something. */
static int open_candidate(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

int image_is(const char *path, const struct backend_search *backends)
{
	struct find find __attribute__((cleanup(find_release))) = {
		.search = backends,
		.sound_archives = true, /* others are archives, which say better what is wrong */
	};
	blkid_probe probe __attribute__((cleanup(free_probe))) = blkid_new_probe();
	struct table table = { .probe = probe };
	autoclose int fd = open_candidate(path);
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	int ret;

	if (!probe)
		return -ENOMEM;
	if (end <= 0)
		return 0;
	if (read_table(fd, (uint64_t)end, &table) == 0 && table.count > 0)
		return 1;
	ret = ask_backends(&find, &(struct host_range){ fd, 0, (uint64_t)end });
	return ret ? ret : find_in_device(&find, &(struct host_range){ fd, 0, (uint64_t)end });
}

int image_read_tree(const char *source, const struct tree_options *options, struct tree **result,
		    struct error *error)
{
	struct tree *tree = NULL;
	unsigned int number;
	autofree char *path = image_file_path(source, &number);
	int ret;

	if (!path)
		return error_nomem(error);
	if (!options->backends)
		return error_set(error, EOPNOTSUPP, "images cannot be read here");
	if (options->partition)
		number = options->partition;
	ret = read_image(path, number, options, &tree, error);
	if (ret < 0)
		tree_free(tree);
	else
		*result = tree;
	return ret;
}
