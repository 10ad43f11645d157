/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the names that begin with ".wh." say in a layer of a container image, whatever the entry's
 * type: ".wh.NAME" that the layers below have no NAME here, ".wh..wh..opq" that they have nothing
 * here; others with two prefixes are AUFS' own (".wh..wh.plnk" has the files that names of the
 * layer are links to). OCI image specification, layer.md; aufs(5).
 *
 * Character devices 0:0 and the attributes trusted.overlay.opaque and user.overlay.opaque, which
 * mean the same inside overlayfs, are no whiteouts of a layer: they are kept as what they are.
 */
#ifndef ARCHIVE_WHITEOUT_H
#define ARCHIVE_WHITEOUT_H

#include <stdbool.h>
#include <stddef.h>

enum whiteout_kind {
	WHITEOUT_NONE,
	WHITEOUT_NAME,   /* ".wh.NAME" */
	WHITEOUT_OPAQUE, /* ".wh..wh..opq" */
	WHITEOUT_AUFS,   /* other names with two prefixes */
	WHITEOUT_BAD     /* NAME is "", "." or ".." */
};

#define WHITEOUT_PREFIX_LEN ((size_t)4)

/* What the first name of the path says that says anything; *end: how much of the path goes up to
 * the end of it. What follows is below a whiteout, and so nowhere. */
enum whiteout_kind whiteout_of(const char *path, size_t *end);

/* The same of one name. */
enum whiteout_kind whiteout_of_name(const char *name, size_t len);

#endif
