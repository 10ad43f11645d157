/* SPDX-License-Identifier: Apache-2.0 */
/* Files as blocks, whatever is in them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/io.h"
#include "core/base/pool.h"
#include "core/base/size.h"
#include "core/diff/diff.h"
#include "lib/calloc64.h"
#include "lib/cleanup.h"
#include "lib/round.h"
#include "lib/samefile.h"

/* A thread's share: words of the bitmap are its alone. */
#define PIECE_BLOCKS 256
#define PIECE_BYTES ((uint64_t)PIECE_BLOCKS * DIFF_BLOCK_BYTES)

struct files {
	int a, b; /* owned; -1 */
	const char *path_a, *path_b;
	const struct diff_options *options;
	struct diff_blocks *blocks;
};

static void files_release(struct files *files)
{
	if (files->a >= 0)
		close(files->a);
	if (files->b >= 0)
		close(files->b);
}

static int open_file(const char *path, int *fd, uint64_t *bytes, struct error *error)
{
	struct stat st;
	off_t end;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*fd < 0 || fstat(*fd, &st) < 0)
		return error_errno(error, errno, "cannot read %s", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_set(error, EINVAL,
				 "%s: only files and block devices are compared as blocks", path);
	end = lseek(*fd, 0, SEEK_END);
	if (end < 0)
		return error_errno(error, errno, "cannot find the size of %s", path);
	*bytes = (uint64_t)end;
	return 0;
}

static void mark(struct diff_blocks *blocks, uint64_t block)
{
	blocks->bits[block / 64] |= UINT64_C(1) << (block % 64);
}

static bool is_marked(const struct diff_blocks *blocks, uint64_t block)
{
	return blocks->bits[block / 64] >> (block % 64) & 1;
}

/* Has the file nothing but a hole in [from, to)? */
static bool is_hole(int fd, uint64_t from, uint64_t to)
{
	off_t data = lseek(fd, (off_t)from, SEEK_DATA);

	return data < 0 ? errno == ENXIO : (uint64_t)data >= to;
}

/* What is behind the end of a shorter file is the other one's alone. */
static void compare_bytes(struct files *files, uint64_t from, uint64_t len, const char *a,
			  const char *b)
{
	uint64_t block = from / DIFF_BLOCK_BYTES;

	if (memcmp(a, b, (size_t)len) == 0)
		return;
	for (uint64_t at = 0; at < len; at += DIFF_BLOCK_BYTES, block++) {
		size_t part = len - at < DIFF_BLOCK_BYTES ? (size_t)(len - at) : DIFF_BLOCK_BYTES;

		if (memcmp(a + at, b + at, part) != 0)
			mark(files->blocks, block);
	}
}

static int compare_piece(void *arg, uint64_t index)
{
	struct files *files = arg;
	const struct diff_blocks *blocks = files->blocks;
	uint64_t shorter = blocks->a_bytes < blocks->b_bytes ? blocks->a_bytes : blocks->b_bytes;
	uint64_t from = index * PIECE_BYTES;
	uint64_t len = shorter - from < PIECE_BYTES ? shorter - from : PIECE_BYTES;
	autofree char *a = NULL;
	autofree char *b = NULL;
	int ret;

	if (is_hole(files->a, from, from + len) && is_hole(files->b, from, from + len))
		return 0;
	a = malloc(PIECE_BYTES);
	b = malloc(PIECE_BYTES);
	if (!a || !b)
		return -ENOMEM;
	ret = io_pread(files->a, a, (size_t)len, from);
	if (ret == 0)
		ret = io_pread(files->b, b, (size_t)len, from);
	if (ret == 0)
		compare_bytes(files, from, len, a, b);
	return ret;
}

static bool is_same_file(const struct files *files)
{
	struct stat a, b;

	return fstat(files->a, &a) == 0 && fstat(files->b, &b) == 0 && same_file(&a, &b);
}

static int compare_files(struct files *files, struct error *error)
{
	struct diff_blocks *blocks = files->blocks;
	bool a_is_longer = blocks->a_bytes > blocks->b_bytes;
	uint64_t longer = a_is_longer ? blocks->a_bytes : blocks->b_bytes;
	uint64_t shorter = a_is_longer ? blocks->b_bytes : blocks->a_bytes;
	int ret;

	blocks->count = div_up(longer, DIFF_BLOCK_BYTES);
	blocks->bits = calloc64(div_up(blocks->count, 64) + 1, sizeof(*blocks->bits));
	if (!blocks->bits)
		return error_nomem(error);
	if (is_same_file(files))
		return 0;
	for (uint64_t block = shorter / DIFF_BLOCK_BYTES; longer > shorter && block < blocks->count;
	     block++)
		mark(blocks, block);
	ret = pool_run(files->options->threads, div_up(shorter, PIECE_BYTES), compare_piece, files);
	if (ret == -ECANCELED)
		return error_set(error, ECANCELED, "interrupted");
	return ret < 0 ? error_errno(error, -ret, "cannot compare %s and %s", files->path_a,
				     files->path_b)
		       : 0;
}

int diff_blocks_run(const char *a, const char *b, const struct diff_options *options,
		    struct diff_blocks *blocks, struct error *error)
{
	struct files files __attribute__((cleanup(files_release))) = {
		.a = -1, .b = -1, .path_a = a, .path_b = b, .options = options, .blocks = blocks
	};
	int ret;

	*blocks = (struct diff_blocks){ 0 };
	ret = open_file(a, &files.a, &blocks->a_bytes, error);
	if (ret == 0)
		ret = open_file(b, &files.b, &blocks->b_bytes, error);
	return ret < 0 ? ret : compare_files(&files, error);
}

void diff_blocks_free(struct diff_blocks *blocks)
{
	free(blocks->bits);
	blocks->bits = NULL;
}

bool diff_blocks_next(const struct diff_blocks *blocks, uint64_t *first, uint64_t *count)
{
	uint64_t at = *first;

	while (at < blocks->count && !is_marked(blocks, at))
		at += blocks->bits[at / 64] >> (at % 64) ? 1 : 64 - at % 64;
	*first = at;
	while (at < blocks->count && is_marked(blocks, at))
		at++;
	*count = at - *first;
	return *count > 0;
}

void diff_blocks_total(const struct diff_blocks *blocks, struct diff_total totals[DIFF_TOTALS])
{
	static const uint64_t sizes[DIFF_TOTALS] = { 4 << 10, 64 << 10, 512 << 10 };

	for (int i = 0; i < DIFF_TOTALS; i++) {
		uint64_t step = sizes[i] / DIFF_BLOCK_BYTES, counted = 0, first = 0, count;

		totals[i] = (struct diff_total){ sizes[i], div_up(blocks->count, step), 0 };
		/* counted: large blocks below are counted, or equal */
		for (; diff_blocks_next(blocks, &first, &count); first += count) {
			uint64_t from = first / step > counted ? first / step : counted;
			uint64_t to = div_up(first + count, step);

			totals[i].differing += to > from ? to - from : 0;
			counted = to > counted ? to : counted;
		}
	}
}

void diff_blocks_print(const struct diff_blocks *blocks, FILE *out)
{
	struct diff_total totals[DIFF_TOTALS];
	uint64_t first = 0, count;

	for (; diff_blocks_next(blocks, &first, &count); first += count)
		fprintf(out, "%" PRIu64 "-%" PRIu64 "\n", first, first + count - 1);
	diff_blocks_total(blocks, totals);
	for (int i = 0; i < DIFF_TOTALS; i++) {
		char size[SIZE_TEXT_BYTES];

		fprintf(out, "blocks of %s: %" PRIu64 " of %" PRIu64 " differ, %" PRIu64 " bytes\n",
			size_format(totals[i].block_bytes, size, sizeof(size)), totals[i].differing,
			totals[i].count, totals[i].differing * totals[i].block_bytes);
	}
}
