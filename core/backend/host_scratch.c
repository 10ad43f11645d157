/* SPDX-License-Identifier: Apache-2.0 */
/* Unnamed files for backends that transform data before they know where it goes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/backend/host_private.h"
#include "core/base/io.h"
#include "lib/libc.h"

int host_service_scratch_create(struct kataimg_host_ctx *ctx, struct kataimg_scratch **result)
{
	struct kataimg_scratch *scratch;
	int ret = host_check_cancelled(ctx);

	if (ret < 0)
		return ret;
	if (!ctx->setup.scratch)
		return host_fail(ctx, EPERM, "there are no scratch files here");
	scratch = calloc(1, sizeof(*scratch));
	if (!scratch)
		return host_fail(ctx, ENOMEM, "out of memory");
	scratch->fd = ctx->setup.scratch(ctx->setup.scratch_arg);
	if (scratch->fd < 0) {
		ret = scratch->fd;
		free(scratch);
		return host_fail(ctx, -ret, "cannot make a scratch file beside the image: %s",
				 errno_text(-ret));
	}
	pthread_mutex_lock(&ctx->lock);
	scratch->next = ctx->scratches;
	ctx->scratches = scratch;
	pthread_mutex_unlock(&ctx->lock);
	*result = scratch;
	return 0;
}

int host_service_scratch_write(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			       uint64_t off, const void *buf, size_t len)
{
	int ret = host_check_cancelled(ctx);

	if (ret < 0)
		return ret;
	ret = io_pwrite(scratch->fd, buf, len, off);
	if (ret < 0)
		host_fail(ctx, -ret, "cannot write a scratch file beside the image: %s",
			  errno_text(-ret));
	return ret;
}

int host_service_scratch_read(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			      uint64_t off, void *buf, size_t len)
{
	int ret = host_check_cancelled(ctx);

	if (ret < 0)
		return ret;
	ret = io_pread(scratch->fd, buf, len, off);
	if (ret < 0)
		host_fail(ctx, -ret, "cannot read a scratch file: %s",
			  ret == -ENODATA ? "it ends early" : errno_text(-ret));
	return ret;
}

int host_service_scratch_size(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			      uint64_t *bytes)
{
	int ret = host_check_cancelled(ctx);
	struct stat status;

	if (ret < 0)
		return ret;
	if (fstat(scratch->fd, &status) < 0)
		return host_fail(ctx, errno, "cannot ask how long a scratch file is: %s",
				 errno_text(errno));
	*bytes = (uint64_t)status.st_size;
	return 0;
}

void host_close_scratches(struct kataimg_host_ctx *ctx)
{
	while (ctx->scratches) {
		struct kataimg_scratch *next = ctx->scratches->next;

		close(ctx->scratches->fd);
		free(ctx->scratches);
		ctx->scratches = next;
	}
}
