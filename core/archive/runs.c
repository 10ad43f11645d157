/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/runs.h"

#include "core/base/io.h"
#include "kataimg/backend.h"
#include "lib/bytes.h"

/* The bytes from off to the end of its block, of the size that holes have. */
static size_t block_of(uint64_t off, size_t len)
{
	size_t block = KATAIMG_HOLE_BYTES - (size_t)(off % KATAIMG_HOLE_BYTES);

	return block < len ? block : len;
}

bool runs_next(struct runs *runs)
{
	size_t at = runs->end;
	bool found = false;

	while (at < runs->len) {
		size_t block = block_of(runs->off + at, runs->len - at);
		bool zero = bytes_are_zero(runs->bytes + at, block);

		if (zero && found)
			break;
		if (!zero && !found)
			runs->start = at;
		found |= !zero;
		at += block;
	}
	runs->end = at;
	return found;
}

int runs_write(int fd, const void *bytes, size_t len, uint64_t off)
{
	struct runs runs = { .bytes = bytes, .len = len, .off = off };
	int ret = 0;

	while (ret == 0 && runs_next(&runs))
		ret = io_pwrite(fd, runs.bytes + runs.start, runs.end - runs.start,
				off + runs.start);
	return ret;
}
