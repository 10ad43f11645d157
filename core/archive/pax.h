/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of pax extended headers, "LENGTH KEY=VALUE\n" each, in the order in which they come.
 * POSIX.1-2008, pax, "pax Extended Header": a member's own record comes before a global one, the
 * last one of a key counts, and an empty value takes back what was said before.
 */
#ifndef ARCHIVE_PAX_H
#define ARCHIVE_PAX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"

struct pax_record {
	const char *key, *value; /* each with a NUL behind it */
	size_t len;              /* of the value, which may have NULs */
};

struct pax {
	struct arena arena;
	struct pax_record *records; /* owned */
	size_t count, room;
};

/* Adds those of one header. -EINVAL: *at is where one cannot be read; -ENOMEM. */
int pax_add(struct pax *pax, const char *bytes, size_t len, size_t *at);
/* One record more. -ENOMEM. */
int pax_put(struct pax *pax, const char *key, size_t key_len, const char *value, size_t len);
void pax_clear(struct pax *pax);

/* What holds for a member by its own records and the global ones; NULL: nothing does. */
const struct pax_record *pax_find(const struct pax *own, const struct pax *global, const char *key);

/* "SECONDS.FRACTION", rounded down. -EINVAL, -ERANGE. */
int pax_time(const struct pax_record *record, int64_t *seconds, uint32_t *nanoseconds);
/* A decimal number that is not negative. */
int pax_number(const struct pax_record *record, int64_t *value);

#endif
