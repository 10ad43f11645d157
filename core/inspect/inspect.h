/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a finished image, whoever made it, and says what it is and what in it contradicts: the
 * partitions as guests see them from both tables, the info block, the filesystem, the hash tree of
 * a measured one. Behind `kataimg inspect` and the last look that a build takes before it
 * publishes.
 */
#ifndef INSPECT_INSPECT_H
#define INSPECT_INSPECT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/error.h"
#include "core/compress/compress.h"
#include "core/format/dax.h"
#include "core/format/geometry.h"
#include "core/format/gpt.h"
#include "core/format/mbr.h"
#include "core/inspect/content.h"
#include "core/measure/measure.h"
#include "kataimg/backend.h"
#include "lib/cleanup.h"

#define INSPECT_BACKEND_NAME_BYTES 33
#define INSPECT_MBR_ENTRIES 4

/* Asks the backends what filesystem [off, off + len) of fd holds. */
struct inspect_probe {
	/* 0: known, with info and the backend's name. -EOPNOTSUPP: the same, if info has a type,
	 * but not all of it is here; the message says what is missing. -ENODATA: no backend knows
	 * it. -ENOMEM and -ECANCELED: nobody can tell. Another error: it is one, but broken; the
	 * message says how. */
	int (*probe)(void *arg, int fd, uint64_t off, uint64_t len, struct kataimg_fs_info *info,
		     char backend[INSPECT_BACKEND_NAME_BYTES], struct error *error);
	/*
	 * Reads all that a backend has said to know, but for the bytes of files. 0: nothing
	 * contradicts, or a sentence of what does. -EOPNOTSUPP: it cannot be read here, as the
	 * message says. Else as probe. NULL: as whoever asks has read it.
	 */
	int (*read)(void *arg, int fd, uint64_t off, uint64_t len, const char *backend,
		    char **sentence, struct error *error);
	/* Was the backend of this name among those? 1, 0 or -ENOMEM. NULL: does not matter, as
	 * probe knows all. */
	int (*has)(void *arg, const char *backend);
	void *arg;
};

/* A partition table, and the place of the image that its sectors count from. */
struct inspect_view {
	bool present;
	uint64_t base_bytes;
	struct mbr mbr;
};

/* A GPT's two headers: the one in front, which guests read, and its backup. */
struct inspect_gpt {
	uint32_t sector_bytes;
	struct inspect_gpt_header {
		bool present;
		uint64_t at_bytes;
		struct gpt_header fields;
		bool entries_right; /* they are all there, with the header's checksum */
	} headers[2];
	const struct inspect_gpt_header *used; /* whose entries are listed; NULL: none is whole */
};

struct inspect_partition {
	unsigned int number; /* as Linux counts */
	uint64_t start_bytes, len_bytes;
	uint8_t type; /* of a DOS table, and bootable */
	bool bootable;
	struct gpt_label label; /* of a GPT */
};

/* Sentences, each about one object. */
struct inspect_findings {
	char **sentences;
	size_t count, room;
};

/* A dm-verity hash tree of the root filesystem. */
struct inspect_hash_tree {
	enum hash_place place;
	unsigned int partition; /* of HASH_PARTITION */
	char *tree_file;        /* owned: of HASH_FILE, beside the image */
	struct region area;     /* of the image or of tree_file: from the superblock or the tree on,
				   as far as there may be anything of it */
	struct verity_params params;
	bool salted;      /* params has the salt, by the superblock, a file, or on request */
	uint8_t uuid[16]; /* of the superblock, if params has one */
	char *file;       /* owned: the root_hash*.txt beside the image that its top belongs to */
	bool labelled;    /* the GUIDs of a GPT's partitions are those of its root hash */
	unsigned int signature_partition; /* has a signature of its root hash; 0: there is none */
	/* The root hash, when there is a file, it is labelled, or it was checked. */
	uint8_t expected[VERITY_DIGEST_MAX_BYTES];
	bool checked; /* every block was read; then findings are set */
	struct measure_findings findings;
};

struct inspection {
	uint64_t image_bytes;
	/* How the file is compressed of which this is what it unpacks to, and its size. */
	enum compress_form compressed;
	uint64_t compressed_bytes;
	bool has_dax;
	struct dax_info dax;
	enum image_table table;       /* of virtio-blk guests */
	struct inspect_view views[2]; /* from 0 (virtio-blk), from 2 MiB (NVDIMM) */
	struct inspect_gpt gpt;
	struct inspect_partition *partitions; /* owned: those that are used, by number */
	size_t partition_count;
	/*
	 * Where the root filesystem is looked for: in partition 1 of a DOS table, in the first of a
	 * GPT that has a root type or else the first that a backend knows, and without a table in
	 * all of the device: then root_partition is 0.
	 */
	struct region root;
	unsigned int root_partition;
	bool root_found; /* without asking the backends */
	/* Where its hash tree may be: in partition 2, or in that of the root type's companion.
	 * hash_partition 0: nowhere. */
	struct region hash;
	unsigned int hash_partition;
	bool has_filesystem;
	char backend[INSPECT_BACKEND_NAME_BYTES];
	struct kataimg_fs_info filesystem; /* in root */
	bool has_hash_tree;                /* found, or asked for: inspect/measured.h */
	struct inspect_hash_tree hash_tree;
	struct content content;            /* what it is, when it is no image at all */
	struct inspect_findings problems;  /* contradictions: the image is not right */
	struct inspect_findings unchecked; /* what nobody here could look at */
	struct inspect_findings notes;     /* right, but somebody may want to know */
};

/* Fails only when the file cannot be read. Clear the inspection in any case. */
int inspect_fd(int fd, const struct inspect_probe *probe, struct inspection *inspection,
	       struct error *error);
void inspect_clear(struct inspection *inspection);

/* For a build: any problem, or a difference from the geometry, is an error (-EBADMSG). */
int inspect_check(int fd, const struct geometry *expected, const struct inspect_probe *probe,
		  struct error *error);

/* Opens an image to be inspected; what can be none is refused by its kind. A descriptor of the
 * caller's. */
int inspect_open(const char *path, struct error *error);

/* "partition 1", or without a table "the image". Returns name. */
#define ROOT_NAME_BYTES 32
const char *inspect_root_name(const struct inspection *inspection, char name[ROOT_NAME_BYTES]);

/* For people, and for programs (one JSON object: docs/json.md). -errno of the stream, -ENOMEM. */
int inspect_print_text(const struct inspection *inspection, const char *path, FILE *out);
int inspect_print_json(const struct inspection *inspection, const char *path, FILE *out);

#endif
