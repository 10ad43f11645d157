/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls the gathering writer makes of its pieces, and with which bytes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/common/writer.h"

#define MAX_CALLS 4u

/* All that was written so far, and by which calls. */
static struct {
	uint64_t off[MAX_CALLS];
	size_t len[MAX_CALLS];
	uint32_t count;
	uint64_t inline_base; /* where offset 0 of the file would be, if every second byte were one
			       */
	int read_error, write_error;
	uint8_t window[3 * WRITER_BYTES];
} seen;

static int note_write(struct kataimg_host_ctx *ctx, uint64_t off, const void *buf, size_t len)
{
	(void)ctx;
	assert_true(seen.count < MAX_CALLS && off + len <= sizeof(seen.window));
	seen.off[seen.count] = off;
	seen.len[seen.count++] = len;
	memcpy(seen.window + off, buf, len);
	return seen.write_error;
}

static int run_all(struct kataimg_host_ctx *ctx, uint64_t count, int (*fn)(void *, uint64_t),
		   void *arg)
{
	int ret = 0;

	(void)ctx;
	while (ret == 0 && count-- > 0)
		ret = fn(arg, count);
	return ret;
}

/* A file whose bytes are their offsets. */
static int read_source(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
		       uint64_t file_off, void *buf, size_t len)
{
	(void)ctx;
	(void)node;
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (uint8_t)(file_off + i);
	return seen.read_error;
}

static int read_source_inline(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
			      uint64_t file_off, void *buf, size_t len, uint64_t off)
{
	seen.inline_base = off - 2 * file_off;
	return read_source(ctx, node, file_off, buf, len);
}

static const struct kataimg_host host = {
	.struct_size = sizeof(host),
	.write = note_write,
	.parallel = run_all,
	.source_read = read_source,
	.source_read_inline = read_source_inline,
};

static struct writer begin(void)
{
	struct writer writer;

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(writer_init(&writer, &host), 0);
	memset(writer.buffer, 0xee, WRITER_BYTES);
	return writer;
}

static void take(struct writer *writer, uint64_t off, size_t len, uint8_t byte)
{
	uint8_t *bytes;

	assert_int_equal(writer_take(writer, off, len, &bytes), 0);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], 0);
	memset(bytes, byte, len);
}

static void expect_call(uint32_t number, uint64_t off, size_t len)
{
	assert_true(seen.off[number] == off && seen.len[number] == len);
}

/* Neighbours, and what has less than a block between, go together; others do not. */
static void test_gather(void **state)
{
	struct writer writer = begin();

	(void)state;
	take(&writer, 100, 10, 1);
	take(&writer, 110, 10, 2);
	take(&writer, 120 + 4095, 1, 3);
	take(&writer, 4216 + 4096, 5, 4);
	take(&writer, 50, 5, 5);
	assert_int_equal(writer_flush(&writer), 0);
	assert_int_equal(writer_flush(&writer), 0);
	assert_int_equal(seen.count, 3);
	expect_call(0, 100, 4116);
	expect_call(1, 8312, 5);
	expect_call(2, 50, 5);
	assert_int_equal(seen.window[119], 2);
	assert_int_equal(seen.window[120], 0);
	assert_int_equal(seen.window[4214], 0);
	assert_int_equal(seen.window[4215], 3);
	writer_clear(&writer);
}

static void test_full(void **state)
{
	static uint8_t bytes[2 * WRITER_BYTES];
	struct writer writer = begin();

	(void)state;
	memset(bytes, 7, sizeof(bytes));
	take(&writer, 1000, 24, 1);
	assert_int_equal(writer_put(&writer, 1024, bytes, sizeof(bytes)), 0);
	take(&writer, 1024 + sizeof(bytes), 1, 2);
	assert_int_equal(writer_flush(&writer), 0);
	assert_int_equal(seen.count, 4);
	expect_call(1, 1024, WRITER_BYTES);
	expect_call(3, 1024 + sizeof(bytes), 1);
	assert_memory_equal(seen.window + 1024, bytes, sizeof(bytes));
	writer_clear(&writer);
}

static void test_inline(void **state)
{
	struct writer writer = begin();

	(void)state;
	take(&writer, 64, 1, 1);
	for (uint64_t i = 0; i < 40; i++)
		assert_int_equal(writer_put_inline(&writer, 65 + 2 * i, NULL, i, 1), 0);
	assert_int_equal(writer_flush(&writer), 0);
	assert_int_equal(seen.count, 1);
	expect_call(0, 64, 80);
	assert_int_equal(seen.inline_base, 65);
	assert_int_equal(seen.window[65], 0);
	assert_int_equal(seen.window[66], 0);
	assert_int_equal(seen.window[65 + 2 * 39], 39);
	writer_clear(&writer);
}

/* Whatever fails, the error is passed on, and nothing is written of what could not be read. */
static void test_errors(void **state)
{
	struct writer writer = begin();
	uint8_t *bytes;

	(void)state;
	assert_int_equal(writer_put_inline(&writer, 0, NULL, 0, 1), 0);
	seen.read_error = -EIO;
	assert_int_equal(writer_flush(&writer), -EIO);
	assert_int_equal(seen.count, 0);
	take(&writer, 0, 1, 1);
	seen.write_error = -ENOSPC;
	assert_int_equal(writer_take(&writer, WRITER_BYTES, 1, &bytes), -ENOSPC);
	writer_clear(&writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gather),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_inline),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
