/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the EROFS writer that pack: places, directories, chunks, indexes, clusters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/support/memtree.h"
#include "plugins/erofs/chunk.h"
#include "plugins/erofs/dir.h"
#include "plugins/erofs/inode.h"
#include "plugins/erofs/lz4.h"
#include "plugins/erofs/slots.h"
#include "plugins/erofs/xattr.h"
#include "plugins/erofs/zmap.h"
#include "tests/support/chance.h"

/* Places do not overlap, what fits a block does not cross one, and little stays empty. */
static void slots_pack(void **state)
{
	struct erofs_slots *slots = erofs_slots_new(1152);
	uint8_t *taken = calloc(1 << 14, 128);
	uint64_t used = 1152, area;
	uint32_t seed = 1;

	(void)state;
	memset(taken, 1, 1152 / 32);
	for (int i = 0; i < 20000; i++) {
		uint64_t bytes = chance_next(&seed) % (i % 1000 ? 700 : 20000) + 1, off;

		assert_int_equal(erofs_slots_take(slots, bytes, &off), 0);
		assert_int_equal(off % 32, 0);
		if (bytes <= 4096)
			assert_int_equal(off / 4096, (off + bytes - 1) / 4096);
		for (uint64_t slot = off / 32; slot < (off + bytes + 31) / 32; slot++) {
			assert_int_equal(taken[slot], 0);
			taken[slot] = 1;
		}
		used += (bytes + 31) / 32 * 32;
	}
	area = erofs_slots_blocks(slots) * 4096;
	assert_in_range(area, used, used + used / 50);
	free(taken);
	erofs_slots_free(slots);
}

/* The most room that is just enough is used first. */
static void slots_best_fit(void **state)
{
	struct erofs_slots *slots = erofs_slots_new(0);
	uint64_t off;

	(void)state;
	assert_int_equal(erofs_slots_take(slots, 4000, &off), 0);
	assert_int_equal(off, 0);
	assert_int_equal(erofs_slots_take(slots, 3000, &off), 0);
	assert_int_equal(off, 4096);
	assert_int_equal(erofs_slots_take(slots, 64, &off), 0);
	assert_int_equal(off, 4000);
	assert_int_equal(erofs_slots_take(slots, 64, &off), 0);
	assert_int_equal(off, 4096 + 3008);
	assert_int_equal(erofs_slots_take(slots, 5000, &off), 0);
	assert_int_equal(off, 8192);
	erofs_slots_free(slots);
}

static void dots_are_sorted_in(void **state)
{
	static const char *const expected[] = { "!", "-x", ".", ".-", "..", "...", ".a", "a" };
	struct memtree *tree = memtree_new();
	struct erofs_dir_cursor cursor = { .dir = memtree_root(tree) };
	struct erofs_dir_name name;
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (strcmp(expected[i], ".") != 0 && strcmp(expected[i], "..") != 0)
			memtree_add_dir(memtree_root(tree), expected[i]);
	memtree_finish(tree);
	for (; erofs_dir_peek(&cursor, &name); erofs_dir_advance(&cursor), count++) {
		assert_int_equal(name.len, strlen(expected[count]));
		assert_memory_equal(name.name, expected[count], name.len);
	}
	assert_int_equal(count, sizeof(expected) / sizeof(expected[0]));
	memtree_free(tree);
}

/* 27 bytes are "." and ".."; the rest of the block is one name more or less. */
static void directory_of_one_block(void **state)
{
	(void)state;
	for (size_t last = 100; last <= 104; last++) {
		struct memtree *tree = memtree_new();
		char name[256] = "";
		uint64_t bytes = 27;

		for (char i = 0; bytes + 12 + 200 <= 4096 - 12 - 100; i++, bytes += 212) {
			memset(name, 'a' + i, 200);
			name[200] = '\0';
			memtree_add_file(memtree_root(tree), name, "", 0);
		}
		memset(name, 'z', 255);
		name[4096 - 12 - bytes - 102 + last] = '\0';
		memtree_add_file(memtree_root(tree), name, "", 0);
		memtree_finish(tree);
		bytes = erofs_dir_bytes(memtree_root(tree));
		if (last <= 102)
			assert_int_equal(bytes, 4096 - 102 + last);
		else
			assert_int_equal(bytes, 4096 + 12 + strlen(name));
		memtree_free(tree);
	}
}

static uint8_t chunk_bits_of(uint64_t size, uint64_t hole_off, uint64_t hole_len, uint8_t *layout)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *file = memtree_add_pattern(memtree_root(tree), "f", size, 1);
	struct erofs_chunk_runs runs = { 0 };
	struct erofs_inode inode = { .size = size, .owner = 1 };

	memtree_punch_hole(file, hole_off, hole_len);
	memtree_finish(tree);
	assert_int_equal(erofs_chunk_plan(file, &inode, &runs), 0);
	*layout = inode.layout;
	array_free(&runs);
	memtree_free(tree);
	return inode.chunk_bits;
}

/* A chunk's array and the zeros that it stores weigh against each other. */
static void chunk_sizes(void **state)
{
	uint8_t layout;

	(void)state;
	/* one hole, to the end: the largest chunk that ends before it */
	assert_int_equal(chunk_bits_of(4 << 20, 1 << 20, 3 << 20, &layout), 8);
	assert_int_equal(layout, EROFS_CHUNK_BASED);
	/* 2^33 bytes of hole after a block: an array of 2^16 chunks of 2^17 is as large as one */
	assert_in_range(chunk_bits_of(UINT64_C(1) << 33, 4096, (UINT64_C(1) << 33) - 4096, &layout),
			4, 6);
	assert_int_equal(layout, EROFS_CHUNK_BASED);
	/* nothing but a hole */
	chunk_bits_of(UINT64_C(1) << 40, 0, UINT64_C(1) << 40, &layout);
	assert_int_equal(layout, EROFS_CHUNK_BASED);
	/* a hole smaller than the array that it would need */
	chunk_bits_of(UINT64_C(64) << 20, 4096, 4096, &layout);
	assert_int_equal(layout, EROFS_FLAT_PLAIN);
}

/* Known packs, worked out by hand from the format. */
static void index_packs(void **state)
{
	static const struct erofs_zmap_record small[2] = {
		{ .type = EROFS_CLUSTER_HEAD, .offset = 0x123, .block = 100 },
		{ .type = EROFS_CLUSTER_NONHEAD, .back = 1, .forward = 5 },
	};
	static const uint8_t expected[8] = { 0x23, 0x11, 0x05, 0x20, 99, 0, 0, 0 };
	static const struct erofs_zmap_record counted[2] = {
		{ .type = EROFS_CLUSTER_NONHEAD,
		  .back = EROFS_CLUSTER_BLOCKS_FLAG | 3,
		  .forward = 1 },
		{ .type = EROFS_CLUSTER_PLAIN, .offset = 7, .block = 100 },
	};
	static const uint8_t expected_counted[8] = { 0x03, 0x28, 0x07, 0x00, 97, 0, 0, 0 };
	struct erofs_zmap_record big[16] = { { 0 } };
	uint8_t out[EROFS_ZMAP_BIG_PACK_BYTES];

	(void)state;
	assert_int_equal(erofs_zmap_pack(small, 2, false, out), 8);
	assert_memory_equal(out, expected, sizeof(expected));
	assert_int_equal(erofs_zmap_pack(counted, 2, true, out), 8);
	assert_memory_equal(out, expected_counted, sizeof(expected_counted));
	for (unsigned int i = 0; i < 16; i++)
		big[i] = (struct erofs_zmap_record){ .type = EROFS_CLUSTER_HEAD,
						     .offset = (uint16_t)(i * 255),
						     .block = 500 + i };
	assert_int_equal(erofs_zmap_pack(big, 16, false, out), 32);
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int bit = i * 14;
		uint32_t bits = out[bit / 8] | out[bit / 8 + 1] << 8 | out[bit / 8 + 2] << 16;

		assert_int_equal(bits >> bit % 8 & 0x3fff, 1 << 12 | i * 255);
	}
	assert_int_equal(out[28] | out[29] << 8, 499);
}

/* What a cluster holds depends on its input alone, not on what was compressed before. */
static void clusters_are_independent(void **state)
{
	static const enum erofs_compress algorithms[] = { EROFS_COMPRESS_LZ4,
							  EROFS_COMPRESS_LZ4HC };
	static uint8_t text[200000], first[65536], again[65536];
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "kataimg erofs"[chance_next(&seed) % 13];
	for (size_t a = 0; a < 2; a++) {
		for (int level = 1; level <= EROFS_LZ4HC_LEVEL_MAX; level += 4) {
			struct erofs_lz4 *fresh = erofs_lz4_new(algorithms[a], level);
			struct erofs_lz4 *used = erofs_lz4_new(algorithms[a], level);
			uint32_t consumed[2], size[2];

			for (uint32_t off = 0; off < 60000; off += 1111)
				erofs_lz4_fill(used, text + off, 60000, again, 4096, false,
					       consumed);
			size[0] = erofs_lz4_fill(fresh, text + 777, 190000, first, 8192, false,
						 consumed);
			size[1] = erofs_lz4_fill(used, text + 777, 190000, again, 8192, true,
						 consumed + 1);
			assert_int_equal(size[0], size[1]);
			assert_int_equal(consumed[0], consumed[1]);
			assert_in_range(consumed[0], 8192, 190000);
			assert_memory_equal(first, again, size[0]);
			erofs_lz4_free(fresh);
			erofs_lz4_free(used);
		}
	}
}

/* Expecting the worst changes nothing but the time, whether it comes or not. */
static void dense_data(void **state)
{
	static uint8_t data[200000], first[65536], again[65536];
	struct erofs_lz4 *lz4 = erofs_lz4_new(EROFS_COMPRESS_LZ4HC, 9);
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i < 100000 ? (uint8_t)chance_next(&seed) : (uint8_t)(i / 7000);
	for (uint32_t off = 0; off < 110000; off += 5000) {
		uint32_t len = sizeof(data) - off, consumed[2];
		uint32_t size = erofs_lz4_fill(lz4, data + off, len, first, 4096, false, consumed);

		assert_int_equal(
			erofs_lz4_fill(lz4, data + off, len, again, 4096, true, consumed + 1),
			size);
		assert_int_equal(consumed[0], consumed[1]);
		assert_memory_equal(first, again, size);
	}
	erofs_lz4_free(lz4);
}

static void device_numbers(void **state)
{
	(void)state;
	assert_int_equal(erofs_device_encode(8, 1), 0x801);
	assert_int_equal(erofs_device_encode(0xfff, 0xfffff), 0xffffffff);
	assert_int_equal(erofs_device_encode(259, 70000), 0x11110370);
}

static void compact_inodes(void **state)
{
	const struct kataimg_job job = { .build_time = 1000 };
	const struct kataimg_node compact = {
		.mtime_sec = 1000, .uid = 65535, .gid = 65535, .nlink = 65535
	};
	struct kataimg_node node;

	(void)state;
	assert_false(erofs_inode_is_extended(&job, &compact, UINT32_MAX));
	assert_true(erofs_inode_is_extended(&job, &compact, UINT32_MAX + UINT64_C(1)));
	node = compact;
	node.uid++;
	assert_true(erofs_inode_is_extended(&job, &node, 0));
	node = compact;
	node.gid++;
	assert_true(erofs_inode_is_extended(&job, &node, 0));
	node = compact;
	node.nlink++;
	assert_true(erofs_inode_is_extended(&job, &node, 0));
	node = compact;
	node.mtime_nsec++;
	assert_true(erofs_inode_is_extended(&job, &node, 0));
	node = compact;
	node.mtime_sec--;
	assert_true(erofs_inode_is_extended(&job, &node, 0));
}

/* What occurs often is stored once, as long as an id is smaller than a copy. */
static void xattrs_are_shared(void **state)
{
	const struct kataimg_job job = { .seed = { 1, 2, 3, 4 } };
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	struct erofs_source source = { .job = &job };
	struct erofs_xattrs *xattrs;
	char name[2] = "a";

	(void)state;
	for (; name[0] < 'e'; name[0]++) {
		struct kataimg_node *file = memtree_add_file(root, name, "", 0);

		memtree_set_xattr(file, "security.selinux", "system_u:object_r:bin_t:s0", 27);
		memtree_set_xattr(file, "user.own", name, 1);
	}
	source.tree = memtree_finish(tree);
	assert_int_equal(erofs_xattrs_make(&source, &xattrs), 0);
	/* 4 + "selinux" + 27 */
	assert_int_equal(erofs_xattrs_shared_bytes(xattrs), 40);
	/* header, one id, 4 + "own" + 1 */
	assert_int_equal(erofs_xattrs_node_bytes(xattrs, memtree_find(tree, "a")), 12 + 4 + 8);
	assert_int_equal(erofs_xattrs_node_bytes(xattrs, root), 0);
	assert_int_equal(erofs_xattr_bytes_alone(memtree_find(tree, "a")), 12 + 40 + 8);
	erofs_xattrs_free(xattrs);
	memtree_free(tree);
}

#define BLOCK_TRIES (1u << 17)
#define NAME_BLOCKS 17

/* Four bytes of a name, and the FNV-1a hash after them. */
struct name_block {
	uint32_t hash;
	char bytes[4];
};

static int compare_hashes(const void *a, const void *b)
{
	const struct name_block *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

static uint32_t fnv1a(uint32_t hash, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)bytes[i]) * 16777619u;
	return hash;
}

/* Two blocks with one hash, from a hash on. Returns that hash. */
static uint32_t find_equal_blocks(uint32_t start, struct name_block *tries, char pair[2][4])
{
	static const char letters[65] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
	uint32_t at = 1;

	for (uint32_t i = 0; i < BLOCK_TRIES; i++) {
		for (int c = 0; c < 4; c++)
			tries[i].bytes[c] = letters[i * 2654435761u >> (6 * c + 8) & 63];
		tries[i].hash = fnv1a(start, tries[i].bytes, 4);
	}
	qsort(tries, BLOCK_TRIES, sizeof(*tries), compare_hashes);
	while (at < BLOCK_TRIES && (tries[at - 1].hash != tries[at].hash ||
				    !memcmp(tries[at - 1].bytes, tries[at].bytes, 4)))
		at++;
	assert_in_range(at, 1, BLOCK_TRIES - 1);
	memcpy(pair[0], tries[at - 1].bytes, 4);
	memcpy(pair[1], tries[at].bytes, 4);
	return tries[at].hash;
}

/* Names with one FNV-1a hash, more than there is time for one by one. */
static void xattrs_of_one_hash(void **state)
{
	const struct kataimg_job job = { .seed = { 1, 2, 3, 4 } };
	struct name_block *tries = calloc(BLOCK_TRIES, sizeof(*tries));
	struct memtree *tree = memtree_new();
	struct erofs_source source = { .job = &job };
	struct erofs_xattrs *xattrs;
	char blocks[NAME_BLOCKS][2][4], name[5 + 4 * NAME_BLOCKS + 1] = "user.";
	uint32_t hash = fnv1a(2166136261u, name, 5);
	struct kataimg_node *file = NULL;

	(void)state;
	assert_non_null(tries);
	for (uint32_t b = 0; b < NAME_BLOCKS; b++)
		hash = find_equal_blocks(hash, tries, blocks[b]);
	for (uint32_t i = 0; i < 1u << NAME_BLOCKS; i++) {
		for (uint32_t b = 0; b < NAME_BLOCKS; b++)
			memcpy(name + 5 + 4 * b, blocks[b][i >> b & 1], 4);
		assert_int_equal(fnv1a(2166136261u, name, sizeof(name) - 1), hash);
		if (i % 256 == 0) {
			char file_name[16];

			snprintf(file_name, sizeof(file_name), "%u", i);
			file = memtree_add_file(memtree_root(tree), file_name, "", 0);
		}
		memtree_set_xattr(file, name, "", 0);
	}
	source.tree = memtree_finish(tree);
	assert_int_equal(erofs_xattrs_make(&source, &xattrs), 0);
	erofs_xattrs_free(xattrs);
	memtree_free(tree);
	free(tries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_pack),
		cmocka_unit_test(slots_best_fit),
		cmocka_unit_test(dots_are_sorted_in),
		cmocka_unit_test(directory_of_one_block),
		cmocka_unit_test(chunk_sizes),
		cmocka_unit_test(index_packs),
		cmocka_unit_test(clusters_are_independent),
		cmocka_unit_test(dense_data),
		cmocka_unit_test(device_numbers),
		cmocka_unit_test(compact_inodes),
		cmocka_unit_test(xattrs_are_shared),
		cmocka_unit_test(xattrs_of_one_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
