/* SPDX-License-Identifier: Apache-2.0 */
/* A directory in memory for targets that need one: made once, emptied for each input. */
#ifndef FUZZ_SCRATCH_H
#define FUZZ_SCRATCH_H

#include <stddef.h>

/* There is nothing in it. */
void fuzz_scratch_begin(void);

/* All names are of what is, or is to be, below it. The path is to be freed. */
char *fuzz_scratch_path(const char *name);
void fuzz_scratch_mkdir(const char *name);
void fuzz_scratch_write(const char *name, const void *bytes, size_t len);

/* What is at and below a name: a line an entry, with a sum of what is in files. To be freed. */
char *fuzz_scratch_describe(const char *name);

#endif
