/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An INI file, read with libinih.
 *
 * SYNTAX
 *
 *   [section], then lines `key = value` (`:` works for `=`); white space around each is dropped. A
 * line that starts with ; or # is a comment, and so is the rest of a line behind white space and a
 * ;. A section may be opened again. There are no quotes and no continuation lines. A UTF-8 byte
 * order mark and CR LF line ends are accepted.
 */
#ifndef CONFIG_INIFILE_H
#define CONFIG_INIFILE_H

#include "core/base/error.h"
#include "core/config/mistakes.h"

/* Larger files are not configurations. */
#define INIFILE_MAX_BYTES (1u << 20)

/* The path that stands for standard input, and what messages call it. */
#define INIFILE_STDIN "-"
#define INIFILE_STDIN_NAME "standard input"

/* One pair. section is "" before the first [section]. The error of a negative result need not name
 * the place. */
typedef int inifile_pair_fn(void *arg, const char *section, const char *name, const char *value,
			    unsigned int line, struct error *error);

/* The beginning of a section, likewise. */
typedef int inifile_section_fn(void *arg, const char *section, unsigned int line,
			       struct error *error);

/*
 * Calls section for each [section] of the file and pair for each pair. What is wrong with a line,
 * and what the receivers refuse as ERROR_USAGE, goes to mistakes, with "PATH:LINE: " in front, and
 * the reading goes on; a file that cannot be read is an error, of the same kind. name is what
 * messages call the file.
 */
int inifile_read(const char *path, const char *name, inifile_section_fn *section,
		 inifile_pair_fn *pair, void *arg, struct mistakes *mistakes, struct error *error);

#endif
