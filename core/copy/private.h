/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the copy engine: jobs are cut into batches (batch.c), which workers move
 * (worker.c). */
#ifndef COPY_PRIVATE_H
#define COPY_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/copy/copy.h"
#include "core/copy/ranges.h"
#include "core/tree/reader.h"
#include "lib/array.h"

#define COPY_BLOCK_BYTES 4096u

/* "[file_off, file_off + len) goes to image_off" */
struct copy_job {
	uint64_t image_off, file_off, len;
	uint32_t node; /* its index in the tree, unless fd says otherwise */
	int32_t fd;    /* -1: the node's file */
};

/* A job as it is kept: there are millions, and nearly all of them are of whole files. */
struct copy_kept_job {
	uint64_t image_off;
	uint32_t node;
	uint32_t part; /* COPY_WHOLE, or its place in copy->parts */
};
#define COPY_WHOLE UINT32_MAX

/* What else there is to a job of less than a file. */
struct copy_part {
	uint64_t file_off, len;
	int32_t fd;
};

struct copy {
	const struct tree *tree;
	ARRAY(struct copy_kept_job) jobs;
	ARRAY(struct copy_part) parts;
	bool sorted;
	uint64_t total_bytes;
	struct ranges *claims;    /* in bytes of the image */
	const struct copy *first; /* of copy_new_again: has the jobs; NULL */
	size_t same;              /* so many of them came again */
	uint64_t strange_off;     /* the lowest place of one that first has not; UINT64_MAX */
	pthread_mutex_t lock;     /* guards all of the above until copy_run */
};

/* Data that lies together in its source and in the image. */
struct copy_piece {
	const struct kataimg_node *node; /* NULL: of fd */
	int fd;
	uint64_t image_off, source_off, len;
};

/* Data of an open file, from one hole to the next. */
struct copy_stretch {
	int fd;
	uint64_t start, end;
};

#define COPY_BATCH_PIECES 256

/* One worker's share: pieces that make one write, or one large piece. */
struct copy_batch {
	uint64_t sequence; /* ascending with the place in the image */
	uint64_t image_off, len;
	uint64_t passed_bytes; /* of jobs, holes among them, that are done when the batch is */
	bool large, clone;     /* clone: its blocks can be shared, whatever its length */
	uint32_t piece_count;
	struct copy_piece pieces[COPY_BATCH_PIECES];
};

/* ahead.c: what a thread is going to read, told to the kernel before. */
struct copy_ahead {
	struct tree_reader *reader; /* the thread's; not owned */
	long blocks;                /* that it had read from disks when the batch began */
	bool is_announced;          /* all that is left of the batch */
};

/* A batch begins. */
void copy_ahead_begin(struct copy_ahead *ahead, const struct copy_batch *batch);
/* All pieces before next were read. */
void copy_ahead_look(struct copy_ahead *ahead, const struct copy_batch *batch, uint32_t next);

struct copy_run {
	const struct copy *copy;
	const struct copy_options *options;
	int image_fd;
	size_t buffer_bytes; /* of each worker: the largest write */
	atomic_bool reflink; /* until the first refusal */

	pthread_mutex_t lock;     /* guards all that follows */
	size_t job;               /* the next one to cut from */
	uint64_t job_done;        /* bytes of it that are handed out */
	uint64_t sequence;        /* of the next batch */
	struct copy_stretch data; /* the last that was found; empty at first */
	uint64_t failed_sequence;
	struct error error; /* of that batch */
	uint64_t done_bytes;
	struct copy_stats stats;
};

/* The next batch; 1: there is one, 0: all are handed out, or -errno. With run->lock held. */
int copy_next_batch(struct copy_run *run, struct copy_batch *batch, struct error *error);

/* The first data of a job at or behind from, an offset of the file: 1, 0: there is none, or -errno.
 * Not from two threads. */
int copy_next_extent(struct copy_run *run, const struct copy_job *job, uint64_t from,
		     struct tree_extent *extent, struct error *error);

struct copy_job copy_job_at(const struct copy *copy, size_t number);

/* compare.c: a job of the second run, whose bytes no other one of it has. */
void copy_check_job(struct copy *again, const struct copy_job *job);

/* -EUCLEAN where the image has not zeros in the holes of the jobs. */
int copy_check_holes(struct copy_run *run, struct error *error);

/* -EUCLEAN, with the name of what differs, unless the bytes of the batch at image_off are equal. */
int copy_compare_bytes(const struct copy_run *run, const struct copy_batch *batch,
		       uint64_t image_off, const void *meant, const void *found, size_t len,
		       struct error *error);

/* A thread's life: takes batches until there are none. A pool job. */
int copy_work(void *run, uint64_t index);

#endif
