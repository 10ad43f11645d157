/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole builds. The first byte of the input chooses the backend, and by its higher bits one in
 * CHECKED times that the filesystem's own checker is asked, too, when KATAIMG_FUZZ_CHECKERS is set;
 * the rest is an archive (target-archive.c). A tree that was accepted builds, unless the filesystem
 * cannot hold it, and the image reads back as the tree.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/archive/archive.h"
#include "core/builder/build.h"
#include "core/cli/cli.h"
#include "tests/fuzz/sealed.h"
#include "tests/fuzz/target.h"

#define CHECKED 8
#define UNPACK_BYTES ((uint64_t)16 << 20) /* as [tree] unpack-limit below */

static const struct {
	const char *name, *checker, *setting;
} filesystems[] = {
	{ "ext4", "e2fsck -fn", "image.align=4K" },
	{ "xfs", "xfs_repair -n", "image.align=4K" },
	{ "erofs", "fsck.erofs", "image.align=4K" },
	{ "cpio", "cpio -t --quiet -F", "tree.whole-seconds=yes" },
};

#define FILESYSTEMS (sizeof(filesystems) / sizeof(filesystems[0]))

/* What a build may never say of a good tree: that backend, image or host are wrong. */
static bool is_fault(int code)
{
	return code == EUCLEAN || code == EPROTO || code == EBADMSG || code == EIO;
}

/* Is the archive a tree? If it is none, target-archive.c is the one that looks. */
static bool is_tree(const char *path)
{
	const struct tree_options options = {
		.threads = 1,
		.scratch = { .open = fuzz_scratch, .limit = UNPACK_BYTES },
	};
	autoerror struct error error = ERROR_INIT;
	struct tree *tree;
	int ret = archive_read_tree(path, &options, &tree, &error);

	if (ret < 0)
		return false;
	ret = fuzz_read_files(tree, &error);
	tree_free(tree);
	return ret == 0;
}

static int build(const char *source, size_t which, const char *image, struct error *error)
{
	const char *argv[] = { "kataimg",
			       "--filesystem",
			       filesystems[which].name,
			       "--set",
			       "image.table=none",
			       "--set",
			       filesystems[which].setting,
			       "--set",
			       "image.unsupported=drop",
			       "--set",
			       "image.verify=readback",
			       "--set",
			       "rootfs.check=no",
			       "--set",
			       "tree.unpack-limit=16M",
			       "--output",
			       image,
			       source };
	struct build_options options = { .search = fuzz_backends(),
					 .threads = 1,
					 .strict_backend = true,
					 .progress = PROGRESS_OFF,
					 .owner = (uid_t)-1,
					 .group = (gid_t)-1 };
	struct config_set set = { 0 };
	struct cli cli;
	int ret = cli_parse(sizeof(argv) / sizeof(argv[0]), (char **)argv, &cli, error);

	if (ret == 0)
		ret = cli_prepare(&cli, &set, fuzz_backends(), error);
	if (ret == 0)
		ret = config_set_report(&set, error);
	if (ret < 0)
		fuzz_fail("the configuration is refused: %s", error->message);
	ret = build_run(&set, &options, error);
	config_set_free(&set);
	cli_free(&cli);
	return ret;
}

static void check(const char *checker, const char *image)
{
	char command[256];

	snprintf(command, sizeof(command), "%s %s >/dev/null 2>&1", checker, image);
	if (system(command) != 0)
		fuzz_fail("%s does not like the image", checker);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	autoerror struct error error = ERROR_INIT;
	char image[] = "/dev/shm/kataimg-fuzz-XXXXXX";
	size_t which = len ? bytes[0] % FILESYSTEMS : 0;
	struct fuzz_file file;
	int fd;

	if (len == 0)
		return 0;
	file = fuzz_open_sealed(bytes + 1, len - 1);
	if (!is_tree(file.path)) {
		fuzz_close(&file);
		return 0;
	}
	fd = mkstemp(image);
	if (fd < 0)
		fuzz_fail("no room for an image");
	close(fd);
	if (build(file.path, which, image, &error) == 0) {
		if (bytes[0] / FILESYSTEMS % CHECKED == 0 && getenv("KATAIMG_FUZZ_CHECKERS"))
			check(filesystems[which].checker, image);
	} else if (!error.message || is_fault(error.code)) {
		fuzz_fail("%s: %s", filesystems[which].name, error.message ? error.message : "");
	}
	unlink(image);
	fuzz_close(&file);
	return 0;
}
