/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing again, into an image that is complete: what the backend writes is compared with what is
 * there. Only what is left after the last write to a byte counts, so a difference is remembered
 * (overlay.h) until a later write mends it or the run ends. What the backend reads back are its own
 * writes of this run, over the zeros that a window begins with.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/backend/host_private.h"
#include "core/base/io.h"
#include "lib/libc.h"

#define PART_BYTES 16384u

struct host_compare {
	struct overlay *overlay; /* offsets of the image */
	struct ranges *content;  /* metadata alone: bytes of the image that are content */
	bool with_content;
};

void host_compare_free(struct host_compare *compare)
{
	if (!compare)
		return;
	overlay_free(compare->overlay);
	ranges_free(compare->content);
	free(compare);
}

static struct host_compare *compare_new(bool with_content)
{
	struct host_compare *compare autocall(cleanup_host_compare_free) =
		calloc(1, sizeof(*compare));

	if (!compare)
		return NULL;
	compare->overlay = overlay_new();
	compare->content = ranges_new();
	compare->with_content = with_content;
	return compare->overlay && compare->content ? steal_ptr(&compare) : NULL;
}

int host_begin_compare(struct host *host, const struct host_range *range, struct copy *again,
		       bool with_content)
{
	host_compare_free(host->ctx.compare);
	host->ctx.compare = compare_new(with_content);
	if (!host->ctx.compare)
		return -ENOMEM;
	host_set_window(host, HOST_COMPARE_WINDOW, range, again);
	return 0;
}

/* Bytes of [off, end) that are content become equal, so that they do not count. With verify =
 * content no range is noted as content, and all bytes count. */
static void pass_over_content(const struct host_compare *compare, uint64_t off, uint64_t end,
			      uint8_t *ours, const uint8_t *theirs)
{
	struct ranges_item item;

	for (uint64_t at = off; at < end && ranges_next(compare->content, at, &item);
	     at = item.end) {
		uint64_t start = item.start > off ? item.start : off;
		uint64_t stop = item.end < end ? item.end : end;

		if (start < stop)
			memcpy(ours + (start - off), theirs + (start - off),
			       (size_t)(stop - start));
	}
}

/* Compares at most PART_BYTES, which the backend wrote at off of the image. */
static int compare_part(struct kataimg_host_ctx *ctx, uint64_t off, const void *buf, size_t len)
{
	uint8_t ours[PART_BYTES], theirs[PART_BYTES];
	int ret = io_pread(ctx->window.fd, theirs, len, off);

	if (ret < 0)
		return host_fail(ctx, -ret, "cannot read the image: %s", errno_text(-ret));
	memcpy(ours, buf, len);
	pthread_mutex_lock(&ctx->lock);
	pass_over_content(ctx->compare, off, off + len, ours, theirs);
	ret = overlay_put(ctx->compare->overlay, off, ours, theirs, len);
	pthread_mutex_unlock(&ctx->lock);
	return ret < 0 ? host_fail(ctx, ENOMEM, "out of memory") : 0;
}

int host_compare_write(struct kataimg_host_ctx *ctx, uint64_t image_off, const void *buf,
		       size_t len)
{
	const char *bytes = buf;

	while (len > 0) {
		size_t part = len < PART_BYTES ? len : PART_BYTES;
		int ret = compare_part(ctx, image_off, bytes, part);

		if (ret < 0)
			return ret;
		image_off += part;
		bytes += part;
		len -= part;
	}
	return 0;
}

int host_compare_read(struct kataimg_host_ctx *ctx, uint64_t image_off, void *buf, size_t len)
{
	uint64_t end = image_off + len;
	struct copy_claim claim;

	memset(buf, 0, len);
	for (uint64_t at = image_off; at < end && copy_next_claim(ctx->copy, at, &claim);
	     at = claim.end) {
		uint64_t start = claim.image_off > image_off ? claim.image_off : image_off;
		uint64_t stop = claim.end < end ? claim.end : end;
		int ret = start < stop ? io_pread(ctx->window.fd, (char *)buf + (start - image_off),
						  (size_t)(stop - start), start)
				       : 0;

		if (ret < 0)
			return ret;
	}
	pthread_mutex_lock(&ctx->lock);
	overlay_patch(ctx->compare->overlay, image_off, buf, len);
	pthread_mutex_unlock(&ctx->lock);
	return 0;
}

int host_compare_skip(struct kataimg_host_ctx *ctx, uint64_t image_off, size_t len, bool *skipped)
{
	int ret;

	*skipped = !ctx->compare->with_content;
	if (!*skipped)
		return 0;
	pthread_mutex_lock(&ctx->lock);
	ret = ranges_add(ctx->compare->content, image_off, len, RANGE_WRITTEN);
	pthread_mutex_unlock(&ctx->lock);
	return ret < 0 ? host_fail(ctx, ENOMEM, "out of memory") : 0;
}

int host_end_compare(struct host *host, struct error *error)
{
	const struct kataimg_host_ctx *ctx = &host->ctx;
	struct overlay_difference first;
	uint8_t found;
	int ret;

	if (overlay_next(ctx->compare->overlay, 0, &first)) {
		ret = io_pread(ctx->window.fd, &found, 1, first.off);
		if (ret < 0)
			return error_errno(error, -ret, "cannot read the image");
		return error_set(error, EUCLEAN,
				 "byte %" PRIu64 " of the image, metadata at byte %" PRIu64
				 " of the filesystem, is 0x%02x where 0x%02x was written",
				 first.off, first.off - ctx->window.offset_bytes, found,
				 first.ours);
	}
	return copy_check_unclaimed(ctx->copy, ctx->window.fd, ctx->window.offset_bytes,
				    ctx->window.offset_bytes + ctx->window.len_bytes, error);
}

bool host_next_difference(const struct host *host, uint64_t from, uint64_t *image_off)
{
	struct overlay_difference next;
	bool found = overlay_next(host->ctx.compare->overlay, from, &next);

	*image_off = found ? next.off : 0;
	return found;
}
