/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds of the XFS reader, to the byte: what reaches the end of its place is read, what goes one
 * farther is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "plugins/xfs/format.h"
#include "plugins/xfs/seal.h"
#include "tests/support/damage.h"
#include "tests/support/runs.h"

#define INODE 512u
#define BLOCK 4096u
/* With a name of one byte a record of 128: the last one fills its block. */
#define LEAF_VALUE 124u
#define LEAVES 4u
#define WHOLE_BYTES 4096u
#define PIECES UINT64_C(40)

/* Forks of an inode without the other. */
#define LITERAL (INODE - (uint32_t)sizeof(struct xfs_dinode))

static void add_value(struct kataimg_node *node, char letter, size_t bytes)
{
	static char value[BLOCK];
	const char name[] = { 'u', 's', 'e', 'r', '.', letter, '\0' };

	memset(value, letter, sizeof(value));
	memtree_set_xattr(node, name, value, bytes);
}

/* So many extents that they need a block of their own. */
static void add_pieces(struct kataimg_node *root)
{
	struct kataimg_node *pieces = memtree_add_pattern(root, "pieces", PIECES * 2 * BLOCK, 1);

	for (uint64_t i = 0; i < PIECES; i++)
		memtree_punch_hole(pieces, (2 * i + 1) * BLOCK, BLOCK);
}

/* 120 and their hashes need blocks of their own, 30 share one. */
static void add_names(struct kataimg_node *dir, struct kataimg_node *file, unsigned int count)
{
	char name[64];

	for (unsigned int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%u-is-a-name-of-some-length", i * 7919);
		memtree_add_link(dir, name, file);
	}
}

static int set_up(void **state)
{
	struct damaged *f = calloc(1, sizeof(*f));
	struct kataimg_node *root, *leaf;

	assert_non_null(f);
	f->tree = memtree_new();
	root = memtree_root(f->tree);
	leaf = memtree_add_file(root, "leaf", "", 0);
	for (char i = 0; i < (char)LEAVES; i++)
		add_value(leaf, (char)('a' + i), LEAF_VALUE);
	add_value(memtree_add_file(root, "short", "", 0), 's', 20);
	add_value(memtree_add_file(root, "remote", "", 0), 'r', BLOCK - 10);
	memtree_add_pattern(root, "whole", WHOLE_BYTES, 1);
	add_pieces(root);
	add_names(memtree_add_dir(root, "many"), leaf, 120);
	add_names(memtree_add_dir(root, "some"), leaf, 30);
	f->trial = run_ok(&(struct trial_setup){ .tree = f->tree });
	f->damage.trial = f->trial;
	*state = f;
	return 0;
}

static void seal_inode(uint8_t *object, size_t len)
{
	xfs_seal_matches(object, len, offsetof(struct xfs_dinode, crc));
}

static void seal_leaf(uint8_t *object, size_t len)
{
	xfs_seal_matches(object, len, offsetof(struct xfs_da_block, crc));
}

/* ---- Leaves of attributes ---- */

static struct xfs_attr_entry first_entry(const struct damaged *f, const struct damage_object *leaf)
{
	struct xfs_attr_entry entry;

	trial_read(f->trial, leaf->off + sizeof(struct xfs_attr_leaf), &entry, sizeof(entry));
	return entry;
}

/* The leaf of so many attributes, whose values are in it, or are not. */
static struct damage_object find_leaf(const struct damaged *f, uint16_t count, bool local)
{
	for (uint64_t off = 0; off < trial_window_bytes(f->trial); off += BLOCK) {
		const struct damage_object leaf = { off, BLOCK, seal_leaf };
		struct xfs_attr_leaf head;

		trial_read(f->trial, off, &head, sizeof(head));
		if (from_be16(head.head.magic) == XFS_ATTR_LEAF_MAGIC &&
		    from_be16(head.count) == count &&
		    !(first_entry(f, &leaf).flags & XFS_ATTR_LOCAL) == !local)
			return leaf;
	}
	fail_msg("no leaf of %u attributes", count);
	return (struct damage_object){ 0 };
}

static void values_end_with_their_leaf(void **state)
{
	struct damaged *f = *state;
	const struct damage_object leaf = find_leaf(f, LEAVES, true);
	const size_t last = BLOCK - (sizeof(struct xfs_attr_local) + 1 + LEAF_VALUE);
	const be16 more = to_be16(LEAF_VALUE + 1), same = to_be16(LEAF_VALUE);

	damage_expect(&f->damage, &leaf, last, &same, sizeof(same), NULL);
	damage_expect(&f->damage, &leaf, last, &more, sizeof(more),
		      "has an attribute that leaves its block");
}

static void names_end_with_their_leaf(void **state)
{
	struct damaged *f = *state;
	const struct damage_object leaf = find_leaf(f, 1, false);
	const size_t at = from_be16(first_entry(f, &leaf).nameidx) +
			  offsetof(struct xfs_attr_remote, namelen);
	uint8_t name[] = { 3, 'r', 's', 't' };

	assert_int_equal(at + sizeof(name), BLOCK);
	damage_expect(&f->damage, &leaf, at, name, sizeof(name), NULL);
	name[0]++;
	damage_expect(&f->damage, &leaf, at, name, sizeof(name),
		      "has an attribute that leaves its block");
}

/* The last place of a record of a value, and the first one of any. */
static void records_are_in_their_leaf(void **state)
{
	struct damaged *f = *state;
	const struct damage_object leaf = find_leaf(f, LEAVES, true);
	const size_t at = sizeof(struct xfs_attr_leaf) + offsetof(struct xfs_attr_entry, nameidx);
	const be16 last = to_be16((uint16_t)(BLOCK - sizeof(struct xfs_attr_local)));
	const be16 behind = to_be16((uint16_t)(BLOCK - sizeof(struct xfs_attr_local) + 1));
	const be16 before = to_be16((uint16_t)(sizeof(struct xfs_attr_leaf) - 1));

	damage_expect(&f->damage, &leaf, at, &last, sizeof(last),
		      "has an attribute that leaves its block");
	damage_expect(&f->damage, &leaf, at, &behind, sizeof(behind),
		      "has an attribute outside its block");
	damage_expect(&f->damage, &leaf, at, &before, sizeof(before),
		      "has an attribute outside its block");
}

static void leaves_have_room_for_so_many(void **state)
{
	struct damaged *f = *state;
	const struct damage_object leaf = find_leaf(f, LEAVES, true);
	const uint16_t most =
		(BLOCK - sizeof(struct xfs_attr_leaf)) / sizeof(struct xfs_attr_entry);
	const be16 all = to_be16(most), more = to_be16(most + 1);
	const size_t at = offsetof(struct xfs_attr_leaf, count);

	damage_expect(&f->damage, &leaf, at, &all, sizeof(all),
		      "has an attribute outside its block");
	damage_expect(&f->damage, &leaf, at, &more, sizeof(more),
		      "has more attributes than their block has room for");
}

/* ---- In inodes ---- */

static bool is_inode(const struct damaged *f, uint64_t off, struct xfs_dinode *core)
{
	trial_read(f->trial, off, core, sizeof(*core));
	return from_be16(core->magic) == XFS_INODE_MAGIC && from_be16(core->mode) != 0;
}

/* The inode of the file whose attributes are in it, and where they are. */
static struct damage_object find_short(const struct damaged *f, size_t *fork)
{
	for (uint64_t off = BLOCK; off < trial_window_bytes(f->trial); off += INODE) {
		struct xfs_dinode core;

		if (!is_inode(f, off, &core) || core.forkoff == 0 || core.aformat != XFS_FORK_LOCAL)
			continue;
		*fork = sizeof(core) + (size_t)core.forkoff * 8;
		return (struct damage_object){ off, INODE, seal_inode };
	}
	fail_msg("no inode has attributes");
	return (struct damage_object){ 0 };
}

static void short_attributes_end_with_their_place(void **state)
{
	struct damaged *f = *state;
	size_t fork = 0;
	const struct damage_object inode = find_short(f, &fork);
	const uint16_t room = (uint16_t)(INODE - fork);
	const uint8_t value = (uint8_t)(room - sizeof(struct xfs_attr_short) - 3 - 1);
	const struct {
		be16 total;
		uint8_t count, pad, namelen, valuelen;
	} whole = { to_be16(room), 1, 0, 1, value },
	  outside = { to_be16(room), 1, 0, 1, (uint8_t)(value + 1) },
	  larger = { to_be16(room + 1), 1, 0, 1, value };

	damage_expect(&f->damage, &inode, fork, &whole, sizeof(whole), NULL);
	damage_expect(&f->damage, &inode, fork, &outside, sizeof(outside),
		      "has an attribute that leaves its place");
	damage_expect(&f->damage, &inode, fork, &larger, sizeof(larger),
		      "has attributes longer than their place");
}

static struct damage_object find_root(const struct damaged *f)
{
	for (uint64_t off = BLOCK; off < trial_window_bytes(f->trial); off += INODE) {
		struct xfs_dinode core;

		if (is_inode(f, off, &core) && core.format == XFS_FORK_LOCAL)
			return (struct damage_object){ off, INODE, seal_inode };
	}
	fail_msg("no root");
	return (struct damage_object){ 0 };
}

/* A directory that is as long as its fork, and one that is a byte longer; one whose last entry is
 * cut off by a byte. */
static void short_directories_end_with_their_place(void **state)
{
	struct damaged *f = *state;
	const struct damage_object root = find_root(f);
	const be64 all = to_be64(LITERAL), more = to_be64(LITERAL + 1);
	struct xfs_dinode core;
	be64 less;

	trial_read(f->trial, root.off, &core, sizeof(core));
	assert_int_equal(core.forkoff, 0);
	less = to_be64(from_be64(core.size) - 1);
	damage_expect(&f->damage, &root, offsetof(struct xfs_dinode, size), &all, sizeof(all),
		      NULL);
	damage_expect(&f->damage, &root, offsetof(struct xfs_dinode, size), &more, sizeof(more),
		      "is longer than its place in the inode");
	damage_expect(&f->damage, &root, offsetof(struct xfs_dinode, size), &less, sizeof(less),
		      "has an entry that leaves its place");
}

/* ---- Extents ---- */

static struct damage_object find_inode(const struct damaged *f, uint16_t type, uint64_t size,
				       uint8_t format)
{
	for (uint64_t off = BLOCK; off < trial_window_bytes(f->trial); off += INODE) {
		struct xfs_dinode core;

		if (is_inode(f, off, &core) && (from_be16(core.mode) & S_IFMT) == type &&
		    from_be64(core.size) == size && core.format == format)
			return (struct damage_object){ off, INODE, seal_inode };
	}
	fail_msg("no inode of type 0%o", type);
	return (struct damage_object){ 0 };
}

static struct xfs_extent_record record_of(uint64_t file_block, uint64_t fsbno, uint64_t blocks)
{
	return (struct xfs_extent_record){ .high = to_be64(file_block << 9 | fsbno >> 43),
					   .low = to_be64(fsbno << 21 | blocks) };
}

static void expect_extent(struct damaged *f, const struct damage_object *inode, uint32_t number,
			  struct xfs_extent_record record, const char *text)
{
	damage_expect(&f->damage, inode, sizeof(struct xfs_dinode) + number * sizeof(record),
		      &record, sizeof(record), text);
}

static void extents_end_with_their_group(void **state)
{
	static const char text[] = "has blocks outside the filesystem";
	struct damaged *f = *state;
	const struct damage_object inode = find_inode(f, S_IFREG, WHOLE_BYTES, XFS_FORK_EXTENTS);
	struct xfs_superblock super;
	uint64_t blocks, groups;

	trial_read(f->trial, 0, &super, sizeof(super));
	blocks = from_be32(super.agblocks);
	groups = from_be32(super.agcount);
	expect_extent(f, &inode, 0, record_of(0, blocks - 1, 1), NULL);
	expect_extent(f, &inode, 0, record_of(0, blocks - 1, 2), text);
	expect_extent(f, &inode, 0, record_of(0, groups << super.agblklog, 1), text);
	blocks = from_be64(super.dblocks) - (groups - 1) * blocks; /* of the last one */
	expect_extent(f, &inode, 0, record_of(0, ((groups - 1) << super.agblklog) + blocks - 1, 1),
		      NULL);
	expect_extent(f, &inode, 0, record_of(0, ((groups - 1) << super.agblklog) + blocks - 1, 2),
		      text);
}

static void extents_end_with_the_largest_file(void **state)
{
	struct damaged *f = *state;
	const struct damage_object inode = find_inode(f, S_IFREG, WHOLE_BYTES, XFS_FORK_EXTENTS);
	const uint64_t last = ((uint64_t)INT64_MAX >> XFS_BLOCK_LOG) - 1;

	expect_extent(f, &inode, 0, record_of(last, 0, 1), NULL);
	expect_extent(f, &inode, 0, record_of(last, 0, 2), "reach farther than any file");
	expect_extent(f, &inode, 0, record_of(last + 1, 0, 1), "reach farther than any file");
}

/* Of a directory: its entries and its hashes. */
static void extents_share_no_block(void **state)
{
	struct damaged *f = *state;
	const struct damage_object inode = find_inode(f, S_IFDIR, 2 * BLOCK, XFS_FORK_EXTENTS);
	struct xfs_extent_record records[2];
	uint64_t first, blocks, hashes;

	trial_read(f->trial, inode.off + sizeof(struct xfs_dinode), records, sizeof(records));
	first = from_be64(records[0].low) >> 21;
	blocks = from_be64(records[0].low) & ((1u << 21) - 1);
	hashes = from_be64(records[1].high) >> 9;
	assert_int_equal(hashes, UINT64_C(1) << (35 - XFS_BLOCK_LOG));
	expect_extent(f, &inode, 1, record_of(hashes, first + blocks - 1, 1),
		      "has two extents in one place");
	expect_extent(f, &inode, 1, record_of(hashes, first + blocks, 1), NULL);
}

/* A directory of one block alone has its hashes in that. */
static void directories_have_whole_blocks(void **state)
{
	static const char text[] = "has a size that is none of whole blocks";
	struct damaged *f = *state;
	const size_t at = offsetof(struct xfs_dinode, size);
	const struct damage_object dir = find_inode(f, S_IFDIR, BLOCK, XFS_FORK_EXTENTS);
	const be64 none = to_be64(0), less = to_be64(BLOCK - 1), more = to_be64(BLOCK + 1);
	const be64 one = to_be64(BLOCK), two = to_be64(2 * BLOCK);

	damage_expect(&f->damage, &dir, at, &none, sizeof(none), text);
	damage_expect(&f->damage, &dir, at, &less, sizeof(less), text);
	damage_expect(&f->damage, &dir, at, &one, sizeof(one), NULL);
	damage_expect(&f->damage, &dir, at, &more, sizeof(more), text);
	damage_expect(&f->damage, &dir, at, &two, sizeof(two), "the data block of a directory");
}

static void seal_map(uint8_t *object, size_t len)
{
	xfs_seal_matches(object, len, offsetof(struct xfs_long_btree, crc));
}

static void blocks_have_room_for_so_many_extents(void **state)
{
	struct damaged *f = *state;
	const uint16_t most =
		(BLOCK - sizeof(struct xfs_long_btree)) / sizeof(struct xfs_extent_record);
	const be16 all = to_be16(most), more = to_be16(most + 1);

	for (uint64_t off = 0; off < trial_window_bytes(f->trial); off += BLOCK) {
		const struct damage_object map = { off, BLOCK, seal_map };
		const size_t at = offsetof(struct xfs_long_btree, numrecs);
		be32 magic;

		trial_read(f->trial, off, &magic, sizeof(magic));
		if (from_be32(magic) != XFS_BMBT_MAGIC)
			continue;
		damage_expect(&f->damage, &map, at, &all, sizeof(all), "overlap each other");
		damage_expect(&f->damage, &map, at, &more, sizeof(more),
			      "have a btree block of another level, or size");
		return;
	}
	fail_msg("no block of a map");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, damaged_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_end_with_their_leaf),
		TEST(names_end_with_their_leaf),
		TEST(records_are_in_their_leaf),
		TEST(leaves_have_room_for_so_many),
		TEST(short_attributes_end_with_their_place),
		TEST(short_directories_end_with_their_place),
		TEST(extents_end_with_their_group),
		TEST(extents_end_with_the_largest_file),
		TEST(extents_share_no_block),
		TEST(directories_have_whole_blocks),
		TEST(blocks_have_room_for_so_many_extents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
