/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* Else the next file that is opened, the image say, would get the number that messages go to. */
static int occupy(int fd)
{
	if (fcntl(fd, F_GETFD) >= 0)
		return 0;
	/* The lowest free number is fd's. */
	return open("/", O_PATH) < 0 ? -errno : 0;
}

int process_prepare(void)
{
	int ret = 0;

	signal(SIGXFSZ, SIG_IGN);
	for (int fd = STDIN_FILENO; ret == 0 && fd <= STDERR_FILENO; fd++)
		ret = occupy(fd);
	return ret;
}
