/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of files that are being made or replaced: .NAME.kataimg-N.tmp beside NAME. Whoever has one
 * holds a lock (flock(2)) on the file for as long, and a kill ends both, so that the next build of
 * NAME knows which of them are nobody's any more.
 */
#ifndef IMAGE_TEMPORARY_H
#define IMAGE_TEMPORARY_H

#include <stdbool.h>
#include <sys/types.h>

/* Makes a file of the first free name, *name, to be freed. A locked descriptor or -errno. */
int temporary_make(int dir, const char *file, mode_t mode, char **name);

/* Names the unnamed file fd. */
int temporary_link(int dir, const char *file, int fd, char **name);

/* Gives file itself another name: moves it there, or links it if as_well. -ENOENT: there is none.
 */
int temporary_keep(int dir, const char *file, bool as_well, char **name);

/* Moves what has a temporary name and is nobody's any more to FILE.kataimg-old-N, which no build
 * removes. */
int temporary_rescue(int dir, const char *temporary, const char *file, char **name);

/* Locks; a filesystem that cannot has no stale names that could be told. */
void temporary_lock(int fd);

/* Is name one that FILE, or what replaces it, has for a while? */
bool temporary_is_name(const char *name, const char *file);

/* Removes those of builds that were killed. */
void temporary_remove_stale(int dir, const char *file);

#endif
