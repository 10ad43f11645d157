/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever reads compressed files is the judge here: gzip(1), zstd(1) and Python's zlib. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/cancel.h"
#include "core/base/digest.h"
#include "core/compress/compress.h"
#include "core/compress/expand.h"
#include "lib/cleanup.h"
#include "tests/support/tempdir.h"

/* Text that can be compressed, with a stretch that cannot, and zeros: several pieces and jobs. */
#define LEN ((size_t)(18 << 20) + 12345)
#define SKIPPED 777

struct fixture {
	struct tempdir dir;
	int in_fd;
};

static void fill_text(char *bytes, size_t len)
{
	uint32_t random = 1;

	for (size_t at = 0; at < len;) {
		char word[16];
		int n;

		random = random * 1664525 + 1013904223;
		/* Half of a word is in the other half, and else it has little in common with
		 * others: gzip would try all that have, for nearly all of this test's time. */
		n = snprintf(word, sizeof(word), "%x%x\n", random >> 20, random >> 16);
		if ((size_t)n > len - at)
			n = (int)(len - at);
		memcpy(bytes + at, word, (size_t)n);
		at += (size_t)n;
	}
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char *bytes = calloc(1, LEN);

	assert_non_null(f);
	assert_non_null(bytes);
	fill_text(bytes, LEN - (4 << 20));
	tempdir_pattern(3, 0, bytes + (5 << 20), 3 << 20);
	tempdir_open(&f->dir);
	tempdir_write(&f->dir, "in", bytes, LEN);
	f->in_fd = openat(f->dir.fd, "in", O_RDONLY | O_CLOEXEC);
	assert_true(f->in_fd >= 0);
	free(bytes);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->in_fd);
	tempdir_close(&f->dir);
	free(f);
	return 0;
}

static void run_shell(const struct fixture *f, const char *command)
{
	autofree char *whole = NULL;

	assert_true(asprintf(&whole, "cd '%s' && set -e && %s", f->dir.path, command) > 0);
	if (system(whole) != 0)
		fail_msg("it says no: %s", command);
}

static struct compress_request make_request(const struct fixture *f, enum compress_form form,
					    int level, unsigned int threads, uint64_t len)
{
	return (struct compress_request){ .form = form,
					  .level = level,
					  .threads = threads,
					  .in_fd = f->in_fd,
					  .in_off = SKIPPED,
					  .len = len,
					  .in_name = "the input",
					  .out_fd = -1,
					  .out_name = "the output" };
}

/* Into the file "out", of which the size is returned. */
static uint64_t compress(const struct fixture *f, struct compress_request request)
{
	autoclose int fd = openat(f->dir.fd, "out", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	autoerror struct error error = ERROR_INIT;
	uint64_t bytes = 0;
	struct stat st;

	request.out_fd = fd;
	assert_int_equal(compress_run(&request, &bytes, &error), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, bytes);
	return bytes;
}

static void expect_input(const struct fixture *f, const char *unpack, uint64_t len)
{
	autofree char *command = NULL;

	assert_true(asprintf(&command,
			     "%s < out > unpacked; tail -c +%d in | head -c %llu | cmp - unpacked",
			     unpack, SKIPPED + 1, (unsigned long long)len) > 0);
	run_shell(f, command);
}

static const uint64_t lengths[] = { 0, 1, 4096, 262143, 262144, 262145, 524288, LEN - SKIPPED };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_none(void **state)
{
	const struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(lengths); i++) {
		assert_int_equal(compress(f, make_request(f, COMPRESS_NONE, 0, 2, lengths[i])),
				 lengths[i]);
		expect_input(f, "cat", lengths[i]);
	}
}

/* zlib.decompressobj ends at the first member's end: nothing may be left over. */
#define ONE_MEMBER                                                         \
	"python3 -c 'import sys, zlib\n"                                   \
	"z = zlib.decompressobj(31)\n"                                     \
	"sys.stdout.buffer.write(z.decompress(sys.stdin.buffer.read()))\n" \
	"sys.exit(not z.eof or z.unused_data != b\"\")'"

static void test_gzip(void **state)
{
	const struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(lengths); i++) {
		compress(f, make_request(f, COMPRESS_GZIP, 0, 3, lengths[i]));
		run_shell(f, "gzip -t < out");
		expect_input(f, ONE_MEMBER, lengths[i]);
	}
	/* No flag, so no name, comment or extra field; no time; Unix. */
	run_shell(f, "test \"$(head -c 10 out | od -An -tx1)\" = ' 1f 8b 08 00 00 00 00 00 00 03'");
}

/* Compression goes on where a piece begins: one thread's gzip is hardly smaller. */
static void test_gzip_size(void **state)
{
	const struct fixture *f = *state;
	const uint64_t bytes = compress(f, make_request(f, COMPRESS_GZIP, 9, 2, 6 << 20));
	autofree char *command = NULL;

	assert_true(asprintf(&command,
			     "n=$(tail -c +%d in | head -c 6291456 | gzip -9n | wc -c); test %llu "
			     "-lt $((n + n / 200))",
			     SKIPPED + 1, (unsigned long long)bytes) > 0);
	run_shell(f, command);
}

#ifdef HAVE_ZSTD
static void test_zstd(void **state)
{
	const struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(lengths); i++) {
		compress(f, make_request(f, COMPRESS_ZSTD, 0, 3, lengths[i]));
		run_shell(f, "zstd -qt < out");
		expect_input(f, "zstd -qdc", lengths[i]);
	}
	run_shell(f, "mv out out.zst; zstd -lv out.zst > list 2>&1; grep -q 'Frames: 1$' list || "
		     "grep -q 'Zstandard Frames: 1' list; grep -q 'Check: XXH64' list");
}
#endif

static void test_levels(void **state)
{
	const struct fixture *f = *state;
	static const enum compress_form forms[] = { COMPRESS_GZIP, COMPRESS_ZSTD };

	for (size_t i = 0; i < COUNT(forms); i++) {
		const int max = compress_level_max(forms[i]);
		struct compress_request request = make_request(f, forms[i], max + 1, 1, 10);
		autoerror struct error error = ERROR_INIT;

		assert_int_equal(compress_run(&request, NULL, &error), -EINVAL);
		assert_non_null(strstr(error.message, "has no level"));
		assert_in_range(compress_level_default(forms[i]), 1, max);
	}
	assert_true(compress(f, make_request(f, COMPRESS_GZIP, 1, 2, 2 << 20)) >
		    compress(f, make_request(f, COMPRESS_GZIP, 9, 2, 2 << 20)));
}

/* ---- The same bytes by every number of threads ---- */

struct listener {
	struct digest *digest;
	uint64_t bytes, done, total;
	uint64_t fail_at; /* as soon as so many bytes came out; 0: never */
};

static int listen(void *arg, const void *bytes, size_t len, struct error *error)
{
	struct listener *listener = arg;

	listener->bytes += len;
	if (listener->fail_at > 0 && listener->bytes >= listener->fail_at)
		return error_set(error, EPERM, "no more");
	return digest_update(listener->digest, bytes, len);
}

static void watch(void *arg, uint64_t done, uint64_t total)
{
	struct listener *listener = arg;

	assert_true(done >= listener->done);
	assert_true(done <= total);
	listener->done = done;
	listener->total = total;
}

static void digest(const struct fixture *f, enum compress_form form, int level,
		   unsigned int threads, uint64_t len, uint8_t sum[DIGEST_BYTES])
{
	struct compress_request request = make_request(f, form, level, threads, len);
	struct listener listener = { .digest = digest_new() };
	autoerror struct error error = ERROR_INIT;
	uint64_t bytes;

	request.sink = listen;
	request.progress = watch;
	request.sink_arg = request.progress_arg = &listener;
	assert_int_equal(compress_run(&request, &bytes, &error), 0);
	assert_int_equal(bytes, listener.bytes);
	assert_int_equal(listener.done, len);
	assert_int_equal(listener.total, len);
	assert_int_equal(digest_final(listener.digest, sum), 0);
	digest_free(listener.digest);
}

static void expect_same(const struct fixture *f, enum compress_form form, int level, uint64_t len)
{
	static const unsigned int threads[] = { 2, 7, 64, 300 };
	uint8_t first[DIGEST_BYTES], other[DIGEST_BYTES];

	digest(f, form, level, 1, len, first);
	for (size_t i = 0; i < COUNT(threads); i++) {
		digest(f, form, level, threads[i], len, other);
		assert_memory_equal(first, other, sizeof(first));
	}
}

static void test_threads(void **state)
{
	expect_same(*state, COMPRESS_GZIP, 1, 6 << 20);
	expect_same(*state, COMPRESS_GZIP, 9, 2 << 20);
#ifdef HAVE_ZSTD
	expect_same(*state, COMPRESS_ZSTD, 1, LEN - SKIPPED);
	expect_same(*state, COMPRESS_ZSTD, 7, LEN - SKIPPED);
#endif
}

/* What the sink is given is what the file has. */
static void test_sink(void **state)
{
	const struct fixture *f = *state;
	uint8_t sum[DIGEST_BYTES];
	char command[200];
	int at;

	compress(f, make_request(f, COMPRESS_GZIP, 6, 2, 3 << 20));
	digest(f, COMPRESS_GZIP, 6, 2, 3 << 20, sum);
	at = snprintf(command, sizeof(command), "echo '");
	for (size_t i = 0; i < sizeof(sum); i++)
		at += snprintf(command + at, sizeof(command) - (size_t)at, "%02x", sum[i]);
	snprintf(command + at, sizeof(command) - (size_t)at, "  out' | sha256sum -c --quiet");
	run_shell(f, command);
}

/* ---- The way back ---- */

static int expand(const struct fixture *f, enum compress_form form, uint64_t max_bytes,
		  uint64_t *bytes, struct error *error)
{
	autoclose int in = openat(f->dir.fd, "out", O_RDONLY | O_CLOEXEC);
	autoclose int out = openat(f->dir.fd, "back", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct compress_request request = { .form = form,
					    .in_fd = in,
					    .in_name = "the input",
					    .out_fd = out,
					    .out_name = "the output" };
	uint8_t magic[COMPRESS_MAGIC_BYTES];
	struct stat st;

	assert_int_equal(fstat(in, &st), 0);
	assert_int_equal(pread(in, magic, sizeof(magic), 0), sizeof(magic));
	assert_int_equal(compress_recognise(magic, sizeof(magic)), form);
	request.len = (uint64_t)st.st_size;
	return compress_expand(&request, max_bytes, bytes, error);
}

static void refuse_expanding(const struct fixture *f, enum compress_form form, uint64_t max_bytes,
			     int code, const char *words)
{
	autoerror struct error error = ERROR_INIT;
	uint64_t bytes;

	assert_int_equal(expand(f, form, max_bytes, &bytes, &error), -code);
	assert_non_null(strstr(error.message, words));
}

static void test_expand(void **state)
{
	static const enum compress_form packed[] = { COMPRESS_GZIP,
#ifdef HAVE_ZSTD
						     COMPRESS_ZSTD
#endif
	};
	const struct fixture *f = *state;
	const uint64_t len = 1 << 20;

	for (size_t i = 0; i < COUNT(packed); i++) {
		autoerror struct error error = ERROR_INIT;
		uint64_t bytes = 0;

		compress(f, make_request(f, packed[i], 0, 2, len));
		assert_int_equal(expand(f, packed[i], len, &bytes, &error), 0);
		assert_int_equal(bytes, len);
		run_shell(f, "tail -c +778 in | head -c 1048576 | cmp - back");
		refuse_expanding(f, packed[i], len - 1, EFBIG, "unpacks to more than 1048575");
		run_shell(f, "cp out one; head -c 5000 /dev/zero >> out");
		assert_int_equal(expand(f, packed[i], len, &bytes, &error), 0);
		run_shell(f, "cat one one > out");
		refuse_expanding(f, packed[i], len, EBADMSG, "something follows its first");
		run_shell(f, "head -c 9999 one > out");
		refuse_expanding(f, packed[i], len, EBADMSG, "it is cut off");
		run_shell(f, "cp one out; printf XXXXXXXX | dd of=out bs=1 seek=7000 conv=notrunc "
			     "status=none");
		refuse_expanding(f, packed[i], len, EBADMSG, "the input: ");
	}
}

/* ---- What goes wrong ---- */

static void expect_failure(const struct compress_request *request, int code, const char *message)
{
	autoerror struct error error = ERROR_INIT;

	assert_int_equal(compress_run(request, NULL, &error), -code);
	assert_non_null(error.message);
	assert_string_equal(error.message, message);
}

static const enum compress_form forms[] = { COMPRESS_NONE, COMPRESS_GZIP,
#ifdef HAVE_ZSTD
					    COMPRESS_ZSTD
#endif
};

static void test_failures(void **state)
{
	const struct fixture *f = *state;
	autoclose int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	for (size_t i = 0; i < COUNT(forms); i++)
		for (unsigned int threads = 1; threads < 5; threads += 3) {
			struct compress_request request =
				make_request(f, forms[i], 0, threads, LEN - SKIPPED);
			struct listener listener = { .digest = digest_new(), .fail_at = 300000 };

			request.out_fd = full;
			expect_failure(&request, ENOSPC,
				       "cannot write the output: No space left on device");
			request.out_fd = -1;
			request.sink = listen;
			request.sink_arg = &listener;
			expect_failure(&request, EPERM, "no more");
			digest_free(listener.digest);
			request.sink = NULL;
			request.len = LEN;
			expect_failure(&request, ENODATA,
				       "cannot read the input: No data available");
		}
}

static int interrupt(void *arg, const void *bytes, size_t len, struct error *error)
{
	(void)arg, (void)bytes, (void)len, (void)error;
	cancel_request();
	return 0;
}

static void test_cancel(void **state)
{
	for (size_t i = 0; i < COUNT(forms); i++) {
		struct compress_request request =
			make_request(*state, forms[i], 0, 3, LEN - SKIPPED);

		request.sink = interrupt;
		expect_failure(&request, ECANCELED, "interrupted");
		cancel_reset();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),      cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_gzip_size),
#ifdef HAVE_ZSTD
		cmocka_unit_test(test_zstd),
#endif
		cmocka_unit_test(test_expand),    cmocka_unit_test(test_levels),
		cmocka_unit_test(test_threads),   cmocka_unit_test(test_sink),
		cmocka_unit_test(test_failures),  cmocka_unit_test(test_cancel),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
