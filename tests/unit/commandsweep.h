/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole commands in which each place that makes a call of a kind fails, once: in processes of their
 * own, forked off, so that thousands take seconds. tests/faults does the same from outside.
 *
 * A run ends as if nothing had been, or as its program may fail: that is for the test to judge. A
 * program that uses it has faultcalls_sources among its own.
 */
#ifndef UNIT_COMMANDSWEEP_H
#define UNIT_COMMANDSWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/faultcalls.h"

struct sweep_command {
	const char *words; /* of the command line, with single spaces between */
	const char *old; /* names in the directory "out" that are there before, likewise; or NULL */
	const char *input;  /* the file that is its standard input, or NULL */
	int ends;           /* undisturbed, with this exit code */
	bool leaves;        /* what it has made so far may stay */
	bool lacks_tmpfile; /* no filesystem has files without a name */
};

/* How a call of the kind goes wrong: an error's number, or half of what was asked for is done, or a
 * signal to stop comes before it. */
struct sweep_fault {
	enum fault_kind kind;
	int how;
};
#define SWEEP_SHORT (-1)
#define SWEEP_CANCEL (-2)

#define SWEEP_TEXT_BYTES 16384 /* a warning of each backend, twice, and the error */

/* What a run has left. */
struct sweep_result {
	int ended;          /* the exit code; 128 and more: what ended it */
	uint64_t out, said; /* sums of the directory "out", and of its standard output */
	char told[SWEEP_TEXT_BYTES], complained[SWEEP_TEXT_BYTES]; /* its outputs' beginnings */
};

/* Whose commands they are. */
struct sweep_program {
	const char *name;
	int (*main)(int count, char **words);
	/* Of a run that ended with another exit code than undisturbed: NULL, or what is wrong.
	 * before: the sum of "out" before it. */
	const char *(*judge)(const struct sweep_command *command, const struct sweep_fault *fault,
			     uint64_t before, const struct sweep_result *result);
	bool takes_signals; /* to stop, and does so in its own time */
};

/* How often the part is in the text. */
size_t sweep_count(const char *text, const char *part);

/* Before all others; the working directory is one that was made for the test. */
void sweep_begin(const struct sweep_program *program);

/* Undisturbed: makes what later commands need. */
void sweep_prepare(const char *words);

/* The same; and its places are for another program to try. */
void sweep_know(const char *words);

/* Each way to ask for memory, or to get to another call, unless an earlier command has shown it. */
void sweep(const struct sweep_command *command, bool is_memory);

/* Has it been a test? Where threads take turns, a place need not be met again. */
void sweep_end(void);

#endif
