/* SPDX-License-Identifier: Apache-2.0 */
/* The EROFS reader refuses what is damaged: every number of the metadata of all forms of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/erofs/super.h"
#include "tests/support/damage.h"
#include "tests/support/runs.h"

#define BLOCK EROFS_BLOCK_BYTES

/* ---- Trees ---- */

static struct memtree *new_plain_tree(void)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	struct kataimg_node *dir = memtree_add_dir(root, "dir");
	struct kataimg_node *file = memtree_add_file(root, "f", "x", 1);
	struct kataimg_node *pieces = memtree_add_pattern(root, "pieces", 5 * 8192, 1);

	for (uint64_t i = 0; i < 5; i++)
		memtree_punch_hole(pieces, i * 8192 + 4096, 4096);
	memtree_add_file(dir, "more", "", 0);
	memtree_add_symlink(root, "link", "f");
	memtree_add_device(root, "device", KATAIMG_CHR, 1, 3);
	memtree_set_xattr(file, "user.a", "b", 1);
	memtree_set_xattr(dir, "user.shared", "some value", 10);
	memtree_set_xattr(root, "user.shared", "some value", 10);
	return tree;
}

static struct memtree *new_texts(void)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);

	memtree_add_numbers(root, "text", 50000, 1000);
	memtree_add_numbers(root, "other", 20000, 3);
	memtree_add_numbers(root, "small", 3000, 77);
	memtree_add_pattern(root, "noise", 9000, 1);
	return tree;
}

/* ---- What is in it ---- */

static void seal_super(uint8_t *object, size_t len)
{
	le32 checksum = to_le32(erofs_super_checksum(object, len));

	memcpy(object + EROFS_SUPER_OFFSET + offsetof(struct erofs_super, checksum), &checksum,
	       sizeof(checksum));
}

/* Inodes and what belongs to them come first; what files hold is seldom heeded. */
static void walk(struct memtree *tree, const char *const *options, struct damage *damage)
{
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree, .options = options });
	const struct damage_object first = { 0, BLOCK, seal_super };

	damage->trial = trial;
	damage_walk(damage, &first, EROFS_SUPER_OFFSET, EROFS_SUPER_OFFSET + 1200);
	trial_free(trial);
	memtree_free(tree);
}

static void numbers_are_refused(void **state)
{
	static const char *const refusals[] = {
		"it has no EROFS superblock",
		"the EROFS superblock names an impossible block size",
		"the EROFS superblock reaches beyond the end of the partition",
		"it has #-bit block numbers",
		"it has compressed metadata (metabox)",
		"it has a feature that is newer than this reader",
		"its directories have blocks of another size than its files",
		"its metadata is outside the filesystem",
		"it has no root directory",
		"is outside the filesystem",
		"is of no known type",
		"has a form that is newer than this reader",
		"is followed by data that leaves its block",
		"is a symbolic link of # bytes",
		"has chunks newer than this reader",
		"has more chunks than the filesystem can list",
		"has a block that is none",
		"shares # attributes, for which it has no room",
		"has an attribute longer than its place",
		"has an attribute of namespace #, which Linux does not show",
		"has an attribute with prefix # of #",
	};
	static struct damage damage;

	(void)state;
	walk(new_plain_tree(), NULL, &damage);
	damage_check_said(&damage, refusals, sizeof(refusals) / sizeof(refusals[0]));
}

static void compressed_numbers_are_refused(void **state)
{
	static const char *const options[][4] = {
		{ "compress=lz4", "tail=inline" },
		{ "compress=lz4", "fragments=tails" },
		{ "compress=lz4", "fragments=all" },
#ifdef HAVE_ZSTD
		{ "compress=zstd", "cluster-size=16K" },
#endif
	};
	static const char *const refusals[] = {
		"has big clusters of one kind alone",
		"has an extent of too many blocks",
		"has an extent that begins outside its cluster",
		"begins in the middle of an extent",
		"is larger than the filesystem",
		"is followed by data that leaves its block",
		"stores more bytes than their blocks hold",
		"has data outside the packed inode",
		"it has compressed data outside the filesystem",
		"it is compressed by algorithm #, which is not known",
		"it is compressed in a way that is newer than this reader",
		"cannot be unpacked (LZ#)",
#ifdef HAVE_LZMA
		"cannot be unpacked (LZMA)",
#endif
#ifdef HAVE_ZSTD
		"cannot be unpacked (Zstandard)",
#endif
	};
	static struct damage damage;

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		walk(new_texts(), options[i], &damage);
	damage_check_said(&damage, refusals, sizeof(refusals) / sizeof(refusals[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_refused),
		cmocka_unit_test(compressed_numbers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
