/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the configuration's source to the finished tree: read, then what [tree], [rootfs] and
 * [selinux] ask for, in this order: exclude, owners, apply, machine-id, /init, labels, times,
 * check. The source stays as it is.
 */
#ifndef BUILDER_SOURCE_H
#define BUILDER_SOURCE_H

#include "core/config/config.h"
#include "core/confine/confine.h"
#include "core/tree/tree.h"

struct source_request {
	const struct config *config;
	unsigned int threads; /* at least 1 */
	struct tree_scratch scratch;
	const struct backend_search *backends; /* for images */
	unsigned int partition;                /* of an image; 0: its name says which, or any */
	bool content_later;                    /* core/tree/tree.h */
	bool any_time; /* read for several, each of which has its own [image] build-time */
};

/* What the rules did to the tree. */
struct source_facts {
	uint64_t excluded; /* entries that a pattern matched; what was below them not counted */
	uint64_t applied;  /* lines of mtree files */
	uint64_t clamped;  /* files whose time was brought down */
	uint64_t labelled; /* files that got a SELinux label */
	bool machine_id;   /* added */
	bool init_link;    /* the same */
};

/* The first step alone: what is read, less what is excluded where that is never read. */
int source_scan(const struct source_request *request, struct tree **tree,
		struct source_facts *facts, struct error *error);

/* All others, on a tree that was read for this configuration or for one that reads alike. facts are
 * source_scan's. */
int source_apply_rules(const struct source_request *request, struct tree *tree, int64_t *build_time,
		       struct source_facts *facts, struct error *error);

/* Both. *build_time is the configuration's, or the newest time in the tree. */
int source_load(const struct source_request *request, struct tree **tree, int64_t *build_time,
		struct source_facts *facts, struct error *error);

/* Allows, and loads, what source_load may need. */
int source_confine_request(const struct source_request *request, struct confine *confine,
			   struct error *error);

/* Is the tree what [rootfs] asks for? Besides that, warns of what would make trouble in a guest. */
int source_check(const struct config *config, const struct tree *tree,
		 const struct source_facts *facts, struct error *error);

#endif
