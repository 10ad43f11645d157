/* SPDX-License-Identifier: Apache-2.0 */
#include "super.h"

#include <errno.h>
#include <sqfs/compressor.h>
#include <sqfs/error.h>
#include <stdio.h>

uint64_t super_window_bytes(const sqfs_super_t *super)
{
	return (super->bytes_used + GRANULE_BYTES - 1) / GRANULE_BYTES * GRANULE_BYTES;
}

/* The first Linux that reads a compressor's blocks. */
static const char *min_kernel(uint16_t compressor)
{
	static const char *const kernels[] = {
		[SQFS_COMP_GZIP] = "2.6.29", [SQFS_COMP_LZO] = "2.6.36", [SQFS_COMP_XZ] = "2.6.38",
		[SQFS_COMP_LZ4] = "3.19",    [SQFS_COMP_ZSTD] = "4.14",
	};
	size_t count = sizeof(kernels) / sizeof(kernels[0]);

	return compressor < count && kernels[compressor] ? kernels[compressor] : "";
}

void super_describe(const sqfs_super_t *super, struct kataimg_fs_info *info)
{
	const char *compressor = sqfs_compressor_name_from_id(super->compression_id);

	info->size_bytes = super_window_bytes(super);
	info->block_bytes = super->block_size;
	info->inodes = super->inode_count;
	snprintf(info->type, sizeof(info->type), "squashfs");
	snprintf(info->min_kernel, sizeof(info->min_kernel), "%s",
		 min_kernel(super->compression_id));
	snprintf(info->features, sizeof(info->features), "%s%s%s%s", compressor ? compressor : "",
		 super->flags & SQFS_FLAG_EXPORTABLE ? " exportable" : "",
		 super->flags & SQFS_FLAG_NO_FRAGMENTS ? "" : " fragments",
		 super->flags & SQFS_FLAG_NO_XATTRS ? "" : " xattrs");
}

static int broken(const struct file *file, const char *how)
{
	file->host->error(file->host->ctx, "the squashfs superblock %s", how);
	return -EUCLEAN;
}

int super_read(struct file *file, sqfs_super_t *super)
{
	int result;

	if (file->size < sizeof(*super))
		return -ENODATA;
	result = sqfs_super_read(super, &file->base);
	if (file->error)
		return file->error;
	if (result == SFQS_ERROR_SUPER_MAGIC)
		return -ENODATA;
	if (result == SFQS_ERROR_SUPER_VERSION)
		return broken(file, "is of a version that is not 4.0");
	if (result < 0)
		return broken(file, "is corrupt");
	if (super->bytes_used > file->size)
		return broken(file, "says that it reaches beyond the end of the partition");
	if (super->inode_table_start >= super->directory_table_start ||
	    super->directory_table_start > super->bytes_used ||
	    super->id_table_start > super->bytes_used)
		return broken(file, "has its tables in no order");
	return 0;
}
