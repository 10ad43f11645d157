/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of cpio archives. The sums of those that have some are made right: a mutation should
 * get past them. */
#include <string.h>

#include "lib/checked.h"
#include "plugins/cpio/members.h"
#include "plugins/cpio/read.h"
#include "tests/fuzz/window.h"

/* The header's last field. What is behind the data, so that no byte is summed twice; 0: there is no
 * such member. */
static size_t seal(uint8_t *bytes, size_t len, size_t at)
{
	struct cpio_header header;
	uint32_t sum = 0;
	uint64_t data;

	if (!range_within(at, CPIO_HEADER_BYTES, len) ||
	    memcmp(bytes + at, CPIO_MAGIC_CRC, CPIO_MAGIC_BYTES) != 0 ||
	    !cpio_header_decode(bytes + at, &header))
		return 0;
	data = cpio_data_off(at, header.field[CPIO_NAME_BYTES]);
	if (!range_within(data, header.field[CPIO_SIZE], len))
		return 0;
	for (uint64_t i = 0; i < header.field[CPIO_SIZE]; i++)
		sum += bytes[data + i];
	header.field[CPIO_SUM] = sum;
	cpio_header_encode(&header, bytes + at);
	memcpy(bytes + at, CPIO_MAGIC_CRC, CPIO_MAGIC_BYTES);
	return (size_t)(data + header.field[CPIO_SIZE]);
}

static void seal_all(uint8_t *bytes, size_t len)
{
	for (size_t at = 0, end; at < len; at += CPIO_ALIGN_BYTES) {
		end = seal(bytes, len, at);
		if (end > at)
			at = end / CPIO_ALIGN_BYTES * CPIO_ALIGN_BYTES;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct kataimg_backend table = { .name = "cpio", .read = cpio_read };
	struct fuzz_window window;

	if (fuzz_window_open_plain(&window, bytes, len) < 0)
		return 0;
	seal_all(window.bytes, window.len);
	fuzz_window_read(&window, &table);
	fuzz_window_close(&window);
	return 0;
}
