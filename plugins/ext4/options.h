/* SPDX-License-Identifier: Apache-2.0 */
/* The section [ext4]: the table that the core parses it by, and its reading. */
#ifndef EXT4_OPTIONS_H
#define EXT4_OPTIONS_H

#include <stdbool.h>

#include "kataimg/backend.h"
#include "plugins/ext4/format.h"

struct ext4_options {
	uint64_t reserved_percent;
	uint64_t inodes; /* 0: tree plus spare */
	bool journal;
	char label[EXT4_LABEL_BYTES + 1];
	uint8_t uuid[16];
	uint32_t hash_seed[4]; /* of directories; no option, but made from the build's seed */
};

enum ext4_option {
	EXT4_OPTION_RESERVED_PERCENT,
	EXT4_OPTION_INODES,
	EXT4_OPTION_JOURNAL,
	EXT4_OPTION_LABEL,
	EXT4_OPTION_UUID,
	EXT4_OPTION_COUNT
};

extern const struct kataimg_option ext4_option_table[EXT4_OPTION_COUNT];

/* From the values of the table. 0, or -errno with its message. */
int ext4_options_read(const struct kataimg_host *host, const struct kataimg_value *values,
		      struct ext4_options *options);

#endif
