/* SPDX-License-Identifier: Apache-2.0 */
/* The section [erofs]: the table that the core parses it by, and its reading. */
#ifndef EROFS_OPTIONS_H
#define EROFS_OPTIONS_H

#include <stdbool.h>

#include "kataimg/backend.h"
#include "plugins/erofs/format.h"

enum erofs_data_policy { EROFS_DATA_DAX, EROFS_DATA_PACKED, EROFS_DATA_AUTO };

/* What is between two patterns of map, and how long it may be. */
#define EROFS_MAP_BLANKS " \t"
#define EROFS_MAP_BYTES_MAX 4095u

enum erofs_compress {
	EROFS_COMPRESS_NONE,
	EROFS_COMPRESS_LZ4,
	EROFS_COMPRESS_LZ4HC,
	EROFS_COMPRESS_ZSTD /* where its library was there */
};

enum erofs_tails { EROFS_TAILS_BLOCK, EROFS_TAILS_INLINE };
enum erofs_fragments { EROFS_FRAGMENTS_NO, EROFS_FRAGMENTS_TAILS, EROFS_FRAGMENTS_ALL };

#define EROFS_LZ4HC_LEVEL_MIN 1
#define EROFS_LZ4HC_LEVEL_MAX 12
#define EROFS_ZSTD_LEVEL_MAX 22
#define EROFS_CLUSTER_BLOCKS_MAX 256u

/* What decides the layout. */
struct erofs_options {
	enum erofs_data_policy data;
	const char *map; /* AUTO: patterns of what is mapped */
	enum erofs_compress compress;
	int level;
	uint32_t cluster_blocks;
	enum erofs_tails tail;
	enum erofs_fragments fragments;
	bool dedupe;
};

/* What the superblock says of the filesystem alone. */
struct erofs_identity {
	char label[EROFS_LABEL_BYTES];
	uint8_t uuid[16];
};

enum erofs_option {
	EROFS_OPTION_DATA,
	EROFS_OPTION_DEDUPE,
	EROFS_OPTION_COMPRESS,
	EROFS_OPTION_LEVEL,
	EROFS_OPTION_CLUSTER_SIZE,
	EROFS_OPTION_LABEL,
	EROFS_OPTION_UUID,
	EROFS_OPTION_TAIL,
	EROFS_OPTION_FRAGMENTS,
	EROFS_OPTION_MAP,
	EROFS_OPTION_COUNT
};

extern const struct kataimg_option erofs_option_table[EROFS_OPTION_COUNT];

/* From the values of the table. -EINVAL for what contradicts, with its message. */
int erofs_options_read(const struct kataimg_host *host, const struct kataimg_job *job,
		       const struct kataimg_value *values, struct erofs_options *options,
		       struct erofs_identity *identity);

#endif
