/* SPDX-License-Identifier: Apache-2.0 */
/* What the toy is made of besides toy.c: each is compiled into the toys that are defined so. */
#ifndef TOY_H
#define TOY_H

#include "kataimg/backend.h"

struct toy {
	const struct kataimg_host *host;
	const struct kataimg_job *job;
	uint64_t blocks; /* of the plan, without free space */
	uint64_t nodes, store_bytes;
	uint32_t writes; /* calls of write */
};

/* toysmall.c (-DSMALL) and toyfat.c (-DFAT) */
int toy_limits(void *state, struct kataimg_limits *limits);
int toy_check(void *state, const struct kataimg_node *node, char *reason, size_t reason_size);
/* toysmall.c: -EFBIG when the core lets through what is above the limits. */
int toy_refuse_too_much(const struct toy *toy, const struct kataimg_tree *tree);

/* toyrun.c (-DRUN): has a program pass on a text. */
int toy_run(const struct kataimg_host *host);

/* toyescape.c (-DESCAPE): tries to come out of its confinement. */
void toy_escape(const struct kataimg_host *host);
/* An error when it came to nothing and TOY_NEEDS is set. */
int toy_needs_other(const struct kataimg_host *host);

#endif
