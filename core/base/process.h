/* SPDX-License-Identifier: Apache-2.0 */
/* What a process inherits, made safe to work with. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

/*
 * To be called first. Descriptors 0, 1 and 2 are there afterwards: those that were closed can
 * neither be read nor written. A file that grows beyond RLIMIT_FSIZE is an error, not a signal, and
 * so is a pipe that nobody reads: messages that went there must not end a build. Allocations of a
 * MiB and more are given back when they are freed. As many files may be open as the hard limit
 * allows; programs that are run inherit that. 0 or -errno.
 */
int process_prepare(void);

/*
 * For a program whose output nobody reads any more: ends it as SIGPIPE would have, without a word,
 * unless whoever started it ignores that signal; then it returns.
 */
void process_end_for_broken_pipe(void);

#endif
