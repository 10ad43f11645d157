/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/kept.h"

#include <errno.h>
#include <unistd.h>

#include "core/archive/runs.h"
#include "core/base/io.h"

#define STORED SIZE_MAX

struct kept_stretch {
	uint64_t from, to;
	size_t place; /* in memory; STORED: it is in the file */
};

static struct kept_stretch *last_of(const struct kept *kept)
{
	return kept->stretches.count ? &kept->stretches.items[kept->stretches.count - 1] : NULL;
}

uint64_t kept_end(const struct kept *kept)
{
	const struct kept_stretch *last = last_of(kept);

	return last ? last->to : 0;
}

/* At the file's end or behind it, where zeros make it longer. */
static int store(const struct kept *kept, uint64_t at, const void *buf, size_t len)
{
	int ret = runs_write(kept->fd, buf, len, at);
	const char *end = (const char *)buf + len;

	if (ret == 0 && end[-1] == 0 && ftruncate(kept->fd, (off_t)(at + len)) < 0)
		ret = -errno;
	return ret;
}

/* *place of the bytes, in memory or in the file. */
static int put(struct kept *kept, uint64_t at, const void *buf, size_t len, bool is_data,
	       size_t *place)
{
	*place = kept->bytes.count;
	if (is_data || kept->memory - kept->bytes.count < len) {
		*place = STORED;
		return store(kept, at, buf, len);
	}
	if (array_reserve(&kept->bytes, len) < 0)
		return -ENOMEM;
	memcpy(kept->bytes.items + kept->bytes.count, buf, len);
	kept->bytes.count += len;
	return 0;
}

int kept_add(struct kept *kept, uint64_t at, const void *buf, size_t len, bool is_data)
{
	struct kept_stretch *last = last_of(kept);
	size_t place;
	int ret = len > 0 ? put(kept, at, buf, len, is_data, &place) : 0;

	if (ret < 0 || len == 0)
		return ret;
	/* What is in memory lies together there when nothing else came between. */
	if (last && last->to == at && (last->place == STORED) == (place == STORED)) {
		last->to += len;
		return 0;
	}
	last = array_add(&kept->stretches);
	if (!last)
		return -ENOMEM;
	*last = (struct kept_stretch){ at, at + len, place };
	return 0;
}

/* The stretch that all the bytes are in; NULL: there is none. */
static const struct kept_stretch *find(const struct kept *kept, uint64_t at, uint64_t len)
{
	size_t low = 0, high = kept->stretches.count;
	const struct kept_stretch *found = kept->stretches.items;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (found[middle].to <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == kept->stretches.count || found[low].from > at || len > found[low].to - at)
		return NULL;
	return &found[low];
}

bool kept_has(const struct kept *kept, uint64_t at, uint64_t len)
{
	return find(kept, at, len) != NULL;
}

bool kept_is_stored(const struct kept *kept, uint64_t at, uint64_t len)
{
	const struct kept_stretch *stretch = find(kept, at, len);

	return stretch && stretch->place == STORED;
}

int kept_read(const struct kept *kept, uint64_t at, void *buf, size_t len)
{
	const struct kept_stretch *stretch = find(kept, at, len);

	if (!stretch)
		return -ENODATA;
	if (stretch->place == STORED)
		return io_pread(kept->fd, buf, len, at);
	memcpy(buf, kept->bytes.items + stretch->place + (at - stretch->from), len);
	return 0;
}

void kept_release(struct kept *kept)
{
	array_free(&kept->stretches);
	array_free(&kept->bytes);
}
