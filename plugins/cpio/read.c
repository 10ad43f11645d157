/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel would make of the members, one after the other: a later member of the same name
 * counts, members with one number and several names are one file, and the data may come with any of
 * them. But what the kernel passes over in silence is an error here, or is told: an archive that is
 * no initrd may well have files without their directories, for cpio -d.
 */
#include "plugins/cpio/read.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/array.h"
#include "lib/cleanup.h"
#include "lib/filetype.h"
#include "lib/hashtable.h"
#include "plugins/cpio/scan.h"

#define SUM_BYTES 16384u
#define ROOT 0 /* of the inodes */
/* Of directories that no member is. */
#define IMPLIED_MODE (S_IFDIR | 0755)

struct inode {
	struct cpio_header header;
	uint64_t data_off;
	uint32_t archive;
	uint32_t names;
};

struct name {
	uint32_t dir; /* inodes, by their places */
	uint32_t inode;
	uint32_t text; /* in texts */
	uint32_t len;
};

struct reader {
	struct cpio_scan scan;
	const struct kataimg_sink *sink;
	ARRAY(struct inode) inodes;
	ARRAY(struct name) names;
	ARRAY(char) texts;
	struct hashtable by_name, by_number;
	bool implied; /* a directory, as has been said */
};

static int refuse(const struct reader *reader, const struct cpio_found *found, const char *why)
{
	return window_refuse(&reader->scan.window, "the member at byte %" PRIu64 ", %s, %s",
			     found->at, reader->scan.path, why);
}

static bool is_directory(const struct cpio_header *header)
{
	return S_ISDIR(header->field[CPIO_MODE]);
}

/* ---- Names ---- */

static uint32_t hash_name(uint32_t dir, const char *text, size_t len)
{
	return hash_bytes(hash_bytes(HASH_START, &dir, sizeof(dir)), text, len);
}

static struct name *find_name(const struct reader *reader, uint32_t dir, const char *text,
			      size_t len)
{
	size_t step = 0;
	uint32_t number;

	while (hashtable_next(&reader->by_name, hash_name(dir, text, len), &step, &number)) {
		struct name *name = &reader->names.items[number];

		if (name->dir == dir && name->len == len &&
		    memcmp(reader->texts.items + name->text, text, len) == 0)
			return name;
	}
	return NULL;
}

static int add_name(struct reader *reader, uint32_t dir, const char *text, size_t len,
		    uint32_t inode)
{
	struct name *name = array_add(&reader->names);

	if (!name || array_reserve(&reader->texts, len) < 0)
		return -ENOMEM;
	*name = (struct name){ dir, inode, (uint32_t)reader->texts.count, (uint32_t)len };
	memcpy(reader->texts.items + reader->texts.count, text, len);
	reader->texts.count += len;
	return hashtable_put(&reader->by_name, hash_name(dir, text, len),
			     (uint32_t)reader->names.count - 1);
}

/* The next component of a path that is more than nothing and "."; 0: there is none. */
static size_t next_component(const char **path)
{
	size_t len;

	do {
		while (**path == '/')
			++*path;
		len = strcspn(*path, "/");
	} while (len == 1 && **path == '.' && (*path)++);
	return len;
}

static int imply_directory(struct reader *reader, const struct cpio_found *found, uint32_t *dir,
			   const char *text, size_t len)
{
	const struct kataimg_host *host = reader->scan.window.host;
	const uint32_t number = (uint32_t)reader->inodes.count;
	struct inode *inode = array_add(&reader->inodes);
	int ret;

	if (!inode)
		return -ENOMEM;
	inode->header.field[CPIO_MODE] = IMPLIED_MODE;
	inode->header.field[CPIO_MTIME] = found->header.field[CPIO_MTIME];
	inode->names = 1;
	ret = add_name(reader, *dir, text, len, number);
	*dir = number;
	if (ret == 0 && !reader->implied)
		host->log(host->ctx, KATAIMG_LOG_WARNING,
			  "%s is in a directory that no member before it makes: a kernel leaves it "
			  "and its like out",
			  reader->scan.path);
	reader->implied = true;
	return ret;
}

/* The directory that the member is in, and its name there, which is empty for the root. */
static int find_place(struct reader *reader, const struct cpio_found *found, uint32_t *dir,
		      const char **text, size_t *len)
{
	const char *path = reader->scan.path;

	*dir = ROOT;
	*len = next_component(&path);
	for (;;) {
		const char *after = path + *len;
		size_t more = next_component(&after);
		const struct name *name;
		int ret = 0;

		*text = path;
		if (*len == 2 && memcmp(path, "..", 2) == 0)
			return refuse(reader, found, "leads out of its directory");
		if (more == 0)
			return 0;
		name = find_name(reader, *dir, path, *len);
		if (!name)
			ret = imply_directory(reader, found, dir, path, *len);
		else if (!is_directory(&reader->inodes.items[name->inode].header))
			ret = refuse(reader, found, "is below what is no directory");
		else
			*dir = name->inode;
		if (ret < 0)
			return ret;
		path = after;
		*len = more;
	}
}

/* ---- Inodes ---- */

static uint32_t hash_number(const struct reader *reader, const struct cpio_header *header)
{
	const uint32_t key[] = { reader->scan.archive, header->field[CPIO_DEV_MAJOR],
				 header->field[CPIO_DEV_MINOR], header->field[CPIO_INO],
				 header->field[CPIO_MODE] & S_IFMT };

	return hash_bytes(HASH_START, key, sizeof(key));
}

static bool is_same(const struct inode *inode, const struct cpio_header *header)
{
	const uint32_t *a = inode->header.field, *b = header->field;

	return a[CPIO_INO] == b[CPIO_INO] && a[CPIO_DEV_MAJOR] == b[CPIO_DEV_MAJOR] &&
	       a[CPIO_DEV_MINOR] == b[CPIO_DEV_MINOR] &&
	       (a[CPIO_MODE] & S_IFMT) == (b[CPIO_MODE] & S_IFMT);
}

static bool may_be_linked(const struct cpio_header *header)
{
	return header->field[CPIO_NLINK] > 1 && !is_directory(header);
}

/* NULL: none has the number yet. */
static struct inode *find_inode(const struct reader *reader, const struct cpio_header *header)
{
	size_t step = 0;
	uint32_t number;

	if (!may_be_linked(header))
		return NULL;
	while (hashtable_next(&reader->by_number, hash_number(reader, header), &step, &number)) {
		struct inode *inode = &reader->inodes.items[number];

		if (inode->archive == reader->scan.archive && is_same(inode, header))
			return inode;
	}
	return NULL;
}

/* The member's inode: a new one, or that of its first name, to which it may bring the data. */
static int take_inode(struct reader *reader, const struct cpio_found *found, uint32_t *number)
{
	struct inode *inode = find_inode(reader, &found->header);

	if (inode) {
		*number = (uint32_t)(inode - reader->inodes.items);
		if (found->header.field[CPIO_SIZE] > 0) {
			inode->header.field[CPIO_SIZE] = found->header.field[CPIO_SIZE];
			inode->data_off = found->data_off;
		}
		return 0;
	}
	inode = array_add(&reader->inodes);
	if (!inode)
		return -ENOMEM;
	*inode = (struct inode){ found->header, found->data_off, reader->scan.archive, 0 };
	*number = (uint32_t)reader->inodes.count - 1;
	if (!may_be_linked(&found->header))
		return 0;
	return hashtable_put(&reader->by_number, hash_number(reader, &found->header), *number);
}

/* ---- Members ---- */

/* The kernel keeps a directory, and gives it the later member's attributes. */
static int renew_directory(const struct reader *reader, const struct cpio_found *found,
			   uint32_t inode)
{
	if (!is_directory(&found->header))
		return refuse(reader, found, "is a directory in an earlier one");
	reader->inodes.items[inode].header = found->header;
	return 0;
}

static int add_member(struct reader *reader, const struct cpio_found *found)
{
	struct name *name;
	uint32_t dir, inode;
	const char *text;
	size_t len;
	int ret = find_place(reader, found, &dir, &text, &len);

	if (ret < 0)
		return ret;
	if (len == 0)
		return renew_directory(reader, found, ROOT);
	name = find_name(reader, dir, text, len);
	if (name && is_directory(&reader->inodes.items[name->inode].header))
		return renew_directory(reader, found, name->inode);
	if (name && is_directory(&found->header))
		return refuse(reader, found, "is no directory in an earlier one");
	ret = take_inode(reader, found, &inode);
	if (ret < 0)
		return ret;
	reader->inodes.items[inode].names++;
	if (!name)
		return add_name(reader, dir, text, len, inode);
	reader->inodes.items[name->inode].names--;
	name->inode = inode;
	return 0;
}

static int check_sum(struct reader *reader, const struct cpio_found *found)
{
	struct window *window = &reader->scan.window;
	const uint32_t size = found->header.field[CPIO_SIZE];
	uint8_t bytes[SUM_BYTES];
	uint32_t sum = 0;

	if (!found->has_sum || !S_ISREG(found->header.field[CPIO_MODE]) || size == 0)
		return 0;
	for (uint64_t at = 0; at < size; at += sizeof(bytes)) {
		const size_t len = size - at < sizeof(bytes) ? (size_t)(size - at) : sizeof(bytes);
		int ret = window_look(window, len);

		if (ret == 0)
			ret = window_fetch(window, found->data_off + at, bytes, len);
		if (ret < 0)
			return ret;
		for (size_t i = 0; i < len; i++)
			sum += bytes[i];
	}
	if (sum == found->header.field[CPIO_SUM])
		return 0;
	return refuse(reader, found, "has data of another sum: it is damaged");
}

static int take_member(struct reader *reader, const struct cpio_found *found)
{
	const uint32_t *field = found->header.field;
	int ret;

	if (filetype_of_mode(field[CPIO_MODE]) == 0)
		return refuse(reader, found, "has a type that there is not");
	if (S_ISLNK(field[CPIO_MODE]) &&
	    (field[CPIO_SIZE] == 0 || field[CPIO_SIZE] >= CPIO_PATH_BYTES))
		return refuse(reader, found, "is a symbolic link that the kernel does not make");
	ret = add_member(reader, found);
	return ret < 0 ? ret : check_sum(reader, found);
}

static int read_members(struct reader *reader)
{
	struct cpio_found found;
	int ret;

	while ((ret = cpio_scan_next(&reader->scan, &found)) > 0) {
		ret = take_member(reader, &found);
		if (ret < 0)
			return ret;
	}
	return ret;
}

/* ---- The report ---- */

static int report_inode(struct reader *reader, uint32_t number)
{
	const struct inode *inode = &reader->inodes.items[number];
	const uint32_t *field = inode->header.field;
	const struct kataimg_sink *sink = reader->sink;
	char target[CPIO_PATH_BYTES];
	struct kataimg_inode report = {
		.struct_size = sizeof(report),
		.id = number,
		.mtime_sec = field[CPIO_MTIME],
		.uid = field[CPIO_UID],
		.gid = field[CPIO_GID],
		.mode = field[CPIO_MODE] & 07777,
		.type = filetype_of_mode(field[CPIO_MODE]),
	};
	int ret = 0;

	if (report.type == KATAIMG_REG || report.type == KATAIMG_LNK)
		report.size = field[CPIO_SIZE];
	if (report.type == KATAIMG_CHR || report.type == KATAIMG_BLK) {
		report.rdev_major = field[CPIO_RDEV_MAJOR];
		report.rdev_minor = field[CPIO_RDEV_MINOR];
	}
	if (report.type == KATAIMG_LNK) {
		report.target = target;
		ret = window_fetch(&reader->scan.window, inode->data_off, target,
				   (size_t)report.size);
	}
	if (ret == 0)
		ret = sink->inode(sink->ctx, &report);
	if (ret < 0 || report.type != KATAIMG_REG || report.size == 0)
		return ret;
	return sink->range(sink->ctx, number, 0, report.size, inode->data_off);
}

static int report_all(struct reader *reader)
{
	const struct kataimg_sink *sink = reader->sink;
	int ret = sink->root(sink->ctx, ROOT);

	for (uint32_t i = 0; ret == 0 && i < reader->inodes.count; i++)
		if (i == ROOT || reader->inodes.items[i].names > 0)
			ret = report_inode(reader, i);
	for (size_t i = 0; ret == 0 && i < reader->names.count; i++) {
		const struct name *name = &reader->names.items[i];

		ret = sink->entry(sink->ctx, name->dir, reader->texts.items + name->text, name->len,
				  name->inode);
	}
	return ret;
}

static int open_reader(struct reader *reader, const struct kataimg_host *host,
		       uint64_t window_bytes)
{
	struct inode *root = array_add(&reader->inodes);
	int ret;

	if (!root)
		return -ENOMEM;
	root->header.field[CPIO_MODE] = IMPLIED_MODE;
	ret = cpio_scan_begin(&reader->scan, host, window_bytes);
	if (ret == -ENODATA)
		return window_refuse(&reader->scan.window, "there is no cpio archive");
	return ret;
}

static void close_reader(struct reader *reader)
{
	cpio_scan_end(&reader->scan);
	array_free(&reader->inodes);
	array_free(&reader->names);
	array_free(&reader->texts);
	hashtable_free(&reader->by_name);
	hashtable_free(&reader->by_number);
}

int cpio_read(const struct kataimg_host *host, uint64_t window_bytes,
	      const struct kataimg_sink *sink, void **state)
{
	struct reader reader autocall(close_reader) = { .sink = sink };
	int ret = open_reader(&reader, host, window_bytes);

	*state = NULL; /* nothing is decoded */
	if (ret < 0)
		return ret;
	ret = read_members(&reader);
	return ret < 0 ? ret : report_all(&reader);
}
