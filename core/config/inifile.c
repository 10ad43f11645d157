/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/inifile.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"

/* All that libinih takes for white space within a line. */
#define BLANKS " \t\r\v\f"

/* One reading. libinih tells its callback no line, and of broken lines the first alone: here lines
 * are counted, and a broken one is kept from it. */
struct reading {
	const char *name; /* of the file, for messages */
	char *text, *next, *end;
	bool inside_line; /* next is not at the start of a line */
	unsigned int line;
	inifile_section_fn *section;
	inifile_pair_fn *pair;
	void *arg;
	struct mistakes *mistakes;
	struct error *error; /* ends the reading once it is set */
};

/* What a receiver, or a rule of the syntax, says of the current line. */
static int judge_line(struct reading *reading, int ret)
{
	if (ret < 0 && reading->error->kind == ERROR_USAGE)
		error_prefix(reading->error, "%s:%u", reading->name, reading->line);
	return mistakes_take(reading->mistakes, ret, reading->line, reading->error);
}

static int fail_line(struct reading *reading, const char *why)
{
	return judge_line(reading, error_usage(reading->error, "%s", why));
}

/* Of what ends before end, and may begin behind it. */
static size_t len_without_blanks(const char *start, const char *end)
{
	while (end > start && strchr(BLANKS, end[-1]))
		end--;
	return end > start ? (size_t)(end - start) : 0;
}

/* libinih tells of no section that is empty, and drops text behind a section's name. */
static int begin_section(struct reading *reading, const char *start, const char *end)
{
	const char *bracket = memchr(start, ']', (size_t)(end - start));
	autofree char *name = NULL;

	if (!bracket)
		return fail_line(reading, "neither `key = value` nor [section]");
	start++;
	start += strspn(start, BLANKS);
	name = strndup(start, len_without_blanks(start, bracket));
	if (!name)
		return error_nomem(reading->error);
	bracket++;
	bracket += strspn(bracket, BLANKS);
	if (bracket < end && *bracket != ';' && *bracket != '#' && *bracket != '\n')
		fail_line(reading, "text behind the section's name");
	return judge_line(reading,
			  reading->section(reading->arg, name, reading->line, reading->error));
}

/* Is there an = or a : in front of the comment at the line's end? The line has no NUL, and does not
 * begin with a comment. */
static bool has_separator(const char *start, const char *end)
{
	for (const char *c = start; c < end; c++) {
		if (*c == '=' || *c == ':')
			return true;
		if (*c == ';' && strchr(BLANKS, c[-1]))
			return false;
	}
	return false;
}

/* Nothing but blanks, or a comment? */
static bool is_empty(const char *start, const char *end)
{
	while (start < end && isspace((unsigned char)*start))
		start++;
	return start == end || *start == ';' || *start == '#';
}

/* Sets *skip when libinih is not to see the line. */
static int begin_line(struct reading *reading, const char *end, bool *skip)
{
	const char *start = reading->next;

	*skip = false;
	if (memchr(start, '\0', (size_t)(end - start))) {
		*skip = true;
		return fail_line(reading, "a NUL byte");
	}
	if (*start == '[') {
		*skip = !memchr(start, ']', (size_t)(end - start));
		return begin_section(reading, start, end);
	}
	*skip = !is_empty(start, end) && !has_separator(start, end);
	return *skip ? fail_line(reading, "neither `key = value` nor [section]") : 0;
}

/* Finds the line's end, behind its newline, once it is judged; NULL: the reading ends. A line that
 * is not for libinih becomes an empty one. */
static char *next_line(struct reading *reading)
{
	char *end;
	bool skip;

	/* To libinih an indented line continues the value above. */
	if (!reading->inside_line)
		reading->next += strspn(reading->next, BLANKS);
	end = memchr(reading->next, '\n', (size_t)(reading->end - reading->next));
	end = end ? end + 1 : reading->end;
	if (reading->inside_line)
		return end;
	reading->line++;
	if (begin_line(reading, end, &skip) < 0)
		return NULL;
	if (skip)
		reading->next = end[-1] == '\n' ? end - 1 : end;
	return end;
}

/* As fgets: up to size - 1 bytes, through the line's end. */
static char *read_line(char *buf, int size, void *stream)
{
	struct reading *reading = stream;
	char *line_end;
	size_t len;

	if (reading->next == reading->end || reading->error->code != 0)
		return NULL;
	line_end = next_line(reading);
	if (!line_end)
		return NULL;
	len = (size_t)(line_end - reading->next);
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
	if (reading->inside_line)
		return fail_line(reading,
				 "longer than the lines that this build of libinih reads") == 0;
	if (*name == '\0')
		return fail_line(reading, "a value without a key") == 0;
	return judge_line(reading, reading->pair(reading->arg, section, name, value, reading->line,
						 reading->error)) == 0;
}

/* A file that cannot be read is a mistake of the command line; memory that runs out is none. */
static int fail_system(const struct reading *reading, int code)
{
	if (code == ENOMEM)
		return error_nomem(reading->error);
	return error_usage(reading->error, "%s: %s", reading->name, strerror(code));
}

/* Reads one byte more than is allowed, to see that there are more. */
static int read_stream(struct reading *reading, FILE *file, size_t *len)
{
	reading->text = malloc(INIFILE_MAX_BYTES + 2);
	if (!reading->text)
		return error_nomem(reading->error);
	*len = fread(reading->text, 1, INIFILE_MAX_BYTES + 1, file);
	if (ferror(file))
		return fail_system(reading, errno);
	if (*len > INIFILE_MAX_BYTES)
		return error_usage(reading->error, "%s: larger than 1 MiB, not a configuration",
				   reading->name);
	reading->text[*len] = '\0';
	return 0;
}

static int pass_byte_order_mark(struct reading *reading)
{
	static const char utf8[] = "\xef\xbb\xbf", utf16le[] = "\xff\xfe", utf16be[] = "\xfe\xff";

	if (strncmp(reading->text, utf16le, strlen(utf16le)) == 0 ||
	    strncmp(reading->text, utf16be, strlen(utf16be)) == 0)
		return error_usage(reading->error, "%s: a text in UTF-16: save it as UTF-8",
				   reading->name);
	if (strncmp(reading->text, utf8, strlen(utf8)) == 0)
		reading->next += strlen(utf8);
	return 0;
}

static int read_text(struct reading *reading, const char *path)
{
	bool standard = strcmp(path, INIFILE_STDIN) == 0;
	FILE *file = standard ? stdin : fopen(path, "re");
	size_t len = 0;
	int ret;

	if (!file)
		return fail_system(reading, errno);
	ret = read_stream(reading, file, &len);
	if (!standard)
		fclose(file);
	if (ret < 0)
		return ret;
	reading->end = reading->text + len;
	reading->next = reading->text;
	return pass_byte_order_mark(reading);
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

int inifile_read(const char *path, const char *name, inifile_section_fn *section,
		 inifile_pair_fn *pair, void *arg, struct mistakes *mistakes, struct error *error)
{
	struct reading reading = { .name = name,
				   .section = section,
				   .pair = pair,
				   .arg = arg,
				   .mistakes = mistakes,
				   .error = error };
	autofree char *text = NULL;
	int ret = read_text(&reading, path);

	text = reading.text;
	if (ret < 0)
		return ret;
	allow_long_lines();
	ret = ini_parse_stream(read_line, &reading, take_pair, &reading);
	if (ret == -2)
		return error_nomem(error);
	if (error->code != 0)
		return -error->code;
	if (ret <= 0)
		return 0;
	/* begin_line lets no line through that libinih refuses; another libinih may be stricter. */
	reading.line = (unsigned int)ret;
	return fail_line(&reading, "neither `key = value` nor [section]");
}
