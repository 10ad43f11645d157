/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A range of a file, compressed into another file: on all processors, and the same bytes whatever
 * their number. They do depend on the version of zlib or libzstd.
 *
 * What comes out is what the kernel takes as an initrd: gzip (RFC 1952) in ONE member with no extra
 * fields, zstd (RFC 8878) in one frame with its content's size and checksum. A gzip of many members
 * would unpack to the same for gzip(1), but the kernel unpacks the first alone.
 */
#ifndef COMPRESS_COMPRESS_H
#define COMPRESS_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"

enum compress_form { COMPRESS_NONE, COMPRESS_GZIP, COMPRESS_ZSTD };

struct compress_request {
	enum compress_form form;
	int level;            /* 0: compress_level_default */
	unsigned int threads; /* at least 1 */

	int in_fd; /* read by pread alone */
	uint64_t in_off;
	uint64_t len;
	const char *in_name; /* as messages call it */

	int out_fd; /* written by pwrite alone; -1: nowhere. COMPRESS_NONE leaves zeros out, where
		       it must read as zeros */
	uint64_t out_off;
	const char *out_name;

	/* All bytes that come out, in order, before they are written; may be NULL. From one thread
	 * at a time, not always the same. What it returns below 0 ends it, with its message. */
	int (*sink)(void *arg, const void *bytes, size_t len, struct error *error);
	void *sink_arg;

	/* How many bytes of len are done, from one thread at a time; may be NULL. */
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *progress_arg;
};

/* out_bytes: how many came out; may be NULL. */
int compress_run(const struct compress_request *request, uint64_t *out_bytes, struct error *error);

/* Levels are 1 to the greatest; of COMPRESS_NONE both are 0. */
int compress_level_max(enum compress_form form);
int compress_level_default(enum compress_form form);

/* Of the library that does it, which decides the bytes; NULL: of COMPRESS_NONE, or there is none.
 */
const char *compress_version(enum compress_form form);

/* "none", "gzip", "zstd". */
const char *compress_form_name(enum compress_form form);

#endif
