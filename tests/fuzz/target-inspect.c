/* SPDX-License-Identifier: Apache-2.0 */
/* inspect, with the probes of all backends, on any file, which may be compressed. */
#include "core/inspect/expanded.h"
#include "core/inspect/measured.h"
#include "core/inspect/probe.h"
#include "tests/fuzz/window.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct inspect_probe probe = inspect_probe_backends(fuzz_backends());
	autoerror struct error error = ERROR_INIT;
	struct inspection inspection;
	struct fuzz_window window;

	if (fuzz_window_open(&window, bytes, len) < 0)
		return 0;
	fuzz_seal_gpt(window.bytes, window.len);
	if (inspect_expanded(window.file.fd, "IMAGE", &probe, &inspection, &error) == 0 &&
	    measured_find(window.file.fd, window.file.path, &inspection, &error) == 0)
		fuzz_check_inspection(&inspection);
	else if (!error.message)
		fuzz_fail("an image is refused without a word");
	inspect_clear(&inspection);
	fuzz_window_close(&window);
	return 0;
}
