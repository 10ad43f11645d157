/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/options.h"

#include <inttypes.h>
#include <string.h>

#include "plugins/common/refuse.h"
#include "plugins/common/uuid.h"

#define SECTOR_512 512u
#define UUID_TEXT_LEN 36u
/* Log of a filesystem that is to be written to: a 64th of the free space asked for, at most what
 * mkfs.xfs takes at least. */
#define LOG_SHARE 64u
#define LOG_USUAL_BLOCKS 16384u

enum {
	OPT_PROFILE,
	OPT_AGCOUNT,
	OPT_LOG_SIZE,
	OPT_LABEL,
	OPT_UUID,
	OPT_SECTOR_SIZE,
};

static const char *const profiles[] = { "modern", "compat", NULL };
static const char *const sectors[] = { "512", "4096", NULL };

const struct kataimg_option xfs_option_table[XFS_OPTION_COUNT] = {
	[OPT_PROFILE] = {
		.name = "profile", .type = KATAIMG_OPT_ENUM, .choices = profiles,
		.default_value = "modern", .since = "0.1.0",
		.help = "modern (times to 2486, Linux 5.10 on) or compat (times to 2038, Linux 5.4 on)",
	},
	[OPT_AGCOUNT] = {
		.name = "agcount", .type = KATAIMG_OPT_U64, .min = 2, .max = XFS_AG_MAX_COUNT,
		.since = "0.1.0",
		.help = "how many allocation groups of equal size (default: one for the data and a short second "
			"one)",
	},
	[OPT_LOG_SIZE] = {
		.name = "log-size", .type = KATAIMG_OPT_SIZE,
		.min = (uint64_t)XFS_LOG_MIN_BLOCKS * XFS_BLOCK_BYTES,
		.max = XFS_LOG_MAX_BLOCKS * XFS_BLOCK_BYTES, .since = "0.1.0",
		.help = "size of the log (default: 4M, 8M with sectors of 4096, more with free space)",
	},
	[OPT_LABEL] = {
		.name = "label", .type = KATAIMG_OPT_STRING, .max = XFS_LABEL_BYTES,
		.since = "0.1.0", .help = "the volume's name",
	},
	[OPT_UUID] = {
		.name = "uuid", .type = KATAIMG_OPT_STRING, .max = UUID_TEXT_LEN, .since = "0.1.0",
		.help = "the volume's UUID (default: made from the build's seed)",
	},
	[OPT_SECTOR_SIZE] = {
		.name = "sector-size", .type = KATAIMG_OPT_ENUM, .choices = sectors,
		.since = "0.1.0", .help = "bytes of a sector (default: 512, and 4096 in a measured image)",
	},
};

static int read_identity(const struct kataimg_host *host, const struct kataimg_value *values,
			 struct xfs_identity *identity)
{
	const char *label = values[OPT_LABEL].is_set ? values[OPT_LABEL].string : "";

	memcpy(identity->label, label, strnlen(label, XFS_LABEL_BYTES));
	return uuid_from_option(host, xfs_option_table, values, OPT_UUID, "filesystem",
				identity->uuid);
}

static uint64_t usual_log_blocks(uint64_t least, uint64_t free_bytes)
{
	uint64_t blocks = free_bytes / XFS_BLOCK_BYTES / LOG_SHARE;

	if (blocks < least)
		return least;
	return blocks < LOG_USUAL_BLOCKS ? blocks : LOG_USUAL_BLOCKS;
}

static int read_log_blocks(const struct kataimg_host *host, const struct kataimg_job *job,
			   const struct kataimg_value *value, struct xfs_params *params)
{
	uint32_t least =
		params->sector_bytes == SECTOR_512 ? XFS_LOG_MIN_BLOCKS : XFS_LOG_MIN_BLOCKS_4K;
	uint64_t blocks = usual_log_blocks(least, job->free_bytes);

	if (value->is_set)
		blocks = value->number / XFS_BLOCK_BYTES;
	if (blocks < least || blocks > XFS_LOG_MAX_BLOCKS || value->number % XFS_BLOCK_BYTES)
		return option_refuse(host, xfs_option_table, OPT_LOG_SIZE,
				     "multiples of 4K from %uK to %" PRIu64 "K are possible",
				     least * XFS_BLOCK_BYTES / 1024,
				     XFS_LOG_MAX_BLOCKS * XFS_BLOCK_BYTES / 1024);
	params->log_blocks = (uint32_t)blocks;
	return 0;
}

/* The kernel mounts no filesystem whose sectors are smaller than the device's. */
static int read_sector_bytes(const struct kataimg_host *host, const struct kataimg_job *job,
			     const struct kataimg_value *value, struct xfs_params *params)
{
	params->sector_bytes = job->sector_bytes == XFS_BLOCK_BYTES ? XFS_BLOCK_BYTES : SECTOR_512;
	if (!value->is_set)
		return 0;
	params->sector_bytes = value->number == 0 ? SECTOR_512 : XFS_BLOCK_BYTES;
	if (params->sector_bytes >= job->sector_bytes)
		return 0;
	return option_refuse(host, xfs_option_table, OPT_SECTOR_SIZE,
			     "the guest's device has sectors of %u bytes", job->sector_bytes);
}

int xfs_options_read(const struct kataimg_host *host, const struct kataimg_job *job,
		     const struct kataimg_value *values, struct xfs_options *options)
{
	struct xfs_params *params = &options->params;
	int identity, sector, log;

	*options = (struct xfs_options){
		.params.modern = values[OPT_PROFILE].number == 0,
		.params.agcount =
			values[OPT_AGCOUNT].is_set ? (uint32_t)values[OPT_AGCOUNT].number : 0,
	};
	identity = read_identity(host, values, &options->identity);
	sector = read_sector_bytes(host, job, &values[OPT_SECTOR_SIZE], params);
	log = read_log_blocks(host, job, &values[OPT_LOG_SIZE], params);
	if (identity < 0)
		return identity;
	return sector < 0 ? sector : log;
}
