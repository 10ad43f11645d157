/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <sqfs/error.h>

static int result_of(struct file *file, int ret)
{
	int none = 0;

	if (ret == 0)
		return 0;
	/* The library may call from threads of its own. */
	__atomic_compare_exchange_n(&file->error, &none, ret, 0, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
	return SQFS_ERROR_IO;
}

static int read_at(sqfs_file_t *base, sqfs_u64 off, void *buf, size_t len)
{
	struct file *file = (struct file *)base;
	const struct kataimg_host *host = file->host;

	if (off > file->size || len > file->size - off)
		return SQFS_ERROR_OUT_OF_BOUNDS;
	if (!file->scratch)
		return result_of(file, host->window_read(host->ctx, off, buf, len));
	return result_of(file, host->scratch_read(host->ctx, file->scratch, off, buf, len));
}

static int write_at(sqfs_file_t *base, sqfs_u64 off, const void *buf, size_t len)
{
	struct file *file = (struct file *)base;
	const struct kataimg_host *host = file->host;

	if (off + len > file->size)
		file->size = off + len;
	return result_of(file, host->scratch_write(host->ctx, file->scratch, off, buf, len));
}

static sqfs_u64 get_size(const sqfs_file_t *base)
{
	return ((const struct file *)base)->size;
}

/* Blocks that turn out to be there already are taken back; the next ones overwrite them. */
static int truncate_to(sqfs_file_t *base, sqfs_u64 size)
{
	((struct file *)base)->size = size;
	return 0;
}

static void destroy_nothing(sqfs_object_t *object)
{
	(void)object;
}

static const sqfs_file_t calls = {
	.base = { .destroy = destroy_nothing },
	.read_at = read_at,
	.write_at = write_at,
	.get_size = get_size,
	.truncate = truncate_to,
};

void file_init_scratch(struct file *file, const struct kataimg_host *host,
		       struct kataimg_scratch *scratch)
{
	*file = (struct file){ .base = calls, .host = host, .scratch = scratch };
}

void file_init_window(struct file *file, const struct kataimg_host *host, uint64_t window_bytes)
{
	*file = (struct file){ .base = calls, .host = host, .size = window_bytes };
}

int file_error(const struct file *file, int result, const char *doing)
{
	static const struct {
		int result, ret;
		const char *why;
	} reasons[] = {
		{ SQFS_ERROR_COMPRESSOR, -EIO, "the compressor failed" },
		{ SQFS_ERROR_CORRUPTED, -EUCLEAN, "what was read is corrupt" },
		{ SQFS_ERROR_OUT_OF_BOUNDS, -EUCLEAN, "it lies outside the filesystem" },
		{ SQFS_ERROR_UNSUPPORTED, -EOPNOTSUPP, "libsquashfs does not support it" },
		{ SQFS_ERROR_OVERFLOW, -EOVERFLOW, "a number of the format is too small" },
	};
	const struct kataimg_host *host = file->host;

	if (result >= 0)
		return 0;
	if (file->error)
		return file->error;
	if (result == SQFS_ERROR_ALLOC)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (result != reasons[i].result)
			continue;
		host->error(host->ctx, "%s: %s", doing, reasons[i].why);
		return reasons[i].ret;
	}
	host->error(host->ctx, "%s: error %d of libsquashfs", doing, result);
	return -EIO;
}
