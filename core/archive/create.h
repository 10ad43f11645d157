/* SPDX-License-Identifier: Apache-2.0 */
/* A tree as an archive: a tar in the form of POSIX (pax). */
#ifndef ARCHIVE_CREATE_H
#define ARCHIVE_CREATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/error.h"
#include "core/tree/tree.h"

enum archive_compression {
	ARCHIVE_PLAIN,
	ARCHIVE_GZIP,
	ARCHIVE_ZSTD,
	ARCHIVE_XZ,
	ARCHIVE_UNKNOWN /* by its name it is no archive that can be made */
};

/* By the end of the name: .tar, .tar.gz, .tgz and so on; "-" is plain. */
enum archive_compression archive_compression_of(const char *name);

struct archive_create_options {
	enum archive_compression compression;
	unsigned int threads; /* for compressions that can; the bytes do not depend on it */
	bool partial;         /* not all of the source: its root has no entry */
	void (*progress)(void *arg, uint64_t done_bytes, uint64_t total_bytes); /* may be NULL */
	void *progress_arg;
};

/*
 * Writes the whole tree, the same bytes for the same tree: times in nanoseconds, hard links, holes
 * as GNU tar 1.0 has them, extended attributes as SCHILY.xattr, ACLs as SCHILY.acl too. Names of
 * entries begin with "./". Sockets, which tar has not, are left out, and a warning says so;
 * another, that names of attributes are no ASCII, for which libarchive has a way of its own.
 * Whether out took the last of it is out's to say.
 */
int archive_create(const struct tree *tree, FILE *out, const struct archive_create_options *options,
		   struct error *error);

#endif
