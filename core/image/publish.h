/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives finished files their names, several together: images, their root hashes' files, a report, a
 * manifest of all. At no moment is a file to be seen beside another build's file that speaks of it:
 * those that speak of others are taken away, the others get their names, then these. So a kill on
 * the way leaves one missing at worst that speaks of what is not whole, and of several images the
 * manifest; an error on the way puts all old files back, and one that cannot be put back is kept
 * under a name that no build removes.
 */
#ifndef IMAGE_PUBLISH_H
#define IMAGE_PUBLISH_H

#include "core/image/output.h"

enum publish_rank {
	PUBLISH_SPEAKS_OF_NOTHING, /* an image */
	PUBLISH_SPEAKS_OF_ONE,     /* of files of the rank before */
	PUBLISH_SPEAKS_OF_ALL,     /* first to go, last to come: while it is there, all are */
	PUBLISH_RANKS
};

struct publish_item {
	struct output *output; /* one that was not created: its file is removed */
	enum publish_rank rank;
};

/*
 * sync: the files are on the disk before their names, and the names in their order. What can fail
 * for want of room or rights does so before the first name changes. Builds that publish in one
 * directory wait for each other.
 */
int publish(const struct publish_item *items, size_t count, bool sync, struct error *error);

#endif
