/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/geometry.h"

#include <stddef.h>

#include "core/base/size.h"
#include "lib/checked.h"

#define PAGE_BYTES 4096u /* what QEMU asks of an image's size */

static uint64_t size_step(const struct geometry_request *request)
{
	return request->dax ? HUGEPAGE_BYTES : PAGE_BYTES;
}

static uint64_t partition_start(const struct geometry_request *request)
{
	return geometry_device_base(request->dax) + PARTITION_START_BYTES;
}

static uint64_t tree_bytes(const struct geometry_request *request, uint64_t data_bytes)
{
	return request->hash_tree_bytes ? request->hash_tree_bytes(data_bytes) : 0;
}

static int fail_too_large(struct error *error, const char *why)
{
	return error_set(error, EFBIG, "%s does not fit the 2 TiB of a DOS partition table", why);
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

/* The digest of a single block is the root hash: without a second block there is no hash tree to
 * put into partition 2. */
static uint64_t smallest_window(const struct geometry_request *request)
{
	bool lacks_tree = request->hash_tree_bytes && tree_bytes(request, request->fs_bytes) == 0;

	return lacks_tree ? request->fs_bytes + request->granularity : request->fs_bytes;
}

/* The bytes up to the end of the smallest filesystem and its hash tree. */
static int needed_bytes(const struct geometry_request *request, uint64_t *needed)
{
	uint64_t window_bytes = smallest_window(request);
	int ret = checked_add(partition_start(request), window_bytes, needed);

	if (ret == 0)
		ret = checked_add(*needed, tree_bytes(request, window_bytes), needed);
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
	if (ret < 0 || *image_bytes > DOS_LABEL_MAX_BYTES)
		return fail_too_large(error, "the tree with its free space");
	if (request->size_bytes == 0)
		return 0;
	if (request->size_bytes > DOS_LABEL_MAX_BYTES)
		return fail_too_large(error, "size");
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
	uint64_t start = partition_start(request);
	uint64_t room_bytes = geometry->image_bytes - start;
	bool measured = request->hash_tree_bytes != NULL;
	struct partition *partitions = geometry->partitions;

	geometry->window_bytes = largest_window(request, room_bytes);
	geometry->partition_count = measured ? 2 : 1;
	partitions[0] = (struct partition){
		.start_bytes = start,
		.len_bytes = measured ? geometry->window_bytes : room_bytes,
		.type = DOS_TYPE_LINUX,
		.bootable = measured,
	};
	if (measured)
		partitions[1] = (struct partition){
			.start_bytes = start + geometry->window_bytes,
			.len_bytes = tree_bytes(request, geometry->window_bytes),
			.type = DOS_TYPE_LINUX,
		};
}

int geometry_compute(const struct geometry_request *request, struct geometry *geometry,
		     struct error *error)
{
	int ret = check_multiple(request, "align", request->align_bytes, error);

	*geometry = (struct geometry){
		.dax = request->dax,
		.disk_signature = request->disk_signature,
	};
	if (ret == 0)
		ret = check_multiple(request, "size", request->size_bytes, error);
	if (ret == 0)
		ret = choose_image_bytes(request, &geometry->image_bytes, error);
	if (ret == 0)
		divide_image(request, geometry);
	return ret;
}
