/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places of a program that make a call, known by their callers: the addresses to which the calls on
 * the way there return, innermost first.
 */
#ifndef SUPPORT_CALLERS_H
#define SUPPORT_CALLERS_H

#include <stdint.h>

/* For what is linked into a library that is preloaded. */
#define HIDDEN __attribute__((visibility("hidden")))

#define CALLERS_MAX 16

/* Before all others: loads what they need, while that may be had. They allocate nothing then. */
void callers_begin(void) HIDDEN;
/* No way begins before the caller of this, in its thread. */
void callers_begin_here(void) HIDDEN;

/* The way to the call that returns to caller, which is the first, and the only one where no more
 * can be told. How many there are. */
int callers_list(void *frames[CALLERS_MAX], const void *caller) HIDDEN;

/* One number for the innermost of them. Few, so that each round of a recursion is not another way.
 */
uint64_t callers_sum(void *const *frames, int count) HIDDEN;
/* The same, of the way to the call that returns to caller. */
uint64_t callers_place(const void *caller) HIDDEN;

#endif
