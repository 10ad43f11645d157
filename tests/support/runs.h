/* SPDX-License-Identifier: Apache-2.0 */
/* Whole runs of the backend under test that a cmocka test judges; a setup's backend may be NULL. */
#ifndef SUPPORT_RUNS_H
#define SUPPORT_RUNS_H

#include <stdbool.h>

#include "check/support/trial.h"

/* A run that succeeds: else the test ends and says where. The caller frees it. */
struct trial *run_ok(const struct trial_setup *setup);
/* The same; options and job may be NULL. */
struct trial *run_tree(struct memtree *tree, const char *const *options,
		       const struct kataimg_job *job);

/* A run that ends in this stage with this error, and a message that has the text. */
void run_refused(const struct trial_setup *setup, const char *stage, int code, const char *text);

/* The number of 32 bits, little-endian, at this byte of the window. */
uint32_t run_word(const struct trial *trial, uint64_t off);

/* Is the program in PATH? */
bool have_program(const char *name);

#endif
