/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/claims.h"

#include <search.h>

#include "tests/support/must.h"

/* Kept apart from each other in a search tree, so "overlaps" can serve as "equal". */
struct range {
	uint64_t start, end;
};

static int compare(const void *a, const void *b)
{
	const struct range *one = a, *other = b;

	if (one->end <= other->start)
		return -1;
	return one->start >= other->end;
}

bool claims_touch(const struct claims *claims, uint64_t off, uint64_t len)
{
	struct range wanted = { off, off + len };

	return len && tfind(&wanted, &claims->root, compare);
}

void claims_add(struct claims *claims, uint64_t off, uint64_t len)
{
	struct range *added, **found, *old;

	if (len == 0)
		return;
	added = must_calloc(1, sizeof(*added));
	*added = (struct range){ off, off + len };
	while ((found = tfind(added, &claims->root, compare))) {
		old = *found;
		tdelete(old, &claims->root, compare);
		added->start = old->start < added->start ? old->start : added->start;
		added->end = old->end > added->end ? old->end : added->end;
		free(old);
	}
	must(tsearch(added, &claims->root, compare));
}

void claims_clear(struct claims *claims)
{
	tdestroy(claims->root, free);
	claims->root = NULL;
}
