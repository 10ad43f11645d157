/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/text.h"
#include "lib/cleanup.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum log_level max_level = LOG_INFO;
static bool status_shown;

struct style {
	const char *prefixes[LOG_DEBUG + 1], *ok_prefix;
	enum log_level ok_level;
	bool informs_on_stdout; /* all below an error */
};

static const struct style plain_style = {
	.prefixes = {
		[LOG_ERROR] = "kataimg: error: ",
		[LOG_WARNING] = "kataimg: warning: ",
		[LOG_INFO] = "kataimg: ",
		[LOG_DEBUG] = "kataimg: ",
	},
	.ok_prefix = "kataimg: ",
	.ok_level = LOG_DEBUG,
};

static const struct style script_style = {
	.prefixes = {
		[LOG_ERROR] = "ERROR: ",
		[LOG_WARNING] = "WARNING: ",
		[LOG_INFO] = "INFO: ",
		[LOG_DEBUG] = "INFO: ",
	},
	.ok_prefix = "[OK] ",
	.ok_level = LOG_INFO,
	.informs_on_stdout = true,
};

static const struct style *style = &plain_style;

void log_use_script_style(void)
{
	style = &script_style;
}

static bool stdout_taken;
static const char *subject;

void log_set_subject(const char *new_subject)
{
	subject = new_subject;
}

void log_leave_stdout(void)
{
	stdout_taken = true;
}

void log_set_level(enum log_level level)
{
	max_level = level;
}

#define PARTS_MAX 6

/* Whether somebody can still read messages is not a build's business: a closed pipe, a full disk
 * and a descriptor that cannot be written lose the message, no more. */
static void write_parts(int fd, const char *const parts[PARTS_MAX])
{
	struct iovec vectors[PARTS_MAX], *next = vectors;
	int left = PARTS_MAX;

	for (int i = 0; i < PARTS_MAX; i++)
		vectors[i] = (struct iovec){ (void *)(uintptr_t)parts[i], strlen(parts[i]) };
	while (left > 0) {
		ssize_t done = writev(fd, next, left);

		if (done < 0 && errno == EAGAIN)
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
		else if (done == 0 || (done < 0 && errno != EINTR))
			return;
		for (; left > 0 && done >= (ssize_t)next->iov_len; next++, left--)
			done -= (ssize_t)next->iov_len;
		if (left > 0 && done > 0) {
			next->iov_base = (char *)next->iov_base + done;
			next->iov_len -= (size_t)done;
		}
	}
}

#define CLEAR_LINE "\r\033[K"

/* Written at once, so that no other line gets in between. */
static void write_text(FILE *out, const char *prefix, const char *about, const char *text)
{
	const char *clear;

	pthread_mutex_lock(&lock);
	clear = status_shown ? CLEAR_LINE : "";
	if (out == stdout)
		fflush(stdout); /* what was printed before comes first */
	if (out == stdout && status_shown)
		write_parts(STDERR_FILENO, (const char *[PARTS_MAX]){ clear, "", "", "", "", "" });
	if (out == stdout)
		clear = "";
	write_parts(fileno(out), (const char *[PARTS_MAX]){ clear, prefix, about ? about : "",
							    about ? ": " : "", text, "\n" });
	status_shown = false;
	pthread_mutex_unlock(&lock);
}

static void write_line(FILE *out, const char *prefix, const char *fmt, va_list args)
{
	char room[TEXT_LINE_BYTES_MAX];
	autofree char *owned = NULL;

	write_text(out, prefix, subject, text_vline_in(room, &owned, fmt, args));
}

void log_error(const char *lines)
{
	write_text(stderr, style->prefixes[LOG_ERROR], NULL, lines);
}

void log_plain(const char *line)
{
	write_text(stderr, "", NULL, line);
}

void log_ok(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (style->ok_level <= max_level)
		write_line(stderr, style->ok_prefix, fmt, args);
	va_end(args);
}

void log_message(enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (level <= max_level)
		write_line(style->informs_on_stdout && !stdout_taken ? stdout : stderr,
			   style->prefixes[level], fmt, args);
	va_end(args);
}

void log_status(const char *line)
{
	bool show = line && max_level >= LOG_INFO;

	pthread_mutex_lock(&lock);
	if (show || status_shown)
		write_parts(STDERR_FILENO, (const char *[PARTS_MAX]){ CLEAR_LINE, show ? line : "",
								      "", "", "", "" });
	status_shown = show;
	pthread_mutex_unlock(&lock);
}
