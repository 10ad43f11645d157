/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend may report of an image, true or not: the input is a list of calls, each a byte
 * that says which, and bytes for its arguments, which are small numbers so that they meet.
 */
#include <stdio.h>
#include <string.h>

#include "core/reader/reader.h"
#include "tests/fuzz/target.h"

#define WINDOW_BYTES 65536u
#define TEXT_MAX 255u

static struct {
	const uint8_t *bytes;
	size_t len;
} script;

static uint8_t next_byte(void)
{
	if (script.len == 0)
		return 0;
	script.len--;
	return *script.bytes++;
}

/* Small, or at the edge of what a number can be. */
static uint64_t next_number(void)
{
	uint8_t byte = next_byte();

	switch (byte >> 6) {
	case 0:
		return byte & 63;
	case 1:
		return (uint64_t)(byte & 63) * 1024;
	case 2:
		return (uint64_t)next_byte() << (byte & 63);
	default:
		return UINT64_MAX - (byte & 63);
	}
}

static size_t next_text(char text[TEXT_MAX + 1])
{
	size_t len = next_byte() & 31;

	for (size_t i = 0; i < len; i++)
		text[i] = (char)next_byte();
	text[len] = '\0';
	return len;
}

static int report_inode(const struct kataimg_sink *sink)
{
	char target[TEXT_MAX + 1];
	struct kataimg_inode inode = { .struct_size = sizeof(inode) };

	/* Not in the initializer, whose order is the compiler's: inputs mean the same to all. */
	inode.id = next_number();
	inode.type = next_byte();
	inode.mode = (uint16_t)next_number();
	inode.size = next_number();
	inode.mtime_sec = (int64_t)next_number();
	inode.mtime_nsec = (uint32_t)next_number();
	inode.uid = (uint32_t)next_number();
	inode.rdev_major = (uint32_t)next_number();
	inode.nlink = next_byte();
	if (inode.type == KATAIMG_LNK) {
		inode.size = next_text(target);
		inode.target = target;
	}
	return sink->inode(sink->ctx, &inode);
}

static int report_xattr(const struct kataimg_sink *sink)
{
	static const char *const names[] = { "user.a", "system.posix_acl_access",
					     "system.posix_acl_default", "security.capability" };
	char name[TEXT_MAX + 1], value[TEXT_MAX + 1];
	uint64_t id = next_number();
	uint8_t which = next_byte();
	struct kataimg_xattr xattr = { .name = name, .value = value };

	xattr.name_len = (uint32_t)next_text(name);
	if (which % 5 < 4) {
		xattr.name = names[which % 5];
		xattr.name_len = (uint32_t)strlen(xattr.name);
	}
	xattr.value_len = (uint32_t)next_text(value);
	return sink->xattr(sink->ctx, id, &xattr);
}

static int report_entry(const struct kataimg_sink *sink)
{
	char name[TEXT_MAX + 1];
	uint64_t dir = next_number(), id = next_number();
	size_t len = next_text(name);

	return sink->entry(sink->ctx, dir, name, len, id);
}

static int report_range(const struct kataimg_sink *sink, bool decoded)
{
	uint64_t id = next_number(), file_off = next_number(), len = next_number();
	uint64_t place = next_number();

	return decoded ? sink->decoded(sink->ctx, id, file_off, len, place)
		       : sink->range(sink->ctx, id, file_off, len, place);
}

/* Some backends go on after a refusal. */
static int run_script(const struct kataimg_host *host, uint64_t window_bytes,
		      const struct kataimg_sink *sink, void **state)
{
	bool goes_on = next_byte() & 1;
	int ret = 0;

	(void)host;
	(void)window_bytes;
	*state = &script;
	while (script.len > 0 && (ret == 0 || goes_on)) {
		switch (next_byte() % 6) {
		case 0:
			ret = sink->root(sink->ctx, next_number());
			break;
		case 1:
			ret = report_inode(sink);
			break;
		case 2:
			ret = report_xattr(sink);
			break;
		case 3:
			ret = report_entry(sink);
			break;
		case 4:
			ret = report_range(sink, false);
			break;
		default:
			ret = report_range(sink, true);
		}
	}
	return goes_on ? 0 : ret;
}

static int decode(void *state, uint64_t cookie, uint64_t skip, void *buf, size_t len)
{
	(void)state;
	(void)skip;
	memset(buf, (int)cookie, len);
	return cookie % 16 == 15 ? -5 : 0;
}

static void read_end(void *state)
{
	if (state != &script)
		fuzz_fail("the backend gets another state than its own");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct backend backend = { .table = { .struct_size = sizeof(struct kataimg_backend),
					      .name = "script",
					      .read = run_script,
					      .decode = decode,
					      .read_end = read_end } };
	const struct reader_options options = { .threads = 1 };
	static const char zeros[WINDOW_BYTES];
	struct fuzz_file file = fuzz_open(zeros, sizeof(zeros));
	const struct host_range window = { file.fd, 0, WINDOW_BYTES };
	autoerror struct error error = ERROR_INIT;
	struct tree *tree;

	script.bytes = bytes;
	script.len = len;
	if (reader_read(&backend, &window, &options, &tree, &error) == 0) {
		fuzz_check_printed(tree);
		if (fuzz_read_files(tree, &error) == 0)
			fuzz_check_archived(tree);
		tree_free(tree);
	} else if (!error.message) {
		fuzz_fail("an image is refused without a word");
	}
	fuzz_close(&file);
	return 0;
}
