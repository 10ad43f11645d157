/* SPDX-License-Identifier: Apache-2.0 */
/* The library's idea of a file, over a service of the host: a scratch file, or the window. */
#ifndef SQUASHFS_FILE_H
#define SQUASHFS_FILE_H

#include <sqfs/io.h>

#include "kataimg/backend.h"

struct file {
	sqfs_file_t base; /* what the library is given */
	const struct kataimg_host *host;
	struct kataimg_scratch *scratch; /* NULL: the window, which is only read */
	uint64_t size;
	int error; /* what the host answered when a call failed first; 0: none did */
};

/* Nothing is allocated: the library's destroy does nothing. */
void file_init_scratch(struct file *file, const struct kataimg_host *host,
		       struct kataimg_scratch *scratch);
void file_init_window(struct file *file, const struct kataimg_host *host, uint64_t window_bytes);

/*
 * The errno value for a result of the library, 0 or more being none. What is no failure of the
 * host, which has given its own message, is said here, after what was being done.
 */
int file_error(const struct file *file, int result, const char *doing);

#endif
