/* SPDX-License-Identifier: Apache-2.0 */
/* The window: bounds, overlap, and the way into the image. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/backend/host_private.h"
#include "core/base/io.h"
#include "lib/checked.h"
#include "lib/libc.h"

static int check_range(struct kataimg_host_ctx *ctx, const char *what, uint64_t off, uint64_t len)
{
	if (range_within(off, len, ctx->window.len_bytes))
		return 0;
	return host_fail(ctx, ERANGE,
			 "%s of %" PRIu64 " bytes at %" PRIu64 " leaves the window of %" PRIu64
			 " bytes",
			 what, len, off, ctx->window.len_bytes);
}

/* Is write running, be it the first time or the second, whose bytes are compared? */
static bool is_writing(const struct kataimg_host_ctx *ctx)
{
	return ctx->mode == HOST_WRITE_WINDOW || ctx->mode == HOST_COMPARE_WINDOW;
}

static int check_writable(struct kataimg_host_ctx *ctx, const char *what)
{
	int ret = host_check_cancelled(ctx);

	if (ret < 0 || is_writing(ctx))
		return ret;
	return host_fail(ctx, EPERM, "%s is only allowed in the write callback", what);
}

/* Turns the result of claiming [off, off + len) into the service's result, with its message. */
static int check_claim(struct kataimg_host_ctx *ctx, int ret, const char *what, uint64_t off,
		       uint64_t len)
{
	if (ret == -EEXIST)
		return host_fail(ctx, EEXIST,
				 "%s of %" PRIu64 " bytes at %" PRIu64 " overlaps what is "
				 "there already",
				 what, len, off);
	return ret < 0 ? host_fail(ctx, -ret, "out of memory") : 0;
}

static uint64_t image_offset(const struct kataimg_host_ctx *ctx, uint64_t off)
{
	return ctx->window.offset_bytes + off;
}

int host_service_write(struct kataimg_host_ctx *ctx, uint64_t off, const void *buf, size_t len)
{
	int ret = check_writable(ctx, "write");

	if (ret == 0)
		ret = check_range(ctx, "write", off, len);
	if (ret < 0 || len == 0)
		return ret;
	ret = copy_add_written(ctx->copy, image_offset(ctx, off), len);
	ret = check_claim(ctx, ret, "write", off, len);
	if (ret < 0)
		return ret;
	if (ctx->mode == HOST_COMPARE_WINDOW)
		return host_compare_write(ctx, image_offset(ctx, off), buf, len);
	ret = io_pwrite(ctx->window.fd, buf, len, image_offset(ctx, off));
	if (ret < 0)
		host_fail(ctx, -ret, "cannot write the image: %s", errno_text(-ret));
	return ret;
}

static int check_not_placed(struct kataimg_host_ctx *ctx, uint64_t off, size_t len)
{
	if (!is_writing(ctx) || !copy_touches_data(ctx->copy, image_offset(ctx, off), len))
		return 0;
	return host_fail(ctx, EBUSY,
			 "window_read of %zu bytes at %" PRIu64 " would read file data that is "
			 "not copied yet",
			 len, off);
}

int host_service_window_read(struct kataimg_host_ctx *ctx, uint64_t off, void *buf, size_t len)
{
	int ret = host_check_cancelled(ctx);

	if (ret < 0)
		return ret;
	if (ctx->mode == HOST_NO_WINDOW)
		return host_fail(ctx, EPERM, "there is no window to read yet");
	ret = check_range(ctx, "window_read", off, len);
	if (ret == 0)
		ret = check_not_placed(ctx, off, len);
	if (ret < 0 || len == 0)
		return ret;
	ret = ctx->mode == HOST_COMPARE_WINDOW
		      ? host_compare_read(ctx, image_offset(ctx, off), buf, len)
		      : io_pread(ctx->window.fd, buf, len, image_offset(ctx, off));
	if (ret < 0)
		host_fail(ctx, -ret, "cannot read the image: %s",
			  ret == -ENODATA ? "it ends early" : errno_text(-ret));
	return ret;
}

static int check_file_range(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
			    uint64_t file_off, uint64_t len)
{
	char path[256];

	if (node->type != KATAIMG_REG)
		return host_fail(ctx, ERANGE, "place of %s, which is not a regular file",
				 tree_path(node, path, sizeof(path)));
	if (range_within(file_off, len, node->size))
		return 0;
	return host_fail(ctx, ERANGE,
			 "place of %" PRIu64 " bytes from byte %" PRIu64
			 " of %s, which has %" PRIu64,
			 len, file_off, tree_path(node, path, sizeof(path)), node->size);
}

int host_service_place(struct kataimg_host_ctx *ctx, uint64_t off, const struct kataimg_node *node,
		       uint64_t file_off, uint64_t len)
{
	int ret = check_writable(ctx, "place");

	if (ret == 0)
		ret = check_range(ctx, "place", off, len);
	if (ret < 0 || len == 0)
		return ret;
	ret = check_file_range(ctx, node, file_off, len);
	if (ret < 0)
		return ret;
	ret = copy_add_node(ctx->copy, image_offset(ctx, off), node, file_off, len);
	return check_claim(ctx, ret, "place", off, len);
}

int host_service_place_scratch(struct kataimg_host_ctx *ctx, uint64_t off,
			       struct kataimg_scratch *scratch, uint64_t scratch_off, uint64_t len)
{
	int ret = check_writable(ctx, "place_scratch");

	if (ret == 0)
		ret = check_range(ctx, "place_scratch", off, len);
	if (ret < 0 || len == 0)
		return ret;
	ret = copy_add_fd(ctx->copy, image_offset(ctx, off), scratch->fd, scratch_off, len);
	return check_claim(ctx, ret, "place_scratch", off, len);
}

void host_set_window(struct host *host, enum host_window mode, const struct host_range *range,
		     struct copy *copy)
{
	host->ctx.mode = mode;
	host->ctx.window = *range;
	host->ctx.copy = copy;
}
