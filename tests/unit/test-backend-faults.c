/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each place of a backend that calls a service of the host, or of the reader's sink, gets an error,
 * once, and once is told that the build is cancelled. It must end with that error, and say nothing
 * more.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/backend/relay.h"
#include "tests/support/backendsweep.h"
#include "tests/support/callers.h"

static struct sweep failing = { .code = EIO, .text = "injected fault" };
static struct sweep cancelled = { .code = ECANCELED, .text = "interrupted" };
static struct sweep *sweep; /* the one of the two */

static const struct kataimg_backend *module;
static struct relay relay; /* between the module and the host */

static bool has_failed(void)
{
	return sweep->places.fails_at && sweep->places.asked >= sweep->places.fails_at;
}

/* The error of this call; 0: it is none that fails. */
static int ask(void)
{
	if (has_failed() && sweep->code == ECANCELED)
		return -ECANCELED;
	if (!places_ask(&sweep->places, callers_place(__builtin_return_address(0))))
		return 0;
	if (sweep->code != ECANCELED)
		relay.inner->error(relay.inner->ctx, "injected fault");
	return -sweep->code;
}

static int before(struct relay *asked, const struct relay_call *call)
{
	(void)asked;
	switch (call->service) {
	case RELAY_ERROR:
	case RELAY_OPTION_ERROR:
		if (has_failed())
			fail_msg("call %lu failed, and a second message was given",
				 sweep->places.fails_at);
		return 0;
	case RELAY_LOG:
	case RELAY_FACT:
	case RELAY_PROGRESS:
		return 0;
	case RELAY_CANCELLED:
		return sweep->code == ECANCELED && ask() < 0;
	default:
		return ask();
	}
}

static int after(struct relay *asked, const struct relay_call *call, int ret)
{
	(void)asked;
	(void)call;
	return ret;
}

static const struct kataimg_host *between(const struct kataimg_host *host)
{
	relay_init(&relay, host);
	relay.before = before;
	relay.after = after;
	return &relay.services;
}

static int open_between(const struct kataimg_host *host, const struct kataimg_job *job,
			const struct kataimg_value *values, void **state)
{
	return module->open(between(host), job, values, state);
}

static int probe_between(const struct kataimg_host *host, uint64_t window_bytes,
			 struct kataimg_fs_info *info)
{
	return module->probe(between(host), window_bytes, info);
}

/* ---- The sink; its ctx is the inner one ---- */

static struct kataimg_sink inner;

static int report_root(struct kataimg_sink_ctx *ctx, uint64_t id)
{
	int ret = ask();

	return ret < 0 ? ret : inner.root(ctx, id);
}

static int report_inode(struct kataimg_sink_ctx *ctx, const struct kataimg_inode *inode)
{
	int ret = ask();

	return ret < 0 ? ret : inner.inode(ctx, inode);
}

static int report_xattr(struct kataimg_sink_ctx *ctx, uint64_t id,
			const struct kataimg_xattr *xattr)
{
	int ret = ask();

	return ret < 0 ? ret : inner.xattr(ctx, id, xattr);
}

static int report_entry(struct kataimg_sink_ctx *ctx, uint64_t dir, const char *name,
			size_t name_len, uint64_t id)
{
	int ret = ask();

	return ret < 0 ? ret : inner.entry(ctx, dir, name, name_len, id);
}

static int report_range(struct kataimg_sink_ctx *ctx, uint64_t id, uint64_t file_off, uint64_t len,
			uint64_t off)
{
	int ret = ask();

	return ret < 0 ? ret : inner.range(ctx, id, file_off, len, off);
}

static int report_decoded(struct kataimg_sink_ctx *ctx, uint64_t id, uint64_t file_off,
			  uint64_t len, uint64_t cookie)
{
	int ret = ask();

	return ret < 0 ? ret : inner.decoded(ctx, id, file_off, len, cookie);
}

static int read_between(const struct kataimg_host *host, uint64_t window_bytes,
			const struct kataimg_sink *sink, void **state)
{
	const struct kataimg_sink outer = { .struct_size = sizeof(outer),
					    .ctx = sink->ctx,
					    .root = report_root,
					    .inode = report_inode,
					    .xattr = report_xattr,
					    .entry = report_entry,
					    .range = report_range,
					    .decoded = report_decoded };

	inner = *sink;
	return module->read(between(host), window_bytes, &outer, state);
}

/* ---- Sweeps ---- */

static int load(void **state)
{
	static struct kataimg_backend table;

	(void)state;
	module = trial_load_backend();
	table = *module;
	table.open = open_between;
	table.probe = probe_between;
	table.read = module->read ? read_between : NULL;
	failing.backend = cancelled.backend = &table;
	return 0;
}

static void builds_fail(void **state)
{
	(void)state;
	sweep = &failing;
	assert_int_not_equal(sweep_builds(sweep), 0);
}

static void builds_are_cancelled(void **state)
{
	(void)state;
	sweep = &cancelled;
	assert_int_not_equal(sweep_builds(sweep), 0);
}

static void reads_fail(void **state)
{
	(void)state;
	sweep = &failing;
	assert_int_equal(sweep_reads(sweep) > 0, module->read != NULL);
}

static void reads_are_cancelled(void **state)
{
	(void)state;
	sweep = &cancelled;
	assert_int_equal(sweep_reads(sweep) > 0, module->read != NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_fail),
		cmocka_unit_test(builds_are_cancelled),
		cmocka_unit_test(reads_fail),
		cmocka_unit_test(reads_are_cancelled),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
