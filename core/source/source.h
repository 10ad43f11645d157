/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a tree may come from: a table of kinds. One is told by what is in front of the source
 * ("oci:DIR"), or else by what is found at the path.
 *
 * Who opens a descriptor closes it. Standard input ("-") is read through a descriptor of its own,
 * and a tree that is read from a descriptor owns it.
 */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "core/confine/confine.h"
#include "core/tree/tree.h"

struct source_kind {
	const char *prefix; /* NULL: matches tells */
	bool (*matches)(const char *path);
	/* What is behind the prefix becomes a tree; NULL: it is not here, and advice says what to
	 * do, with %s for the source. */
	int (*read)(const char *path, const struct tree_options *options, struct tree **tree,
		    struct error *error);
	/* The file of what is behind the prefix, to be freed; NULL when memory is out. */
	char *(*file)(const char *path);
	const char *advice;
	/* Where the file of an image is asked for: an error that says what to give; NULL: nothing
	 * more can be said. */
	int (*refuse_as_file)(const char *path, struct error *error);
	bool excludes; /* leaves out itself what options->excluder matches, and does not read it */
};

/* What is not here: the advice, as an error. */
int source_fail_absent(const struct source_kind *kind, const char *source, struct error *error);

/* NULL: the source is a path. */
const struct source_kind *source_kind_by_prefix(const char *source);
/* The one that it is of; there always is one. */
const struct source_kind *source_kind_of(const char *source);

/* Where the file of an image is asked for, that is what has to be given, nothing that a source may
 * be besides. 0: name is a path. */
int source_refuse_as_file(const char *name, struct error *error);

/* Does it name a file by a relative path? *prefix_len: what is in front of the path. */
bool source_is_relative(const char *source, size_t *prefix_len);

/* The file or directory that the source names, to be freed. NULL when memory is out. */
char *source_path(const char *source);

/*
 * "image:FILE" for a FILE that is an image (reader/image.h), the source itself for all others: to
 * be freed. An error where partition (0: none) asks for a part of what has none.
 */
int source_recognise(const char *source, const struct backend_search *backends,
		     unsigned int partition, char **recognised, struct error *error);

/* Loads what reading the source may need, and allows it. */
int source_confine(const char *source, const struct backend_search *backends,
		   struct confine *confine, struct error *error);

/* Patterns of what is left out of any source; lib/glob.h. */
struct source_filter {
	char *const *patterns;
	size_t count;
	uint64_t excluded; /* out: entries that matched; what was below them is not counted */
};

/* Does reading itself leave out what a filter matches? From all others source_exclude does. */
bool source_reads_filtered(const char *source);
int source_exclude(struct tree *tree, struct source_filter *filter, struct error *error);

/* Without what the filter matches, of whatever kind the source is. options->excluder is this
 * call's. */
int source_read(const char *source, const struct tree_options *options,
		struct source_filter *filter, struct tree **tree, struct error *error);

/* A tree that is no root filesystem may be one's box: puts behind the error what the source should
 * then be. Returns -error->code. */
int source_suggest(const char *source, const struct tree *tree, struct error *error);

#endif
