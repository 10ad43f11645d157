/* SPDX-License-Identifier: Apache-2.0 */
/* A directory, an image beside it, and what the copy engine brings from one into the other. Failed
 * expectations fail the cmocka test. */
#ifndef SUPPORT_COPYING_H
#define SUPPORT_COPYING_H

#include "core/copy/copy.h"
#include "tests/support/scanned.h"

#define MIB ((uint64_t)1 << 20)
#define BLOCK 4096u

struct copying {
	struct scanned scanned; /* of "source"; "image" beside it is written */
	struct copy *copy;
	int image;
	struct copy_options options;
	struct copy_stats stats;
};

/* For cmocka: *state becomes a struct copying, with one thread. */
int copying_set_up(void **state);
int copying_tear_down(void **state);

#define COPYING_TEST(function) \
	cmocka_unit_test_setup_teardown(function, copying_set_up, copying_tear_down)

/* "source" as it is now, of which nothing is to be copied yet. */
void copying_scan(struct copying *f);
/* All of a file, to that place in the image. */
void copying_place(struct copying *f, const char *name, uint64_t off);

int copying_run(struct copying *f);
void copying_run_ok(struct copying *f);

/* What the image has at off: these bytes, a part of tempdir_fill's, or zeros. */
void copying_assert_image(const struct copying *f, uint64_t off, const void *bytes, size_t len);
void copying_assert_pattern(const struct copying *f, uint64_t off, unsigned int seed,
			    uint64_t file_off, size_t len);
void copying_assert_zeros(const struct copying *f, uint64_t off, size_t len);

#endif
