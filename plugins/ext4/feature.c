/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/feature.h"

#include <stdio.h>

#include "plugins/ext4/disk.h"

enum word { COMPAT, INCOMPAT, RO_COMPAT };

static const char *const word_names[] = { "compat", "incompat", "ro_compat" };

struct feature {
	const char *name;
	uint32_t bit;
	enum word word;
	uint8_t ext;                        /* 2, 3 or 4: which of them brought it */
	uint8_t kernel_major, kernel_minor; /* for incompatible ones */
};

/* Names of e2fsprogs (lib/e2p/feature.c); kernels from the history of fs/ext4. */
static const struct feature known[] = {
	{ "dir_prealloc", 0x0001, COMPAT, 2 },
	{ "imagic_inodes", 0x0002, COMPAT, 2 },
	{ "has_journal", 0x0004, COMPAT, 3 },
	{ "ext_attr", 0x0008, COMPAT, 2 },
	{ "resize_inode", 0x0010, COMPAT, 2 },
	{ "dir_index", 0x0020, COMPAT, 2 },
	{ "sparse_super2", 0x0200, COMPAT, 4 },
	{ "fast_commit", 0x0400, COMPAT, 4 },
	{ "stable_inodes", 0x0800, COMPAT, 4 },
	{ "orphan_file", 0x1000, COMPAT, 4 },
	{ "compression", 0x0001, INCOMPAT, 2, 2, 0 },
	{ "filetype", 0x0002, INCOMPAT, 2, 2, 2 },
	{ "needs_recovery", 0x0004, INCOMPAT, 3, 2, 4 },
	{ "meta_bg", 0x0010, INCOMPAT, 2, 2, 6 },
	{ "extent", 0x0040, INCOMPAT, 4, 2, 6 },
	{ "64bit", 0x0080, INCOMPAT, 4, 2, 6 },
	{ "mmp", 0x0100, INCOMPAT, 4, 3, 0 },
	{ "flex_bg", 0x0200, INCOMPAT, 4, 2, 6 },
	{ "ea_inode", 0x0400, INCOMPAT, 4, 4, 13 },
	{ "dirdata", 0x1000, INCOMPAT, 4, 0, 0 },
	{ "metadata_csum_seed", 0x2000, INCOMPAT, 4, 4, 4 },
	{ "large_dir", 0x4000, INCOMPAT, 4, 4, 13 },
	{ "inline_data", 0x8000, INCOMPAT, 4, 3, 8 },
	{ "encrypt", 0x10000, INCOMPAT, 4, 4, 1 },
	{ "casefold", 0x20000, INCOMPAT, 4, 5, 2 },
	{ "sparse_super", 0x0001, RO_COMPAT, 2 },
	{ "large_file", 0x0002, RO_COMPAT, 2 },
	{ "huge_file", 0x0008, RO_COMPAT, 4 },
	{ "uninit_bg", 0x0010, RO_COMPAT, 4 },
	{ "dir_nlink", 0x0020, RO_COMPAT, 4 },
	{ "extra_isize", 0x0040, RO_COMPAT, 4 },
	{ "quota", 0x0100, RO_COMPAT, 4 },
	{ "bigalloc", 0x0200, RO_COMPAT, 4, 3, 2 },
	{ "metadata_csum", 0x0400, RO_COMPAT, 4, 3, 6 },
	{ "read-only", 0x1000, RO_COMPAT, 4 },
	{ "project", 0x2000, RO_COMPAT, 4 },
	{ "shared_blocks", 0x4000, RO_COMPAT, 4 },
	{ "verity", 0x8000, RO_COMPAT, 4 },
	{ "orphan_present", 0x10000, RO_COMPAT, 4 },
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
	unsigned int major = 2, minor = 0;

	buf[0] = '\0';
	if (unknown_bits(features, INCOMPAT))
		return;
	for (size_t i = 0; i < KNOWN; i++) {
		const struct feature *feature = &known[i];

		if (!has(features, feature) || feature->kernel_major < major ||
		    (feature->kernel_major == major && feature->kernel_minor <= minor))
			continue;
		major = feature->kernel_major;
		minor = feature->kernel_minor;
	}
	snprintf(buf, size, "%u.%u", major, minor);
}
