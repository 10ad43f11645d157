/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/options.h"

#include <errno.h>
#include <string.h>

#include "plugins/common/uuid.h"
#include "plugins/erofs/compress.h"
#include "plugins/erofs/lz4.h"

static const char *const data_choices[] = { "dax", "packed", NULL };
static const char *const compress_choices[] = { "none", "lz4", "lz4hc", NULL };

const struct kataimg_option erofs_option_table[EROFS_OPTION_COUNT] = {
	[EROFS_OPTION_DATA] = {
		.name = "data",
		.type = KATAIMG_OPT_ENUM,
		.choices = data_choices,
		.help = "dax: whole blocks, which a guest can map; packed: tails beside inodes and "
			"nothing aligned, smallest (default: dax if the image has DAX, else packed)",
		.since = "0.1",
	},
	[EROFS_OPTION_DEDUPE] = {
		.name = "dedupe",
		.type = KATAIMG_OPT_BOOL,
		.default_value = "no",
		.help = "store the content of equal files once",
		.since = "0.1",
	},
	[EROFS_OPTION_COMPRESS] = {
		.name = "compress",
		.type = KATAIMG_OPT_ENUM,
		.choices = compress_choices,
		.default_value = "none",
		.help = "compress files that shrink, which a guest then reads without DAX, but not "
			"files that are mostly holes; lz4 gives other bytes on big-endian hosts, "
			"lz4hc does not",
		.since = "0.1",
	},
	[EROFS_OPTION_LEVEL] = {
		.name = "level",
		.type = KATAIMG_OPT_U64,
		.min = EROFS_LZ4HC_LEVEL_MIN,
		.max = EROFS_LZ4HC_LEVEL_MAX,
		.default_value = "9",
		.help = "how hard lz4hc tries",
		.since = "0.1",
	},
	[EROFS_OPTION_CLUSTER_SIZE] = {
		.name = "cluster-size",
		.type = KATAIMG_OPT_SIZE,
		.min = EROFS_BLOCK_BYTES,
		.max = EROFS_CLUSTER_BLOCKS_MAX * EROFS_BLOCK_BYTES,
		.default_value = "4K",
		.help = "the most that compressed data is read and decompressed at a time: larger "
			"is smaller on disk and slower at random; above 4K needs Linux 5.13",
		.since = "0.1",
	},
	[EROFS_OPTION_LABEL] = {
		.name = "label",
		.type = KATAIMG_OPT_STRING,
		.default_value = "",
		.max = EROFS_LABEL_BYTES - 1,
		.help = "the volume's name",
		.since = "0.1",
	},
	[EROFS_OPTION_UUID] = {
		.name = "uuid",
		.type = KATAIMG_OPT_STRING,
		.max = 36,
		.help = "the volume's UUID (default: made from the build's seed)",
		.since = "0.1",
	},
};

/* An option that would do nothing is a mistake that is better said. */
static int read_compress(struct erofs *fs, const struct kataimg_value *values)
{
	uint64_t cluster_bytes = values[EROFS_OPTION_CLUSTER_SIZE].number;

	fs->options.compress = (enum erofs_compress)values[EROFS_OPTION_COMPRESS].number;
	fs->options.level = (int)values[EROFS_OPTION_LEVEL].number;
	fs->options.cluster_blocks = (uint32_t)(cluster_bytes / EROFS_BLOCK_BYTES);
	if (cluster_bytes % EROFS_BLOCK_BYTES)
		erofs_error(fs, "cluster-size is not a multiple of 4K");
	else if (values[EROFS_OPTION_LEVEL].is_given &&
		 fs->options.compress != EROFS_COMPRESS_LZ4HC)
		erofs_error(fs, "level needs compress = lz4hc");
	else if (values[EROFS_OPTION_CLUSTER_SIZE].is_given &&
		 fs->options.compress == EROFS_COMPRESS_NONE)
		erofs_error(fs, "cluster-size needs compress = lz4 or lz4hc");
	else
		return 0;
	return -EINVAL;
}

int erofs_options_read(struct erofs *fs, const struct kataimg_value *values)
{
	bool dax = fs->job->required & KATAIMG_JOB_DAX;
	int err;

	fs->options.data = dax ? EROFS_DATA_DAX : EROFS_DATA_PACKED;
	if (values[EROFS_OPTION_DATA].is_set)
		fs->options.data =
			values[EROFS_OPTION_DATA].number ? EROFS_DATA_PACKED : EROFS_DATA_DAX;
	fs->options.dedupe = values[EROFS_OPTION_DEDUPE].number;
	strncpy(fs->options.label, values[EROFS_OPTION_LABEL].string,
		sizeof(fs->options.label) - 1);
	err = read_compress(fs, values);
	return err ? err
		   : uuid_from_option(fs->host, &values[EROFS_OPTION_UUID], "erofs",
				      fs->options.uuid);
}
