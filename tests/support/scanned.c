/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scanned.h"

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

#include "check/support/must.h"
#include "core/base/cancel.h"
#include "core/tree/find.h"

static const struct tree_options default_options = { TREE_HOLES_SOURCE, true, 2 };

void scanned_open(struct scanned *scanned)
{
	*scanned = (struct scanned){ .options = default_options };
	tempdir_open(&scanned->dir);
}

void scanned_close(struct scanned *scanned)
{
	cancel_reset();
	tree_free(scanned->tree);
	error_clear(&scanned->error);
	tempdir_close(&scanned->dir);
}

int scanned_setup(void **state)
{
	*state = must_calloc(1, sizeof(struct scanned));
	scanned_open(*state);
	return 0;
}

int scanned_setup_large(void **state)
{
	struct scanned *scanned = must_calloc(1, sizeof(*scanned));

	scanned->options = default_options;
	tempdir_open_large(&scanned->dir);
	*state = scanned;
	return 0;
}

int scanned_teardown(void **state)
{
	scanned_close(*state);
	free(*state);
	return 0;
}

int scanned_try(struct scanned *scanned, const char *path)
{
	char whole[256];

	tree_free(scanned->tree);
	scanned->tree = NULL;
	snprintf(whole, sizeof(whole), "%s/%s", scanned->dir.path, path);
	return tree_scan_directory(whole, &scanned->options, &scanned->tree, &scanned->error);
}

const struct kataimg_tree *scanned_run(struct scanned *scanned, const char *path)
{
	if (scanned_try(scanned, path) < 0)
		fail_msg("scan: %s", scanned->error.message);
	return tree_public(scanned->tree);
}

void scanned_assert_failed(struct scanned *scanned, int ret, int code, const char *message)
{
	assert_int_equal(ret, -code);
	assert_int_equal(scanned->error.code, code);
	assert_non_null(scanned->error.message);
	if (!strstr(scanned->error.message, message))
		fail_msg("'%s' does not say '%s'", scanned->error.message, message);
	error_clear(&scanned->error);
}

const struct kataimg_node *scanned_look(const struct scanned *scanned, const char *path)
{
	int code;

	return tree_resolve_link(scanned->tree, path, &code);
}

const struct kataimg_node *scanned_find(const struct scanned *scanned, const char *path)
{
	const struct kataimg_node *node = scanned_look(scanned, path);

	if (!node)
		fail_msg("there is no %s", path);
	return node;
}

void scanned_digest(const struct scanned *scanned, uint8_t out[DIGEST_BYTES])
{
	struct digest *digest = digest_new();
	struct error error = ERROR_INIT;

	assert_non_null(digest);
	assert_int_equal(tree_digest(scanned->tree, digest, &error), 0);
	assert_int_equal(digest_final(digest, out), 0);
	digest_free(digest);
}

void scanned_make_sample(const struct scanned *scanned, int backwards)
{
	const struct tempdir *dir = &scanned->dir;
	char name[64];

	for (int i = 0; i < 300; i++) {
		int n = backwards ? 299 - i : i;

		snprintf(name, sizeof(name), "d%d", n % 10);
		mkdirat(dir->fd, name, 0755);
		snprintf(name, sizeof(name), "d%d/file%d", n % 10, n);
		tempdir_fill(dir, name, (unsigned int)n, (size_t)n * 10);
		tempdir_set_mtime(dir, name, 1000 + n, n);
	}
	must(linkat(dir->fd, "d1/file1", dir->fd, "d9/link", 0) == 0);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		tempdir_set_mtime(dir, name, 77, 7);
	}
	tempdir_set_mtime(dir, ".", 78, 8);
}
