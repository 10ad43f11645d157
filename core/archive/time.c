/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/time.h"

#include <archive_entry.h>
#include <errno.h>

int archive_time_set(struct archive_entry *entry, int64_t seconds, long nanoseconds)
{
	time_t time = (time_t)seconds;

	if (time != seconds)
		return -EOVERFLOW;
	archive_entry_set_mtime(entry, time, nanoseconds);
	return 0;
}

int64_t archive_time_get_unsigned(struct archive_entry *entry)
{
	time_t time = archive_entry_mtime(entry);

	/* What is later than 2038 went round, and is before 1970 now. */
	return sizeof(time) == sizeof(uint32_t) ? (int64_t)(uint32_t)time : (int64_t)time;
}
