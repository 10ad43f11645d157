/* SPDX-License-Identifier: Apache-2.0 */
/* Scratch files of who makes no file that they could lie beside. */
#ifndef IMAGE_UNNAMED_H
#define IMAGE_UNNAMED_H

/*
 * An unnamed file in TMPDIR or, where that is not set, in /var/tmp, which is meant for what is
 * large. A descriptor of the caller's, or -errno. For struct tree_scratch: arg is not used.
 */
int unnamed_open(void *arg);
/* In messages. */
#define UNNAMED_PLACE "TMPDIR, or /var/tmp without it"

#endif
