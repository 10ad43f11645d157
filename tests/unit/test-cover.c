/* SPDX-License-Identifier: Apache-2.0 */
/* Which members' data an image will not need, by names alone. */
#include "core/archive/cover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/pathname.h"
#include "core/tree/exclude.h"

static void test_plain(void **state)
{
	static const char *const paths[][2] = {
		{ "a", "a" },           { "./a", "a" },
		{ "/a//b/", "a/b" },    { "", "" },
		{ "././.", "" },        { "a/./b", "a/b" },
		{ ".a/..b", ".a/..b" }, { "a/.wh.b", "a/.wh.b" },
	};
	char plain[8];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_true(pathname_plain(paths[i][0], plain, sizeof(plain)));
		assert_string_equal(plain, paths[i][1]);
	}
	assert_false(pathname_plain("..", plain, sizeof(plain)));
	assert_false(pathname_plain("a/../b", plain, sizeof(plain)));
	assert_true(pathname_plain("12345/", plain, sizeof(plain)));
	assert_false(pathname_plain("12345678", plain, sizeof(plain)));
	assert_false(pathname_plain("1234/678", plain, sizeof(plain)));
}

static void add(struct cover *cover, const char *path, unsigned int type)
{
	struct archive_member member = { .entry = archive_entry_new(), .path = path };

	archive_entry_set_filetype(member.entry, type);
	assert_int_equal(cover_add(cover, &member), 0);
	archive_entry_free(member.entry);
}

static void test_hides(void **state)
{
	struct cover cover = { 0 };

	(void)state;
	assert_false(cover_hides(&cover, "a"));
	add(&cover, "./file", AE_IFREG);
	add(&cover, "directory/", AE_IFDIR);
	add(&cover, "d/.wh.gone", AE_IFREG);
	add(&cover, "opaque/.wh..wh..opq", AE_IFREG);
	add(&cover, ".wh..wh.plnk/1.2", AE_IFREG);
	assert_true(cover_hides(&cover, "file"));
	assert_true(cover_hides(&cover, "file/below"));
	assert_true(cover_hides(&cover, "directory"));
	assert_false(cover_hides(&cover, "directory/below"));
	assert_true(cover_hides(&cover, "d/gone"));
	assert_true(cover_hides(&cover, "d/gone/below/it"));
	assert_false(cover_hides(&cover, "d"));
	assert_false(cover_hides(&cover, "d/gon"));
	assert_false(cover_hides(&cover, "d/goner"));
	assert_false(cover_hides(&cover, "opaque"));
	assert_true(cover_hides(&cover, "opaque/below/it"));
	assert_false(cover_hides(&cover, "1.2"));
	add(&cover, ".wh..wh..opq", AE_IFREG);
	assert_true(cover_hides(&cover, "anything"));
	cover_release(&cover);
}

static void test_excluder(void **state)
{
	char *patterns[] = { "*.o", "usr/share/", "/var/log/*" };
	autoerror struct error error = ERROR_INIT;
	struct tree_excluder *excluder;

	(void)state;
	assert_int_equal(tree_excluder_new(patterns, 3, &excluder, &error), 0);
	assert_true(tree_excluder_covers(excluder, "./a/b.o", false));
	assert_true(tree_excluder_covers(excluder, "b.o/below", false));
	assert_true(tree_excluder_covers(excluder, "/usr//share/man/x", false));
	assert_true(tree_excluder_covers(excluder, "usr/share", true));
	assert_false(tree_excluder_covers(excluder, "usr/share", false));
	assert_false(tree_excluder_covers(excluder, "a/usr/share/x", false));
	assert_true(tree_excluder_covers(excluder, "var/log/x/y", false));
	assert_false(tree_excluder_covers(excluder, "var/log", true));
	assert_false(tree_excluder_covers(excluder, "a/../b.o", false));
	assert_int_equal(tree_excluder_count(excluder), 0);
	tree_excluder_free(excluder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_hides),
		cmocka_unit_test(test_excluder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
