/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cpio backend's state, and how its parts work together:
 *
 *   limits.c    what the form newc cannot store
 *   members.c   the members of a tree's archive, and where each is; made anew by plan and by write
 *   header.c    a member's header
 *   write.c     headers, paths and small files as one ascending stream; large files are placed
 *   scan.c      the members of any archive, one after the other
 *   probe.c     whether a window holds one
 *   read.c      what tree the members of one make, by what the kernel would do with them
 */
#ifndef CPIO_CPIO_H
#define CPIO_CPIO_H

#include "kataimg/backend.h"

struct cpio {
	const struct kataimg_host *host;
	const struct kataimg_job *job;
	const struct kataimg_tree *tree; /* these two by plan */
	uint64_t trailer_off;
};

#endif
