/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes in pax records: SCHILY.xattr.NAME has the value as it is; GNU tar writes %
 * and = in the name as %25 and %3D, libarchive all that is no printable ASCII so, too.
 * LIBARCHIVE.xattr.NAME has the name like that and the value in base64; RHT.security.selinux has a
 * label as text.
 */
#include "core/archive/tar_xattrs.h"

#include <archive.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/acl.h"

#define SCHILY "SCHILY.xattr."
#define LIBARCHIVE "LIBARCHIVE.xattr."

/* What Linux has of the kind, though no filesystem of an image: it is refused there by its name. */
#define NFS4_ACL_NAME "system.nfs4_acl"

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The byte that %XX stands for; 0: it is nothing of the kind. */
static char decoded(const char *at)
{
	int high = *at == '%' ? hex_value(at[1]) : -1;
	int low = high >= 0 ? hex_value(at[2]) : -1;

	return low >= 0 ? (char)(high * 16 + low) : '\0';
}

/* %XX becomes a byte, in place. */
static void decode_name(char *name)
{
	char *to = name;

	for (const char *at = name; *at; at++) {
		char byte = decoded(at);

		if (byte == '\0') {
			*to++ = *at;
			continue;
		}
		*to++ = byte;
		at += 2;
	}
	*to = '\0';
}

static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Into to, which has room for it: the length or -EINVAL. */
static ssize_t decode_base64(const struct pax_record *record, char *to)
{
	uint32_t bits = 0;
	unsigned int have = 0;
	ssize_t len = 0;
	size_t end = record->len;

	while (end > 0 && record->value[end - 1] == '=')
		end--;
	for (size_t i = 0; i < end; i++) {
		int digit = base64_digit(record->value[i]);

		if (digit < 0)
			return -EINVAL;
		bits = (bits << 6 | (uint32_t)digit) & 0xffff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		to[len++] = (char)(bits >> have);
	}
	return len;
}

static int add_libarchive(struct tar *tar, struct archive_entry *entry,
			  const struct pax_record *record, struct error *error)
{
	autofree char *name = strdup(record->key + strlen(LIBARCHIVE));
	autofree char *value = malloc(record->len + 1);
	ssize_t len;

	if (!name || !value)
		return error_nomem(error);
	decode_name(name);
	len = decode_base64(record, value);
	if (len < 0)
		return tar_fail(tar, tar->member.at, error,
				"its attribute %s is not in base64: the archive is damaged", name);
	archive_entry_xattr_add_entry(entry, name, value, (size_t)len);
	return 0;
}

static int add_schily(struct archive_entry *entry, const struct pax_record *record,
		      struct error *error)
{
	autofree char *name = strdup(record->key + strlen(SCHILY));

	if (!name)
		return error_nomem(error);
	decode_name(name);
	archive_entry_xattr_add_entry(entry, name, record->value, record->len);
	return 0;
}

/* An attribute of Linux has 64 KiB, a header and an entry of an ACL 4 and 8 bytes. */
#define ACL_ENTRIES_MAX ((65536 - sizeof(struct acl_header)) / sizeof(struct acl_entry))

/* Has the text more than Linux takes? libarchive compares each entry with each before it. */
static bool has_too_many_entries(const char *text)
{
	size_t count = 1;

	for (; *text && count <= ACL_ENTRIES_MAX; text++)
		count += *text == ',' || *text == '\n';
	return count > ACL_ENTRIES_MAX;
}

static int add_acl(struct tar *tar, struct archive_entry *entry, const struct pax_record *record,
		   int type, struct error *error)
{
	int status;

	if (has_too_many_entries(record->value))
		return tar_fail(
			tar, tar->member.at, error,
			"its ACL (%s) has more than %zu entries, and Linux takes none of them",
			record->key, ACL_ENTRIES_MAX);
	status = archive_entry_acl_from_text(entry, record->value, type);
	if (status == ARCHIVE_FATAL)
		return error_nomem(error);
	if (status != ARCHIVE_OK || strlen(record->value) != record->len)
		return tar_fail(tar, tar->member.at, error, "its ACL (%s) cannot be read: %s",
				record->key, record->value);
	return 0;
}

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static int add_record(struct tar *tar, struct archive_entry *entry, const struct pax_record *record,
		      struct error *error)
{
	if (starts(record->key, LIBARCHIVE))
		return add_libarchive(tar, entry, record, error);
	if (starts(record->key, SCHILY))
		return add_schily(entry, record, error);
	/* The kernel's value ends with a NUL. */
	if (strcmp(record->key, "RHT.security.selinux") == 0)
		archive_entry_xattr_add_entry(entry, "security.selinux", record->value,
					      strlen(record->value) + 1);
	if (strcmp(record->key, "SCHILY.acl.ace") == 0 && record->len > 0)
		archive_entry_xattr_add_entry(entry, NFS4_ACL_NAME, record->value, record->len);
	return 0;
}

static int add_records(struct tar *tar, struct archive_entry *entry, const struct pax *pax,
		       struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < pax->count; i++)
		ret = add_record(tar, entry, &pax->records[i], error);
	return ret;
}

int tar_set_xattrs(struct tar *tar, struct archive_entry *entry, struct error *error)
{
	static const struct {
		const char *key;
		int type;
	} acls[] = {
		{ "SCHILY.acl.access", ARCHIVE_ENTRY_ACL_TYPE_ACCESS },
		{ "SCHILY.acl.default", ARCHIVE_ENTRY_ACL_TYPE_DEFAULT },
	};
	int ret = add_records(tar, entry, &tar->global, error);

	if (ret == 0)
		ret = add_records(tar, entry, &tar->own, error);
	for (size_t i = 0; ret == 0 && i < sizeof(acls) / sizeof(acls[0]); i++) {
		const struct pax_record *record = pax_find(&tar->own, &tar->global, acls[i].key);

		if (record)
			ret = add_acl(tar, entry, record, acls[i].type, error);
	}
	return ret;
}
