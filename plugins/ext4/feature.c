/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/feature.h"

#include <stdio.h>

#include "plugins/ext4/format.h"

enum word { COMPAT, INCOMPAT, RO_COMPAT };

static const char *const word_names[] = { "compat", "incompat", "ro_compat" };

/* Linux 2.6.28 as a number that compares. */
#define LINUX(major, minor, patch) ((major) << 16 | (minor) << 8 | (patch))

struct feature {
	const char *name;
	uint32_t bit;
	enum word word;
	uint8_t ext; /* 2, 3 or 4: which of them brought it */
	uint32_t kernel;
};

/* Names, filesystems and kernels of ext4(5); the bits of what it does not list are in ext2_fs.h. */
static const struct feature known[] = {
	{ "dir_prealloc", 0x0001, COMPAT, 2, 0 },
	{ "imagic_inodes", 0x0002, COMPAT, 2, 0 },
	{ "has_journal", 0x0004, COMPAT, 3, LINUX(2, 4, 15) },
	{ "ext_attr", 0x0008, COMPAT, 2, LINUX(2, 6, 0) },
	{ "resize_inode", 0x0010, COMPAT, 2, LINUX(2, 6, 10) },
	{ "dir_index", 0x0020, COMPAT, 2, LINUX(2, 6, 0) },
	{ "sparse_super2", 0x0200, COMPAT, 4, LINUX(3, 16, 0) },
	{ "fast_commit", 0x0400, COMPAT, 4, LINUX(5, 10, 0) },
	{ "stable_inodes", 0x0800, COMPAT, 4, LINUX(5, 5, 0) },
	{ "orphan_file", 0x1000, COMPAT, 4, LINUX(5, 15, 0) },
	{ "compression", 0x0001, INCOMPAT, 2, 0 },
	{ "filetype", 0x0002, INCOMPAT, 2, LINUX(2, 2, 0) },
	{ "needs_recovery", 0x0004, INCOMPAT, 3, LINUX(2, 4, 15) },
	{ "meta_bg", 0x0010, INCOMPAT, 2, LINUX(2, 6, 28) },
	{ "extent", 0x0040, INCOMPAT, 4, LINUX(2, 6, 28) },
	{ "64bit", 0x0080, INCOMPAT, 4, LINUX(2, 6, 28) },
	{ "mmp", 0x0100, INCOMPAT, 4, LINUX(3, 0, 0) },
	{ "flex_bg", 0x0200, INCOMPAT, 4, LINUX(2, 6, 28) },
	{ "ea_inode", 0x0400, INCOMPAT, 4, LINUX(4, 13, 0) },
	{ "dirdata", 0x1000, INCOMPAT, 4, 0 },
	{ "metadata_csum_seed", 0x2000, INCOMPAT, 4, LINUX(4, 4, 0) },
	{ "large_dir", 0x4000, INCOMPAT, 4, LINUX(4, 13, 0) },
	{ "inline_data", 0x8000, INCOMPAT, 4, LINUX(3, 8, 0) },
	{ "encrypt", 0x10000, INCOMPAT, 4, LINUX(4, 1, 0) },
	{ "casefold", 0x20000, INCOMPAT, 4, LINUX(5, 2, 0) },
	{ "sparse_super", 0x0001, RO_COMPAT, 2, LINUX(2, 2, 0) },
	{ "large_file", 0x0002, RO_COMPAT, 2, LINUX(2, 2, 0) },
	{ "huge_file", 0x0008, RO_COMPAT, 4, LINUX(2, 6, 28) },
	{ "uninit_bg", 0x0010, RO_COMPAT, 4, LINUX(2, 6, 28) },
	{ "dir_nlink", 0x0020, RO_COMPAT, 4, LINUX(2, 6, 28) },
	{ "extra_isize", 0x0040, RO_COMPAT, 4, LINUX(2, 6, 28) },
	{ "quota", 0x0100, RO_COMPAT, 4, LINUX(3, 6, 0) },
	{ "bigalloc", 0x0200, RO_COMPAT, 4, LINUX(3, 2, 0) },
	{ "metadata_csum", 0x0400, RO_COMPAT, 4, LINUX(3, 18, 0) },
	{ "read-only", 0x1000, RO_COMPAT, 4, 0 },
	{ "project", 0x2000, RO_COMPAT, 4, LINUX(4, 5, 0) },
	{ "shared_blocks", 0x4000, RO_COMPAT, 4, 0 },
	{ "verity", 0x8000, RO_COMPAT, 4, LINUX(5, 4, 0) },
	{ "orphan_present", 0x10000, RO_COMPAT, 4, LINUX(5, 15, 0) },
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

static uint32_t word_of(const struct ext4_features *features, enum word word)
{
	switch (word) {
	case COMPAT:
		return features->compat;
	case INCOMPAT:
		return features->incompat;
	default:
		return features->ro_compat;
	}
}

static int has(const struct ext4_features *features, const struct feature *feature)
{
	return (word_of(features, feature->word) & feature->bit) != 0;
}

static uint32_t unknown_bits(const struct ext4_features *features, enum word word)
{
	uint32_t bits = word_of(features, word);

	for (size_t i = 0; i < KNOWN; i++)
		if (known[i].word == word)
			bits &= ~known[i].bit;
	return bits;
}

const char *ext4_features_type(const struct ext4_features *features)
{
	static const char *const types[] = { "ext2", "ext3", "ext4" };
	uint8_t ext = 2;

	for (size_t i = 0; i < KNOWN; i++)
		if (has(features, &known[i]) && known[i].ext > ext)
			ext = known[i].ext;
	if (unknown_bits(features, INCOMPAT) || unknown_bits(features, RO_COMPAT))
		ext = 4;
	return types[ext - 2];
}

static void append(char *buf, size_t size, const char *text)
{
	size_t len = strlen(buf);

	snprintf(buf + len, size - len, "%s%s", len ? " " : "", text);
}

void ext4_features_names(const struct ext4_features *features, char *buf, size_t size)
{
	buf[0] = '\0';
	for (size_t i = 0; i < KNOWN; i++)
		if (has(features, &known[i]))
			append(buf, size, known[i].name);
	for (enum word word = COMPAT; word <= RO_COMPAT; word++) {
		uint32_t bits = unknown_bits(features, word);
		char text[32];

		if (bits == 0)
			continue;
		snprintf(text, sizeof(text), "%s:0x%x", word_names[word], bits);
		append(buf, size, text);
	}
}

void ext4_features_kernel(const struct ext4_features *features, char *buf, size_t size)
{
	uint32_t kernel = LINUX(2, 0, 0);

	buf[0] = '\0';
	if (unknown_bits(features, INCOMPAT))
		return;
	for (size_t i = 0; i < KNOWN; i++)
		if (known[i].word != COMPAT && has(features, &known[i]) && known[i].kernel > kernel)
			kernel = known[i].kernel;
	if (kernel < LINUX(3, 0, 0))
		snprintf(buf, size, "%u.%u.%u", kernel >> 16, kernel >> 8 & 0xff, kernel & 0xff);
	else
		snprintf(buf, size, "%u.%u", kernel >> 16, kernel >> 8 & 0xff);
}
