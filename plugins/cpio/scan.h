/* SPDX-License-Identifier: Apache-2.0 */
/* The members of what is in a window of any content, one after the other, over all archives that
 * follow each other. */
#ifndef CPIO_SCAN_H
#define CPIO_SCAN_H

#include "plugins/common/window.h"
#include "plugins/cpio/format.h"
#include "plugins/cpio/header.h"

struct cpio_scan {
	struct window window;
	uint64_t next;    /* where the next member, or what is behind the last archive, is */
	uint64_t end;     /* of the last archive, with its trailer's block; 0: none ended yet */
	uint32_t archive; /* how many have ended */
	char path[CPIO_PATH_BYTES + 1]; /* of the member */
};

struct cpio_found {
	struct cpio_header header;
	bool has_sum;
	uint64_t at; /* of its header */
	uint64_t data_off;
};

/* 0; -ENODATA: there is no archive. */
int cpio_scan_begin(struct cpio_scan *scan, const struct kataimg_host *host, uint64_t window_bytes);
/* 1; 0: all is read; or an error with its message. */
int cpio_scan_next(struct cpio_scan *scan, struct cpio_found *found);
void cpio_scan_end(struct cpio_scan *scan);

#endif
