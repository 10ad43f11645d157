/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the directory scanner. Functions without an error object return -errno. */
#ifndef TREE_SCAN_H
#define TREE_SCAN_H

#include <sys/stat.h>

#include "core/tree/links.h"
#include "core/tree/model.h"

#define PATH_MESSAGE_BYTES 4096

struct scan {
	const char *path; /* of the source, as given */
	const struct tree_scan_options *options;
	struct tree *tree;
	dev_t root_dev;
	struct links links;
	char *buffer; /* of scan_xattrs */
};

/* "cannot WHAT SOURCE/DIR/NAME: reason". */
int scan_fail(const struct scan *scan, int code, const struct tree_node *dir, const char *name,
	      const char *what, struct error *error);

/* All attributes that can be listed; symbolic links are not followed. */
int scan_xattrs(struct scan *scan, struct tree_node *node, int dir_fd, const char *name);

/* The data segments of a regular file, in the way of options->holes. */
int scan_segments(struct scan *scan, struct tree_node *node, int dir_fd, const char *name,
		  const struct stat *st);

#endif
