/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of hash trees beside files and superblocks that say other things. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/byteorder.h"
#include "tests/support/commands.h"
#include "tests/support/tempdir.h"

static struct tempdir directory;

/* An image of its own directory, with the files that belong to it. */
static void build(const char *dir, const char *setting)
{
	char output[64], text[COMMAND_TEXT_BYTES];
	int ret;

	tempdir_mkdir(&directory, dir);
	snprintf(output, sizeof(output), "%s/k.img", dir);
	ret = command_run(WORDS("-q", "--no-sync", "-f", "erofs", "-o", output, "--set",
				"rootfs.check=no", "--set", "image.align=2M", "--set",
				"image.dax=no", "--set", "verity.enabled=yes", "--set", setting,
				"tree"),
			  "said");
	if (ret != 0)
		fail_msg("%s", command_text("complained", text));
}

static int set_up(void **state)
{
	(void)state;
	tempdir_enter(&directory);
	tempdir_mkdir(&directory, "tree");
	tempdir_fill(&directory, "tree/file", 1, 100000);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tempdir_leave(&directory);
	return 0;
}

/* The line of a root hash's file. */
static const char *line_of(const char *path, char text[COMMAND_TEXT_BYTES])
{
	command_text(path, text);
	text[strcspn(text, "\n")] = '\0';
	assert_memory_equal(text, "root_hash=", 10);
	return text;
}

/* The same without a member, "data_blocks=252,", or with another one in its place. */
static void replace_member(char text[COMMAND_TEXT_BYTES], const char *name, const char *other)
{
	char *at = strstr(text, name), rest[COMMAND_TEXT_BYTES];
	size_t len;

	assert_non_null(at);
	len = strcspn(at, ",");
	len += at[len] == ',';
	strcpy(rest, at + len);
	sprintf(at, "%s%s", other, rest);
}

static void put_line(const char *path, const char *text)
{
	unlink(path);
	tempdir_write(&directory, path, text, strlen(text));
}

/* Where the superblock of dm-verity is. */
static off_t find_superblock(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char magic[8];
	off_t off = 0;

	assert_true(fd >= 0);
	for (; pread(fd, magic, 8, off) == 8 && memcmp(magic, "verity\0\0", 8) != 0; off += 512)
		continue;
	close(fd);
	return off;
}

#define NOBODYS "note: no root_hash*.txt beside the image belongs to its hash tree"

static void files_that_speak_of_others_are_told(void **state)
{
	char right[COMMAND_TEXT_BYTES], other[COMMAND_TEXT_BYTES];

	(void)state;
	build("a", "verity.superblock=yes");
	build("b", "verity.hash=sha512");
	line_of("a/root_hash_.txt", right);
	line_of("b/root_hash_.txt", other);
	command_tells(WORDS("inspect", "a/k.img"), 0, "  as in          a/root_hash_.txt");
	put_line("a/root_hash_.txt", other);
	command_tells(WORDS("inspect", "a/k.img"), 0, NOBODYS);
	put_line("a/root_hash_.txt", right);
	command_tells(WORDS("inspect", "--root-hash", "b/root_hash_.txt", "a/k.img"), 1,
		      "contradiction: the root hash is one of sha512, the hash tree is made of "
		      "sha256");
	right[10] = right[10] == '0' ? '1' : '0';
	put_line("a/root_hash_.txt", right);
	command_tells(WORDS("inspect", "a/k.img"), 0, NOBODYS);
}

static void blocks_that_nobody_counted_are_told(void **state)
{
	char text[COMMAND_TEXT_BYTES], line[160];
	unsigned long count;

	(void)state;
	build("c", "verity.superblock=yes");
	line_of("c/root_hash_.txt", text);
	count = strtoul(strstr(text, "data_blocks=") + 12, NULL, 10);
	replace_member(text, "data_blocks=", "data_blocks=7,");
	put_line("other.txt", text);
	snprintf(line, sizeof(line),
		 "contradiction: the root hash is that of 7 blocks, the superblock has %lu", count);
	command_tells(WORDS("inspect", "--root-hash", "other.txt", "c/k.img"), 1, line);
	replace_member(text, "data_blocks=", "");
	put_line("other.txt", text);
	snprintf(line, sizeof(line),
		 "  checked        yes: all %lu blocks of partition 1 belong to the root hash",
		 count);
	command_tells(WORDS("inspect", "--root-hash", "other.txt", "c/k.img"), 0, line);
}

/* A superblock is believed that it is not all, a file is not. */
static void trees_may_end_before_the_data(void **state)
{
	char text[COMMAND_TEXT_BYTES];
	le64 count;
	off_t off;
	int fd;

	(void)state;
	build("d", "verity.superblock=yes");
	off = find_superblock("d/k.img") + 72;
	fd = open("d/k.img", O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &count, sizeof(count), off), sizeof(count));
	count = to_le64(from_le64(count) - 1);
	assert_int_equal(pwrite(fd, &count, sizeof(count), off), sizeof(count));
	command_tells(WORDS("inspect", "d/k.img"), 0,
		      "note: the hash tree ends before the data: 4096 bytes at the end of "
		      "partition 1 are not measured");
	count = to_le64(UINT64_MAX / 2);
	assert_int_equal(pwrite(fd, &count, sizeof(count), off), sizeof(count));
	command_tells(WORDS("inspect", "d/k.img"), 0,
		      "note: partition 2 starts with a dm-verity superblock that was not checked: "
		      "its number of data blocks cannot be");
	count = to_le64(100000);
	assert_int_equal(pwrite(fd, &count, sizeof(count), off), sizeof(count));
	command_tells(WORDS("inspect", "d/k.img"), 0,
		      "note: partition 2 starts with a dm-verity superblock that was not checked: "
		      "it does not fit the filesystem");
	close(fd);

	build("e", "verity.superblock=no");
	line_of("e/root_hash_.txt", text);
	command_tells(WORDS("inspect", "e/k.img"), 0, "  as in          e/root_hash_.txt");
	replace_member(text, "data_blocks=", "");
	put_line("e/root_hash_.txt", text);
	command_tells(WORDS("inspect", "e/k.img"), 0, "  as in          e/root_hash_.txt");
}

/* What is named as the hash tree's file must be one. */
static void trees_beside_are_in_regular_files(void **state)
{
	(void)state;
	build("f", "verity.place=file");
	command_tells(WORDS("inspect", "f/k.img"), 0, "  as in          f/root_hash_.txt");
	assert_int_equal(rename("f/k.img.verity", "f/kept"), 0);
	assert_int_equal(mkfifo("f/k.img.verity", 0600), 0);
	command_tells(WORDS("inspect", "--root-hash", "f/root_hash_.txt", "f/k.img"), 1,
		      "contradiction: there is no room for a hash tree of partition 1: neither in "
		      "a partition 2, nor behind the filesystem, nor in a file f/k.img.verity");
	assert_int_equal(unlink("f/k.img.verity"), 0);
	assert_int_equal(symlink("kept", "f/k.img.verity"), 0);
	assert_int_equal(truncate("f/kept", 100), 0);
	command_tells(WORDS("inspect", "--root-hash", "f/root_hash_.txt", "f/k.img"), 1,
		      "contradiction: there is no room for a hash tree of partition 1: neither in "
		      "a partition 2, nor behind the filesystem, nor in a file f/k.img.verity");
}

/* Names of files are no root hashes, and what is neither is told so. */
static void root_hashes_are_digits_or_files(void **state)
{
	(void)state;
	build("g", "verity.superblock=yes");
	command_refused(WORDS("inspect", "--root-hash", "1234", "g/k.img"), 2,
			"--root-hash 1234: neither 64 nor 128 hexadecimal digits nor a file");
	command_refused(
		WORDS("inspect", "--root-hash", "none.txt", "g/k.img"), 1,
		"g/k.img: cannot read the root hash's file none.txt: No such file or directory");
	command_refused(
		WORDS("inspect", "--root-hash", "./none", "g/k.img"), 1,
		"g/k.img: cannot read the root hash's file ./none: No such file or directory");
	command_refused(WORDS("inspect", "--root-hash", "tree/file", "g/k.img"), 2,
			"tree/file is no root hash's file: that is a line "
			"root_hash=HEX,salt=HEX,data_blocks=N");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_that_speak_of_others_are_told),
		cmocka_unit_test(blocks_that_nobody_counted_are_told),
		cmocka_unit_test(trees_may_end_before_the_data),
		cmocka_unit_test(trees_beside_are_in_regular_files),
		cmocka_unit_test(root_hashes_are_digits_or_files),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
