/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/options.h"

#include <string.h>

#include "plugins/common/refuse.h"
#include "plugins/common/uuid.h"

static const char *const data_choices[] = { "dax", "packed", "auto", NULL };
static const char *const compress_choices[] = { "none", "lz4", "lz4hc",
#ifdef HAVE_ZSTD
						"zstd",
#endif
						NULL };
static const char *const tail_choices[] = { "block", "inline", NULL };
static const char *const fragments_choices[] = { "no", "tails", "all", NULL };

const struct kataimg_option erofs_option_table[EROFS_OPTION_COUNT] = {
	[EROFS_OPTION_DATA] = {
		.name = "data",
		.type = KATAIMG_OPT_ENUM,
		.choices = data_choices,
		.help = "dax: whole blocks, which a guest can map; packed: tails beside inodes and "
			"nothing aligned, smallest; auto: as map says (default: dax if the image has DAX, else packed)",
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
			"files that are mostly holes; lz4 and lz4hc give other bytes on big-endian "
			"hosts; zstd, where kataimg was built with libzstd, is smaller and "
			"needs Linux 6.10",
		.since = "0.1",
	},
	[EROFS_OPTION_LEVEL] = {
		.name = "level",
		.type = KATAIMG_OPT_U64,
		.min = EROFS_LZ4HC_LEVEL_MIN,
		.max = EROFS_ZSTD_LEVEL_MAX,
		.default_value = "9",
		.help = "how hard lz4hc (1 to 12) or zstd tries",
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
	[EROFS_OPTION_TAIL] = {
		.name = "tail",
		.type = KATAIMG_OPT_ENUM,
		.choices = tail_choices,
		.default_value = "block",
		.help = "where a compressed file's end is that fills no block: in one of its own, or "
			"inline, beside the inode, which needs Linux 5.17",
		.since = "0.2",
	},
	[EROFS_OPTION_FRAGMENTS] = {
		.name = "fragments",
		.type = KATAIMG_OPT_ENUM,
		.choices = fragments_choices,
		.default_value = "no",
		.help = "what is compressed together, in an inode without a name: ends of files "
			"that fill no cluster, and files smaller than one (tails); or all files; "
			"needs Linux 6.1",
		.since = "0.2",
	},
	[EROFS_OPTION_MAP] = {
		.name = "map",
		.type = KATAIMG_OPT_STRING,
		.max = EROFS_MAP_BYTES_MAX,
		.help = "what a guest maps, with data = auto: it lies plain in whole blocks, and all "
			"else is packed and compressed; patterns with blanks between them, for names, "
			"or with a / for paths from the root, as *.so* or usr/lib/**",
		.since = "0.2",
	},
};

static int refuse(const struct kataimg_host *host, uint64_t index, const char *why)
{
	return option_refuse(host, erofs_option_table, index, "%s", why);
}

/* An option that would do nothing is a mistake that is better said; all of them are. */
static int read_compress(const struct kataimg_host *host, const struct kataimg_value *values,
			 struct erofs_options *options)
{
	uint64_t cluster_bytes = values[EROFS_OPTION_CLUSTER_SIZE].number;
	int ret = 0;

	options->compress = (enum erofs_compress)values[EROFS_OPTION_COMPRESS].number;
	options->level = (int)values[EROFS_OPTION_LEVEL].number;
	options->cluster_blocks = (uint32_t)(cluster_bytes / EROFS_BLOCK_BYTES);
	if (values[EROFS_OPTION_LEVEL].is_given && options->compress < EROFS_COMPRESS_LZ4HC)
		ret = refuse(host, EROFS_OPTION_LEVEL, "needs compress = lz4hc");
	else if (options->compress == EROFS_COMPRESS_LZ4HC &&
		 options->level > EROFS_LZ4HC_LEVEL_MAX)
		ret = refuse(host, EROFS_OPTION_LEVEL, "lz4hc has levels up to 12");
	if (cluster_bytes % EROFS_BLOCK_BYTES)
		ret = refuse(host, EROFS_OPTION_CLUSTER_SIZE, "not a multiple of 4K");
	else if (values[EROFS_OPTION_CLUSTER_SIZE].is_given &&
		 options->compress == EROFS_COMPRESS_NONE)
		ret = refuse(host, EROFS_OPTION_CLUSTER_SIZE, "needs compress");
	return ret;
}

static int read_ends(const struct kataimg_host *host, const struct kataimg_value *values,
		     struct erofs_options *options)
{
	int ret = 0;

	options->tail = (enum erofs_tails)values[EROFS_OPTION_TAIL].number;
	options->fragments = (enum erofs_fragments)values[EROFS_OPTION_FRAGMENTS].number;
	if (options->compress != EROFS_COMPRESS_NONE)
		return 0;
	if (options->tail != EROFS_TAILS_BLOCK)
		ret = refuse(host, EROFS_OPTION_TAIL, "needs compress");
	if (options->fragments != EROFS_FRAGMENTS_NO)
		ret = refuse(host, EROFS_OPTION_FRAGMENTS, "needs compress");
	return ret;
}

static int read_map(const struct kataimg_host *host, const struct kataimg_value *values,
		    struct erofs_options *options)
{
	const struct kataimg_value *map = &values[EROFS_OPTION_MAP];

	options->map = map->string ? map->string : "";
	if (options->data != EROFS_DATA_AUTO)
		return map->is_given ? refuse(host, EROFS_OPTION_MAP, "needs data = auto") : 0;
	if (options->map[strspn(options->map, EROFS_MAP_BLANKS)])
		return 0;
	return refuse(host, EROFS_OPTION_DATA, "needs map, patterns of what a guest maps");
}

static enum erofs_data_policy read_data(const struct kataimg_job *job,
					const struct kataimg_value *value)
{
	if (value->is_set)
		return (enum erofs_data_policy)value->number;
	return job->required & KATAIMG_JOB_DAX ? EROFS_DATA_DAX : EROFS_DATA_PACKED;
}

int erofs_options_read(const struct kataimg_host *host, const struct kataimg_job *job,
		       const struct kataimg_value *values, struct erofs_options *options,
		       struct erofs_identity *identity)
{
	int compress = read_compress(host, values, options);
	int ends = read_ends(host, values, options);
	int map;
	int uuid = uuid_from_option(host, erofs_option_table, values, EROFS_OPTION_UUID, "erofs",
				    identity->uuid);

	options->data = read_data(job, &values[EROFS_OPTION_DATA]);
	map = read_map(host, values, options);
	options->dedupe = values[EROFS_OPTION_DEDUPE].number;
	strncpy(identity->label, values[EROFS_OPTION_LABEL].string, sizeof(identity->label) - 1);
	if (compress < 0)
		return compress;
	if (ends < 0)
		return ends;
	return map < 0 ? map : uuid;
}
