/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/size.h"

#include <inttypes.h>
#include <stdio.h>

const char *size_format(uint64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = { "", "K", "M", "G", "T" };
	size_t unit = 0;

	while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buf, size, "%" PRIu64 "%s", bytes, units[unit]);
	return buf;
}
