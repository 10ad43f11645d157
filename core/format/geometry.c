/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/geometry.h"

#include <stddef.h>

#include "core/base/size.h"
#include "core/format/gpt.h"
#include "lib/checked.h"
#include "lib/round.h"

#define PAGE_BYTES 4096u /* what QEMU asks of an image's size */
#define FILE_MAX_BYTES ((uint64_t)INT64_MAX)

static uint64_t size_step(const struct geometry_request *request)
{
	if (request->no_disk)
		return 1;
	return request->dax ? HUGEPAGE_BYTES : PAGE_BYTES;
}

static uint64_t filesystem_start(const struct geometry_request *request)
{
	return geometry_filesystem_start(request->table, request->dax);
}

/* The bytes of the image that the hash area over so much data takes. */
static uint64_t tree_bytes(const struct geometry_request *request, uint64_t data_bytes)
{
	if (!request->hash_tree_bytes || request->hash_place == HASH_FILE)
		return 0;
	return request->hash_tree_bytes(request->hash_tree_arg, data_bytes);
}

/* Behind the last partition: the backup of a GPT, in whole pages. */
static uint64_t tail_bytes(const struct geometry_request *request)
{
	return request->table == IMAGE_TABLE_GPT ? round_up(GPT_TAIL_BYTES, PAGE_BYTES) : 0;
}

static uint64_t max_bytes(const struct geometry_request *request)
{
	return request->table == IMAGE_TABLE_DOS ? DOS_LABEL_MAX_BYTES : FILE_MAX_BYTES;
}

static int fail_too_large(const struct geometry_request *request, const char *why,
			  struct error *error)
{
	return error_set(error, EFBIG, "%s does not fit %s", why,
			 request->table == IMAGE_TABLE_DOS
				 ? "the 2 TiB of a DOS partition table: say table = gpt "
				   "or none"
				 : "a file");
}

static int check_multiple(const struct geometry_request *request, const char *what, uint64_t bytes,
			  struct error *error)
{
	uint64_t step = size_step(request);
	char given[SIZE_TEXT_BYTES], multiple[SIZE_TEXT_BYTES];

	if (bytes % step == 0)
		return 0;
	return error_usage(error, "%s = %s: an image %s must be a multiple of %s", what,
			   size_format(bytes, given, sizeof(given)),
			   request->dax ? "with dax" : "file",
			   size_format(step, multiple, sizeof(multiple)));
}

/* The digest of a single block is the root hash: without a second block there is no hash tree. */
static uint64_t smallest_window(const struct geometry_request *request)
{
	bool lacks_tree = request->hash_tree_bytes &&
			  request->hash_tree_bytes(request->hash_tree_arg, request->fs_bytes) == 0;

	return lacks_tree ? request->fs_bytes + request->granularity : request->fs_bytes;
}

/* The smallest filesystem, its hash tree and a signature, and what lies around them. */
static int needed_bytes(const struct geometry_request *request, uint64_t *needed)
{
	uint64_t window_bytes = smallest_window(request);
	int ret = checked_add(filesystem_start(request), window_bytes, needed);

	if (ret == 0)
		ret = checked_add(*needed, tree_bytes(request, window_bytes), needed);
	if (ret == 0)
		ret = checked_add(*needed, request->signature_bytes + tail_bytes(request), needed);
	return ret;
}

static int fail_too_small(const struct geometry_request *request, uint64_t needed_bytes,
			  struct error *error)
{
	char given[SIZE_TEXT_BYTES], needed[SIZE_TEXT_BYTES];

	return error_set(
		error, ENOSPC,
		"[image] size = %s is too small: %s are needed for the tree with its free space",
		size_format(request->size_bytes, given, sizeof(given)),
		size_format(needed_bytes, needed, sizeof(needed)));
}

static int choose_image_bytes(const struct geometry_request *request, uint64_t *image_bytes,
			      struct error *error)
{
	uint64_t step = request->size_bytes ? size_step(request) : request->align_bytes;
	int ret = needed_bytes(request, image_bytes);

	if (ret == 0)
		ret = checked_round_up(*image_bytes, step, image_bytes);
	if (ret < 0 || *image_bytes > max_bytes(request))
		return fail_too_large(request, "the tree with its free space", error);
	if (request->size_bytes == 0)
		return 0;
	if (request->size_bytes > max_bytes(request))
		return fail_too_large(request, "size", error);
	if (request->size_bytes < *image_bytes)
		return fail_too_small(request, *image_bytes, error);
	*image_bytes = request->size_bytes;
	return 0;
}

/* The largest filesystem that fits the room together with its hash tree. */
static uint64_t largest_window(const struct geometry_request *request, uint64_t room_bytes)
{
	uint64_t low = smallest_window(request) / request->granularity;
	uint64_t high = room_bytes / request->granularity;

	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;
		uint64_t data_bytes = middle * request->granularity;

		if (tree_bytes(request, data_bytes) <= room_bytes - data_bytes)
			low = middle;
		else
			high = middle - 1;
	}
	return low * request->granularity;
}

static void divide_image(const struct geometry_request *request, struct geometry *geometry)
{
	uint64_t start = filesystem_start(request);
	uint64_t room_bytes =
		geometry->image_bytes - start - request->signature_bytes - tail_bytes(request);
	uint64_t window_bytes = largest_window(request, room_bytes);

	geometry->filesystem = (struct region){ start, window_bytes };
	geometry->hash = (struct region){ start + window_bytes, tree_bytes(request, window_bytes) };
	geometry->signature =
		(struct region){ geometry->hash.start_bytes + geometry->hash.len_bytes,
				 request->signature_bytes };
}

static void add_partition(struct geometry *geometry, enum partition_role role,
			  const struct region *region)
{
	geometry->partitions[geometry->partition_count++] = (struct partition){
		.role = role,
		.start_bytes = region->start_bytes,
		.len_bytes = region->len_bytes,
		.type = DOS_TYPE_LINUX,
	};
}

static void list_partitions(const struct geometry_request *request, struct geometry *geometry)
{
	bool measured = request->hash_tree_bytes != NULL;
	struct region root = geometry->filesystem;

	if (request->table == IMAGE_TABLE_NONE)
		return;
	if (!measured)
		root.len_bytes = geometry->image_bytes - tail_bytes(request) - root.start_bytes;
	else if (request->hash_place == HASH_APPEND)
		root.len_bytes += geometry->hash.len_bytes;
	add_partition(geometry, PARTITION_ROOT, &root);
	geometry->partitions[0].bootable = measured;
	if (measured && request->hash_place == HASH_PARTITION)
		add_partition(geometry, PARTITION_VERITY, &geometry->hash);
	if (request->signature_bytes)
		add_partition(geometry, PARTITION_SIGNATURE, &geometry->signature);
}

const char *geometry_table_name(enum image_table table)
{
	static const char *const names[] = { "dos", "gpt", "none" };

	return names[table];
}

int geometry_compute(const struct geometry_request *request, struct geometry *geometry,
		     struct error *error)
{
	int ret = check_multiple(request, "align", request->align_bytes, error);

	*geometry = (struct geometry){
		.table = request->table,
		.dax = request->dax,
		.disk_signature = request->disk_signature,
	};
	if (ret == 0)
		ret = check_multiple(request, "size", request->size_bytes, error);
	if (ret == 0)
		ret = choose_image_bytes(request, &geometry->image_bytes, error);
	if (ret < 0)
		return ret;
	divide_image(request, geometry);
	list_partitions(request, geometry);
	return 0;
}
