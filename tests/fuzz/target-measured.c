/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measured images with what lies beside them: a root hash's file, a hash tree's file, a signature.
 * The input is two texts, each behind its length (16 bits, little-endian), the root hash's file and
 * the signature; then a number of pages of 4096 bytes (16 bits), and an image (window.h): so many
 * pages at its end are the hash tree's file, if there are more. What is found can be told, and
 * every block be checked against the root hash that the file has.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/textstream.h"
#include "core/inspect/inspect.h"
#include "core/inspect/measured.h"
#include "core/inspect/probe.h"
#include "lib/byteorder.h"
#include "tests/fuzz/scratch.h"
#include "tests/fuzz/window.h"

#define PAGE_BYTES 4096u
#define IMAGE_BYTES_MAX ((size_t)8 << 20)

struct text {
	const uint8_t *bytes;
	size_t len;
};

static size_t take_number(struct text *rest)
{
	le16 number = { 0 };

	if (rest->len < sizeof(number))
		return 0;
	memcpy(&number, rest->bytes, sizeof(number));
	rest->bytes += sizeof(number);
	rest->len -= sizeof(number);
	return from_le16(number);
}

static struct text take_text(struct text *rest)
{
	size_t len = take_number(rest);
	struct text text = { rest->bytes, len < rest->len ? len : rest->len };

	rest->bytes += text.len;
	rest->len -= text.len;
	return text;
}

static void write_text(const char *name, const struct text *text)
{
	if (text->len > 0)
		fuzz_scratch_write(name, text->bytes, text->len);
}

static void check(int fd, const char *path, struct inspection *inspection)
{
	autofree char *hash = fuzz_scratch_path("root_hash_x.txt");
	const struct measured_request request = { .path = path, .root_hash = hash, .threads = 1 };
	autoerror struct error error = ERROR_INIT;

	if (measured_check(fd, &request, inspection, &error) < 0 && !error.message)
		fuzz_fail("a root hash is refused without a word");
}

static void look(const char *path)
{
	const struct inspect_probe probe = inspect_probe_backends(fuzz_backends());
	autoerror struct error error = ERROR_INIT;
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct inspection inspection;

	if (fd < 0)
		fuzz_fail("%s cannot be opened", path);
	if (inspect_fd(fd, &probe, &inspection, &error) == 0 &&
	    measured_find(fd, path, &inspection, &error) == 0) {
		fuzz_check_inspection(&inspection);
		check(fd, path, &inspection);
		fuzz_check_inspection(&inspection);
	} else if (!error.message) {
		fuzz_fail("an image is refused without a word");
	}
	inspect_clear(&inspection);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct text rest = { bytes, len };
	struct text hash = take_text(&rest), signature = take_text(&rest);
	size_t tree = take_number(&rest) * PAGE_BYTES;
	autofree char *path = NULL;
	struct fuzz_window window;

	if (fuzz_window_open(&window, rest.bytes, rest.len) < 0)
		return 0;
	if (window.len <= IMAGE_BYTES_MAX) {
		fuzz_seal_gpt(window.bytes, window.len);
		fuzz_scratch_begin();
		path = fuzz_scratch_path("k.img");
		if (tree >= window.len)
			tree = 0;
		fuzz_scratch_write("k.img", window.bytes, window.len - tree);
		if (tree > 0)
			fuzz_scratch_write("k.img.verity", window.bytes + window.len - tree, tree);
		write_text("root_hash_x.txt", &hash);
		write_text("k.img.roothash.p7s", &signature);
		look(path);
	}
	fuzz_window_close(&window);
	return 0;
}
