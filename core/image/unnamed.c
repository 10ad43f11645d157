/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image/unnamed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/cleanup.h"

/* A filesystem without such files says the first. What does not know the flag, a kernel or who
 * stands in for one, says what it makes of the rest. */
static bool lacks_unnamed(int code)
{
	return code == EOPNOTSUPP || code == EISDIR || code == EINVAL || code == ENOENT;
}

int unnamed_open_in(int dir, const char *path, mode_t mode)
{
	int fd = openat(dir, path, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);

	if (fd >= 0)
		return fd;
	return lacks_unnamed(errno) ? -EOPNOTSUPP : -errno;
}

static int open_and_unlink(const char *directory)
{
	autofree char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/kataimg-XXXXXX", directory) < 0)
		return -ENOMEM;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

int unnamed_open(void *arg)
{
	const char *directory = getenv("TMPDIR");
	int fd;

	(void)arg;
	if (!directory || !*directory)
		directory = "/var/tmp";
	fd = unnamed_open_in(AT_FDCWD, directory, 0600);
	return fd == -EOPNOTSUPP ? open_and_unlink(directory) : fd;
}
