/* SPDX-License-Identifier: Apache-2.0 */
/* A directory for one test, with what the test puts there. What cannot be done ends the test
 * program. Paths are relative to the directory. */
#ifndef SUPPORT_TEMPDIR_H
#define SUPPORT_TEMPDIR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tempdir {
	char path[64];
	int fd;
};

void tempdir_open(struct tempdir *dir);
/* In memory if possible: for trees so large that a disk would take long. */
void tempdir_open_large(struct tempdir *dir);
/* Removes it with all below. */
void tempdir_close(struct tempdir *dir);

/* The same, and it is the working directory meanwhile. */
void tempdir_enter(struct tempdir *dir);
void tempdir_leave(struct tempdir *dir);

/* For cmocka: *state becomes one that was entered. */
int tempdir_set_up(void **state);
int tempdir_tear_down(void **state);

void tempdir_mkdir(const struct tempdir *dir, const char *path);
/* A file of these bytes, mode 0644; replaces the bytes of an old one. */
void tempdir_write(const struct tempdir *dir, const char *path, const void *bytes, size_t len);
/* Bytes at an offset of a file, which is made if needed; what is in between is a hole. */
void tempdir_write_at(const struct tempdir *dir, const char *path, uint64_t off, const void *bytes,
		      size_t len);
/* A file of len bytes that follow from seed. */
void tempdir_fill(const struct tempdir *dir, const char *path, unsigned int seed, size_t len);
void tempdir_set_mtime(const struct tempdir *dir, const char *path, int64_t sec, long nsec);

/* Those bytes, for comparison: [off, off + len) of the file. */
void tempdir_pattern(unsigned int seed, uint64_t off, void *bytes, size_t len);

#endif
