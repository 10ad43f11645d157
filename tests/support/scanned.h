/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary directory, what the scanner makes of it, and looking around in that. Failed
 * expectations fail the cmocka test. */
#ifndef SUPPORT_SCANNED_H
#define SUPPORT_SCANNED_H

#include "core/base/digest.h"
#include "core/tree/tree.h"
#include "tests/support/tempdir.h"

struct scanned {
	struct tempdir dir;
	struct tree_options options; /* source's holes, one filesystem, 2 threads */
	struct tree *tree;
	struct error error;
};

/* For cmocka: *state becomes a struct scanned. The second one is for large trees. */
int scanned_setup(void **state);
int scanned_setup_large(void **state);
int scanned_teardown(void **state);

#define SCANNED_TEST(function) \
	cmocka_unit_test_setup_teardown(function, scanned_setup, scanned_teardown)
#define SCANNED_LARGE_TEST(function) \
	cmocka_unit_test_setup_teardown(function, scanned_setup_large, scanned_teardown)

/* The same for a structure that holds one. */
void scanned_open(struct scanned *scanned);
void scanned_close(struct scanned *scanned);

/* Scans the directory at path below the temporary one, anew. */
int scanned_try(struct scanned *scanned, const char *path);
const struct kataimg_tree *scanned_run(struct scanned *scanned, const char *path);

/* Asserts that ret is -code and that the message says it; forgets the error. */
void scanned_assert_failed(struct scanned *scanned, int ret, int code, const char *message);

/* By path from the root; scanned_find wants it to be there. */
const struct kataimg_node *scanned_look(const struct scanned *scanned, const char *path);
const struct kataimg_node *scanned_find(const struct scanned *scanned, const char *path);

void scanned_digest(const struct scanned *scanned, uint8_t out[DIGEST_BYTES]);

/* 300 files in 10 directories, d0/file0, d1/file1, ... d0/file10, of 10 bytes times their number,
 * and a second name d9/link of d1/file1; made in one order or the other. */
void scanned_make_sample(const struct scanned *scanned, int backwards);

#endif
