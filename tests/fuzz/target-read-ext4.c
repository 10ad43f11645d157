/* SPDX-License-Identifier: Apache-2.0 */
/* The ext4 reader. Its seeds are filesystems without checksums, which then need not be right. */
#include "tests/fuzz/window.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_window window;

	if (fuzz_window_open(&window, bytes, len) < 0)
		return 0;
	fuzz_window_read(&window, &kataimg_backend);
	fuzz_window_close(&window);
	return 0;
}
