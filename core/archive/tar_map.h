/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps of sparse files. GNU tar's manual ("Storing Sparse Files") has GNU.sparse 0.0, 0.1, 1.0 and
 * the old one of type S; star(5) has its own and SCHILY.realsize; Solaris' pax(1) SUN.holesdata.
 */
#ifndef ARCHIVE_TAR_MAP_H
#define ARCHIVE_TAR_MAP_H

#include "core/archive/tar.h"

#define TAR_MAP_NO_NUMBER "a number of its map of holes cannot be read"

/* A map that is being read into tar->member. */
struct tar_map {
	struct tar *tar;
	uint64_t end;   /* of the last range */
	uint64_t bytes; /* in all ranges */
	struct error *error;
};

int tar_map_fail(const struct tar_map *map, const char *why);

/* A range whose data comes behind that of the ones before. */
int tar_map_add(struct tar_map *map, uint64_t off, uint64_t len);

/* All is read: size is the file's, and [off, off + bytes) of the archive is what is stored. */
int tar_map_end(struct tar_map *map, uint64_t size, uint64_t off, uint64_t bytes);

/* Also a file that is one hole has a map. */
int tar_map_need_ranges(struct tar_map *map);

/* tar_map_header.c: type S, of GNU and star. stored: the size that the header says. */
int tar_map_of_header(struct tar_map *map, uint64_t stored);
/* tar_map_records.c: GNU.sparse, SUN.holesdata and SCHILY.realsize of a pax header, if any. */
int tar_map_of_records(struct tar_map *map, uint64_t stored);

#endif
