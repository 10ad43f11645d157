/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/content.h"

#include <blkid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/io.h"
#include "lib/cleanup.h"

#define HEAD_BYTES 1024

/* Formats by their first bytes, and what to do about them; where their own specifications have them
 * (RFC 1952, RFC 8878, POSIX pax and cpio, QEMU's docs/interop/qcow2.txt, Linux'
 * Documentation/arch/x86/boot.rst). */
#define TO_RAW ": qemu-img convert -O raw makes an image of it"
#define TO_UNPACK ": it has to be unpacked first, "
#define IS_SOURCE ", which is a source, not an image: kataimg -o IMAGE FILE makes an image of it"

static const struct magic {
	const char *name;
	size_t off, len;
	const char *bytes, *sentence;
} magics[] = {
	{ "qcow2", 0, 4, "QFI\xfb", "it is a qcow2 file" TO_RAW },
	{ "vmdk", 0, 4, "KDMV", "it is a VMDK file" TO_RAW },
	{ "vmdk", 0, 21, "# Disk DescriptorFile", "it is a VMDK description" TO_RAW },
	{ "vdi", 64, 4, "\x7f\x10\xda\xbe", "it is a VDI file" TO_RAW },
	{ "vhdx", 0, 8, "vhdxfile", "it is a VHDX file" TO_RAW },
	{ "vhd", 0, 8, "conectix", "it is a VHD file" TO_RAW },
	{ "android-sparse", 0, 4, "\x3a\xff\x26\xed",
	  "it is an Android sparse image: simg2img makes a raw one of it" },
	{ "gzip", 0, 2, "\x1f\x8b", "it is compressed by gzip" TO_UNPACK "gzip -d" },
	{ "xz", 0, 6,
	  "\xfd"
	  "7zXZ\0",
	  "it is compressed by xz" TO_UNPACK "xz -d" },
	{ "zstd", 0, 4, "\x28\xb5\x2f\xfd", "it is compressed by zstd" TO_UNPACK "zstd -d" },
	{ "bzip2", 0, 3, "BZh", "it is compressed by bzip2" TO_UNPACK "bzip2 -d" },
	{ "lz4", 0, 4, "\x04\x22\x4d\x18", "it is compressed by lz4" TO_UNPACK "lz4 -d" },
	{ "zip", 0, 4, "PK\3\4", "it is a zip archive" TO_UNPACK "unzip" },
	{ "tar", 257, 5, "ustar", "it is a tar" IS_SOURCE },
	{ "cpio", 0, 6, "070701", "it is a cpio" IS_SOURCE },
	{ "cpio", 0, 6, "070702", "it is a cpio" IS_SOURCE },
	{ "cpio", 0, 6, "070707", "it is a cpio" IS_SOURCE },
	{ "cpio", 0, 2, "\xc7\x71", "it is a cpio" IS_SOURCE },
	{ "cpio", 0, 2, "\x71\xc7", "it is a cpio" IS_SOURCE },
	{ "linux", 514, 4, "HdrS", "it is a Linux kernel, not an image" },
	{ "linux", 56, 4, "ARM\x64", "it is a Linux kernel, not an image" },
	{ "elf", 0, 4,
	  "\x7f"
	  "ELF",
	  "it is an ELF file, a program or a kernel, not an image" },
};

static int say(struct content *content, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int say(struct content *content, const char *name, const char *fmt, ...)
{
	va_list args;
	int ret;

	snprintf(content->name, sizeof(content->name), "%s", name);
	va_start(args, fmt);
	ret = vasprintf(&content->sentence, fmt, args);
	va_end(args);
	if (ret >= 0)
		return 0;
	content->sentence = NULL;
	return -ENOMEM;
}

static int identify_magic(const uint8_t *head, size_t len, struct content *content)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		const struct magic *magic = &magics[i];

		if (magic->off + magic->len <= len &&
		    memcmp(head + magic->off, magic->bytes, magic->len) == 0)
			return say(content, magic->name, "%s", magic->sentence);
	}
	return 0;
}

static void cleanup_probe(blkid_probe *probe)
{
	blkid_free_probe(*probe);
}

/* What libblkid finds: its value of this name goes to name, "" when there is none. */
static int ask_blkid(blkid_probe probe, const char *key, char name[CONTENT_NAME_BYTES])
{
	const char *found;
	int ret;

	errno = 0;
	ret = blkid_do_safeprobe(probe);
	if (ret == -1)
		return errno ? -errno : -EIO;
	/* 1: nothing; -2: several at once, of which none can be trusted */
	if (ret == 0 && blkid_probe_lookup_value(probe, key, &found, NULL) == 0)
		snprintf(name, CONTENT_NAME_BYTES, "%s", found);
	return 0;
}

/* Of these usages, libblkid's flags. Guests mount no swap and no journal: a partition with the
 * traces of one, which a filesystem that was damaged can have, is not unknown but wrong. */
static int find_superblock(int fd, uint64_t off, uint64_t len, int usages,
			   char name[CONTENT_NAME_BYTES])
{
	blkid_probe probe __attribute__((cleanup(cleanup_probe))) = blkid_new_probe();

	name[0] = '\0';
	if (!probe)
		return -ENOMEM;
	errno = 0;
	if (blkid_probe_set_device(probe, fd, (blkid_loff_t)off, (blkid_loff_t)len) < 0)
		return errno ? -errno : -EIO;
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE);
	blkid_probe_filter_superblocks_usage(probe, BLKID_FLTR_ONLYIN, usages);
	return ask_blkid(probe, "TYPE", name);
}

static int find_table(int fd, char name[CONTENT_NAME_BYTES])
{
	blkid_probe probe __attribute__((cleanup(cleanup_probe))) = blkid_new_probe();

	name[0] = '\0';
	if (!probe)
		return -ENOMEM;
	errno = 0;
	if (blkid_probe_set_device(probe, fd, 0, 0) < 0)
		return errno ? -errno : -EIO;
	blkid_probe_enable_superblocks(probe, 0);
	blkid_probe_enable_partitions(probe, 1);
	return ask_blkid(probe, "PTTYPE", name);
}

int content_filesystem(int fd, uint64_t off, uint64_t len, char name[CONTENT_NAME_BYTES],
		       struct error *error)
{
	int ret = find_superblock(fd, off, len, BLKID_USAGE_FILESYSTEM | BLKID_USAGE_CRYPTO, name);

	return ret < 0 ? error_errno(error, -ret, "cannot look for a filesystem") : 0;
}

static int identify_disk(int fd, struct content *content)
{
	char name[CONTENT_NAME_BYTES];
	int ret = find_superblock(
		fd, 0, 0, BLKID_USAGE_FILESYSTEM | BLKID_USAGE_CRYPTO | BLKID_USAGE_OTHER, name);

	if (ret < 0)
		return ret;
	if (strcmp(name, "crypto_LUKS") == 0 || strcmp(name, "BitLocker") == 0)
		return say(content, name, "it is encrypted (%s), not an image", name);
	if (strcmp(name, "iso9660") == 0 || strcmp(name, "udf") == 0)
		return say(content, name, "it is a CD image (%s), not a disk image", name);
	if (strcmp(name, "swap") == 0)
		return say(content, name, "it is swap, not an image");
	if (*name)
		return 0; /* a filesystem, which is told about where it is looked at */
	ret = find_table(fd, name);
	if (ret < 0 || !*name || strcmp(name, "dos") == 0 || strcmp(name, "gpt") == 0)
		return ret;
	return say(
		content, name,
		"it is a disk with a partition table of the kind %s; an image has an MBR or a GPT",
		name);
}

int content_identify(int fd, uint64_t bytes, struct content *content, struct error *error)
{
	uint8_t head[HEAD_BYTES];
	size_t len = bytes < sizeof(head) ? (size_t)bytes : sizeof(head);
	int ret = io_pread(fd, head, len, 0);

	*content = (struct content){ 0 };
	if (ret == 0 && bytes == 0)
		ret = say(content, "empty", "it is empty");
	else if (ret == 0)
		ret = identify_magic(head, len, content);
	if (ret == 0 && !content->name[0])
		ret = identify_disk(fd, content);
	return ret < 0 ? error_errno(error, -ret, "cannot find out what it is") : 0;
}

void content_clear(struct content *content)
{
	free(content->sentence);
	*content = (struct content){ 0 };
}

const char *content_refuse_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFBLK:
		return NULL;
	case S_IFDIR:
		return "a directory, not an image: kataimg -o IMAGE DIRECTORY makes an image of "
		       "one";
	case S_IFIFO:
		return "a pipe, not an image: it has to be written to a file first";
	case S_IFCHR:
		return "a character device, not an image";
	default:
		return "a socket, not an image";
	}
}
