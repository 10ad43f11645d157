/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of trees, and what is derived from them. */
#include "core/base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/tree/node.h"
#include "core/tree/tree.h"
#include "tests/support/smalltree.h"

/* RFC 9562, 5.8 and 4.1: bits that are the same in all of them, and nothing else is. */
static void test_uuids(void **state)
{
	uint8_t seed[DIGEST_BYTES] = { 0 }, derived[DIGEST_BYTES], uuid[16];

	(void)state;
	for (int i = 0; i < 100; i++) {
		seed[0] = (uint8_t)i;
		assert_int_equal(digest_derive(seed, "label", derived), 0);
		assert_int_equal(digest_uuid(seed, "label", uuid), 0);
		assert_int_equal(uuid[6], 0x80 + derived[6] % 16);
		assert_int_equal(uuid[8], 0x80 + derived[8] % 64);
		derived[6] = uuid[6];
		derived[8] = uuid[8];
		assert_memory_equal(uuid, derived, sizeof(uuid));
	}
}

/* Of a tree with a file that has the attributes. */
static void digest_xattrs(const char *texts[][2], uint8_t out[DIGEST_BYTES])
{
	autoerror struct error error = ERROR_INIT;
	struct kataimg_xattr xattrs[2];
	struct smalltree small;
	struct tree_node *file;
	struct digest *digest = digest_new();
	uint32_t count = 0;

	assert_non_null(digest);
	smalltree_init(&small);
	file = smalltree_add(&small, "file", S_IFREG | 0644);
	for (; count < 2 && texts[count][0]; count++)
		xattrs[count] = (struct kataimg_xattr){ texts[count][0], texts[count][1],
							(uint32_t)strlen(texts[count][0]),
							(uint32_t)strlen(texts[count][1]) };
	tree_set_xattrs(file, xattrs, count);
	smalltree_finish(&small);
	assert_int_equal(tree_digest(small.tree, digest, &error), 0);
	assert_int_equal(digest_final(digest, out), 0);
	digest_free(digest);
	smalltree_free(&small);
}

/* No value reads as the end of another and what comes behind. */
static void test_lengths(void **state)
{
	const char *two[][2] = { { "user.a", "1" }, { "user.b", "2" } };
	const char *one[][2] = { { "user.a", "1 x:user.b:2" }, { NULL, NULL } };
	const char *moved[][2] = { { "user.a:", "1" }, { "user.b", "2" } };
	uint8_t digests[3][DIGEST_BYTES];

	(void)state;
	digest_xattrs(two, digests[0]);
	digest_xattrs(one, digests[1]);
	digest_xattrs(moved, digests[2]);
	assert_memory_not_equal(digests[0], digests[1], DIGEST_BYTES);
	assert_memory_not_equal(digests[0], digests[2], DIGEST_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uuids),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
