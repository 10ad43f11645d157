/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes of a regular file are. A producer says it once, by one of the setters; a file of
 * which nothing was said has no bytes, or zeros alone.
 */
#ifndef TREE_CONTENT_H
#define TREE_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "core/base/error.h"

struct kataimg_node;
struct tree;
struct tree_node;

/* Bytes of a file that lie together in its source. */
struct tree_range {
	uint64_t file_off, len, source_off;
};

/*
 * When a file was last written, and when anything of it last changed, in nanoseconds modulo 2^64.
 * Whoever writes can put mtime back; ctime is the kernel's alone.
 */
struct tree_stamp {
	uint64_t mtime_ns, ctime_ns;
};

/* Of a file as stat(2) sees it. */
struct tree_stamp tree_stamp_of(const struct stat *st);

/* What a file was when the tree was made, to see whether it still is. */
struct tree_identity {
	uint64_t inode;
	struct tree_stamp stamp;
};

enum tree_content_kind {
	TREE_CONTENT_NONE,
	TREE_CONTENT_SCANNED, /* a file of the scanned directory, found by the node's names */
	TREE_CONTENT_FILE,    /* a file anywhere, in whole: a source of its own */
	TREE_CONTENT_STRETCH, /* all bytes lie together in a source that many files share */
	TREE_CONTENT_RANGES   /* ranges of such a source */
};

struct tree_ranges {
	uint32_t count;
	struct tree_range items[]; /* ascending in file_off */
};

/* Of every file of a tree, so that it is small; what it points at is in the tree's arena. */
union tree_content {
	const struct tree_identity *was;  /* TREE_CONTENT_SCANNED, _FILE */
	uint64_t source_off;              /* TREE_CONTENT_STRETCH */
	const struct tree_ranges *ranges; /* TREE_CONTENT_RANGES */
};

enum tree_source_kind {
	TREE_SOURCE_FILE,    /* path, opened when it is needed */
	TREE_SOURCE_ARCHIVE, /* fd, of a file that others can change */
	TREE_SOURCE_SCRATCH, /* fd, of a file that nobody else can get at */
	TREE_SOURCE_DECODED  /* as TREE_SOURCE_ARCHIVE, and bytes that a decoder makes of it */
};

/* Offsets of a source from here on are those of its decoder. */
#define TREE_DECODED_OFF (UINT64_C(1) << 63)

/* Makes bytes that no file has as they are. */
struct tree_decoder {
	/* [off, off + len), counted from TREE_DECODED_OFF; any thread. */
	int (*read)(void *arg, uint64_t off, void *buf, size_t len, struct error *error);
	void (*free)(void *arg);
	void *arg;
};

/* How a scratch file gets the bytes that it does not have yet. Whoever reads a file asks for them,
 * in any thread and as often as it likes; all zeros: it has them. */
struct tree_later {
	/* It has [off, off + len) from now on, and maybe more. */
	int (*fill)(void *arg, uint64_t off, uint64_t len, struct error *error);
	/* Bytes at a place, which are not kept: for who goes through all of it in ascending order.
	 * One thread. */
	int (*peek)(void *arg, uint64_t off, void *buf, size_t len, struct error *error);
	void (*free)(void *arg);
	void *arg;
};

/* Where bytes of files are, apart from a scanned directory. */
struct tree_source {
	enum tree_source_kind kind;
	int fd;                      /* owned; -1 */
	char *path;                  /* owned; NULL */
	uint64_t size;               /* TREE_SOURCE_ARCHIVE: when the tree was made; */
	struct tree_identity was;    /* likewise */
	struct tree_decoder decoder; /* TREE_SOURCE_DECODED; owned */
	struct tree_later later;     /* TREE_SOURCE_SCRATCH */
};

#define TREE_SOURCES_MAX UINT16_MAX

/* Takes the descriptor, in any case. Returns the source's place, or -ENOMEM, -EMFILE, -errno of
 * fstat. */
int tree_add_shared(struct tree *tree, int fd, enum tree_source_kind kind);
/* The same for TREE_SOURCE_DECODED, with its decoder. */
int tree_add_decoded(struct tree *tree, int fd, const struct tree_decoder *decoder);
/* Of a TREE_SOURCE_SCRATCH; later->arg is the tree's from now on. */
void tree_set_later(struct tree *tree, int source, const struct tree_later *later);
void tree_free_sources(struct tree *tree);

/* The file's size and segments are the caller's to set. -ENOMEM. */
int tree_set_scanned(struct tree *tree, struct tree_node *node, const struct tree_identity *was);
/* The whole file at an absolute path, of which st was said; sets the size. -ENOMEM, -EMFILE. */
int tree_set_file(struct tree *tree, struct tree_node *node, const char *path,
		  const struct stat *st);
/* Bytes that lie together in a shared source, at off. Sets size and segments. -ENOMEM. */
int tree_set_stretch(struct tree *tree, struct tree_node *node, int source, uint64_t size,
		     uint64_t off);
/* Of a shared source; ranges are copied, base is added to each source_off. Sets size and segments:
 * what has no range is a hole. -ENOMEM. */
int tree_set_ranges(struct tree *tree, struct tree_node *node, int source, uint64_t size,
		    const struct tree_range *ranges, uint32_t count, uint64_t base);

/* The first byte's place in the source that the file shares with others; 0: it has none. */
uint64_t tree_source_off(const struct kataimg_node *file);

/* Is it a file that is only found by its names in the scanned directory? */
bool tree_is_scanned(const struct tree_node *node);

/* Does the whole file lie together in the descriptor that tree_reader_open gives? *off: where.
 * *scratch: nobody else can change it. */
bool tree_find_stretch(const struct tree *tree, const struct kataimg_node *file, uint64_t *off,
		       bool *scratch);

/* The bytes of its source, of those that files share, that the file's are among. */
struct tree_range tree_source_range(const struct kataimg_node *file);

/* NULL: a file that has no source of its own. */
const struct tree_source *tree_source_of(const struct tree *tree, const struct kataimg_node *file);

#endif
