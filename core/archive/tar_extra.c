/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/tar_extra.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "lib/checked.h"

/* A header of an honest writer has some attributes of 64 KiB at most. */
#define EXTRA_BYTES_MAX ((int64_t)64 << 20)
#define GLOBAL_RECORDS_MAX 1000

#define USTAR_PREFIX_BYTES 155
#define STAR_PREFIX_BYTES 131

bool tar_is_extra(char type)
{
	return type != '\0' && strchr("xXgLKVMNA", type);
}

/* ---- pax ---- */

static int add_records(struct tar *tar, struct pax *pax, const char *bytes, size_t len,
		       struct error *error)
{
	size_t at;
	int ret = pax_add(pax, bytes, len, &at);

	if (ret == -ENOMEM)
		return error_nomem(error);
	if (ret < 0)
		return tar_fail(tar, tar->next + TAR_BLOCK_BYTES + at, error,
				"a record of its pax header cannot be read: the archive is "
				"damaged");
	return 0;
}

/* What two members cannot have in common, and parts of one file on several media. */
static bool is_of_one_member(const char *key)
{
	return strcmp(key, "size") == 0 || strncmp(key, "GNU.sparse.", 11) == 0 ||
	       strncmp(key, "GNU.volume.offset", 17) == 0 || strcmp(key, "SUN.holesdata") == 0 ||
	       strcmp(key, "SCHILY.realsize") == 0 || strcmp(key, "SCHILY.offset") == 0;
}

static int take_global(struct tar *tar, const char *bytes, size_t len, struct error *error)
{
	int ret;

	if (tar->no_global)
		return 0;
	ret = add_records(tar, &tar->global, bytes, len, error);
	if (ret < 0)
		return ret;
	if (tar->global.count > GLOBAL_RECORDS_MAX)
		return tar_fail(tar, tar->next, error,
				"its global headers have more than %d records", GLOBAL_RECORDS_MAX);
	for (size_t i = 0; i < tar->global.count; i++)
		if (is_of_one_member(tar->global.records[i].key))
			return tar_fail(tar, tar->next, error,
					"a global header gives %s, which is for one member",
					tar->global.records[i].key);
	return 0;
}

/* ---- Others ---- */

static int keep_name(struct tar *tar, char **name, char *bytes, size_t len, struct error *error)
{
	free(*name);
	*name = strndup(bytes, len);
	if (!*name)
		return error_nomem(error);
	if (!**name)
		return tar_fail(tar, tar->next, error,
				"an empty long name: the archive is "
				"damaged");
	return 0;
}

/* Solaris': a number in octal, whose high digits say which kind, a NUL, and the ACL as text. */
static int take_acl(struct tar *tar, const char *bytes, size_t len, struct error *error)
{
	const unsigned long kind_bits = 07000000, posix = 01000000;
	static const char key[] = "SCHILY.acl.access";
	size_t text = strnlen(bytes, len) + 1;

	if (text >= len || (strtoul(bytes, NULL, 8) & kind_bits) != posix)
		return tar_fail(tar, tar->next, error,
				"an ACL of Solaris (type A) that is no POSIX ACL: it cannot be "
				"kept");
	if (pax_put(&tar->own, key, strlen(key), bytes + text, strnlen(bytes + text, len - text)) <
	    0)
		return error_nomem(error);
	return 0;
}

static int take_bytes(struct tar *tar, char type, char *bytes, size_t len, struct error *error)
{
	switch (type) {
	case 'x':
	case 'X':
		return add_records(tar, &tar->own, bytes, len, error);
	case 'g':
		return take_global(tar, bytes, len, error);
	case 'L':
		return keep_name(tar, &tar->long_path, bytes, len, error);
	case 'K':
		return keep_name(tar, &tar->long_target, bytes, len, error);
	case 'A':
		return take_acl(tar, bytes, len, error);
	default: /* V: the archive's own name */
		return 0;
	}
}

static int check_type(const struct tar *tar, char type, struct error *error)
{
	if (type == 'M')
		return tar_fail(tar, tar->next, error,
				"the rest of a file of another volume (type M): archives of "
				"several volumes are not read");
	if (type == 'N')
		return tar_fail(tar, tar->next, error,
				"names in the form of GNU tar 1.10 and older (type N) are not "
				"read");
	return 0;
}

int tar_take_extra(struct tar *tar, const struct tar_header *header, struct error *error)
{
	uint64_t off = tar->next + TAR_BLOCK_BYTES;
	autofree char *bytes = NULL;
	int64_t size = 0;
	int ret = check_type(tar, header->type, error);

	if (ret < 0)
		return ret;
	if (tar_number(header->size, sizeof(header->size), &size) < 0 || size < 0)
		return tar_fail(tar, tar->next, error,
				"the size of an extended header is no number: the archive is "
				"damaged");
	if (size > EXTRA_BYTES_MAX)
		return tar_fail(tar, tar->next, error,
				"an extended header of %" PRId64 " bytes: %" PRId64 " are allowed",
				size, EXTRA_BYTES_MAX);
	bytes = calloc(1, (size_t)size + 1);
	ret = bytes ? tar_read(tar, off, bytes, (size_t)size, error) : error_nomem(error);
	if (ret == 0)
		ret = take_bytes(tar, header->type, bytes, (size_t)size, error);
	return ret < 0 ? ret : tar_step(tar, off + (uint64_t)size, error);
}

/* ---- Names ---- */

static int set_from_record(struct tar *tar, const char *key, char **name, struct error *error)
{
	const struct pax_record *record = pax_find(&tar->own, &tar->global, key);

	if (!record || *name)
		return 0;
	if (strlen(record->value) != record->len)
		return tar_fail(tar, tar->next, error, "a NUL in its %s: the archive is damaged",
				key);
	*name = strdup(record->value);
	return *name ? 0 : error_nomem(error);
}

static char *name_of_header(const struct tar_member *member)
{
	const struct tar_header *header = &member->header;
	size_t room = member->dialect == TAR_USTAR  ? USTAR_PREFIX_BYTES
		      : member->dialect == TAR_STAR ? STAR_PREFIX_BYTES
						    : 0;
	int prefix = (int)strnlen(header->rest, room);
	char *name;

	if (asprintf(&name, "%.*s%s%.*s", prefix, header->rest, prefix ? "/" : "",
		     (int)strnlen(header->name, sizeof(header->name)), header->name) < 0)
		return NULL;
	return name;
}

static int set_path(struct tar *tar, struct error *error)
{
	struct tar_member *member = &tar->member;
	int ret = set_from_record(tar, "GNU.sparse.name", &member->path, error);

	if (ret == 0)
		ret = set_from_record(tar, "path", &member->path, error);
	if (ret < 0)
		return ret;
	if (!member->path && tar->long_path)
		member->path = steal_ptr(&tar->long_path);
	if (!member->path)
		member->path = name_of_header(member);
	return member->path ? 0 : error_nomem(error);
}

static int set_target(struct tar *tar, struct error *error)
{
	struct tar_member *member = &tar->member;
	const struct tar_header *header = &member->header;
	int ret;

	if (member->type != '1' && member->type != '2')
		return 0;
	ret = set_from_record(tar, "linkpath", &member->target, error);
	if (ret < 0)
		return ret;
	if (!member->target && tar->long_target)
		member->target = steal_ptr(&tar->long_target);
	if (!member->target)
		member->target = strndup(header->target, sizeof(header->target));
	return member->target ? 0 : error_nomem(error);
}

/* Names are bytes in any case. */
static void check_charset(struct tar *tar)
{
	const struct pax_record *record = pax_find(&tar->own, &tar->global, "hdrcharset");

	if (!record || tar->charset_seen || strcmp(record->value, "BINARY") == 0 ||
	    strncmp(record->value, "ISO-IR 10646 ", 13) == 0)
		return;
	log_warning("%s: %s: names in the character set %s are taken byte by byte",
		    tar->input->label, tar->member.path, record->value);
	tar->charset_seen = true;
}

/* Before POSIX had a type for it, a directory was known by the / behind its name. */
static void set_type(struct tar_member *member)
{
	size_t len = strlen(member->path);

	if (member->type == 'D' ||
	    (strchr("07", member->type) && len > 0 && member->path[len - 1] == '/'))
		member->type = '5';
}

int tar_set_names(struct tar *tar, struct error *error)
{
	int ret = set_path(tar, error);

	if (ret == 0)
		ret = set_target(tar, error);
	if (ret < 0)
		return ret;
	check_charset(tar);
	set_type(&tar->member);
	return 0;
}
