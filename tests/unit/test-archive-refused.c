/* SPDX-License-Identifier: Apache-2.0 */
/* Archives that are broken or meant to do harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/tarfile.h"

static void add_sparse(struct tarfile *fixture, const char *map)
{
	char text[256];

	tarfile_record(tarfile_record(text, "GNU.sparse.map", map), "GNU.sparse.size", "4096");
	tarfile_member(fixture, 'x', "pax", text);
	tarfile_member(fixture, '0', "file", "data");
	tarfile_member(fixture, '0', "next", "");
	for (int i = 0; i < 4; i++)
		tarfile_end(fixture);
}

static void a_map_that_does_not_fit_is_refused(void **state)
{
	struct tarfile *fixture = *state;

	add_sparse(fixture, "0,4096");
	tarfile_refuse(fixture,
		       "file: at byte 1024: the map of its holes does not fit its data: the "
		       "archive is damaged");
}

/* Of which the first part is all that there is. */
static void a_map_with_letters_is_refused(void **state)
{
	struct tarfile *fixture = *state;

	add_sparse(fixture, "0,4,x,1");
	tarfile_refuse(fixture,
		       "file: at byte 1024: a number of its map of holes cannot be read: the "
		       "archive is damaged");
}

#define REFUSES(name, message, ...)               \
	static void name(void **state)            \
	{                                         \
		struct tarfile *fixture = *state; \
                                                  \
		__VA_ARGS__;                      \
		tarfile_refuse(fixture, message); \
	}

REFUSES(dots_lead_out, "a/../../x: its path has a \"..\"",
	tarfile_member(fixture, '0', "a/../../x", "1");
	tarfile_end(fixture))

REFUSES(a_way_through_a_link, "link/x: link on its way is a symbolic link",
	tarfile_header(fixture, '2', "link", "/etc", 0);
	tarfile_member(fixture, '0', "link/x", "1"); tarfile_end(fixture))

REFUSES(a_way_through_a_file, "file/x: file on its way is not a directory",
	tarfile_member(fixture, '0', "file", "1");
	tarfile_member(fixture, '0', "file/x", "1"); tarfile_end(fixture))

REFUSES(a_file_over_a_directory, "d: it would replace a directory that is not empty",
	tarfile_member(fixture, '0', "d/x", "1");
	tarfile_member(fixture, '0', "d", "1"); tarfile_end(fixture))

REFUSES(a_root_that_is_a_file, "./: the root can only be a directory",
	tarfile_header(fixture, '2', "./", "x", 0);
	tarfile_end(fixture))

REFUSES(a_hard_link_to_nothing, "a: a hard link to b, which is not there",
	tarfile_header(fixture, '1', "a", "b", 0);
	tarfile_end(fixture))

REFUSES(a_hard_link_without_a_target, "a: a hard link to an empty name",
	tarfile_header(fixture, '1', "a", "", 0);
	tarfile_end(fixture))

REFUSES(a_hard_link_below_nothing, "a: hard link to b/c: there is no directory b",
	tarfile_header(fixture, '1', "a", "b/c", 0);
	tarfile_end(fixture))

REFUSES(a_hard_link_to_a_directory, "a: a hard link to d, which is a directory",
	tarfile_header(fixture, '5', "d", "", 0);
	tarfile_header(fixture, '1', "a", "d", 0); tarfile_end(fixture))

REFUSES(a_hard_link_out, "a: hard link to ../x: its path has a \"..\"",
	tarfile_header(fixture, '1', "a", "../x", 0);
	tarfile_end(fixture))

REFUSES(a_link_without_a_target, "l: a symbolic link without a target",
	tarfile_header(fixture, '2', "l", "", 0);
	tarfile_end(fixture))

REFUSES(an_acl_of_names,
	"f: its ACL names fritz, and names are not looked up: make the archive with "
	"--numeric-owner",
	tarfile_pax(fixture, "SCHILY.acl.access",
		    "user::rw-,user:fritz:rwx,group::---,mask::r-x,other::---");
	tarfile_member(fixture, '0', "f", ""); tarfile_end(fixture))

REFUSES(an_id_that_means_none, "f: its gid is 4294967295: ids are 0 to 4294967294",
	tarfile_pax(fixture, "gid", "4294967295");
	tarfile_member(fixture, '0', "f", "1"); tarfile_end(fixture))

REFUSES(a_large_id, "f: its uid is 4294967296: ids are 0 to 4294967294",
	tarfile_pax(fixture, "uid", "4294967296");
	tarfile_member(fixture, '0', "f", ""); tarfile_end(fixture))

REFUSES(a_large_device, "f: the device 4294967296:0 is beyond 32 bits",
	tarfile_pax(fixture, "SCHILY.devmajor", "4294967296");
	tarfile_header(fixture, '3', "f", "", 0); tarfile_end(fixture))

REFUSES(data_that_is_cut_off,
	"f: at byte 0: the archive ends before the file's data: it is cut off or damaged",
	tarfile_header(fixture, '0', "f", "", 5000);
	tarfile_append(fixture, "short", 5))

REFUSES(an_absurd_size,
	"f: at byte 1024: the archive ends before the file's data: it is cut off or damaged",
	tarfile_pax(fixture, "size", "4611686018427387904");
	tarfile_header(fixture, '0', "f", "", 0); tarfile_end(fixture))

REFUSES(a_last_block_that_is_cut_off,
	"f: at byte 515: the archive ends within a block of 512 bytes: it is cut off",
	tarfile_header(fixture, '0', "f", "", 3);
	tarfile_append(fixture, "all", 3))

REFUSES(an_extended_header_that_is_cut_off,
	"behind f: at byte 1540: the archive ends within a block of 512 bytes: it is cut off",
	tarfile_member(fixture, '0', "f", "1");
	tarfile_header(fixture, 'L', "l", "", 4); tarfile_append(fixture, "name", 4))

REFUSES(a_header_that_is_cut_off,
	"behind f: at byte 1024: the archive ends here: it is cut off or damaged",
	tarfile_member(fixture, '0', "f", "1");
	tarfile_append(fixture, "half a header", 13))

REFUSES(a_damaged_header,
	"behind f: at byte 1024: no member begins where one should: the archive is damaged",
	tarfile_member(fixture, '0', "f", "1");
	for (int i = 0; i < 64; i++) tarfile_append(fixture, "rubbish!", 8))

REFUSES(malformed_records,
	"at byte 512: a record of its pax header cannot be read: the archive is damaged",
	tarfile_member(fixture, 'x', "pax", "xx path=y\n");
	tarfile_member(fixture, '0', "f", "1"); tarfile_end(fixture))

REFUSES(a_file_that_is_no_archive,
	"neither tar nor cpio, plain or compressed by gzip, bzip2, xz or zstd",
	tarfile_append(fixture, "just some text, and no archive at all\n", 38))

REFUSES(an_empty_file, "an empty file is no archive", (void)fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TARFILE_TEST(a_map_that_does_not_fit_is_refused),
		TARFILE_TEST(a_map_with_letters_is_refused),
		TARFILE_TEST(dots_lead_out),
		TARFILE_TEST(a_way_through_a_link),
		TARFILE_TEST(a_way_through_a_file),
		TARFILE_TEST(a_file_over_a_directory),
		TARFILE_TEST(a_root_that_is_a_file),
		TARFILE_TEST(a_hard_link_to_nothing),
		TARFILE_TEST(a_hard_link_without_a_target),
		TARFILE_TEST(a_hard_link_below_nothing),
		TARFILE_TEST(a_hard_link_to_a_directory),
		TARFILE_TEST(a_hard_link_out),
		TARFILE_TEST(a_link_without_a_target),
		TARFILE_TEST(an_acl_of_names),
		TARFILE_TEST(an_id_that_means_none),
		TARFILE_TEST(a_large_id),
		TARFILE_TEST(a_large_device),
		TARFILE_TEST(data_that_is_cut_off),
		TARFILE_TEST(an_absurd_size),
		TARFILE_TEST(a_last_block_that_is_cut_off),
		TARFILE_TEST(an_extended_header_that_is_cut_off),
		TARFILE_TEST(a_header_that_is_cut_off),
		TARFILE_TEST(a_damaged_header),
		TARFILE_TEST(malformed_records),
		TARFILE_TEST(a_file_that_is_no_archive),
		TARFILE_TEST(an_empty_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
