/* SPDX-License-Identifier: Apache-2.0 */
/* The file and its table. The loader has judged names, version, size and callbacks before. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "check/check.h"
#include "check/support/must.h"
#include "core/base/io.h"
#include "lib/cleanup.h"
#include "lib/libc.h"

typedef ElfW(Ehdr) elf_header;
typedef ElfW(Shdr) elf_section;
typedef ElfW(Sym) elf_symbol;

/* A file in memory, of which nothing is believed that was not held against its size. */
struct elf {
	char *bytes;
	size_t size;
};

static int read_file(const char *path, struct elf *elf)
{
	int fd autoclose = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	elf->size = (size_t)status.st_size;
	elf->bytes = must_realloc(NULL, elf->size);
	return io_pread(fd, elf->bytes, elf->size, 0);
}

/* NULL: [off, off + len) is not all inside the file. */
static const void *elf_at(const struct elf *elf, uint64_t off, uint64_t len)
{
	return off <= elf->size && len <= elf->size - off ? elf->bytes + off : NULL;
}

/* Copied: nothing in a file need be aligned. */
static bool elf_read(const struct elf *elf, uint64_t off, void *out, size_t len)
{
	const void *at = elf_at(elf, off, len);

	if (at)
		memcpy(out, at, len);
	return at != NULL;
}

/* The first one is read before all others: where that lies in the file, no sum is too large. */
static bool read_section(const struct elf *elf, const elf_header *header, uint32_t index,
			 elf_section *section)
{
	return index < header->e_shnum && header->e_shentsize == sizeof(*section) &&
	       elf_read(elf, header->e_shoff + (uint64_t)index * sizeof(*section), section,
			sizeof(*section));
}

static bool is_export(const elf_symbol *symbol)
{
	int bind = ELF64_ST_BIND(symbol->st_info);
	int visibility = ELF64_ST_VISIBILITY(symbol->st_other);

	return symbol->st_shndx != SHN_UNDEF && (bind == STB_GLOBAL || bind == STB_WEAK) &&
	       (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

/* The name, which ends inside the string table; NULL: it does not. */
static const char *symbol_name(const struct elf *elf, const elf_section *strings, uint32_t off)
{
	const char *table = elf_at(elf, strings->sh_offset, strings->sh_size);

	if (!table || off >= strings->sh_size ||
	    !memchr(table + off, '\0', (size_t)(strings->sh_size - off)))
		return NULL;
	return table + off;
}

static int check_symbol(const char *name)
{
	/* Names with two underscores in front are the compiler's own, a sanitizer's for example. */
	if (strncmp(name, "__", 2) == 0 || strcmp(name, KATAIMG_BACKEND_SYMBOL) == 0)
		return 0;
	return check_fail("exports: '%s' is exported too: compile with -fvisibility=hidden, and "
			  "libraries into it with --exclude-libs",
			  name);
}

static int check_symbols(const struct elf *elf, const elf_section *symbols,
			 const elf_section *strings)
{
	uint64_t count = symbols->sh_size / sizeof(elf_symbol);
	int ret = 0;

	if (!elf_at(elf, symbols->sh_offset, symbols->sh_size))
		return check_fail("exports: the symbols lie beyond the end of the file");
	for (uint64_t i = 0; i < count; i++) {
		const char *name;
		elf_symbol symbol;

		elf_read(elf, symbols->sh_offset + i * sizeof(symbol), &symbol, sizeof(symbol));
		if (!is_export(&symbol))
			continue;
		name = symbol_name(elf, strings, symbol.st_name);
		ret |= name ? check_symbol(name)
			    : check_fail("exports: a symbol's name lies outside its table");
	}
	return ret;
}

static int check_sections(const struct elf *elf, const elf_header *header)
{
	int ret = 0;

	for (uint32_t i = 0; i < header->e_shnum; i++) {
		elf_section section, strings;

		if (!read_section(elf, header, i, &section))
			return check_fail("exports: the section headers lie beyond the end of the "
					  "file");
		if (section.sh_type != SHT_DYNSYM)
			continue;
		if (!read_section(elf, header, section.sh_link, &strings))
			return check_fail("exports: the symbols have no string table");
		ret |= check_symbols(elf, &section, &strings);
	}
	return ret;
}

int check_exports(const struct subject *subject)
{
	struct elf elf = { 0 };
	elf_header header;
	int ret = read_file(subject->path, &elf);

	if (ret < 0) {
		ret = check_fail("exports: cannot read %s: %s", subject->path, errno_text(-ret));
	} else {
		must(elf_read(&elf, 0, &header, sizeof(header))); /* it is loaded */
		ret = check_sections(&elf, &header);
	}
	free(elf.bytes);
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
