/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds of the ext4 reader, to the byte: what reaches the end of its place is read, what goes one
 * farther is refused. The filesystem has no checksums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "plugins/ext4/format.h"
#include "tests/support/damage.h"
#include "tests/support/runs.h"

#define BLOCK EXT4_BLOCK_BYTES
#define WHOLE_BYTES 4096u
#define PIECES UINT64_C(20)

/* Attributes in an inode, behind their magic number: from here to the inode's end. */
#define INSIDE (offsetof(struct ext4_inode, xattrs) + sizeof(le32))

static struct ext4_super super; /* without checksums */

static int set_up(void **state)
{
	static const char *const options[] = { "journal=no", NULL };
	struct damaged *f = calloc(1, sizeof(*f));
	struct kataimg_node *root, *pieces;
	char value[300];

	assert_non_null(f);
	f->tree = memtree_new();
	root = memtree_root(f->tree);
	memset(value, 'v', sizeof(value));
	memtree_add_pattern(root, "whole", WHOLE_BYTES, 1);
	pieces = memtree_add_pattern(root, "pieces", PIECES * 2 * BLOCK, 1);
	for (uint64_t i = 0; i < PIECES; i++)
		memtree_punch_hole(pieces, (2 * i + 1) * BLOCK, BLOCK);
	memtree_set_xattr(pieces, "user.block", value, 300);
	memtree_set_xattr(memtree_add_file(root, "inside", "", 0), "user.a", "b", 1);
	f->trial = run_ok(&(struct trial_setup){ .tree = f->tree, .options = options });
	f->damage.trial = f->trial;
	trial_read(f->trial, EXT4_SUPER_OFFSET, &super, sizeof(super));
	super.feature_ro_compat =
		to_le32(from_le32(super.feature_ro_compat) & ~EXT4_RO_COMPAT_METADATA_CSUM);
	trial_overwrite(f->trial, EXT4_SUPER_OFFSET, &super, sizeof(super));
	*state = f;
	return 0;
}

static void expect(struct damaged *f, const struct damage_object *object, size_t at,
		   const void *bytes, size_t len, const char *text)
{
	damage_expect(&f->damage, object, at, bytes, len, text);
}

/* ---- What is where ---- */

static struct damage_object find_file(const struct damaged *f, uint32_t size)
{
	struct ext4_descriptor descriptor;
	uint64_t table;

	trial_read(f->trial, BLOCK, &descriptor, sizeof(descriptor));
	table = (uint64_t)from_le32(descriptor.inode_table_lo) * BLOCK;
	for (uint32_t i = EXT4_FIRST_INO - 1; i < from_le32(super.inodes_per_group); i++) {
		const struct damage_object object = { table + i * EXT4_INODE_BYTES,
						      EXT4_INODE_BYTES, NULL };
		struct ext4_inode inode;

		trial_read(f->trial, object.off, &inode, sizeof(inode));
		if (S_ISREG(from_le16(inode.mode)) && from_le32(inode.size_lo) == size)
			return object;
	}
	fail_msg("no file of %u bytes", size);
	return (struct damage_object){ 0 };
}

/* The first block that begins with the number, in so many bits. */
static struct damage_object find_block(const struct damaged *f, uint32_t magic, uint32_t mask)
{
	for (uint64_t off = 2 * BLOCK; off < trial_window_bytes(f->trial); off += BLOCK) {
		le32 first;

		trial_read(f->trial, off, &first, sizeof(first));
		if ((from_le32(first) & mask) == magic)
			return (struct damage_object){ off, BLOCK, NULL };
	}
	fail_msg("no block of %x", magic);
	return (struct damage_object){ 0 };
}

/* The root's entry "pieces", which is not its last one. */
static struct damage_object find_entry(const struct damaged *f, size_t *at)
{
	static const char name[] = "pieces";
	const struct damage_object root = find_block(f, EXT4_ROOT_INO, UINT32_MAX);
	char bytes[BLOCK];

	trial_read(f->trial, root.off, bytes, sizeof(bytes));
	for (*at = 0; *at + strlen(name) < BLOCK; ++*at)
		if (memcmp(bytes + *at, name, strlen(name)) == 0) {
			*at -= sizeof(struct ext4_dirent);
			return root;
		}
	fail_msg("no entry %s", name);
	return root;
}

/* ---- Attributes ---- */

static void expect_size(struct damaged *f, const struct damage_object *object, size_t entry,
			uint32_t size, const char *text)
{
	const le32 disk = to_le32(size);

	expect(f, object, entry + offsetof(struct ext4_xattr_entry, value_size), &disk,
	       sizeof(disk), text);
}

static void values_end_with_their_block(void **state)
{
	struct damaged *f = *state;
	const struct damage_object block = find_block(f, EXT4_XATTR_MAGIC, UINT32_MAX);
	struct ext4_xattr_entry entry;

	trial_read(f->trial, block.off + sizeof(struct ext4_xattr_header), &entry, sizeof(entry));
	assert_int_equal(from_le16(entry.value_offs) + from_le32(entry.value_size), BLOCK);
	expect_size(f, &block, sizeof(struct ext4_xattr_header), 300, NULL);
	expect_size(f, &block, sizeof(struct ext4_xattr_header), 301,
		    "has an attribute whose value is cut off");
}

static void values_end_with_their_inode(void **state)
{
	struct damaged *f = *state;
	const struct damage_object inode = find_file(f, 0);
	struct ext4_xattr_entry entry;

	trial_read(f->trial, inode.off + INSIDE, &entry, sizeof(entry));
	assert_int_equal(INSIDE + from_le16(entry.value_offs) + 4, EXT4_INODE_BYTES);
	expect_size(f, &inode, INSIDE, 4, NULL);
	expect_size(f, &inode, INSIDE, 5, "has an attribute whose value is cut off");
}

static void names_end_with_their_inode(void **state)
{
	struct damaged *f = *state;
	const struct damage_object inode = find_file(f, 0);
	const uint8_t whole = EXT4_INODE_BYTES - INSIDE - sizeof(struct ext4_xattr_entry);
	const uint8_t more = whole + 1;

	/* Nothing is left of the list, whose end would be an empty entry. */
	expect(f, &inode, INSIDE, &whole, 1, "has a");
	expect(f, &inode, INSIDE, &more, 1, "has an attribute whose name is cut off");
}

/* ---- Directories ---- */

static void names_end_with_their_entry(void **state)
{
	struct damaged *f = *state;
	size_t entry;
	const struct damage_object root = find_entry(f, &entry);
	const size_t at = entry + offsetof(struct ext4_dirent, name_len);
	struct ext4_dirent dirent;
	uint8_t room, more;
	char name[8];

	trial_read(f->trial, root.off + entry, &dirent, sizeof(dirent));
	room = (uint8_t)(from_le16(dirent.rec_len) - sizeof(dirent));
	assert_int_equal(room, 8);
	more = room + 1;
	memset(name, 'x', sizeof(name));
	trial_overwrite(f->trial, root.off + entry + sizeof(dirent), name, sizeof(name));
	expect(f, &root, at, &room, 1, NULL);
	expect(f, &root, at, &more, 1, "has an entry without room for its name");
}

static void entries_end_with_their_block(void **state)
{
	struct damaged *f = *state;
	const struct damage_object root = find_block(f, EXT4_ROOT_INO, UINT32_MAX);
	const size_t at = EXT4_DIR_BLOCK_SPACE + offsetof(struct ext4_dirent_tail, rec_len);
	const le16 whole = to_le16(sizeof(struct ext4_dirent_tail));
	const le16 more = to_le16(sizeof(struct ext4_dirent_tail) + 4);
	const le16 less = to_le16(sizeof(struct ext4_dirent_tail) - 4);

	expect(f, &root, at, &whole, sizeof(whole), NULL);
	expect(f, &root, at, &more, sizeof(more), "has an entry of an impossible length");
	expect(f, &root, at, &less, sizeof(less), "has an entry that is cut off");
}

static void entries_name_inodes_that_there_are(void **state)
{
	struct damaged *f = *state;
	size_t entry;
	const struct damage_object root = find_entry(f, &entry);
	const le32 last = super.inodes_count;
	const le32 behind = to_le32(from_le32(last) + 1);

	expect(f, &root, entry, &last, sizeof(last), "is of no known type");
	expect(f, &root, entry, &behind, sizeof(behind), "there is no inode");
}

/* ---- Extents ---- */

static void nodes_have_room_for_so_many(void **state)
{
	static const char text[] = "has a node with more entries than it has room for";
	struct damaged *f = *state;
	const struct damage_object inode = find_file(f, WHOLE_BYTES);
	const struct damage_object block = find_block(f, EXT4_EXTENT_MAGIC, 0xffff);
	const size_t in_inode =
		offsetof(struct ext4_inode, block) + offsetof(struct ext4_extent_header, max);
	const size_t in_block = offsetof(struct ext4_extent_header, max);
	const le16 four = to_le16(EXT4_EXTENTS_INLINE), five = to_le16(EXT4_EXTENTS_INLINE + 1);
	const le16 all = to_le16(EXT4_EXTENTS_PER_BLOCK);
	const le16 more = to_le16(EXT4_EXTENTS_PER_BLOCK + 1);
	const le16 less = to_le16((uint16_t)PIECES - 1);

	expect(f, &inode, in_inode, &four, sizeof(four), NULL);
	expect(f, &inode, in_inode, &five, sizeof(five), text);
	expect(f, &block, in_block, &all, sizeof(all), NULL);
	expect(f, &block, in_block, &more, sizeof(more), text);
	expect(f, &block, in_block, &less, sizeof(less), text);
}

static void extents_end_with_the_filesystem(void **state)
{
	struct damaged *f = *state;
	const struct damage_object inode = find_file(f, WHOLE_BYTES);
	const size_t at = offsetof(struct ext4_inode, block) + sizeof(struct ext4_extent_header);
	struct ext4_extent_leaf leaf = {
		.len = to_le16(1),
		.start_lo = to_le32(from_le32(super.blocks_count_lo) - 1),
	};

	expect(f, &inode, at, &leaf, sizeof(leaf), NULL);
	leaf.len = to_le16(2);
	expect(f, &inode, at, &leaf, sizeof(leaf), "has data outside the filesystem");
}

/* One that begins where the one before it ends lies over none. */
static void extents_lie_over_none(void **state)
{
	struct damaged *f = *state;
	const struct damage_object block = find_block(f, EXT4_EXTENT_MAGIC, 0xffff);
	const size_t second = sizeof(struct ext4_extent_header) + sizeof(struct ext4_extent_leaf);
	const le32 behind = to_le32(1), same = to_le32(0);

	expect(f, &block, second, &behind, sizeof(behind), NULL);
	expect(f, &block, second, &same, sizeof(same),
	       "has an extent that is empty or lies over another");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, damaged_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_end_with_their_block),  TEST(values_end_with_their_inode),
		TEST(names_end_with_their_inode),   TEST(names_end_with_their_entry),
		TEST(entries_end_with_their_block), TEST(entries_name_inodes_that_there_are),
		TEST(nodes_have_room_for_so_many),  TEST(extents_end_with_the_filesystem),
		TEST(extents_lie_over_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
