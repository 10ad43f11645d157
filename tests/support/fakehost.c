/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakehost.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/digest.h"
#include "core/base/pool.h"
#include "tests/support/fakestate.h"
#include "tests/support/must.h"

static struct fakehost *fakehost_of(struct kataimg_host_ctx *ctx)
{
	return (struct fakehost *)ctx;
}

const char *fakestage_name(enum fakestage stage)
{
	static const char *const names[] = { "none",     "open",  "limits", "check", "plan",
					     "describe", "write", "verify", "close", "probe" };

	return names[stage];
}

static void say_first(char **slot, const char *fmt, va_list args)
{
	if (!*slot)
		must(vasprintf(slot, fmt, args) >= 0);
}

void fakehost_say_error(struct fakehost *host, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_first(&host->error, fmt, args);
	va_end(args);
}

void fakehost_enter_stage(struct fakehost *host, enum fakestage stage)
{
	host->stage = stage;
	strict_enter(host->strict, fakestage_name(stage));
}

/* ---- Messages ---- */

static void service_log(struct kataimg_host_ctx *ctx, int level, const char *fmt, ...)
{
	static const char *const names[] = { "?", "warning", "info", "debug" };
	struct fakehost *host = fakehost_of(ctx);
	char *line, *longer;
	va_list args;

	must(level >= KATAIMG_LOG_WARNING && level <= KATAIMG_LOG_DEBUG);
	va_start(args, fmt);
	must(vasprintf(&line, fmt, args) >= 0);
	va_end(args);
	pthread_mutex_lock(&host->lock);
	must(asprintf(&longer, "%s%s: %s\n", host->log ? host->log : "", names[level], line) >= 0);
	free(host->log);
	host->log = longer;
	pthread_mutex_unlock(&host->lock);
	free(line);
}

static void service_error(struct kataimg_host_ctx *ctx, const char *fmt, ...)
{
	struct fakehost *host = fakehost_of(ctx);
	va_list args;

	va_start(args, fmt);
	pthread_mutex_lock(&host->lock);
	say_first(&host->error, fmt, args);
	pthread_mutex_unlock(&host->lock);
	va_end(args);
}

static void service_option_error(struct kataimg_host_ctx *ctx, uint64_t index, const char *fmt, ...)
{
	struct fakehost *host = fakehost_of(ctx);
	va_list args;

	(void)index;
	va_start(args, fmt);
	pthread_mutex_lock(&host->lock);
	say_first(&host->error, fmt, args);
	pthread_mutex_unlock(&host->lock);
	va_end(args);
}

/* ---- Entry to every service that can fail ---- */

/* Counts the call and says whether it is to fail; called with the lock held. */
static int count_call(struct fakehost *host, enum fakehost_service service)
{
	host->calls[service]++;
	if (host->all_calls++ >= host->cancel_after)
		host->cancelled = true;
	if (host->cancelled)
		return -ECANCELED;
	if (service == host->fault_service && host->fault_at &&
	    host->calls[service] >= host->fault_at) {
		fakehost_say_error(host, "injected fault: %s", strerror(host->fault_code));
		return -host->fault_code;
	}
	return 0;
}

static int check_window_range(struct fakehost *host, const char *service, uint64_t off,
			      uint64_t len)
{
	if (off <= host->window_bytes && len <= host->window_bytes - off)
		return 0;
	fakehost_say_error(host, "%s of [%llu, +%llu) is outside the window of %llu bytes", service,
			   (unsigned long long)off, (unsigned long long)len,
			   (unsigned long long)host->window_bytes);
	return -ERANGE;
}

static void pwrite_all(int fd, const void *buf, size_t len, uint64_t off)
{
	must(pwrite(fd, buf, len, (off_t)off) == (ssize_t)len);
}

static void pread_all(int fd, void *buf, size_t len, uint64_t off)
{
	must(pread(fd, buf, len, (off_t)off) == (ssize_t)len);
}

/* ---- The window ---- */

static int locked_write(struct fakehost *host, uint64_t off, const void *buf, size_t len)
{
	int ret = count_call(host, FAKEHOST_WRITE);

	if (ret == 0)
		ret = check_window_range(host, "write", off, len);
	if (ret == 0 && len > 0 && ranges_add(host->ranges, off, len, RANGE_WRITTEN) < 0) {
		fakehost_say_error(host, "write of [%llu, +%zu) over a placed range",
				   (unsigned long long)off, len);
		ret = -EEXIST;
	}
	if (ret == 0)
		pwrite_all(host->window_fd, buf, len, off);
	return ret;
}

static int service_write(struct kataimg_host_ctx *ctx, uint64_t off, const void *buf, size_t len)
{
	struct fakehost *host = fakehost_of(ctx);
	int ret;

	pthread_mutex_lock(&host->lock);
	ret = locked_write(host, off, buf, len);
	pthread_mutex_unlock(&host->lock);
	return ret;
}

static int locked_window_read(struct fakehost *host, uint64_t off, void *buf, size_t len)
{
	int ret = count_call(host, FAKEHOST_WINDOW_READ);

	if (ret == 0)
		ret = check_window_range(host, "window_read", off, len);
	if (ret == 0 && host->stage == FAKESTAGE_WRITE &&
	    ranges_touch_placed(host->ranges, off, len)) {
		fakehost_say_error(host, "window_read of [%llu, +%zu), which is placed",
				   (unsigned long long)off, len);
		ret = -EBUSY;
	}
	if (ret == 0)
		pread_all(host->window_fd, buf, len, off);
	return ret;
}

static int service_window_read(struct kataimg_host_ctx *ctx, uint64_t off, void *buf, size_t len)
{
	struct fakehost *host = fakehost_of(ctx);
	int ret;

	pthread_mutex_lock(&host->lock);
	ret = locked_window_read(host, off, buf, len);
	pthread_mutex_unlock(&host->lock);
	return ret;
}

static int record_place(struct fakehost *host, const struct fakehost_place *place)
{
	uint64_t count = host->place_count;
	int ret = check_window_range(host, "place", place->off, place->len);

	if (ret < 0)
		return ret;
	if (place->len > 0 && ranges_add(host->ranges, place->off, place->len, RANGE_PLACED) < 0) {
		fakehost_say_error(host, "place of [%llu, +%llu) over an earlier write or place",
				   (unsigned long long)place->off, (unsigned long long)place->len);
		return -EEXIST;
	}
	if (!(count & (count - 1)))
		host->places =
			must_realloc(host->places, (count ? 2 * count : 1) * sizeof(*host->places));
	host->places[host->place_count++] = *place;
	return 0;
}

static int service_place(struct kataimg_host_ctx *ctx, uint64_t off,
			 const struct kataimg_node *node, uint64_t file_off, uint64_t len)
{
	const struct fakehost_place place = {
		.off = off, .file_off = file_off, .len = len, .node = node
	};
	struct fakehost *host = fakehost_of(ctx);
	int ret;

	pthread_mutex_lock(&host->lock);
	ret = count_call(host, FAKEHOST_PLACE);
	if (node->type != KATAIMG_REG || file_off > node->size || len > node->size - file_off)
		ret = -ERANGE;
	if (ret == 0)
		ret = record_place(host, &place);
	pthread_mutex_unlock(&host->lock);
	return ret;
}

static int service_place_scratch(struct kataimg_host_ctx *ctx, uint64_t off,
				 struct kataimg_scratch *scratch, uint64_t scratch_off,
				 uint64_t len)
{
	const struct fakehost_place place = {
		.off = off, .file_off = scratch_off, .len = len, .scratch = scratch
	};
	struct fakehost *host = fakehost_of(ctx);
	int ret;

	pthread_mutex_lock(&host->lock);
	ret = count_call(host, FAKEHOST_PLACE_SCRATCH);
	if (ret == 0)
		ret = record_place(host, &place);
	pthread_mutex_unlock(&host->lock);
	return ret;
}

static void copy_place(struct fakehost *host, const struct fakehost_place *place, uint8_t *buf,
		       size_t buf_size)
{
	for (uint64_t done = 0; done < place->len;) {
		uint64_t rest = place->len - done;
		size_t len = rest < buf_size ? (size_t)rest : buf_size;

		if (place->node)
			must(memtree_read(place->node, place->file_off + done, buf, len) == 0);
		else
			pread_all(place->scratch->fd, buf, len, place->file_off + done);
		pwrite_all(host->window_fd, buf, len, place->off + done);
		done += len;
	}
}

void fakehost_copy(struct fakehost *host)
{
	size_t buf_size = 1 << 20;
	uint8_t *buf = must_realloc(NULL, buf_size);

	for (uint64_t i = 0; i < host->place_count; i++)
		copy_place(host, &host->places[i], buf, buf_size);
	free(buf);
}

void fakehost_set_window(struct fakehost *host, uint64_t bytes)
{
	ranges_free(host->ranges);
	host->ranges = ranges_new();
	must(host->ranges);
	host->place_count = 0;
	if (host->window_fd >= 0)
		close(host->window_fd);
	host->window_fd = memfd_create("window", MFD_CLOEXEC);
	must(host->window_fd >= 0 && ftruncate(host->window_fd, (off_t)bytes) == 0);
	host->window_bytes = bytes;
}

/* ---- Source and scratch ---- */

static int service_source_read(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
			       uint64_t file_off, void *buf, size_t len)
{
	struct fakehost *host = fakehost_of(ctx);
	int ret;

	pthread_mutex_lock(&host->lock);
	ret = count_call(host, FAKEHOST_SOURCE_READ);
	if (ret == 0)
		ret = memtree_read(node, file_off, buf, len);
	pthread_mutex_unlock(&host->lock);
	return ret;
}

static int service_source_read_inline(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
				      uint64_t file_off, void *buf, size_t len, uint64_t off)
{
	struct fakehost *host = fakehost_of(ctx);
	int ret;

	pthread_mutex_lock(&host->lock);
	ret = count_call(host, FAKEHOST_SOURCE_READ);
	if (ret == 0)
		ret = check_window_range(host, "source_read_inline", off, len);
	if (ret == 0)
		ret = memtree_read(node, file_off, buf, len);
	pthread_mutex_unlock(&host->lock);
	return ret;
}

static int service_scratch_create(struct kataimg_host_ctx *ctx, struct kataimg_scratch **scratch)
{
	struct fakehost *host = fakehost_of(ctx);
	int ret;

	pthread_mutex_lock(&host->lock);
	ret = count_call(host, FAKEHOST_SCRATCH_CREATE);
	if (ret == 0) {
		*scratch = must_calloc(1, sizeof(**scratch));
		(*scratch)->fd = memfd_create("scratch", MFD_CLOEXEC);
		must((*scratch)->fd >= 0);
		(*scratch)->next = host->scratches;
		host->scratches = *scratch;
	}
	pthread_mutex_unlock(&host->lock);
	return ret;
}

static int service_scratch_write(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
				 uint64_t off, const void *buf, size_t len)
{
	struct fakehost *host = fakehost_of(ctx);
	int ret;

	pthread_mutex_lock(&host->lock);
	ret = count_call(host, FAKEHOST_SCRATCH_WRITE);
	pthread_mutex_unlock(&host->lock);
	if (ret == 0)
		pwrite_all(scratch->fd, buf, len, off);
	return ret;
}

static int service_scratch_read(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
				uint64_t off, void *buf, size_t len)
{
	struct fakehost *host = fakehost_of(ctx);
	int ret;

	pthread_mutex_lock(&host->lock);
	ret = count_call(host, FAKEHOST_SCRATCH_READ);
	pthread_mutex_unlock(&host->lock);
	if (ret == 0)
		pread_all(scratch->fd, buf, len, off);
	return ret;
}

void fakehost_free_scratches(struct fakehost *host)
{
	while (host->scratches) {
		struct kataimg_scratch *scratch = host->scratches;

		host->scratches = scratch->next;
		close(scratch->fd);
		free(scratch);
	}
}

/* ---- Identity, progress, facts ---- */

static int count_derive(struct fakehost *host)
{
	int ret;

	pthread_mutex_lock(&host->lock);
	ret = count_call(host, FAKEHOST_DERIVE);
	pthread_mutex_unlock(&host->lock);
	return ret;
}

static int service_derive(struct kataimg_host_ctx *ctx, const char *label, uint8_t out[32])
{
	struct fakehost *host = fakehost_of(ctx);
	int ret = count_derive(host);

	return ret ? ret : digest_derive(host->job.seed, label, out);
}

static int service_uuid(struct kataimg_host_ctx *ctx, const char *label, uint8_t out[16])
{
	struct fakehost *host = fakehost_of(ctx);
	int ret = count_derive(host);

	return ret ? ret : digest_uuid(host->job.seed, label, out);
}

static int service_scratch_size(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
				uint64_t *bytes)
{
	(void)ctx;
	*bytes = (uint64_t)lseek(scratch->fd, 0, SEEK_END);
	return 0;
}

static void service_fact(struct kataimg_host_ctx *ctx, const char *key, const char *value)
{
	struct fakehost *host = fakehost_of(ctx);
	struct fakefact *fact = must_calloc(1, sizeof(*fact));

	pthread_mutex_lock(&host->lock);
	fact->key = must_strdup(key);
	fact->value = must_strdup(value);
	fact->next = host->facts;
	host->facts = fact;
	pthread_mutex_unlock(&host->lock);
}

static void service_progress(struct kataimg_host_ctx *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)done;
	(void)total;
}

static int service_cancelled(struct kataimg_host_ctx *ctx)
{
	struct fakehost *host = fakehost_of(ctx);
	int cancelled;

	pthread_mutex_lock(&host->lock);
	cancelled = host->cancelled;
	pthread_mutex_unlock(&host->lock);
	return cancelled;
}

static void run_child(const char *const *argv, const struct kataimg_scratch *input,
		      const struct kataimg_scratch *output)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(input ? input->fd : nothing, 0);
	dup2(nothing, 1);
	dup2(nothing, 2);
	if (output)
		dup2(output->fd, 3);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static int service_run(struct kataimg_host_ctx *ctx, const char *const *argv,
		       struct kataimg_scratch *input, struct kataimg_scratch *output)
{
	pid_t child = fork();
	int status;

	must(child >= 0);
	if (child == 0)
		run_child(argv, input, output);
	must(waitpid(child, &status, 0) == child);
	if (status == 0)
		return 0;
	fakehost_say_error(fakehost_of(ctx), "the program %s failed", argv[0]);
	return -EIO;
}

static const char *service_path(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
				char *buf, size_t size)
{
	(void)ctx;
	return memtree_path(node, buf, size);
}

/* ---- Parallel ---- */

/* Without threads and backwards, for a backend that counts on an order; the lowest failure counts.
 */
static int run_backwards(uint64_t count, int (*fn)(void *arg, uint64_t index), void *arg)
{
	int result = 0;

	while (count-- > 0) {
		int ret = fn(arg, count);

		result = ret ? ret : result;
	}
	return result;
}

static int service_parallel(struct kataimg_host_ctx *ctx, uint64_t count,
			    int (*fn)(void *arg, uint64_t index), void *arg)
{
	struct fakehost *host = fakehost_of(ctx);
	int ret;

	pthread_mutex_lock(&host->lock);
	ret = count_call(host, FAKEHOST_PARALLEL);
	pthread_mutex_unlock(&host->lock);
	if (ret < 0)
		return ret;
	return host->setup.backwards ? run_backwards(count, fn, arg)
				     : pool_run(host->job.threads, count, fn, arg);
}

const struct kataimg_host fakehost_service_table = {
	.struct_size = sizeof(struct kataimg_host),
	.log = service_log,
	.error = service_error,
	.fact = service_fact,
	.write = service_write,
	.window_read = service_window_read,
	.place = service_place,
	.place_scratch = service_place_scratch,
	.source_read = service_source_read,
	.scratch_create = service_scratch_create,
	.scratch_write = service_scratch_write,
	.scratch_read = service_scratch_read,
	.derive = service_derive,
	.uuid = service_uuid,
	.progress = service_progress,
	.parallel = service_parallel,
	.cancelled = service_cancelled,
	.run = service_run,
	.path = service_path,
	.scratch_size = service_scratch_size,
	.check_max = KATAIMG_CHECK_MODE,
	.option_error = service_option_error,
	.source_read_inline = service_source_read_inline,
};
