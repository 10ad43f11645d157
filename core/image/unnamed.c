/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image/unnamed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/cleanup.h"

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
	fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	/* Some filesystems have no files without a name. */
	return fd < 0 && errno == EOPNOTSUPP ? open_and_unlink(directory) : fd < 0 ? -errno : fd;
}
