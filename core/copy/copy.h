/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The copy engine: moves all file data into the image. Jobs are recorded while a backend lays out,
 * then run sorted by image position: small neighbours gathered into writes of up to 1 MiB, whole
 * blocks of larger files by FICLONERANGE where source and image share a filesystem that can, the
 * rest by pread(2) and pwrite(2): copy_file_range(2) measures the same without sharing, and refuses
 * between filesystems of two kinds. Holes stay holes.
 */
#ifndef COPY_COPY_H
#define COPY_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/tree/tree.h"
#include "lib/cleanup.h"

struct copy;

struct copy *copy_new(const struct tree *tree); /* NULL when memory is out */
void copy_free(struct copy *copy);
DEFINE_CLEANUP(struct copy, copy_free)

/*
 * Each of these calls claims bytes of the image for an owner. Where data would overlap a claim the
 * result is -EEXIST and nothing is recorded. All may be called from any thread until copy_run.
 * -ENOMEM.
 */

/* The node's bytes [file_off, file_off + len) go to image_off. */
int copy_add_node(struct copy *copy, uint64_t image_off, const struct kataimg_node *node,
		  uint64_t file_off, uint64_t len);
/* The same from an open file, which stays the caller's. */
int copy_add_fd(struct copy *copy, uint64_t image_off, int fd, uint64_t fd_off, uint64_t len);

/* [image_off, image_off + len) is written by somebody else, once or again. */
int copy_add_written(struct copy *copy, uint64_t image_off, uint64_t len);

struct copy_claim {
	uint64_t image_off, end;
	bool is_data; /* else it was written */
};

/* The first claim that ends behind image_off; false: there is none. Neighbours are one. */
bool copy_next_claim(struct copy *copy, uint64_t image_off, struct copy_claim *claim);

/* Will data come to a byte of [image_off, image_off + len)? */
bool copy_touches_data(struct copy *copy, uint64_t image_off, uint64_t len);

struct copy_options {
	unsigned int threads;
	bool reflink; /* not to be set with compare */
	bool compare; /* nothing is written: what the image has is compared with the data */
	/* With compare: is told of a byte that differs, the first of each piece, instead of an
	 * error that names it. node NULL: a scratch file's. From any thread. */
	void (*differs)(void *arg, uint64_t image_off, const struct kataimg_node *node);
	void *differs_arg;
	bool writeback; /* the image will be synced: start the disk's work as soon as there is some
			 */
	/* Called with the bytes done so far, from one thread at a time; may be NULL. */
	void (*progress)(void *arg, uint64_t done_bytes, uint64_t total_bytes);
	void *progress_arg;
};

struct copy_stats {
	uint64_t jobs;
	uint64_t files; /* jobs that begin at the start of a node */
	uint64_t writes, written_bytes;
	uint64_t reflinked_bytes;
	uint64_t hole_bytes; /* inside jobs */
};

/*
 * Runs all jobs into image_fd, whose target ranges read as zeros. A source file that shrank, grew,
 * vanished or was written since the scan is an error that names it; of several errors it is the one
 * lowest in the image. -ECANCELED when cancelled. Nothing is synced. With compare, an image that
 * has other data, or bytes in a hole, is an error that names the file.
 */
int copy_run(struct copy *copy, int image_fd, const struct copy_options *options,
	     struct copy_stats *stats, struct error *error);

/*
 * For a second run of a backend's writing, whose jobs are held against those of the first, which
 * takes no more and must outlive it; they cannot be run. Those of a scratch file need not be of the
 * same one. NULL when memory is out.
 */
struct copy *copy_new_again(struct copy *first);
/* Were they the same? May be called once it takes no more; names what is different. */
int copy_check_same(const struct copy *again, struct error *error);
/* Nobody asks for the claims of one that was run any more. */
void copy_drop_claims(struct copy *copy);

/* Are all bytes of the image in [from, to) that nobody claims zeros? */
int copy_check_unclaimed(struct copy *copy, int image_fd, uint64_t from, uint64_t to,
			 struct error *error);

#endif
