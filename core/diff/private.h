/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFF_PRIVATE_H
#define DIFF_PRIVATE_H

#include "core/diff/diff.h"

/* content.c: fills in what differs of the jobs. */
int diff_contents(struct diff *diff, const struct diff_options *options, struct error *error);

/* attributes.c: all but content of files and links. */
unsigned int diff_attributes(const struct kataimg_node *a, const struct kataimg_node *b);

#endif
