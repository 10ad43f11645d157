/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/window.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/reader/reader.h"
#include "lib/byteorder.h"

#define SIZE_UNIT 4096u
#define PLACE_UNIT 64u

void (*fuzz_hear)(const char *sentence);

struct piece {
	le32 place;
	le16 len;
};

static void lay(struct fuzz_window *window, const uint8_t *bytes, size_t len)
{
	struct piece piece;

	for (size_t at = 0; len - at >= sizeof(piece);) {
		size_t off, part;

		memcpy(&piece, bytes + at, sizeof(piece));
		at += sizeof(piece);
		off = (size_t)from_le32(piece.place) * PLACE_UNIT;
		part = from_le16(piece.len);
		if (part > len - at)
			part = len - at;
		if (off < window->len)
			memcpy(window->bytes + off, bytes + at,
			       part < window->len - off ? part : window->len - off);
		at += part;
	}
}

static int map(struct fuzz_window *window, size_t len)
{
	window->len = len;
	if (window->len == 0 || window->len > FUZZ_WINDOW_MAX)
		return -1;
	window->file = fuzz_open("", 0);
	if (ftruncate(window->file.fd, (off_t)window->len) < 0)
		fuzz_fail("no room for an image");
	window->bytes =
		mmap(NULL, window->len, PROT_READ | PROT_WRITE, MAP_SHARED, window->file.fd, 0);
	if (window->bytes == MAP_FAILED)
		fuzz_fail("no room for an image");
	return 0;
}

int fuzz_window_open(struct fuzz_window *window, const uint8_t *bytes, size_t len)
{
	le16 units;

	if (len < sizeof(units))
		return -1;
	memcpy(&units, bytes, sizeof(units));
	if (map(window, (size_t)from_le16(units) * SIZE_UNIT) < 0)
		return -1;
	lay(window, bytes + sizeof(units), len - sizeof(units));
	return 0;
}

int fuzz_window_open_plain(struct fuzz_window *window, const uint8_t *bytes, size_t len)
{
	if (map(window, len) < 0)
		return -1;
	memcpy(window->bytes, bytes, len);
	return 0;
}

void fuzz_window_close(struct fuzz_window *window)
{
	munmap(window->bytes, window->len);
	fuzz_close(&window->file);
}

void fuzz_window_read(const struct fuzz_window *window, const struct kataimg_backend *table)
{
	const struct reader_options options = { .threads = 1 };
	const struct host_range range = { window->file.fd, 0, window->len };
	autoerror struct error error = ERROR_INIT;
	struct backend backend;
	struct tree *tree;

	memset(&backend, 0, sizeof(backend));
	backend.table = *table;
	if (reader_read(&backend, &range, &options, &tree, &error) < 0) {
		if (!error.message)
			fuzz_fail("an image is refused without a word");
		if (fuzz_hear)
			fuzz_hear(error.message);
		return;
	}
	fuzz_check_printed(tree);
	if (fuzz_read_files(tree, &error) == 0)
		fuzz_check_archived(tree);
	else if (fuzz_hear && error.message)
		fuzz_hear(error.message);
	tree_free(tree);
}
