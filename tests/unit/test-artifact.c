/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts as they are written; sha256sum(1) and python's json are the judges of what is in them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/artifact/blob.h"
#include "core/artifact/layout.h"
#include "core/artifact/place.h"
#include "core/base/cancel.h"
#include "core/image/lock.h"
#include "core/image/publish.h"
#include "lib/cleanup.h"
#include "tests/support/tempdir.h"

#define MANIFEST "application/vnd.oci.image.manifest.v1+json"

struct fixture {
	struct tempdir dir;
	struct error error;
	char path[128]; /* of the layout */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	tempdir_open(&f->dir);
	snprintf(f->path, sizeof(f->path), "%s/layout", f->dir.path);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	error_clear(&f->error);
	tempdir_close(&f->dir);
	free(f);
	return 0;
}

static bool shell(const struct fixture *f, const char *script)
{
	char command[1024];
	int len = snprintf(command, sizeof(command), "cd %s && %s", f->dir.path, script);

	assert_true(len > 0 && (size_t)len < sizeof(command));
	return system(command) == 0;
}

static struct artifact_layout *open_layout(struct fixture *f)
{
	const struct artifact_manner manner = { (uid_t)-1, (gid_t)-1, false };
	struct artifact_layout *layout = NULL;

	assert_int_equal(artifact_layout_open(f->path, &manner, &layout, &f->error), 0);
	assert_non_null(layout);
	return layout;
}

/* A manifest of this text becomes the tag's image for the architecture. */
static void add(struct fixture *f, struct artifact_layout *layout, const char *tag,
		const char *arch, const char *text)
{
	struct output *beside autocall(cleanup_output_close) = NULL;
	struct artifact_blob blob = { 0 };
	char index[ARTIFACT_DIGEST_TEXT_BYTES], path[160];
	json_object *descriptor, *platform = json_object_new_object();

	snprintf(path, sizeof(path), "%s/beside", f->path);
	assert_int_equal(output_open("a file", path, NULL, &beside, &f->error), 0);
	assert_int_equal(artifact_blob_of_bytes(&blob, beside, text, strlen(text), &f->error), 0);
	assert_int_equal(artifact_layout_put(layout, &blob, &f->error), 0);
	descriptor = artifact_descriptor(MANIFEST, &blob);
	artifact_json_add(platform, "architecture", json_object_new_string(arch));
	artifact_json_add(platform, "os", json_object_new_string("linux"));
	assert_int_equal(artifact_json_add(descriptor, "platform", platform), 0);
	assert_int_equal(artifact_layout_add(layout, tag, descriptor, index, &f->error), 0);
	assert_int_equal(strncmp(index, "sha256:", 7), 0);
	artifact_blob_free(&blob);
}

static void publish_layout(struct fixture *f, struct artifact_layout *layout)
{
	struct publish_item item;

	assert_int_equal(artifact_layout_write_index(layout, &f->error), 0);
	item = (struct publish_item){ .output = artifact_layout_index(layout) };
	assert_int_equal(publish(&item, 1, false, &f->error), 0);
	artifact_layout_settle(layout);
	artifact_layout_close(layout);
}

/* Every blob has the name of its content, and there are so many. */
static void expect_blobs(const struct fixture *f, unsigned int count)
{
	char script[256];

	assert_true(shell(f, "cd layout/blobs/sha256 && for b in *; do "
			     "echo \"$b  $b\" | sha256sum -c --quiet || exit 1; done"));
	snprintf(script, sizeof(script), "test $(ls layout/blobs/sha256 | wc -l) = %u", count);
	assert_true(shell(f, script));
}

static void a_tag_is_an_index_by_architecture(void **state)
{
	struct fixture *f = *state;
	struct artifact_layout *layout = open_layout(f);

	add(f, layout, "t", "s390x", "{\"a\":1}");
	publish_layout(f, layout);
	expect_blobs(f, 2);
	layout = open_layout(f);
	add(f, layout, "t", "amd64", "{\"a\":2}");
	add(f, layout, "u", "amd64", "{\"a\":3}");
	publish_layout(f, layout);
	expect_blobs(f, 5);
	assert_int_equal(artifact_layout_check(f->path, &f->error), 0);
	assert_true(shell(f, "python3 -c 'import json\n"
			     "index = json.load(open(\"layout/index.json\"))\n"
			     "tags = [e[\"annotations\"][\"org.opencontainers.image.ref.name\"] "
			     "for e in index[\"manifests\"]]\n"
			     "assert tags == [\"t\", \"u\"], tags\n"
			     "d = index[\"manifests\"][0][\"digest\"][7:]\n"
			     "archs = [e[\"platform\"][\"architecture\"] for e in json.load("
			     "open(\"layout/blobs/sha256/\" + d))[\"manifests\"]]\n"
			     "assert archs == [\"amd64\", \"s390x\"], archs'"));
}

static void what_is_replaced_goes(void **state)
{
	struct fixture *f = *state;
	struct artifact_layout *layout = open_layout(f);

	add(f, layout, "t", "amd64", "{\"a\":1}");
	publish_layout(f, layout);
	layout = open_layout(f);
	add(f, layout, "t", "amd64", "{\"a\":2}");
	publish_layout(f, layout);
	expect_blobs(f, 2);
	assert_true(shell(f, "grep -q '\"a\":2' layout/blobs/sha256/*"));
	assert_false(shell(f, "grep -q '\"a\":1' layout/blobs/sha256/*"));
}

static void what_is_not_published_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct artifact_layout *layout = open_layout(f);

	add(f, layout, "t", "amd64", "{\"a\":1}");
	publish_layout(f, layout);
	layout = open_layout(f);
	add(f, layout, "t", "amd64", "{\"a\":2}");
	assert_int_equal(artifact_layout_write_index(layout, &f->error), 0);
	artifact_layout_close(layout);
	expect_blobs(f, 2);
	assert_true(shell(f, "grep -q '\"a\":1' layout/blobs/sha256/*"));
	assert_true(shell(
		f, "test \"$(ls -A layout | tr '\\n' ' ')\" = 'blobs index.json oci-layout '"));
}

static void what_is_no_layout_is_refused(void **state)
{
	struct fixture *f = *state;
	char expected[256];

	tempdir_mkdir(&f->dir, "layout");
	tempdir_write(&f->dir, "layout/file", "x", 1);
	snprintf(expected, sizeof(expected),
		 "%s is no OCI image layout, and not empty: name another directory", f->path);
	assert_int_equal(artifact_layout_check(f->path, &f->error), -ENOENT);
	assert_string_equal(f->error.message, expected);
	error_clear(&f->error);
	tempdir_write(&f->dir, "layout/oci-layout", "{\"imageLayoutVersion\":\"2.0\"}", 28);
	assert_int_equal(artifact_layout_check(f->path, &f->error), -EBADMSG);
	assert_non_null(strstr(f->error.message, "oci-layout: of an unknown version: 2.0"));
}

/* As a build leaves it that is killed while its first file gets a name. */
static void what_is_not_begun_is_as_good_as_empty(void **state)
{
	struct fixture *f = *state;

	tempdir_mkdir(&f->dir, "layout");
	tempdir_write(&f->dir, "layout/.oci-layout.kataimg-3.tmp", "", 0);
	assert_int_equal(artifact_check_directory(f->path, &f->error), 0);
	tempdir_write(&f->dir, "layout/.oci-layout.kataimg-03.tmp", "", 0);
	assert_int_equal(artifact_check_directory(f->path, &f->error), -ENOENT);
}

static void names_are_split_at_the_first_colon(void **state)
{
	struct fixture *f = *state;
	struct artifact_place place = { 0 };

	assert_int_equal(artifact_prefix("oci:dir:tag"), 4);
	assert_int_equal(artifact_prefix("./oci:dir:tag"), 0);
	assert_int_equal(artifact_place_parse("oci:a/b:v1.0-x", &place, &f->error), 0);
	assert_string_equal(place.dir, "a/b");
	assert_string_equal(place.tag, "v1.0-x");
	artifact_place_free(&place);
	for (const char *const *name = (const char *const[]){ "oci:dir", "oci::t", "oci:d:",
							      "oci:d:-t", "oci:d:a/b", NULL };
	     *name; name++) {
		assert_int_not_equal(artifact_check_name(*name, &f->error), 0);
		assert_int_equal(f->error.kind, ERROR_USAGE);
		error_clear(&f->error);
	}
}

/* Whoever has the lock lets go of it while another waits. */
static void a_lock_is_waited_for(void **state)
{
	struct fixture *f = *state;
	int held = open(f->dir.path, O_RDONLY | O_DIRECTORY), mine = -1, child;

	assert_true(held >= 0);
	assert_int_equal(lock_directory(held, &f->error, "no"), 0);
	child = fork();
	if (child == 0) {
		usleep(50000);
		flock(held, LOCK_UN);
		_exit(0);
	}
	mine = open(f->dir.path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(lock_directory(mine, &f->error, "no"), 0);
	assert_int_equal(flock(held, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(waitpid(child, NULL, 0), child);
	cancel_request();
	assert_int_equal(lock_directory(held, &f->error, "no"), -ECANCELED);
	cancel_reset();
	assert_string_equal(f->error.message, "interrupted");
	close(held);
	close(mine);
}

#ifndef __SANITIZE_ADDRESS__ /* which has an allocator of its own */
extern void *__libc_realloc(void *old, size_t size);
static int realloc_fails_at; /* 0: never */

__attribute__((visibility("default"))) void *realloc(void *old, size_t size)
{
	if (realloc_fails_at > 0 && --realloc_fails_at == 0)
		return NULL;
	return __libc_realloc(old, size);
}

static void a_text_is_whole_or_none(void **state)
{
	json_object *json = json_object_new_array();
	const char *text;
	char *whole;
	int at = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(artifact_json_append(json, json_object_new_string("of JSON")), 0);
	whole = strdup(artifact_json_text(json));
	assert_int_equal(strlen(whole), 100 * strlen("\"of JSON\",") + 1);
	do {
		json_object *again = json_tokener_parse(whole);

		realloc_fails_at = ++at;
		text = artifact_json_text(again);
		if (text)
			assert_string_equal(text, whole);
		json_object_put(again);
	} while (realloc_fails_at == 0);
	assert_true(at > 2);
	realloc_fails_at = 0;
	free(whole);
	json_object_put(json);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_tag_is_an_index_by_architecture, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_replaced_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_published_leaves_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_no_layout_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_begun_is_as_good_as_empty, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_lock_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(names_are_split_at_the_first_colon, setup,
						teardown),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(a_text_is_whole_or_none),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
