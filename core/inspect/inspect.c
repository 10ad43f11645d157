/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/inspect/findings.h"
#include "core/inspect/tables.h"
#include "lib/checked.h"

static int read_dax(int fd, struct inspection *inspection, struct error *error)
{
	uint8_t block[DAX_INFO_BYTES];
	int ret = tables_read_part(fd, inspection, DAX_INFO_OFFSET, block, sizeof(block), error);

	if (ret == 0)
		ret = dax_decode(block, &inspection->dax);
	inspection->has_dax = ret == 0;
	return ret == -ENODATA ? 0 : ret;
}

const char *inspect_root_name(const struct inspection *inspection, char name[ROOT_NAME_BYTES])
{
	snprintf(name, ROOT_NAME_BYTES, inspection->root_partition ? "partition %u" : "the image",
		 inspection->root_partition);
	return name;
}

/* The answer: 0, -ENODATA, or why it is broken or cannot be checked in said. */
static int probe_region(int fd, const struct inspect_probe *probe, const struct region *region,
			struct inspection *inspection, struct error *said)
{
	inspection->filesystem.struct_size = sizeof(inspection->filesystem);
	return probe->probe(probe->arg, fd, region->start_bytes, region->len_bytes,
			    &inspection->filesystem, inspection->backend, said);
}

/* A GPT in which no partition says that it is the root: the first that a backend knows is, or that
 * there is. */
static int probe_each(int fd, const struct inspect_probe *probe, struct inspection *inspection,
		      struct error *said)
{
	int ret = -ENODATA;

	for (size_t i = 0; i < inspection->partition_count && ret == -ENODATA; i++) {
		const struct inspect_partition *partition = &inspection->partitions[i];
		const struct region region = { partition->start_bytes, partition->len_bytes };

		if (!tables_is_inside(inspection, &region))
			continue;
		ret = probe_region(fd, probe, &region, inspection, said);
		if (ret == -ENODATA && inspection->root_partition)
			continue;
		inspection->root = region;
		inspection->root_partition = partition->number;
	}
	return ret;
}

static int probe_filesystem(int fd, const struct inspect_probe *probe,
			    struct inspection *inspection, struct error *said)
{
	int ret = inspection->root_found
			  ? probe_region(fd, probe, &inspection->root, inspection, said)
			  : probe_each(fd, probe, inspection, said);

	/* Of one that is on more devices than this, what it says of itself is known. */
	inspection->has_filesystem =
		ret == 0 || (ret == -EOPNOTSUPP && inspection->filesystem.type[0]);
	return ret;
}

/* Backends that we make, by the filesystems that they know, and packages by the backends. */
static const char *backend_of(const char *filesystem)
{
	static const char *const known[][2] = {
		{ "ext4", "ext4" }, { "ext3", "ext4" },   { "ext2", "ext4" },
		{ "xfs", "xfs" },   { "erofs", "erofs" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i][0], filesystem) == 0)
			return known[i][1];
	return NULL;
}

static int judge_nothing(struct inspection *inspection)
{
	struct inspect_findings *problems = &inspection->problems;

	if (inspection->root_partition)
		return findings_add(problems,
				    "partition %u holds no filesystem that anybody here knows",
				    inspection->root_partition);
	if (inspection->views[0].present)
		return findings_add(problems, inspection->table == IMAGE_TABLE_GPT
						      ? "there is no partition"
						      : "there is no partition 1");
	return findings_add(problems, "there is neither a partition table in it nor a filesystem "
				      "that anybody here knows");
}

static int judge_unknown(int fd, const struct inspect_probe *probe, struct inspection *inspection,
			 struct error *error)
{
	const struct region *root = &inspection->root;
	char name[CONTENT_NAME_BYTES], where[ROOT_NAME_BYTES];
	const char *backend;
	int has = 1, ret;

	ret = content_filesystem(fd, root->start_bytes, root->len_bytes, name, error);
	if (ret < 0)
		return ret;
	backend = backend_of(name);
	if (backend && probe->has)
		has = probe->has(probe->arg, backend);
	if (has < 0)
		return error_nomem(error);
	inspect_root_name(inspection, where);
	if (!*name)
		ret = judge_nothing(inspection);
	else if (!backend)
		ret = findings_add(&inspection->unchecked,
				   "%s holds %s, which no backend here knows", where, name);
	else if (!has)
		ret = findings_add(&inspection->unchecked,
				   "%s holds %s, but the backend %s is not installed; "
				   "packaged, it is called kataimg-backend-%s",
				   where, name, backend, backend);
	else
		ret = findings_add(&inspection->problems,
				   "%s looks like %s, but its superblock is not one that the "
				   "backend %s knows",
				   where, name, backend);
	return ret < 0 ? error_nomem(error) : 0;
}

/* Why there is nothing to go on with: neither says anything of the filesystem. */
static int pass_on(int ret, struct error *error)
{
	return ret == -ENOMEM ? error_nomem(error) : error_set(error, ECANCELED, "interrupted");
}

static int tell(struct inspect_findings *findings, const char *what, const struct error *said,
		struct error *error)
{
	int ret = findings_add(findings, "%s%s", what,
			       said->message ? said->message : "no reason given");

	return ret < 0 ? error_nomem(error) : 0;
}

/* All that is in it, after a look at its superblock. */
static int read_filesystem(int fd, const struct inspect_probe *probe, struct inspection *inspection,
			   struct error *error)
{
	const struct region *root = &inspection->root;
	autoerror struct error said = ERROR_INIT;
	autofree char *sentence = NULL;
	int ret = probe->read(probe->arg, fd, root->start_bytes, root->len_bytes,
			      inspection->backend, &sentence, &said);

	if (ret == -ENOMEM || ret == -ECANCELED)
		return pass_on(ret, error);
	if (ret == -EOPNOTSUPP)
		return tell(&inspection->unchecked, "", &said, error);
	if (ret < 0)
		return tell(&inspection->problems, "", &said, error);
	return sentence && findings_add(&inspection->problems, "%s: %s", inspection->backend,
					sentence) < 0
		       ? error_nomem(error)
		       : 0;
}

static int look_at_filesystem(int fd, const struct inspect_probe *probe,
			      struct inspection *inspection, struct error *error)
{
	autoerror struct error said = ERROR_INIT;
	int ret;

	if (inspection->root_found && !tables_is_inside(inspection, &inspection->root))
		return 0;
	ret = probe_filesystem(fd, probe, inspection, &said);
	if (ret == -ENODATA)
		return judge_unknown(fd, probe, inspection, error);
	if (ret == -ENOMEM || ret == -ECANCELED)
		return pass_on(ret, error);
	if (ret == 0)
		return probe->read ? read_filesystem(fd, probe, inspection, error) : 0;
	return inspection->has_filesystem
		       ? tell(&inspection->unchecked, "", &said, error)
		       : tell(&inspection->problems, "the filesystem is broken: ", &said, error);
}

static int judge(struct inspection *inspection)
{
	int (*const judges[])(struct inspection *) = {
		findings_judge_size, findings_judge_dax,        findings_judge_views,
		findings_judge_gpt,  findings_judge_partitions, findings_judge_filesystem,
	};
	int ret = 0;

	for (size_t i = 0; i < sizeof(judges) / sizeof(judges[0]) && ret == 0; i++)
		ret = judges[i](inspection);
	return ret;
}

static int read_headers(int fd, struct inspection *inspection, struct error *error)
{
	off_t end = lseek(fd, 0, SEEK_END); /* of a block device too */
	int ret;

	if (end < 0)
		return error_errno(error, errno, "cannot find its size");
	inspection->image_bytes = (uint64_t)end;
	ret = read_dax(fd, inspection, error);
	return ret < 0 ? ret : tables_read(fd, inspection, error);
}

/* Without what an image alone has, it may be something else, about which nothing more is said. */
static int look_for_other(int fd, struct inspection *inspection, struct error *error)
{
	int ret;

	/* A backend has said what it is, if only that it is broken. */
	if (inspection->has_dax || inspection->backend[0])
		return 0;
	ret = content_identify(fd, inspection->image_bytes, &inspection->content, error);
	if (ret < 0 || !inspection->content.sentence)
		return ret;
	findings_clear(&inspection->problems);
	findings_clear(&inspection->unchecked);
	ret = findings_add(&inspection->problems, "%s", inspection->content.sentence);
	return ret < 0 ? error_nomem(error) : 0;
}

int inspect_fd(int fd, const struct inspect_probe *probe, struct inspection *inspection,
	       struct error *error)
{
	int ret;

	*inspection = (struct inspection){ 0 };
	ret = read_headers(fd, inspection, error);
	if (ret == 0)
		ret = look_at_filesystem(fd, probe, inspection, error);
	if (ret == 0)
		ret = look_for_other(fd, inspection, error);
	if (ret < 0 || inspection->content.sentence)
		return ret;
	return judge(inspection) < 0 ? error_nomem(error) : 0;
}

int inspect_open(const char *path, struct error *error)
{
	/* A pipe that nobody writes is not waited for. */
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int code = errno;
	const char *refused;
	struct stat st;

	/* A socket can be looked at, but not be opened. */
	if (fd < 0 ? stat(path, &st) < 0 : fstat(fd, &st) < 0)
		return error_errno(error, fd < 0 ? code : errno, "cannot open %s", path);
	refused = content_refuse_type(st.st_mode);
	if (refused)
		return error_set(error, EINVAL, "%s is %s", path, refused);
	if (fd < 0)
		return error_errno(error, code, "cannot open %s", path);
	return steal_fd(&fd);
}

void inspect_clear(struct inspection *inspection)
{
	findings_clear(&inspection->problems);
	findings_clear(&inspection->unchecked);
	findings_clear(&inspection->notes);
	content_clear(&inspection->content);
	free(inspection->partitions);
	free(inspection->hash_tree.file);
	free(inspection->hash_tree.tree_file);
}

static int compare_partition(const struct inspection *inspection, const struct geometry *expected,
			     unsigned int number, struct error *error)
{
	const struct inspect_partition no_partition = { 0 };
	const struct partition none = { 0 };
	const struct inspect_partition *is = tables_find_partition(inspection, number + 1);
	const struct partition *shall =
		number < expected->partition_count ? &expected->partitions[number] : &none;

	if (!is)
		is = &no_partition;
	if (is->start_bytes == shall->start_bytes && is->len_bytes == shall->len_bytes &&
	    (expected->table != IMAGE_TABLE_DOS ||
	     (is->type == shall->type && is->bootable == shall->bootable)))
		return 0;
	return error_set(error, EBADMSG,
			 "partition %u is [%" PRIu64 ", +%" PRIu64 ") instead of [%" PRIu64
			 ", +%" PRIu64 ")",
			 number + 1, is->start_bytes, is->len_bytes, shall->start_bytes,
			 shall->len_bytes);
}

static int compare_geometry(const struct inspection *inspection, const struct geometry *expected,
			    struct error *error)
{
	int ret = 0;

	if (inspection->problems.count)
		return error_set(error, EBADMSG, "%s", inspection->problems.sentences[0]);
	if (inspection->image_bytes != expected->image_bytes)
		return error_set(error, EBADMSG, "it has %" PRIu64 " bytes instead of %" PRIu64,
				 inspection->image_bytes, expected->image_bytes);
	if (inspection->table != expected->table)
		return error_set(error, EBADMSG, "its partition table is %s instead of %s",
				 geometry_table_name(inspection->table),
				 geometry_table_name(expected->table));
	if (inspection->has_dax != expected->dax)
		return error_set(error, EBADMSG, "the info block %s",
				 expected->dax ? "is missing" : "is there, but should not be");
	if (inspection->filesystem.size_bytes > expected->filesystem.len_bytes)
		return error_set(error, EBADMSG,
				 "the filesystem has %" PRIu64 " bytes in a window of %" PRIu64,
				 inspection->filesystem.size_bytes, expected->filesystem.len_bytes);
	if (inspection->root.start_bytes != expected->filesystem.start_bytes)
		return error_set(error, EBADMSG,
				 "the filesystem starts at %" PRIu64 " instead of %" PRIu64,
				 inspection->root.start_bytes, expected->filesystem.start_bytes);
	for (unsigned int i = 0; i < INSPECT_MBR_ENTRIES && ret == 0; i++)
		ret = compare_partition(inspection, expected, i, error);
	return ret;
}

int inspect_check(int fd, const struct geometry *expected, const struct inspect_probe *probe,
		  struct error *error)
{
	struct inspection inspection;
	int ret = inspect_fd(fd, probe, &inspection, error);

	if (ret == 0)
		ret = compare_geometry(&inspection, expected, error);
	inspect_clear(&inspection);
	return ret < 0 ? error_prefix(error, "the finished image is not right") : 0;
}
