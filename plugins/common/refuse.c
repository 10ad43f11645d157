/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/common/refuse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define MESSAGE_BYTES 512

int option_refuse(const struct kataimg_host *host, const struct kataimg_option *options,
		  uint64_t index, const char *fmt, ...)
{
	char message[MESSAGE_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	/* An older core does not know which option it is. */
	if (KATAIMG_HAS(kataimg_host, host, option_error))
		host->option_error(host->ctx, index, "%s", message);
	else
		host->error(host->ctx, "%s: %s", options[index].name, message);
	return -EINVAL;
}
