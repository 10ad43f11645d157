/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/copying.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

int copying_set_up(void **state)
{
	struct copying *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	scanned_open(&f->scanned);
	tempdir_mkdir(&f->scanned.dir, "source");
	f->image = openat(f->scanned.dir.fd, "image", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	f->options.threads = 1;
	*state = f;
	return f->image < 0 ? -1 : 0;
}

int copying_tear_down(void **state)
{
	struct copying *f = *state;

	copy_free(f->copy);
	close(f->image);
	scanned_close(&f->scanned);
	free(f);
	return 0;
}

void copying_scan(struct copying *f)
{
	scanned_run(&f->scanned, "source");
	f->copy = copy_new(f->scanned.tree);
	assert_non_null(f->copy);
}

void copying_place(struct copying *f, const char *name, uint64_t off)
{
	const struct kataimg_node *node = scanned_find(&f->scanned, name);

	assert_int_equal(copy_add_node(f->copy, off, node, 0, node->size), 0);
}

int copying_run(struct copying *f)
{
	return copy_run(f->copy, f->image, &f->options, &f->stats, &f->scanned.error);
}

void copying_run_ok(struct copying *f)
{
	int ret = copying_run(f);

	if (ret < 0)
		fail_msg("copy_run: %s", f->scanned.error.message);
}

void copying_assert_image(const struct copying *f, uint64_t off, const void *bytes, size_t len)
{
	char *got = malloc(len);

	assert_non_null(got);
	assert_int_equal(pread(f->image, got, len, (off_t)off), len);
	assert_memory_equal(got, bytes, len);
	free(got);
}

void copying_assert_pattern(const struct copying *f, uint64_t off, unsigned int seed,
			    uint64_t file_off, size_t len)
{
	char *bytes = malloc(len);

	assert_non_null(bytes);
	tempdir_pattern(seed, file_off, bytes, len);
	copying_assert_image(f, off, bytes, len);
	free(bytes);
}

void copying_assert_zeros(const struct copying *f, uint64_t off, size_t len)
{
	char *zeros = calloc(1, len);

	assert_non_null(zeros);
	copying_assert_image(f, off, zeros, len);
	free(zeros);
}
