/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of extracting to a directory: directory.c has the order of things. */
#ifndef EXTRACT_PRIVATE_H
#define EXTRACT_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/extract/extract.h"
#include "core/tree/dirs.h"
#include "core/tree/reader.h"
#include "lib/array.h"

/* What may be left out; attributes.c has the words. */
enum extract_missed { MISSED_OWNER, MISSED_DEVICE, MISSED_XATTR, MISSED_SET_ID, MISSED_KINDS };

struct extract_miss {
	uint64_t count;
	char *first; /* owned; the path of the first one, and of an attribute its name */
};

/* [from, to) of a file too large for one thread. */
struct extract_piece {
	const struct kataimg_node *node;
	uint64_t from, to;
};

struct extract {
	const struct tree *tree;
	const struct kataimg_tree *pub;
	const struct extract_options *options;
	const struct extract_target *target;
	uint8_t *made;             /* by node: is it there? */
	atomic_bool reflink;       /* until the first refusal */
	atomic_uint_fast64_t next; /* of what a phase has to do */
	atomic_bool failed;
	ARRAY(struct extract_piece) pieces;

	pthread_mutex_t lock; /* guards all that follows */
	struct error error;
	struct extract_miss missed[MISSED_KINDS];
	ARRAY(const struct kataimg_node *) large; /* made, and still empty */
	uint64_t done_bytes, total_bytes;
};

/* A thread's own. */
struct extract_worker {
	struct extract *extract;
	struct tree_reader *reader;
	struct dirs dirs; /* of the target */
	char *buffer;     /* EXTRACT_BUFFER_BYTES */
};

/* A file with more data is the work of several threads, so much each. */
#define EXTRACT_LARGE_BYTES ((uint64_t)8 << 20)
#define EXTRACT_BUFFER_BYTES ((size_t)256 << 10)

/* An entry of the target, as attributes are set on it. */
struct extract_place {
	int dir_fd;
	const char *name;
	int fd; /* of a regular file or directory; else -1 */
};

/* All below return 0 or -errno, and say what failed. */

/* "cannot WHAT PATH: reason". */
int extract_fail(const struct kataimg_node *node, int code, const char *what, struct error *error);

/* target.c */
/* Makes an entry, in the place of another one with force. make is told the directory and the name,
 * and returns a descriptor, 0 or -errno. */
int extract_make(struct extract_worker *worker, const struct kataimg_node *node, int dir_fd,
		 int (*make)(const struct kataimg_node *node, int dir_fd), struct error *error);
int extract_make_directory(struct extract_worker *worker, const struct kataimg_node *dir,
			   struct error *error);

/* entries.c: a node that is no directory, with content and attributes; of a large file, which goes
 * to extract->large, without. */
int extract_make_node(struct extract_worker *worker, const struct kataimg_node *node,
		      struct error *error);

/* attributes.c: owner, extended attributes, mode, times. */
int extract_set_attributes(struct extract *extract, const struct kataimg_node *node,
			   const struct extract_place *place, struct error *error);
/* Attributes that a directory has of what was there, or inherits. */
void extract_clear_attributes(int dir_fd);
int extract_note_miss(struct extract *extract, enum extract_missed kind,
		      const struct kataimg_node *node, const char *detail, struct error *error);
void extract_warn(const struct extract *extract);

/* data.c: [from, to) of the node into the file fd. */
int extract_copy(struct extract_worker *worker, const struct kataimg_node *node, int fd,
		 uint64_t from, uint64_t to, struct error *error);

#endif
