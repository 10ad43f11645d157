/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: fuzz-NAME SECONDS SEED FILE...: a fuzz target without libFuzzer, for any compiler. Each
 * file is an input; then they are mutated for so long, by chance that the seed decides. The input
 * that ends the program, or takes HANG_SECONDS, is kept in ./crash-NAME.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/target.h"

#define HANG_SECONDS 60
#define INPUT_MAX ((size_t)1 << 20)

struct input {
	uint8_t *bytes;
	size_t len;
};

static uint64_t random_state;
static struct input current;
static char crash_path[256];

static uint64_t next_random(uint64_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return below ? (random_state >> 33) % below : 0;
}

/* Only what a signal handler may call. */
static void keep_input(int signal_number)
{
	int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd >= 0 && write(fd, current.bytes, current.len) >= 0)
		close(fd);
	raise(signal_number);
}

static void catch_ends(const char *program)
{
	static const int ends[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM };
	struct sigaction action = { .sa_handler = keep_input,
				    .sa_flags = (int)(SA_RESETHAND | SA_NODEFER) };
	const char *name = strrchr(program, '/');

	snprintf(crash_path, sizeof(crash_path), "crash-%s", name ? name + 1 : program);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaction(ends[i], &action, NULL);
}

static struct input load(const char *path)
{
	struct input input = { NULL, 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		fuzz_fail("%s: %s", path, strerror(errno));
	input.len = (size_t)st.st_size < INPUT_MAX ? (size_t)st.st_size : INPUT_MAX;
	input.bytes = malloc(input.len + 1);
	if (!input.bytes || read(fd, input.bytes, input.len) != (ssize_t)input.len)
		fuzz_fail("%s cannot be read", path);
	close(fd);
	return input;
}

static void run(const struct input *input)
{
	/* A copy of its own size: a sanitizer then sees a read beyond it. */
	current = (struct input){ malloc(input->len ? input->len : 1), input->len };
	if (!current.bytes)
		fuzz_fail("out of memory");
	memcpy(current.bytes, input->bytes, input->len);
	alarm(HANG_SECONDS);
	LLVMFuzzerTestOneInput(current.bytes, current.len);
	free(current.bytes);
	current = (struct input){ NULL, 0 };
}

/* ---- Mutation ---- */

static void change_number(struct input *input)
{
	static const uint64_t values[] = { 0,          1,          2,
					   0x7f,       0x80,       0xff,
					   0x7fff,     0xffff,     0x7fffffff,
					   0x80000000, 0xffffffff, UINT64_C(0x7fffffffffffffff),
					   UINT64_MAX };
	uint64_t value = values[next_random(sizeof(values) / sizeof(values[0]))];
	size_t width = (size_t)1 << next_random(4);
	bool big_endian = next_random(2);
	size_t at;

	if (input->len < width)
		return;
	at = next_random(input->len / width) * width;
	for (size_t i = 0; i < width; i++)
		input->bytes[at + i] = (uint8_t)(value >> 8 * (big_endian ? width - 1 - i : i));
}

/* What has its form, from elsewhere. */
static void copy_piece(struct input *input)
{
	size_t len = 1 + next_random(input->len < 64 ? input->len : 64);

	if (input->len < len)
		return;
	memmove(input->bytes + next_random(input->len - len + 1),
		input->bytes + next_random(input->len - len + 1), len);
}

static void remove_piece(struct input *input)
{
	size_t at = next_random(input->len), len = 1 + next_random(64);

	if (len > input->len - at)
		len = input->len - at;
	memmove(input->bytes + at, input->bytes + at + len, input->len - at - len);
	input->len -= len;
}

/* input->bytes has room for it. */
static void double_piece(struct input *input)
{
	size_t at = next_random(input->len), len = 1 + next_random(64);

	if (len > input->len - at)
		len = input->len - at;
	memmove(input->bytes + at + len, input->bytes + at, input->len - at);
	input->len += len;
}

static void change_byte(struct input *input)
{
	static const char telling[] = "\0\n =/.:#;,\"'%\\-+0179aAxzK\xff";
	uint8_t *at = input->bytes + next_random(input->len);

	if (next_random(2))
		*at ^= (uint8_t)(1u << next_random(8));
	else
		*at = (uint8_t)telling[next_random(sizeof(telling) - 1)];
}

#define MUTATIONS_MAX 8
#define GROWTH_MAX (MUTATIONS_MAX * 64u)

static void run_mutated(const struct input *original)
{
	static void (*const mutations[])(
		struct input *) = { change_number, change_number, change_byte, change_byte,
				    copy_piece,    remove_piece,  double_piece };
	struct input input = { malloc(original->len + GROWTH_MAX + 1), original->len };

	if (!input.bytes)
		fuzz_fail("out of memory");
	memcpy(input.bytes, original->bytes, original->len);
	for (uint64_t i = 1 + next_random(MUTATIONS_MAX); i > 0 && input.len > 0; i--)
		mutations[next_random(sizeof(mutations) / sizeof(mutations[0]))](&input);
	run(&input);
	free(input.bytes);
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 3 ? atoi(argv[1]) : 0);
	size_t count = argc > 3 ? (size_t)argc - 3 : 0;
	struct input *inputs = calloc(count + 1, sizeof(*inputs));
	uint64_t tried = 0;

	if (count == 0 || !inputs) {
		fprintf(stderr, "usage: %s SECONDS SEED FILE...\n", argv[0]);
		return 2;
	}
	random_state = strtoull(argv[2], NULL, 10);
	catch_ends(argv[0]);
	for (size_t i = 0; i < count; i++) {
		inputs[i] = load(argv[3 + i]);
		run(&inputs[i]);
	}
	for (; time(NULL) < end; tried++)
		run_mutated(&inputs[next_random(count)]);
	printf("%zu inputs, %llu mutations\n", count, (unsigned long long)tried);
	for (size_t i = 0; i < count; i++)
		free(inputs[i].bytes);
	free(inputs);
	return 0;
}
