/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/options.h"

#include <stdio.h>

#include "plugins/common/uuid.h"

static const char *const journal_choices[] = { "auto", "yes", "no", NULL };

enum journal { JOURNAL_AUTO, JOURNAL_YES, JOURNAL_NO };

const struct kataimg_option ext4_option_table[EXT4_OPTION_COUNT] = {
	[EXT4_OPTION_RESERVED_PERCENT] = {
		.name = "reserved-percent",
		.type = KATAIMG_OPT_U64,
		.default_value = "3",
		.max = 50,
		.help = "blocks that only root may use, in percent of all",
		.since = "0.1",
	},
	[EXT4_OPTION_INODES] = {
		.name = "inodes",
		.type = KATAIMG_OPT_U64,
		.min = EXT4_FIRST_INO,
		.max = UINT32_MAX,
		.help = "how many inodes there are at least (default: what the tree needs and a few)",
		.since = "0.1",
	},
	[EXT4_OPTION_JOURNAL] = {
		.name = "journal",
		.type = KATAIMG_OPT_ENUM,
		.default_value = "auto",
		.choices = journal_choices,
		.help = "a journal, of 4 MiB; auto: yes, since runtimes mount with data=ordered",
		.since = "0.1",
	},
	[EXT4_OPTION_LABEL] = {
		.name = "label",
		.type = KATAIMG_OPT_STRING,
		.max = EXT4_LABEL_BYTES,
		.help = "the volume's name",
		.since = "0.1",
	},
	[EXT4_OPTION_UUID] = {
		.name = "uuid",
		.type = KATAIMG_OPT_STRING,
		.max = 36,
		.help = "the volume's UUID (default: made from the build's seed)",
		.since = "0.1",
	},
};

static int derive_hash_seed(const struct kataimg_host *host, uint32_t seed[4])
{
	uint8_t bytes[32];
	int ret = host->derive(host->ctx, "ext4 directory hash", bytes);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < 4; i++) {
		le32 word;

		memcpy(&word, bytes + i * sizeof(word), sizeof(word));
		seed[i] = from_le32(word);
	}
	return 0;
}

int ext4_options_read(const struct kataimg_host *host, const struct kataimg_value *values,
		      struct ext4_options *options)
{
	int ret = uuid_from_option(host, ext4_option_table, values, EXT4_OPTION_UUID,
				   "ext4 filesystem", options->uuid);

	if (ret < 0)
		return ret;
	options->reserved_percent = values[EXT4_OPTION_RESERVED_PERCENT].number;
	options->inodes = values[EXT4_OPTION_INODES].number;
	options->journal = values[EXT4_OPTION_JOURNAL].number != JOURNAL_NO;
	if (values[EXT4_OPTION_LABEL].is_set)
		snprintf(options->label, sizeof(options->label), "%s",
			 values[EXT4_OPTION_LABEL].string);
	return derive_hash_seed(host, options->hash_seed);
}
