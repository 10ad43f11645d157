/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/io.h"

#include <errno.h>
#include <unistd.h>

int io_pwrite(int fd, const void *buf, size_t len, uint64_t off)
{
	const char *bytes = buf;

	while (len > 0) {
		ssize_t done = pwrite(fd, bytes, len, (off_t)off);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		bytes += done;
		off += (uint64_t)done;
		len -= (size_t)done;
	}
	return 0;
}

int io_pread(int fd, void *buf, size_t len, uint64_t off)
{
	char *bytes = buf;

	while (len > 0) {
		ssize_t done = pread(fd, bytes, len, (off_t)off);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (done == 0)
			return -ENODATA;
		bytes += done;
		off += (uint64_t)done;
		len -= (size_t)done;
	}
	return 0;
}
