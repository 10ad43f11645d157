/* SPDX-License-Identifier: Apache-2.0 */
/* What lies beside an image under a name that an inspection reads, files that are no images, and
 * JSON of any text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/inspect/content.h"
#include "core/inspect/hashfile.h"
#include "core/inspect/jsonout.h"
#include "core/inspect/signature.h"
#include "tests/support/tempdir.h"

#define SIGNED "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"

/* A file that begins so and is as long; DER has the length in one byte, or says in how many. */
static const struct {
	const char *head;
	size_t head_len, len;
	bool is;
} signatures[] = {
	{ "\x30\x20" SIGNED, 13, 34, true },
	{ "\x30\x20" SIGNED, 13, 35, false },
	{ "\x30\x81\x90" SIGNED, 14, 147, true },
	{ "\x30\x82\x01\x00" SIGNED, 15, 260, true },
	{ "\x30\x83\x00\x01\x00" SIGNED, 16, 261, true },
	{ "\x30\x84\x00\x00\x01\x00", 6, 262, false },
	{ "\x31\x20" SIGNED, 13, 34, false },
	{ "\x30\x20\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", 13, 34, false },
	{ "\x30\x0b" SIGNED, 13, 13, false },
	{ "", 0, 0, false },
};

static void signatures_are_told_by_their_first_bytes(void **state)
{
	struct inspection inspection = { 0 };
	autoerror struct error error = ERROR_INIT;

	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		uint8_t bytes[300] = { 0 };

		memcpy(bytes, signatures[i].head, signatures[i].head_len);
		unlink("k.img.roothash.p7s");
		tempdir_write(*state, "k.img.roothash.p7s", bytes, signatures[i].len);
		if (signature_is("k.img.roothash.p7s") != signatures[i].is)
			fail_msg("number %zu", i);
		assert_int_equal(signature_note("k.img", &inspection, &error), 0);
		assert_int_equal(inspection.notes.count, 1);
		assert_string_equal(
			inspection.notes.sentences[0],
			signatures[i].is
				? "there is a signature k.img.roothash.p7s; whether it is one of "
				  "this root hash can be told with its certificate alone, and was "
				  "not checked"
				: "k.img.roothash.p7s is named as the root hash's signature, but "
				  "holds none: kernel and systemd refuse it");
		inspect_clear(&inspection);
		inspection = (struct inspection){ 0 };
	}
}

/* A link may lead anywhere, a pipe keep who reads it, and a directory is none. */
static void only_regular_files_are_signatures(void **state)
{
	struct inspection inspection = { 0 };
	autoerror struct error error = ERROR_INIT;
	char bytes[34] = "\x30\x20" SIGNED;

	tempdir_write(*state, "real", bytes, sizeof(bytes));
	assert_true(signature_is("real"));
	assert_int_equal(symlink("real", "link"), 0);
	assert_false(signature_is("link"));
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_false(signature_is("pipe"));
	assert_false(signature_is("."));
	assert_false(signature_is("none"));
	assert_int_equal(symlink("real", "k.img.roothash.p7s"), 0);
	assert_int_equal(signature_note("k.img", &inspection, &error), 0);
	assert_int_equal(inspection.notes.count, 0);
}

#define LINE                                                                          \
	"root_hash=1111111111111111111111111111111111111111111111111111111111111111," \
	"salt=22,data_blocks=16,data_block_size=4096,hash_block_size=4096"

static void only_small_files_with_a_line_have_a_root_hash(void **state)
{
	autoerror struct error error = ERROR_INIT;
	struct hash_files found = { 0 };
	struct hash_file file = { 0 };
	char *large = calloc(1, 5000);

	memset(large, 'x', 5000);
	tempdir_write(*state, "root_hash_a.txt", LINE "\n", strlen(LINE) + 1);
	tempdir_write(*state, "root_hash_b.txt", "nothing", 7);
	tempdir_write(*state, "root_hash_c.txt", large, 5000);
	tempdir_write(*state, "root_hash_d.img", LINE, strlen(LINE));
	tempdir_write(*state, "hash_e.txt", LINE, strlen(LINE));
	assert_int_equal(symlink("root_hash_a.txt", "root_hash_f.txt"), 0);
	assert_int_equal(mkfifo("root_hash_g.txt", 0600), 0);
	tempdir_mkdir(*state, "root_hash_h.txt");
	free(large);
	assert_int_equal(hash_files_find("k.img", &found, &error), 0);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.files[0].path, "root_hash_a.txt");
	assert_int_equal(found.files[0].params.data_blocks, 16);
	hash_files_free(&found);
	assert_int_equal(hash_file_read("root_hash_b.txt", &file, &error), -EINVAL);
	assert_int_equal(error.kind, ERROR_USAGE);
	assert_string_equal(error.message, "root_hash_b.txt is no root hash's file: that is a line "
					   "root_hash=HEX,salt=HEX,data_blocks=N");
	error_clear(&error);
	assert_int_equal(hash_file_read("none.txt", &file, &error), -ENOENT);
	assert_string_equal(error.message,
			    "cannot read the root hash's file none.txt: No such file or directory");
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
	autoerror struct error error = ERROR_INIT;
	struct hash_files found = { 0 };

	(void)state;
	assert_int_equal(hash_files_find("none/k.img", &found, &error), -ENOENT);
	assert_string_equal(error.message, "cannot look for root_hash*.txt beside none/k.img: No "
					   "such file or directory");
	assert_int_equal(found.count, 0);
}

/* ---- What is no image ---- */

struct piece {
	uint64_t off;
	const char *bytes;
	size_t len;
};

#define PIECE(off, bytes) off, bytes, sizeof(bytes) - 1

#define PIECES 6

/* Only libblkid knows these; what each has where is what it looks for, in every version of it: of
 * UDF (ECMA-167) the words in front, the anchor, the two descriptors that it leads to, and whose
 * domain this is. */
static const struct {
	struct piece pieces[PIECES];
	const char *name, *sentence;
} contents[] = {
	{ { { PIECE(0, "\xeb\x58\x90-FVE-FS-") },
	    { PIECE(160,
		    "\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01\0\x10") },
	    { PIECE(4096, "-FVE-FS-\x40\0\2\0") } },
	  "BitLocker",
	  "it is encrypted (BitLocker), not an image" },
	{ { { PIECE(32768, "\0BEA01\1") },
	    { PIECE(34816, "\0NSR02\1") },
	    { PIECE(524288, "\2\0\2\0\0\0\0\0\0\0\0\0\0\1\0\0\0\x10\0\0\x60\0\0\0") },
	    { PIECE(196608, "\1\0\2\0\0\0\0\0\0\0\0\0\x60\0\0\0") },
	    { PIECE(198656, "\6\0\2\0\0\0\0\0\0\0\0\0\x61\0\0\0") },
	    { PIECE(198873, "*OSTA UDF Compliant") } },
	  "udf",
	  "it is a CD image (udf), not a disk image" },
};

static void containers_are_called_by_their_names(void **state)
{
	const struct tempdir *dir = *state;

	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		autoerror struct error error = ERROR_INIT;
		struct content content;
		FILE *file;

		for (size_t j = 0; j < PIECES && contents[i].pieces[j].bytes; j++)
			tempdir_write_at(dir, contents[i].name, contents[i].pieces[j].off,
					 contents[i].pieces[j].bytes, contents[i].pieces[j].len);
		assert_int_equal(truncate(contents[i].name, 2 << 20), 0);
		file = fopen(contents[i].name, "r");
		assert_int_equal(content_identify(fileno(file), 2 << 20, &content, &error), 0);
		assert_string_equal(content.name, contents[i].name);
		assert_string_equal(content.sentence, contents[i].sentence);
		content_clear(&content);
		fclose(file);
	}
}

static void types_of_files_are_judged(void **state)
{
	(void)state;
	assert_null(content_refuse_type(S_IFREG));
	assert_null(content_refuse_type(S_IFBLK));
	assert_non_null(strstr(content_refuse_type(S_IFDIR), "a directory, not an image"));
	assert_non_null(strstr(content_refuse_type(S_IFIFO), "a pipe, not an image"));
	assert_string_equal(content_refuse_type(S_IFCHR), "a character device, not an image");
	assert_string_equal(content_refuse_type(S_IFSOCK), "a socket, not an image");
}

static void json_escapes_what_is_no_plain_text(void **state)
{
	static const char *const texts[][2] = {
		{ "\"\\\b\f\n\r\t", "\"\\\"\\\\\\b\\f\\n\\r\\t\"" },
		{ "\x01\x7f", "\"\\u0001\\u007f\"" },
		{ "\xc2\x9b\xc3\xb6", "\"\\u009b\xc3\xb6\"" },
		{ "\xff", "\"\\\\xff\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *text = NULL;
		size_t size;
		struct json json = { .out = open_memstream(&text, &size) };

		json_add_text(&json, NULL, texts[i][0]);
		assert_int_equal(fclose(json.out), 0);
		assert_string_equal(text, texts[i][1]);
		free(text);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signatures_are_told_by_their_first_bytes),
		TEST(only_regular_files_are_signatures),
		TEST(only_small_files_with_a_line_have_a_root_hash),
		TEST(a_directory_that_is_not_there_is_an_error),
		TEST(containers_are_called_by_their_names),
		cmocka_unit_test(types_of_files_are_judged),
		cmocka_unit_test(json_escapes_what_is_no_plain_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
