/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/checked.h"
#include "plugins/common/window.h"

#define LOOK_BASE_BYTES (UINT64_C(16) << 20)
#define PAGE_BYTES 16384u
#define PAGES 64u

struct window_page {
	uint64_t off;
	uint32_t len; /* 0: not read yet */
	uint8_t bytes[PAGE_BYTES];
};

int window_open(struct window *window)
{
	window->pages = calloc(PAGES, sizeof(*window->pages));
	return window->pages ? 0 : -ENOMEM;
}

void window_close(struct window *window)
{
	free(window->pages);
	window->pages = NULL;
}

static void say(const struct window *window, const char *fmt, va_list args)
{
	char message[512];

	vsnprintf(message, sizeof(message), fmt, args);
	window->host->error(window->host->ctx, "%s", message);
}

int window_refuse(const struct window *window, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(window, fmt, args);
	va_end(args);
	return -EUCLEAN;
}

int window_decline(const struct window *window, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(window, fmt, args);
	va_end(args);
	return -EOPNOTSUPP;
}

int window_look(struct window *window, uint64_t bytes)
{
	uint64_t limit = LOOK_BASE_BYTES, sum;

	if (checked_mul(window->bytes, window->look_factor, &sum) < 0 ||
	    checked_add(limit, sum, &limit) < 0)
		limit = UINT64_MAX;
	if (checked_add(window->looked_bytes, bytes, &sum) == 0 && sum <= limit) {
		window->looked_bytes = sum;
		return window->host->cancelled(window->host->ctx) ? -ECANCELED : 0;
	}
	return window_refuse(window, "its metadata claims more than %" PRIu64 " bytes", limit);
}

static int load_page(struct window *window, uint64_t off, struct window_page *page)
{
	const struct kataimg_host *host = window->host;
	uint64_t rest = window->bytes - off;
	uint32_t len = rest < PAGE_BYTES ? (uint32_t)rest : PAGE_BYTES;
	int ret;

	page->len = 0;
	ret = host->window_read(host->ctx, off, page->bytes, len);
	if (ret < 0)
		return ret;
	page->off = off;
	page->len = len;
	return 0;
}

int window_fetch(struct window *window, uint64_t off, void *buf, size_t len)
{
	uint8_t *bytes = buf;

	if (!range_within(off, len, window->bytes))
		return window_refuse(window,
				     "its metadata is outside the filesystem: %zu bytes at "
				     "byte %" PRIu64,
				     len, off);
	while (len > 0) {
		uint32_t skip = (uint32_t)(off % PAGE_BYTES);
		struct window_page *page = &window->pages[off / PAGE_BYTES % PAGES];
		size_t part = len < PAGE_BYTES - skip ? len : PAGE_BYTES - skip;
		int ret = page->len && page->off == off - skip
				  ? 0
				  : load_page(window, off - skip, page);

		if (ret < 0)
			return ret;
		memcpy(bytes, page->bytes + skip, part);
		bytes += part;
		off += part;
		len -= part;
	}
	return 0;
}
