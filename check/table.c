/* SPDX-License-Identifier: Apache-2.0 */
/* The file and its table. The loader has judged names, version, size and callbacks before. */
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"

typedef ElfW(Ehdr) elf_header;
typedef ElfW(Shdr) elf_section;
typedef ElfW(Sym) elf_symbol;

/* The whole file; the loader has mapped it, so it is sound. NULL when it cannot be read. */
static char *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "re");
	char *bytes = NULL;
	long end;

	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (end = ftell(file)) > 0 &&
	    fseek(file, 0, SEEK_SET) == 0 && (bytes = malloc((size_t)end)) &&
	    fread(bytes, 1, (size_t)end, file) != (size_t)end) {
		free(bytes);
		bytes = NULL;
	}
	*size = bytes ? (size_t)end : 0;
	fclose(file);
	return bytes;
}

static int is_export(const elf_symbol *symbol)
{
	int bind = ELF64_ST_BIND(symbol->st_info);
	int visibility = ELF64_ST_VISIBILITY(symbol->st_other);

	return symbol->st_shndx != SHN_UNDEF && (bind == STB_GLOBAL || bind == STB_WEAK) &&
	       (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

static int check_symbols(const char *bytes, const elf_section *symbols, const char *names)
{
	size_t count = symbols->sh_size / sizeof(elf_symbol);
	int ret = 0;

	for (size_t i = 0; i < count; i++) {
		elf_symbol symbol;

		memcpy(&symbol, bytes + symbols->sh_offset + i * sizeof(symbol), sizeof(symbol));
		/* names with two underscores in front are the compiler's, a sanitizer's say */
		if (is_export(&symbol) && strncmp(names + symbol.st_name, "__", 2) != 0 &&
		    strcmp(names + symbol.st_name, KATAIMG_BACKEND_SYMBOL) != 0)
			ret = check_fail("exports: '%s' is exported too: compile with "
					 "-fvisibility=hidden, and libraries into it with "
					 "--exclude-libs",
					 names + symbol.st_name);
	}
	return ret;
}

int check_exports(const struct subject *subject)
{
	size_t size;
	char *bytes = read_file(subject->path, &size);
	elf_header header;
	int ret = 0;

	if (!bytes)
		return check_fail("exports: cannot read %s: %s", subject->path, strerror(errno));
	memcpy(&header, bytes, sizeof(header));
	for (int i = 0; i < header.e_shnum; i++) {
		elf_section section, strings;

		memcpy(&section, bytes + header.e_shoff + (size_t)i * sizeof(section),
		       sizeof(section));
		if (section.sh_type != SHT_DYNSYM)
			continue;
		memcpy(&strings, bytes + header.e_shoff + section.sh_link * sizeof(section),
		       sizeof(strings));
		ret |= check_symbols(bytes, &section, bytes + strings.sh_offset);
	}
	free(bytes);
	return ret;
}

static int is_repeated(const struct kataimg_backend *backend, uint64_t index)
{
	for (uint64_t i = 0; i < index; i++)
		if (strcmp(backend->options[i].name, backend->options[index].name) == 0)
			return 1;
	return 0;
}

int check_options(const struct subject *subject)
{
	const struct kataimg_backend *backend = subject->backend;
	int ret = 0;

	for (uint64_t i = 0; i < backend->option_count; i++) {
		const struct kataimg_option *option = &backend->options[i];

		if (!option->help || !*option->help || strchr(option->help, '\n'))
			ret = check_fail("options: %s has no help of one line", option->name);
		if (is_repeated(backend, i))
			ret = check_fail("options: there are two of the name %s", option->name);
		if (option->min > option->max)
			ret = check_fail("options: %s has a min above its max", option->name);
	}
	return ret;
}
