/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The build: configurations to images, in stages that go one way: scan, negotiate, plan, write,
 * copy, verify, measure, tables, inspect, publish. Of several images nothing is written before all
 * are planned, and nothing is published before all are made.
 */
#ifndef BUILDER_BUILD_H
#define BUILDER_BUILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/backend/search.h"
#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/config/set.h"

/* How to build, in contrast to what: none of it changes a byte of the image. */
struct build_options {
	const struct backend_search *search;
	unsigned int threads; /* at least 1 */
	bool dry_run;         /* print the geometry on stdout, write nothing */
	bool sync;            /* the image is on the disk before it gets its name */
	bool reflink;         /* share extents with the source where the filesystem can */
	bool strict_backend;  /* what a backend does against its contract is an error */
	const char *report;   /* where the JSON report goes; NULL: none; "-": stdout, and then
				 nothing else does */
	const char *manifest, *toml; /* where these go, likewise */
	enum progress_mode progress;
	uid_t owner; /* of the finished files; -1: the caller */
	gid_t group;
};

/*
 * Is the backend there, and does it take its options? Those of other backends that are there are
 * read as well. What is wrong is gathered in the configuration.
 */
int build_check_backend(struct config *config, const struct backend_search *search,
			struct error *error);

/* Is the image at path, byte for byte, what the configuration builds? Says so on stdout, or where
 * it differs. The configuration's output plays no part; scratch goes to TMPDIR, or /var/tmp. */
int build_attest(const struct config *config, const struct build_options *options, const char *path,
		 struct error *error);

/* On failure there is no new image, and earlier ones are as they were. */
int build_run(const struct config_set *configs, const struct build_options *options,
	      struct error *error);

/*
 * The key of each image on stdout (builder/key.h), of several with their names; nothing is written,
 * scratch goes to TMPDIR, or /var/tmp. text: of one image, what its key is the digest of.
 */
int build_print_keys(const struct config_set *configs, const struct build_options *options,
		     bool text, struct error *error);

/* Writes the report of a build that failed before it began; the configurations may be as far as
 * they came. */
void build_fail(const struct config_set *configs, const struct build_options *options,
		const struct error *error);

#endif
