/* SPDX-License-Identifier: Apache-2.0 */
/* The XFS reader refuses what is damaged: every number of its metadata, under a right checksum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/xfs/format.h"
#include "plugins/xfs/seal.h"
#include "tests/support/damage.h"
#include "tests/support/runs.h"

#define SECTOR 512u
#define BLOCK 4096u

/* ---- A tree of all forms that metadata has ---- */

static void add_names(struct kataimg_node *dir, struct kataimg_node *file, unsigned int count)
{
	char name[64];

	for (unsigned int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%u-is-a-name-of-some-length", i * 7919);
		memtree_add_link(dir, name, file);
	}
}

static void add_attributes(struct kataimg_node *node, unsigned int count, size_t bytes)
{
	static char value[4096];
	char name[64];

	memset(value, 'v', sizeof(value));
	for (unsigned int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "user.attribute-%u", i * 7919);
		memtree_set_xattr(node, name, value, bytes);
	}
}

static struct memtree *new_tree(void)
{
	static const uint8_t acl[] = { 2,   0,   0,   0,   1,   0,   7,  0,   255, 255, 255,
				       255, 2,   0,   7,   0,   9,   0,  0,   0,   4,   0,
				       5,   0,   255, 255, 255, 255, 16, 0,   7,   0,   255,
				       255, 255, 255, 32,  0,   5,   0,  255, 255, 255, 255 };
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	struct kataimg_node *file = memtree_add_file(root, "f", "x", 1);
	struct kataimg_node *pieces = memtree_add_pattern(root, "pieces", 40 * 8192, 1);
	char target[901];

	for (uint64_t i = 0; i < 40; i++)
		memtree_punch_hole(pieces, i * 8192 + 4096, 4096);
	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	memtree_add_symlink(root, "long", target);
	memtree_add_symlink(root, "short", "f");
	memtree_add_device(root, "device", KATAIMG_CHR, 1, 3);
	add_names(memtree_add_dir(root, "block"), file, 40);
	add_names(memtree_add_dir(root, "data"), file, 120);
	memtree_set_xattr(file, "system.posix_acl_access", acl, sizeof(acl));
	memtree_set_xattr(file, "user.a", "b", 1);
	add_attributes(memtree_add_file(root, "leaf", "", 0), 8, 60);
	add_attributes(memtree_add_file(root, "nodes", "", 0), 60, 90);
	add_attributes(memtree_add_file(root, "value", "", 0), 1, 4090);
	return tree;
}

/* ---- What is in it ---- */

#define SEAL(name, type)                                            \
	static void seal_##name(uint8_t *object, size_t len)        \
	{                                                           \
		xfs_seal_matches(object, len, offsetof(type, crc)); \
	}

SEAL(inode, struct xfs_dinode)
SEAL(super, struct xfs_superblock)
SEAL(map, struct xfs_long_btree)
SEAL(link, struct xfs_symlink_header)
SEAL(value, struct xfs_attr_value)
SEAL(dir, struct xfs_dir_block)
SEAL(da, struct xfs_da_block)

static const struct kind {
	uint32_t magic;
	uint32_t off, bytes; /* of the magic */
	void (*seal)(uint8_t *object, size_t len);
	size_t heeded; /* so much of it, from its start */
} kinds[] = {
	{ XFS_BMBT_MAGIC, 0, 4, seal_map, 100 },
	{ XFS_SYMLINK_MAGIC, 0, 4, seal_link, 64 },
	{ XFS_ATTR_VALUE_MAGIC, 0, 4, seal_value, 64 },
	{ XFS_DIR_BLOCK_MAGIC, 0, 4, seal_dir, 120 },
	{ XFS_DIR_DATA_MAGIC, 0, 4, seal_dir, 120 },
	{ XFS_DA_NODE_MAGIC, 8, 2, seal_da, 80 },
	{ XFS_ATTR_LEAF_MAGIC, 8, 2, seal_da, 120 },
};

static uint32_t magic_at(const uint8_t *bytes, const struct kind *kind)
{
	uint32_t magic = 0;

	for (uint32_t i = 0; i < kind->bytes; i++)
		magic = magic << 8 | bytes[kind->off + i];
	return magic;
}

static void walk_block(struct damage *damage, uint64_t off)
{
	uint8_t bytes[BLOCK];

	trial_read(damage->trial, off, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct damage_object object = { off, BLOCK, kinds[i].seal };

		if (magic_at(bytes, &kinds[i]) != kinds[i].magic)
			continue;
		damage_walk(damage, &object, 0, kinds[i].heeded);
		if (kinds[i].magic == XFS_DIR_BLOCK_MAGIC)
			damage_walk(damage, &object, BLOCK - 16, BLOCK);
	}
}

/* The core, and the beginnings of both forks. */
static void walk_inode(struct damage *damage, uint64_t off)
{
	const struct damage_object object = { off, 512, seal_inode };
	struct xfs_dinode core;
	size_t fork;

	trial_read(damage->trial, off, &core, sizeof(core));
	if (from_be16(core.magic) != XFS_INODE_MAGIC || !from_be16(core.mode))
		return;
	fork = sizeof(core) + (size_t)core.forkoff * 8;
	damage_walk(damage, &object, 0, sizeof(core) + 40);
	if (core.forkoff)
		damage_walk(damage, &object, fork, fork + 40);
}

static void walk_log(struct damage *damage)
{
	struct xfs_superblock super;
	struct damage_object object = { .len = BLOCK };
	uint64_t start;

	trial_read(damage->trial, 0, &super, sizeof(super));
	start = from_be64(super.logstart);
	object.off = ((start >> super.agblklog) * from_be32(super.agblocks) +
		      (start & ((UINT64_C(1) << super.agblklog) - 1)))
		     << super.blocklog;
	damage_walk(damage, &object, 0, 80);
	damage_walk(damage, &object, 280, 330);
	damage_walk(damage, &object, SECTOR, SECTOR + 40);
}

static void walk_inodes(struct damage *damage)
{
	for (uint64_t off = BLOCK; off < trial_window_bytes(damage->trial); off += SECTOR)
		walk_inode(damage, off);
}

static void walk_all(struct damage *damage)
{
	const struct damage_object super = { 0, SECTOR, seal_super };

	damage_walk(damage, &super, 0, sizeof(struct xfs_superblock));
	walk_log(damage);
	walk_inodes(damage);
	for (uint64_t off = BLOCK; off < trial_window_bytes(damage->trial); off += BLOCK)
		walk_block(damage, off);
}

/* All refusals that one number alone brings about. */
static const char *const refusals[] = {
	"superblock's sizes contradict each other or the window",
	"it has no XFS superblock",
	"the superblock's sector size is impossible",
	"the superblock has a version that does not exist",
	"the superblock counts more than there is room for",
	"an allocation group has no headers",
	"its inode and block numbers have impossible sizes",
	"its directories have blocks of an impossible size",
	"its making was not finished",
	"it is marked as in need of repair",
	"it has a feature that is newer than this reader",
	"it has metadata directories (metadir), which cannot be read here",
	"it has a realtime device, which cannot be read here",
	"its log is on a device of its own",
	"its log is outside the filesystem",
	"its log must be replayed",
	"has blocks outside the filesystem",
	"is named by a directory and is none",
	"is named by a directory and not in use",
	"# belongs elsewhere",
	"has a type that there is none of",
	"has an impossible size",
	"has its attributes outside itself",
	"is a realtime file",
	"is a device without a number",
	"are of a form that there is none of",
	"have a btree of an impossible shape",
	"have a btree block of another level, or size",
	"are more than the inode has room for",
	"are not as many as it counts",
	"overlap each other",
	"reach farther than any file",
	"has two extents in one place",
	"has a hole where metadata should be",
	"has metadata that leads in a circle",
	"is a symbolic link of an impossible length",
	"is a symbolic link whose target is not all there",
	"is a symbolic link that takes too many blocks",
	"is longer than its place in the inode",
	"has more entries than it has room for",
	"has an entry that leaves its place",
	"has an entry that leaves its block",
	"has an entry that belongs elsewhere",
	"has an entry without a name",
	"has more hashes than its block has room for",
	"has attributes longer than their place",
	"has an attribute that leaves its place",
	"has an attribute that leaves its block",
	"has an attribute outside its block",
	"has an attribute that is longer than any",
	"has an attribute whose value is not all there",
	"has more attributes than their block has room for",
	"has a node of attributes that is empty",
	"has a system.posix_acl_access that is no ACL",
};

/* And those of each block that says what it is and whose. */
static const struct {
	const char *name;
	bool is_told; /* from every other; else a wrong magic number makes it the next kind's */
} blocks[] = {
	{ "the block of an extent btree", true },
	{ "the block of a symbolic link", true },
	{ "the block of an attribute's value", true },
	{ "the block of a directory", false },
	{ "the data block of a directory", true },
	{ "the node of attributes", false },
	{ "the leaf of attributes", true },
};

static const char *const mismatches[] = { "is none", "is another filesystem's",
					  "is another inode's", "belongs elsewhere" };

#define BLOCKS (sizeof(blocks) / sizeof(blocks[0]))
#define MISMATCHES (sizeof(mismatches) / sizeof(mismatches[0]))

static void check_blocks(const struct damage *damage)
{
	char texts[BLOCKS * MISMATCHES][100];
	const char *wanted[BLOCKS * MISMATCHES];
	size_t count = 0;

	for (size_t i = 0; i < BLOCKS; i++)
		for (size_t k = blocks[i].is_told ? 0 : 1; k < MISMATCHES; k++, count++) {
			snprintf(texts[count], sizeof(texts[count]), "%s at byte #, of inode #, %s",
				 blocks[i].name, mismatches[k]);
			wanted[count] = texts[count];
		}
	damage_check_said(damage, wanted, count);
}

static void numbers_are_refused(void **state)
{
	static struct damage damage;
	struct memtree *tree = new_tree();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree });

	(void)state;
	damage.trial = trial;
	walk_all(&damage);
	damage_check_said(&damage, refusals, sizeof(refusals) / sizeof(refusals[0]));
	check_blocks(&damage);
	trial_free(trial);
	memtree_free(tree);
}

/* Its times are of seconds and nanoseconds. */
static void old_inodes_are_refused(void **state)
{
	static const char *const options[] = { "profile=compat", NULL };
	static const char *const text[] = { "has a time of too many nanoseconds" };
	static struct damage damage;
	struct memtree *tree = memtree_new();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree, .options = options });

	(void)state;
	damage.trial = trial;
	walk_inodes(&damage);
	damage_check_said(&damage, text, 1);
	trial_free(trial);
	memtree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_refused),
		cmocka_unit_test(old_inodes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
