/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole commands in which each place that makes a call of a kind fails, once: in processes of their
 * own, forked off, so that thousands take seconds. tests/faults does the same from outside.
 *
 * A run ends with exit code 1 or 2, one sentence, the old files as they were and no others; or as
 * if nothing had been. A program that uses it has faultcalls_sources among its own.
 */
#ifndef UNIT_COMMANDSWEEP_H
#define UNIT_COMMANDSWEEP_H

#include <stdbool.h>
#include <stddef.h>

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

/* Before all others; the working directory is one that was made for the test. */
void sweep_begin(void);

/* Undisturbed: makes what later commands need. */
void sweep_prepare(const char *words);

/* The same; and its places are for another program to try. */
void sweep_know(const char *words);

/* Each way to get to a call, unless an earlier command has shown it. */
void sweep(const struct sweep_command *command, const struct sweep_fault *faults, size_t count);

/* Has it been a test? Where threads take turns, a place need not be met again. */
void sweep_end(void);

#endif
