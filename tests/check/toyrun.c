/* SPDX-License-Identifier: Apache-2.0 */
/* As a backend does that wraps a program: input and output are scratch files. */
#include "toy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int toy_run(const struct kataimg_host *host)
{
	static const char text[] = "what the program is to pass on";
	const char *const argv[] = { "sh", "-c", getenv("TOY_SCRIPT"), NULL };
	struct kataimg_scratch *input, *output;
	char passed[sizeof(text)] = "";
	uint64_t size = 0;
	int ret = host->scratch_create(host->ctx, &input);

	if (ret == 0)
		ret = host->scratch_create(host->ctx, &output);
	if (ret == 0)
		ret = host->scratch_write(host->ctx, input, 0, text, sizeof(text));
	if (ret == 0)
		ret = host->run(host->ctx, argv, input, output);
	if (ret == 0)
		ret = host->scratch_size(host->ctx, output, &size);
	if (ret == 0 && size == sizeof(text))
		ret = host->scratch_read(host->ctx, output, 0, passed, sizeof(passed));
	if (ret < 0 || (size == sizeof(text) && memcmp(passed, text, sizeof(text)) == 0))
		return ret;
	host->error(host->ctx, "the program has not done its work");
	return -EIO;
}
