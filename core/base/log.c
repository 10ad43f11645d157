/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum log_level max_level = LOG_INFO;
static bool status_shown;

static const char *const prefixes[] = {
	[LOG_ERROR] = "kataimg: error: ",
	[LOG_WARNING] = "kataimg: warning: ",
	[LOG_INFO] = "kataimg: ",
	[LOG_DEBUG] = "kataimg: ",
};

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

void log_vmessage(enum log_level level, const char *fmt, va_list args)
{
	if (level > max_level)
		return;
	pthread_mutex_lock(&lock);
	clear_status();
	fputs(prefixes[level], stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	pthread_mutex_unlock(&lock);
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
