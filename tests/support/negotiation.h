/* SPDX-License-Identifier: Apache-2.0 */
/* A backend that says what a test wants it to say, of a small tree with something of everything.
 * Failed expectations fail the cmocka test. */
#ifndef SUPPORT_NEGOTIATION_H
#define SUPPORT_NEGOTIATION_H

#include "core/backend/negotiate.h"
#include "core/tree/model.h"

#define ALL_CAPABILITIES ((KATAIMG_CAP_ACLS << 1) - 1)

struct negotiation {
	struct backend backend;       /* with all capabilities */
	struct kataimg_limits limits; /* that it says; all zeros: it says none */
	int check;                    /* what it says of each regular file */
	struct host *host;
	struct session *session;
	struct tree *tree;
	struct error error;
};

/* For cmocka: *state becomes a struct negotiation. */
int negotiation_set_up(void **state);
int negotiation_tear_down(void **state);

#define NEGOTIATION_TEST(function) \
	cmocka_unit_test_setup_teardown(function, negotiation_set_up, negotiation_tear_down)

/* For limits: none that matters. */
struct kataimg_limits negotiation_no_limits(void);

/* A node of the tree, which is to be finished. */
struct tree_node *negotiation_add(struct negotiation *fixture, struct tree_node *dir,
				  const char *name, enum kataimg_type type);
/* By path; NULL: it is not there. */
const struct kataimg_node *negotiation_find(struct negotiation *fixture, const char *path);

int negotiation_run(struct negotiation *fixture, bool drop, uint64_t *dropped);
/* It ends with this in its message, and says what would help. */
void negotiation_assert_refused(struct negotiation *fixture, const char *why);
/* Drops what the backend refuses; afterwards nothing is left to refuse. */
void negotiation_assert_dropped(struct negotiation *fixture, uint64_t expected);

#endif
