/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole command lines for cmocka tests, each in a process of its own, in the working directory:
 * what they print there, in the files "said" and "complained". Words end with NULL, without the
 * program's name.
 */
#ifndef SUPPORT_COMMANDS_H
#define SUPPORT_COMMANDS_H

#define COMMAND_TEXT_BYTES 8192

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* The exit code; what the command prints goes to the path. */
int command_run(const char *const *words, const char *out);

/* What is in a file, cut to size. Returns text. */
const char *command_text(const char *path, char text[COMMAND_TEXT_BYTES]);

/* It ends well, and prints just this. */
void command_says(const char *const *words, const char *said);

/* One line on standard error, "kataimg: error: " and the message, and nothing on the other. */
void command_refused(const char *const *words, int code, const char *message);

/* It ends so, and has a line of this text among those that it prints. */
void command_tells(const char *const *words, int code, const char *line);

#endif
