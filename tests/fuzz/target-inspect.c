/* SPDX-License-Identifier: Apache-2.0 */
/* inspect, with the probes of all backends, on any file. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/textstream.h"
#include "core/inspect/inspect.h"
#include "core/inspect/measured.h"
#include "core/inspect/probe.h"
#include "tests/fuzz/window.h"

static void print(const struct inspection *inspection)
{
	autofree char *text = NULL;
	struct text_stream stream;

	if (text_stream_open(&stream) < 0 ||
	    inspect_print_text(inspection, "IMAGE", stream.out) < 0 ||
	    inspect_print_json(inspection, "IMAGE", stream.out) < 0 ||
	    text_stream_close(&stream, &text) < 0)
		fuzz_fail("an inspection cannot be printed");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct inspect_probe probe = inspect_probe_backends(fuzz_backends());
	autoerror struct error error = ERROR_INIT;
	struct inspection inspection;
	struct fuzz_window window;

	if (fuzz_window_open(&window, bytes, len) < 0)
		return 0;
	if (inspect_fd(window.file.fd, &probe, &inspection, &error) == 0 &&
	    measured_find(window.file.fd, window.file.path, &inspection, &error) == 0)
		print(&inspection);
	else if (!error.message)
		fuzz_fail("an image is refused without a word");
	inspect_clear(&inspection);
	fuzz_window_close(&window);
	return 0;
}
