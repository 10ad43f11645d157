/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: walk-NAME STEP FILE...: images in the form of fuzz inputs (tests/fuzz/window.h), each
 * damaged in one number at a time, in every STEPth piece that the reader heeds, and read by a fuzz
 * target, which makes checksums right first. Prints each sentence that the reader has said, once.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/array.h"
#include "tests/fuzz/window.h"

#define PIECE 32u
#define SENTENCE_BYTES 200

struct sentence {
	char text[SENTENCE_BYTES];
};

static ARRAY(struct sentence) said;
static char outcome[SENTENCE_BYTES];

/* The same sentence of other numbers is no other. */
static void simplify(const char *text, char *out)
{
	size_t len = 0;

	for (; *text && len + 1 < SENTENCE_BYTES; text++)
		if (*text < '0' || *text > '9')
			out[len++] = *text;
		else if (len == 0 || out[len - 1] != '#')
			out[len++] = '#';
	out[len] = '\0';
}

static void hear(const char *text)
{
	struct sentence *sentence;

	simplify(text, outcome);
	for (size_t i = 0; i < said.count; i++)
		if (strcmp(said.items[i].text, outcome) == 0)
			return;
	sentence = array_add(&said);
	if (!sentence)
		fuzz_fail("out of memory");
	memcpy(sentence->text, outcome, sizeof(outcome));
	puts(outcome);
}

static void read_image(const uint8_t *bytes, size_t len)
{
	outcome[0] = '\0';
	LLVMFuzzerTestOneInput(bytes, len);
}

static void try_value(uint8_t *bytes, size_t len, size_t at, const uint8_t *value, size_t width)
{
	uint8_t old[8];

	if (at + width > len || memcmp(bytes + at, value, width) == 0)
		return;
	memcpy(old, bytes + at, width);
	memcpy(bytes + at, value, width);
	read_image(bytes, len);
	memcpy(bytes + at, old, width);
}

static void damage_byte(uint8_t *bytes, size_t len, size_t at)
{
	static const uint8_t zeros[8], ones[8] = { 255, 255, 255, 255, 255, 255, 255, 255 };

	try_value(bytes, len, at, (const uint8_t[]){ (uint8_t)(bytes[at] + 1) }, 1);
	try_value(bytes, len, at, (const uint8_t[]){ (uint8_t)(bytes[at] ^ 0x80) }, 1);
	try_value(bytes, len, at, (const uint8_t[]){ (uint8_t)(bytes[at] ^ 0x10) }, 1);
	for (size_t width = 2; width <= 8; width *= 2) {
		if (at % 2)
			continue;
		try_value(bytes, len, at, zeros, width);
		try_value(bytes, len, at, ones, width);
	}
}

/* Does the reader say another thing when all of a piece is another? Content of files is not heeded.
 */
static bool is_heeded(uint8_t *bytes, size_t len, size_t at, size_t piece)
{
	char before[SENTENCE_BYTES];
	bool heeded;

	read_image(bytes, len);
	memcpy(before, outcome, sizeof(before));
	for (size_t i = at; i < at + piece; i++)
		bytes[i] ^= 0xa5;
	read_image(bytes, len);
	heeded = strcmp(before, outcome) != 0;
	for (size_t i = at; i < at + piece; i++)
		bytes[i] ^= 0xa5;
	return heeded;
}

static void walk(uint8_t *bytes, size_t len, size_t step)
{
	size_t heeded = 0;

	for (size_t at = 0; at < len; at += PIECE) {
		size_t piece = len - at < PIECE ? len - at : PIECE;

		if (!is_heeded(bytes, len, at, piece) || heeded++ % step)
			continue;
		for (size_t i = at; i < at + piece; i++)
			damage_byte(bytes, len, i);
	}
}

static void walk_file(const char *path, size_t step)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *bytes;

	if (fd < 0 || fstat(fd, &st) < 0)
		fuzz_fail("%s cannot be opened", path);
	bytes = malloc((size_t)st.st_size);
	if (!bytes || read(fd, bytes, (size_t)st.st_size) != st.st_size)
		fuzz_fail("%s cannot be read", path);
	walk(bytes, (size_t)st.st_size, step);
	free(bytes);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc < 3 || atoi(argv[1]) < 1) {
		fprintf(stderr, "usage: %s STEP FILE...\n", argv[0]);
		return 2;
	}
	fuzz_hear = hear;
	for (int i = 2; i < argc; i++)
		walk_file(argv[i], (size_t)atoi(argv[1]));
	array_free(&said);
	return 0;
}
