/* SPDX-License-Identifier: Apache-2.0 */
/* Messages for people, on stderr. One line a call, whatever is in the arguments (base/text.h);
 * threads may log at once. That a message cannot be written is no error: nobody reads it. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_ERROR = 0, LOG_WARNING = 1, LOG_INFO = 2, LOG_DEBUG = 3 };

/* Messages above this level are dropped; LOG_INFO at the start. */
void log_set_level(enum log_level level);

/* Messages start with ERROR:, WARNING: or INFO:, the last two on stdout; those of log_ok are shown,
 * marked [OK]. */
void log_use_script_style(void);

/* Standard output is something else's: the style does not count for where messages go. */
void log_leave_stdout(void);

/* What all messages are about until another is set, in front of them with ": "; NULL: nothing. The
 * text is the caller's. Not while threads may log. */
void log_set_subject(const char *subject);

void log_message(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* An error's message, as it is (base/error.h). */
void log_error(const char *lines);

/* A line for programs, as it is, at every level. */
void log_plain(const char *line);

/* Something asked for was found in order: a detail, but in the script's style. */
void log_ok(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The last line of a terminal, until the next message or status; NULL takes it away. */
void log_status(const char *line);

#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)

#endif
