/* SPDX-License-Identifier: Apache-2.0 */
/* What a tar member's headers say of it, as an archive_entry. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/reader.h"
#include "core/archive/tar.h"
#include "core/archive/tar_xattrs.h"
#include "core/base/log.h"

static __LA_MODE_T type_of(struct tar *tar)
{
	const struct tar_member *member = &tar->member;

	switch (member->type) {
	case '2':
		return AE_IFLNK;
	case '3':
		return AE_IFCHR;
	case '4':
		return AE_IFBLK;
	case '5':
		return AE_IFDIR;
	case '6':
		return AE_IFIFO;
	default:
		if (!tar->type_seen && !strchr("017S", member->type))
			log_warning("%s: %s: its type is not known (%#x): taken for a plain file",
				    tar->input->label, member->path, (unsigned char)member->type);
		tar->type_seen |= !strchr("017S", member->type);
		return AE_IFREG;
	}
}

static int set_mode(struct tar *tar, struct archive_entry *entry, struct error *error)
{
	const struct tar_header *header = &tar->member.header;
	int64_t mode;

	if (tar_number(header->mode, sizeof(header->mode), &mode) < 0)
		return tar_fail(tar, tar->member.at, error,
				"its mode is no number: the archive is damaged");
	archive_entry_set_filetype(entry, type_of(tar));
	archive_entry_set_perm(entry, (__LA_MODE_T)mode & 07777);
	return 0;
}

static int set_owner(struct tar *tar, struct archive_entry *entry, struct error *error)
{
	const struct tar_header *header = &tar->member.header;
	int64_t uid, gid;
	int ret = tar_field_number(tar, "uid", header->uid, sizeof(header->uid), &uid, error);

	if (ret == 0)
		ret = tar_field_number(tar, "gid", header->gid, sizeof(header->gid), &gid, error);
	if (ret < 0)
		return ret;
	archive_entry_set_uid(entry, uid);
	archive_entry_set_gid(entry, gid);
	return 0;
}

static int set_time(struct tar *tar, struct archive_member *member, struct error *error)
{
	const struct pax_record *record = pax_find(&tar->own, &tar->global, "mtime");
	const struct tar_header *header = &tar->member.header;
	int ret = record ? pax_time(record, &member->mtime_sec, &member->mtime_nsec)
			 : tar_number(header->mtime, sizeof(header->mtime), &member->mtime_sec);

	if (ret == 0)
		return 0;
	return tar_fail(tar, tar->member.at, error, "its mtime is %s: the archive is damaged",
			ret == -ERANGE ? "beyond 64 bits" : "no time");
}

static int device_number(struct tar *tar, const char *star_key, const char *sun_key,
			 const char *field, int64_t *value, struct error *error)
{
	const char *key = pax_find(&tar->own, &tar->global, star_key) ? star_key : sun_key;

	if (tar->member.dialect == TAR_V7 && !pax_find(&tar->own, &tar->global, key))
		return tar_fail(tar, tar->member.at, error,
				"a device in a header that has no numbers of devices");
	return tar_field_number(tar, key, field, sizeof(tar->member.header.major), value, error);
}

static int set_device(struct tar *tar, struct archive_entry *entry, struct error *error)
{
	const struct tar_header *header = &tar->member.header;
	int64_t major, minor;
	int ret;

	if (tar->member.type != '3' && tar->member.type != '4')
		return 0;
	ret = device_number(tar, "SCHILY.devmajor", "SUN.devmajor", header->major, &major, error);
	if (ret == 0)
		ret = device_number(tar, "SCHILY.devminor", "SUN.devminor", header->minor, &minor,
				    error);
	if (ret < 0)
		return ret;
	archive_entry_set_rdevmajor(entry, (dev_t)major);
	archive_entry_set_rdevminor(entry, (dev_t)minor);
	return 0;
}

static void set_data(const struct tar *tar, struct archive_member *member)
{
	const struct tar_member *from = &tar->member;

	member->size = from->size;
	member->off = from->off;
	member->bytes = from->bytes;
	member->ranges = from->ranges;
	member->range_count = from->range_count;
	if (from->type == '1' && from->size > 0)
		archive_entry_set_size(member->entry, (int64_t)from->size);
}

static void set_names(const struct tar *tar, struct archive_member *member)
{
	const struct tar_member *from = &tar->member;

	member->path = from->path;
	archive_entry_copy_pathname(member->entry, from->path);
	if (from->type == '1')
		archive_entry_copy_hardlink(member->entry, from->target);
	else if (from->type == '2')
		archive_entry_copy_symlink(member->entry, from->target);
}

int tar_fill_entry(struct tar *tar, struct archive_member *member, struct error *error)
{
	int ret;

	archive_entry_clear(member->entry);
	member->has_flags = pax_find(&tar->own, &tar->global, "SCHILY.fflags") != NULL;
	ret = set_mode(tar, member->entry, error);
	if (ret == 0)
		ret = set_owner(tar, member->entry, error);
	if (ret == 0)
		ret = set_time(tar, member, error);
	if (ret == 0)
		ret = set_device(tar, member->entry, error);
	if (ret < 0)
		return ret;
	/* After the mode and the type: they would take it away again. */
	set_names(tar, member);
	set_data(tar, member);
	return tar_set_xattrs(tar, member->entry, error);
}
