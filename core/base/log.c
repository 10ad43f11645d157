/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

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

void log_set_level(enum log_level level)
{
	max_level = level;
}

enum log_level log_get_level(void)
{
	return max_level;
}

static void clear_status(void)
{
	if (status_shown)
		fputs("\r\033[K", stderr);
	status_shown = false;
}

/* Printed at once, so that no other line gets in between. */
static void write_text(FILE *out, const char *prefix, const char *text)
{
	pthread_mutex_lock(&lock);
	clear_status();
	fprintf(out, "%s%s\n", prefix, text);
	fflush(out);
	pthread_mutex_unlock(&lock);
}

static void write_line(FILE *out, const char *prefix, const char *fmt, va_list args)
{
	autofree char *text = text_vline(fmt, args);

	write_text(out, prefix, text ? text : fmt);
}

void log_vmessage(enum log_level level, const char *fmt, va_list args)
{
	if (level <= max_level)
		write_line(style->informs_on_stdout ? stdout : stderr, style->prefixes[level], fmt,
			   args);
}

void log_error(const char *lines)
{
	write_text(stderr, style->prefixes[LOG_ERROR], lines);
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
	log_vmessage(level, fmt, args);
	va_end(args);
}

void log_status(const char *line)
{
	pthread_mutex_lock(&lock);
	clear_status();
	if (line && max_level >= LOG_INFO) {
		fputs(line, stderr);
		fflush(stderr);
		status_shown = true;
	}
	pthread_mutex_unlock(&lock);
}
