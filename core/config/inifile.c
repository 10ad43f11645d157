/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/inifile.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"

/* One reading. libinih tells its callback no line: here the lines that it took are counted. */
struct reading {
	const char *path;
	char *text, *next, *end;
	bool inside_line; /* next is not at the start of a line */
	unsigned int line;
	unsigned int error_line; /* where error was set; 0: nowhere yet */
	inifile_section_fn *section;
	inifile_pair_fn *pair;
	void *arg;
	struct error *error;
};

static int fail_line(struct reading *reading, const char *why)
{
	reading->error_line = reading->line;
	return error_usage(reading->error, "%s:%u: %s", reading->path, reading->line, why);
}

/* The receiver's error has its place put in front. */
static int pass_on(struct reading *reading, int ret)
{
	if (ret < 0) {
		reading->error_line = reading->line;
		error_prefix(reading->error, "%s:%u", reading->path, reading->line);
	}
	return ret;
}

/* libinih tells of no section that is empty, and drops text behind a section's name. */
static int begin_section(struct reading *reading, const char *start, const char *end)
{
	const char *bracket = memchr(start, ']', (size_t)(end - start));
	autofree char *name = NULL;

	if (!bracket)
		return 0; /* libinih refuses it */
	name = strndup(start + 1, (size_t)(bracket - start - 1));
	if (!name)
		return error_nomem(reading->error);
	bracket++;
	bracket += strspn(bracket, " \t\r");
	if (bracket < end && *bracket != ';' && *bracket != '#')
		return fail_line(reading, "text behind the section's name");
	return pass_on(reading,
		       reading->section(reading->arg, name, reading->line, reading->error));
}

static int begin_line(struct reading *reading)
{
	char *line_end;

	reading->line++;
	/* To libinih an indented line continues the value above. */
	reading->next += strspn(reading->next, " \t");
	line_end = memchr(reading->next, '\n', (size_t)(reading->end - reading->next));
	if (!line_end)
		line_end = reading->end;
	if (memchr(reading->next, '\0', (size_t)(line_end - reading->next)))
		return fail_line(reading, "a NUL byte");
	return *reading->next == '[' ? begin_section(reading, reading->next, line_end) : 0;
}

/* As fgets: up to size - 1 bytes, through the line's end. */
static char *read_line(char *buf, int size, void *stream)
{
	struct reading *reading = stream;
	char *line_end;
	size_t len, left;

	if (reading->next == reading->end || reading->error->code != 0)
		return NULL;
	if (!reading->inside_line && begin_line(reading) < 0)
		return NULL;
	left = (size_t)(reading->end - reading->next);
	line_end = memchr(reading->next, '\n', left);
	len = line_end ? (size_t)(line_end - reading->next) + 1 : left;
	reading->inside_line = len > (size_t)size - 1;
	if (reading->inside_line)
		len = (size_t)size - 1;
	memcpy(buf, reading->next, len);
	buf[len] = '\0';
	reading->next += len;
	return buf;
}

static int take_pair(void *arg, const char *section, const char *name, const char *value)
{
	struct reading *reading = arg;

	if (reading->error->code != 0)
		return 0;
	if (reading->inside_line) {
		fail_line(reading, "longer than the lines that this build of libinih reads");
		return 0;
	}
	return pass_on(reading, reading->pair(reading->arg, section, name, value, reading->line,
					      reading->error)) == 0;
}

static int read_text(struct reading *reading)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	FILE *file = fopen(reading->path, "re");
	size_t len;

	if (!file)
		return error_usage(reading->error, "%s: %s", reading->path, strerror(errno));
	reading->text = malloc(INIFILE_MAX_BYTES + 1);
	len = reading->text ? fread(reading->text, 1, INIFILE_MAX_BYTES + 1, file) : 0;
	if (!reading->text)
		error_nomem(reading->error);
	else if (ferror(file))
		error_usage(reading->error, "%s: %s", reading->path, strerror(errno));
	else if (len > INIFILE_MAX_BYTES)
		error_usage(reading->error, "%s: larger than 1 MiB, not a configuration",
			    reading->path);
	fclose(file);
	if (reading->error->code != 0)
		return -reading->error->code;
	reading->text[len] = '\0';
	reading->end = reading->text + len;
	reading->next = reading->text;
	if (strncmp(reading->text, byte_order_mark, strlen(byte_order_mark)) == 0)
		reading->next += strlen(byte_order_mark);
	return 0;
}

/* Debian's libinih is told at run time to let its line buffer grow; others have it built in, or
 * fail on a long line (take_pair). */
static void allow_long_lines(void)
{
#ifdef HAVE_INI_RUNTIME_SETTINGS
	ini_use_stack = false;
	ini_allow_realloc = true;
	ini_max_line = INIFILE_MAX_BYTES + 3;
#endif
}

int inifile_read(const char *path, inifile_section_fn *section, inifile_pair_fn *pair, void *arg,
		 struct error *error)
{
	struct reading reading = {
		.path = path, .section = section, .pair = pair, .arg = arg, .error = error
	};
	autofree char *text = NULL;
	int ret = read_text(&reading);

	text = reading.text;
	if (ret < 0)
		return ret;
	allow_long_lines();
	ret = ini_parse_stream(read_line, &reading, take_pair, &reading);
	if (ret == -2)
		return error_nomem(error);
	/* A line that libinih itself cannot read; the first error of the file counts. */
	if (ret > 0 && (error->code == 0 || (unsigned int)ret < reading.error_line)) {
		error_clear(error);
		reading.line = (unsigned int)ret;
		fail_line(&reading, "neither `key = value` nor [section]");
	}
	return -error->code;
}
