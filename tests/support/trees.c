/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/trees.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/chance.h"

void trees_add_mixed(struct kataimg_node *dir, const char *name, size_t len, uint32_t seed)
{
	static const char letters[3][5] = { "", "abcd", "zzzz" };
	uint8_t *content = malloc(len + 1);
	size_t at = 0;

	assert_non_null(content);
	while (at < len) {
		size_t stretch = chance_next(&seed) % 20000 + 1;
		unsigned int kind = chance_next(&seed) % 3;

		for (; stretch && at < len; stretch--, at++)
			content[at] =
				kind == 0 ? (uint8_t)chance_next(&seed) : letters[kind][at % 4];
	}
	memtree_add_file(dir, name, content, len);
	free(content);
}

struct memtree *trees_new_large(uint32_t count, uint64_t size, uint32_t small)
{
	struct memtree *tree = memtree_new();
	char name[32];

	for (uint32_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "large-%u", i);
		memtree_add_pattern(memtree_root(tree), name, size + i * 1000, i);
	}
	for (uint32_t i = 0; i < small; i++) {
		snprintf(name, sizeof(name), "small-%u", i);
		memtree_add_pattern(memtree_root(tree), name, i * 977 % 20000, i);
	}
	return tree;
}
