/* SPDX-License-Identifier: Apache-2.0 */
/* The EROFS reader. The superblock's checksum is made right: a mutation should get past it. */
#include <string.h>

#include "plugins/erofs/super.h"
#include "tests/fuzz/window.h"

static void seal(uint8_t *bytes, size_t len)
{
	uint32_t block =
		len > EROFS_SUPER_OFFSET + 12 ? 1u << (bytes[EROFS_SUPER_OFFSET + 12] & 15) : 0;
	le32 checksum;

	if (block <= EROFS_SUPER_OFFSET)
		block += EROFS_SUPER_OFFSET;
	if (block > len || block < EROFS_SUPER_OFFSET + sizeof(struct erofs_super))
		return;
	checksum = to_le32(erofs_super_checksum(bytes, block));
	memcpy(bytes + EROFS_SUPER_OFFSET + offsetof(struct erofs_super, checksum), &checksum,
	       sizeof(checksum));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_window window;

	if (fuzz_window_open(&window, bytes, len) < 0)
		return 0;
	seal(window.bytes, window.len);
	fuzz_window_read(&window, &kataimg_backend);
	fuzz_window_close(&window);
	return 0;
}
