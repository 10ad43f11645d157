/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds of the XFS reader, to the byte: what reaches the end of its place is read, what goes one
 * farther is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

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

/* Forks of an inode without the other. */
#define LITERAL (INODE - (uint32_t)sizeof(struct xfs_dinode))

struct fixture {
	struct memtree *tree;
	struct trial *trial;
	struct damage damage;
};

static void add_value(struct kataimg_node *node, char letter, size_t bytes)
{
	static char value[BLOCK];
	const char name[] = { 'u', 's', 'e', 'r', '.', letter, '\0' };

	memset(value, letter, sizeof(value));
	memtree_set_xattr(node, name, value, bytes);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct kataimg_node *root, *leaf;

	assert_non_null(f);
	f->tree = memtree_new();
	root = memtree_root(f->tree);
	leaf = memtree_add_file(root, "leaf", "", 0);
	for (char i = 0; i < (char)LEAVES; i++)
		add_value(leaf, (char)('a' + i), LEAF_VALUE);
	add_value(memtree_add_file(root, "short", "", 0), 's', 20);
	add_value(memtree_add_file(root, "remote", "", 0), 'r', BLOCK - 10);
	f->trial = run_ok(&(struct trial_setup){ .tree = f->tree });
	f->damage.trial = f->trial;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	trial_free(f->trial);
	memtree_free(f->tree);
	free(f);
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

static struct xfs_attr_entry first_entry(const struct fixture *f, const struct damage_object *leaf)
{
	struct xfs_attr_entry entry;

	trial_read(f->trial, leaf->off + sizeof(struct xfs_attr_leaf), &entry, sizeof(entry));
	return entry;
}

/* The leaf of so many attributes, whose values are in it, or are not. */
static struct damage_object find_leaf(const struct fixture *f, uint16_t count, bool local)
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
	struct fixture *f = *state;
	const struct damage_object leaf = find_leaf(f, LEAVES, true);
	const size_t last = BLOCK - (sizeof(struct xfs_attr_local) + 1 + LEAF_VALUE);
	const be16 more = to_be16(LEAF_VALUE + 1), same = to_be16(LEAF_VALUE);

	damage_expect(&f->damage, &leaf, last, &same, sizeof(same), NULL);
	damage_expect(&f->damage, &leaf, last, &more, sizeof(more),
		      "has an attribute that leaves its block");
}

static void names_end_with_their_leaf(void **state)
{
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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

static bool is_inode(const struct fixture *f, uint64_t off, struct xfs_dinode *core)
{
	trial_read(f->trial, off, core, sizeof(*core));
	return from_be16(core->magic) == XFS_INODE_MAGIC && from_be16(core->mode) != 0;
}

/* The inode of the file whose attributes are in it, and where they are. */
static struct damage_object find_short(const struct fixture *f, size_t *fork)
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
	struct fixture *f = *state;
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

static struct damage_object find_root(const struct fixture *f)
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
	struct fixture *f = *state;
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_end_with_their_leaf),
		TEST(names_end_with_their_leaf),
		TEST(records_are_in_their_leaf),
		TEST(leaves_have_room_for_so_many),
		TEST(short_attributes_end_with_their_place),
		TEST(short_directories_end_with_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
