/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A finished filesystem as a tree. A backend reports what is in its window, whoever made it; here
 * it is judged, once for all backends, before anything is believed: an image is as hostile as an
 * archive. The bytes of files stay where they are, and are read from the image, or decoded by the
 * backend, when somebody asks for them.
 */
#ifndef READER_READER_H
#define READER_READER_H

#include "core/backend/host.h"
#include "core/backend/loader.h"
#include "core/tree/tree.h"

struct reader_options {
	unsigned int threads;                                       /* at least 1 */
	void (*progress)(void *arg, uint64_t done, uint64_t total); /* may be NULL */
	void *progress_arg;
	/* NULL, or where a sentence goes, to be freed, if inodes say another number of links than
	 * they have. The tree has those that they have: it is as good as any other. */
	char **links;
};

/* Can the backend read its filesystem back? */
bool reader_can(const struct backend *backend);

/*
 * The tree holds a copy of the window's descriptor, and what it needs of the backend; backend need
 * not outlive it. -EUCLEAN: the filesystem contradicts itself; -EOPNOTSUPP: reader_can says no.
 * window->fd stays the caller's.
 */
int reader_read(const struct backend *backend, const struct host_range *window,
		const struct reader_options *options, struct tree **tree, struct error *error);

#endif
