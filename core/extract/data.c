/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "core/base/cancel.h"
#include "core/base/io.h"
#include "core/extract/private.h"

/* What is shared is whole blocks of larger files: a call costs as much as copying some. */
#define BLOCK_BYTES 4096
#define SHARE_LEAST_BYTES ((uint64_t)64 << 10)

static void report(struct extract *extract, uint64_t bytes)
{
	const struct extract_options *options = extract->options;

	if (!options->progress)
		return;
	pthread_mutex_lock(&extract->lock);
	extract->done_bytes += bytes;
	options->progress(options->progress_arg, extract->done_bytes, extract->total_bytes);
	pthread_mutex_unlock(&extract->lock);
}

/* A block that is not whole can be shared at the end of the source alone. */
static uint64_t shareable_bytes(const struct kataimg_node *node, int source,
				const struct tree_extent *extent)
{
	uint64_t whole = extent->len & ~(uint64_t)(BLOCK_BYTES - 1);
	struct stat st;

	if (extent->source_off >= TREE_DECODED_OFF || node->size < SHARE_LEAST_BYTES ||
	    extent->source_off % BLOCK_BYTES || extent->file_off % BLOCK_BYTES)
		return 0;
	if (whole < extent->len && fstat(source, &st) == 0 &&
	    extent->source_off + extent->len == (uint64_t)st.st_size)
		return extent->len;
	return whole;
}

/* How many bytes of the extent's beginning are shared now. */
static uint64_t share(struct extract *extract, const struct kataimg_node *node, int source, int fd,
		      const struct tree_extent *extent)
{
	struct file_clone_range range = {
		.src_fd = source,
		.src_offset = extent->source_off,
		.dest_offset = extent->file_off,
	};

	if (!atomic_load(&extract->reflink))
		return 0;
	range.src_length = shareable_bytes(node, source, extent);
	if (range.src_length == 0)
		return 0;
	/* Whatever the reason of a refusal, it will be the same for the others. */
	if (ioctl(fd, FICLONERANGE, &range) < 0) {
		atomic_store(&extract->reflink, false);
		return 0;
	}
	report(extract, range.src_length);
	return range.src_length;
}

static int copy_bytes(struct extract_worker *worker, const struct kataimg_node *node, int fd,
		      const struct tree_extent *extent, struct error *error)
{
	uint64_t done = 0;
	int ret = 0;

	while (ret == 0 && done < extent->len) {
		uint64_t left = extent->len - done;
		size_t len = left < EXTRACT_BUFFER_BYTES ? (size_t)left : EXTRACT_BUFFER_BYTES;

		ret = cancel_check(error);
		if (ret == 0)
			ret = tree_reader_read(worker->reader, worker->buffer, len,
					       extent->source_off + done, error);
		if (ret < 0)
			return ret;
		ret = io_pwrite(fd, worker->buffer, len, extent->file_off + done);
		if (ret < 0)
			return extract_fail(node, -ret, "write", error);
		done += len;
		report(worker->extract, len);
	}
	return ret;
}

static int copy_extent(struct extract_worker *worker, const struct kataimg_node *node, int fd,
		       const struct tree_extent *extent, struct error *error)
{
	int source = tree_reader_open(worker->reader, node, error);
	struct tree_extent rest = *extent;
	uint64_t shared;

	if (source < 0)
		return source;
	shared = share(worker->extract, node, source, fd, extent);
	rest.file_off += shared;
	rest.source_off += shared;
	rest.len -= shared;
	return copy_bytes(worker, node, fd, &rest, error);
}

int extract_copy(struct extract_worker *worker, const struct kataimg_node *node, int fd,
		 uint64_t from, uint64_t to, struct error *error)
{
	struct tree_extent extent;
	bool has_read = false;
	int ret;

	while (tree_next_extent(worker->extract->tree, node, from, to, &extent)) {
		ret = copy_extent(worker, node, fd, &extent, error);
		if (ret < 0)
			return ret;
		from = extent.file_off + extent.len;
		has_read = true;
	}
	return has_read ? tree_reader_check(worker->reader, error) : 0;
}
