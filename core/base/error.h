/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors. A function that can fail returns 0 or -errno and takes a `struct error *`, where it
 * leaves one sentence saying what, on which object, why. Callers put context in front with
 * error_prefix. Only main prints.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

enum error_kind {
	ERROR_FAILED = 0,    /* exit code 1 */
	ERROR_USAGE = 1,     /* configuration or command line: exit code 2 */
	ERROR_UNCHECKED = 2, /* nothing is wrong, but not all could be looked at: exit code 3 */
	ERROR_DIFFERS = 3 /* what was compared differs, as was printed: exit code 1, no message */
};

int error_exit_code(enum error_kind kind);

struct error {
	int code; /* positive errno value; 0: no error */
	enum error_kind kind;
	char *message; /* owned; NULL: memory ran out while it was made */
};

#define ERROR_INIT ((struct error){ 0, ERROR_FAILED, NULL })
#define autoerror __attribute__((cleanup(error_clear)))

/* Records the error unless one is recorded already (the first one counts), and returns -code. The
 * message is one line whatever is in the arguments (base/text.h). */
int error_set(struct error *error, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int error_vset(struct error *error, int code, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

/* The same with a message as it is, which may have several lines. */
int error_set_lines(struct error *error, int code, const char *lines);

/* As error_set, with ": " and the system's text for code at the end. */
int error_errno(struct error *error, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As error_set with EINVAL, of the kind ERROR_USAGE. */
int error_usage(struct error *error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* -ENOMEM, "out of memory". */
int error_nomem(struct error *error);

/* Puts text in front of a recorded message; returns -code. */
int error_prefix(struct error *error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts text behind a recorded message; returns -code. */
int error_append(struct error *error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes what from has recorded error's own, unless that has one; returns -code. For errors that do
 * not count in every case. */
int error_take(struct error *error, struct error *from);

/* The message of what has failed; never NULL. */
const char *error_sentence(const struct error *error);

/* Frees the message; the object can be used again. */
void error_clear(struct error *error);

#endif
