/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "plugins/erofs/devices.h"
#include "plugins/erofs/super.h"

#define BLOCK_BITS_MIN 9
#define BLOCK_BITS_MAX 16

static int refuse(const struct kataimg_host *host, const char *why)
{
	host->error(host->ctx, "the EROFS superblock %s", why);
	return -EUCLEAN;
}

/* Where the superblock's block ends, and with it what the checksum covers. */
static uint32_t first_bytes(const struct erofs_super *super)
{
	uint32_t bytes = 1u << super->block_bits;

	return bytes > EROFS_SUPER_OFFSET ? bytes : bytes + EROFS_SUPER_OFFSET;
}

static int check_checksum(const struct kataimg_host *host, const struct erofs_super *super)
{
	uint32_t bytes = first_bytes(super);
	autofree uint8_t *block = malloc(bytes);
	int ret;

	if (!block)
		return -ENOMEM;
	ret = host->window_read(host->ctx, 0, block, bytes);
	if (ret < 0)
		return ret;
	if (erofs_super_checksum(block, bytes) != from_le32(super->checksum))
		return refuse(host, "does not match its checksum");
	return 0;
}

int erofs_probe(const struct kataimg_host *host, uint64_t window_bytes,
		struct kataimg_fs_info *info)
{
	struct erofs_super super;
	int ret;

	if (window_bytes < EROFS_SUPER_OFFSET + sizeof(super))
		return -ENODATA;
	ret = host->window_read(host->ctx, EROFS_SUPER_OFFSET, &super, sizeof(super));
	if (ret < 0)
		return ret;
	if (from_le32(super.magic) != EROFS_SUPER_MAGIC)
		return -ENODATA;
	if (super.block_bits < BLOCK_BITS_MIN || super.block_bits > BLOCK_BITS_MAX)
		return refuse(host, "names an impossible block size");
	if (window_bytes < first_bytes(&super))
		return refuse(host, "names blocks larger than the partition");
	erofs_super_describe(&super, info);
	if (info->size_bytes > window_bytes)
		return refuse(host, "reaches beyond the end of the partition");
	ret = from_le32(super.feature_compat) & EROFS_COMPAT_SB_CHKSUM
		      ? check_checksum(host, &super)
		      : 0;
	return ret < 0 ? ret : erofs_devices_check(host, window_bytes, &super);
}
