/* SPDX-License-Identifier: Apache-2.0 */
/* Whole command lines, each in a process of its own: what they print, and how they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/format/mbr.h"
#include "tests/support/commands.h"
#include "tests/support/tempdir.h"

static struct tempdir directory;

#define SAYS(said, ...) command_says(WORDS(__VA_ARGS__), said)
#define REFUSES(code, message, ...) command_refused(WORDS(__VA_ARGS__), code, message)

/* ---- Trees that somebody looks at ---- */

#define ACL "AgAAAAEABwD/////AgAGAAkAAAAEAAUA/////xAABwD/////IAAAAP////8="
#define ODD                                                                         \
	"#mtree\n/set mode=0644 time=0.0\n. type=dir mode=0755\n"                   \
	"./acl type=file xattr.user.a=AA== xattr.system.posix_acl_access=" ACL "\n" \
	"./blk type=block mode=0600 device=native,8,17\n"                           \
	"./chr type=char mode=0600 device=native,1,3\n"                             \
	"./dir type=dir mode=01777\n"                                               \
	"./dir/late type=file time=9223372036854775807.0\n"                         \
	"./dir/sub type=dir mode=01776\n"                                           \
	"./gid type=file mode=02755\n"                                              \
	"./gid-only type=file mode=02644\n"                                         \
	"./link type=link mode=0777 link=dir\n"                                     \
	"./lost type=link mode=0777 link=none\n"                                    \
	"./same type=link mode=0777 link=gid\n"                                     \
	"./two type=file contents=two\n"                                            \
	"./uid type=file mode=04755\n"                                              \
	"./uid-only type=file mode=04644\n"

#define ZERO "     0     0 "
#define THEN " 1970-01-01 00:00:00 "

static void lists_show_what_there_is(void **state)
{
	(void)state;
	SAYS("-rw-r--r--+   1" ZERO "         0" THEN "acl\n"
	     "brw-------    1" ZERO "     8, 17" THEN "blk\n"
	     "crw-------    1" ZERO "      1, 3" THEN "chr\n"
	     "drwxrwxrwt    3" ZERO "         0" THEN "dir\n"
	     "-rwxr-sr-x    1" ZERO "         0" THEN "gid\n"
	     "-rw-r-Sr--    1" ZERO "         0" THEN "gid-only\n"
	     "lrwxrwxrwx    1" ZERO "         3" THEN "link -> dir\n"
	     "lrwxrwxrwx    1" ZERO "         4" THEN "lost -> none\n"
	     "lrwxrwxrwx    1" ZERO "         3" THEN "same -> gid\n"
	     "-rw-r--r--    1" ZERO "    100000" THEN "two\n"
	     "-rwsr-xr-x    1" ZERO "         0" THEN "uid\n"
	     "-rwSr--r--    1" ZERO "         0" THEN "uid-only\n",
	     "ls", "-l", "odd.mtree");
	SAYS("-rw-r--r--    1" ZERO "         0 @9223372036854775807 late\n"
	     "drwxrwxrwT    2" ZERO "         0" THEN "sub\n",
	     "ls", "-l", "odd.mtree", "dir");
	SAYS("dir/late\ndir/sub\n", "ls", "-R", "odd.mtree", "dir");
	SAYS("dir/late\ndir/sub\n", "ls", "-R", "odd.mtree", "dir/");
}

static void links_are_followed_to_directories(void **state)
{
	(void)state;
	SAYS("late\nsub\n", "ls", "odd.mtree", "link");
	SAYS("lrwxrwxrwx    1" ZERO "         3" THEN "link -> dir\n", "ls", "-l", "odd.mtree",
	     "link");
	SAYS("lost\n", "ls", "odd.mtree", "lost");
	SAYS("same\n", "ls", "odd.mtree", "same");
	SAYS("", "cat", "odd.mtree", "same");
	REFUSES(1, "none: No such file or directory", "ls", "odd.mtree", "none");
	REFUSES(1, "dir: Is a directory", "cat", "odd.mtree", "dir");
	REFUSES(1, "chr: it is no file with bytes", "cat", "odd.mtree", "chr");
	REFUSES(1, "lost: No such file or directory", "cat", "odd.mtree", "lost");
}

/* Where there is no room for what they print. */
static void output_that_is_full_is_told(void **state)
{
	static const char *const commands[][7] = {
		{ "ls", "odd.mtree" },
		{ "ls", "-lR", "odd.mtree" },
		{ "cat", "odd.mtree", "two" },
		{ "tree", "odd.mtree", "-q", "--set", "rootfs.check=no" },
		{ "help" },
		{ "--version" },
	};
	char text[COMMAND_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		assert_int_equal(command_run(commands[i], "/dev/full"), 1);
		assert_non_null(strstr(command_text("complained", text),
				       "standard output: No space left on device"));
	}
}

/* ---- What is no source, or no file ---- */

static void names_of_other_things_are_refused(void **state)
{
	(void)state;
	REFUSES(2, "image:x: give the image's file alone, without image: in front", "inspect",
		"image:x");
	REFUSES(2, "oci-archive:x: give the file of an image, which no oci-archive: is", "inspect",
		"oci-archive:x");
	REFUSES(2, "docker://x: give the file of an image, which no docker:// is", "inspect",
		"docker://x");
	REFUSES(1, "oci:x: cannot read the source x: No such file or directory", "inspect",
		"oci:x");
	REFUSES(2, "--partition 1: odd.mtree is no image", "ls", "-p", "1", "odd.mtree");
	REFUSES(1, "file:///x: a source is a path: leave file:// out of file:///x", "tree",
		"file:///x");
}

static void numbers_of_partitions_are_judged(void **state)
{
	static const char *const names[] = { "disk:0", "disk:1x", "disk:1001", "none", "none:7" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char source[64], message[160];

		snprintf(source, sizeof(source), "image:%s", names[i]);
		snprintf(message, sizeof(message),
			 "cannot read the source image:%s: No such file or directory",
			 strcmp(names[i], "none:7") == 0 ? "none" : names[i]);
		REFUSES(1, message, "ls", source);
	}
	REFUSES(1, "image:disk:1: there is no filesystem in it that a backend here knows", "ls",
		"image:disk:1");
	REFUSES(1, "image:disk:2: partition 2 reaches beyond the end of the image", "ls",
		"image:disk:2");
	REFUSES(1, "image:disk:3: there is no partition 3", "ls", "image:disk:3");
	REFUSES(1, "image:disk: there is no filesystem in it that a backend here knows", "ls",
		"disk");
	REFUSES(1, "image:.: it is neither a file nor a block device", "ls", "image:.");
	REFUSES(1, "image:odd.mtree: there is no filesystem in it that a backend here knows", "ls",
		"image:odd.mtree");
}

/* ---- Where to look instead ---- */

static void boxes_of_root_filesystems_are_seen(void **state)
{
	static const struct {
		const char *source, *hint;
	} cases[] = {
		{ "layout", "; layout is a container image: did you mean oci:layout?\n" },
		{ "half-layout",
		  "under that name; [rootfs] check = no builds the image as it is\n" },
		{ "bundle", "; did you mean bundle/rootfs?\n" },
		{ "nested", "; did you mean nested/inner?\n" },
		{ "file-inside",
		  "under that name; [rootfs] check = no builds the image as it is\n" },
	};
	char text[COMMAND_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *end;

		assert_int_equal(command_run(WORDS("--dry-run", "-q", cases[i].source), "said"), 1);
		end = strstr(command_text("complained", text), cases[i].hint);
		if (!end || end[strlen(cases[i].hint)] != '\0')
			fail_msg("%s: %s", cases[i].source, text);
	}
}

/* ---- All together ---- */

static void write_disk(void)
{
	struct geometry geometry = { .image_bytes = 4 << 20,
				     .table = IMAGE_TABLE_DOS,
				     .partition_count = 2,
				     .partitions = { { .start_bytes = 1 << 20,
						       .len_bytes = 1 << 20,
						       .type = DOS_TYPE_LINUX },
						     { .start_bytes = 2 << 20,
						       .len_bytes = 2 << 20,
						       .type = DOS_TYPE_LINUX } } };
	autoerror struct error error = ERROR_INIT;
	uint8_t sector[MBR_BYTES];

	assert_int_equal(mbr_encode(&geometry, 0, sector, &error), 0);
	tempdir_write(&directory, "disk", sector, sizeof(sector));
	assert_int_equal(truncate("disk", 3 << 20), 0);
}

static void make(const char *path)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "%s", path);
	for (char *slash = dir; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(dir, 0755);
		*slash = '/';
	}
	if (path[strlen(path) - 1] != '/')
		tempdir_write(&directory, path, "{}", 2);
}

static int set_up(void **state)
{
	static const char *const paths[] = {
		"layout/oci-layout",  "layout/index.json",    "half-layout/oci-layout",
		"half-layout/x",      "bundle/config.json",   "bundle/rootfs/etc/x",
		"nested/inner/usr/x", "file-inside/only-one",
	};

	(void)state;
	tempdir_enter(&directory);
	tempdir_write(&directory, "odd.mtree", ODD, strlen(ODD));
	tempdir_fill(&directory, "two", 2, 100000);
	write_disk();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		make(paths[i]);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tempdir_leave(&directory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_show_what_there_is),
		cmocka_unit_test(links_are_followed_to_directories),
		cmocka_unit_test(output_that_is_full_is_told),
		cmocka_unit_test(names_of_other_things_are_refused),
		cmocka_unit_test(numbers_of_partitions_are_judged),
		cmocka_unit_test(boxes_of_root_filesystems_are_seen),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
