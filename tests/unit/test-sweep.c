/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test-sweep memory|calls GROUP INPUTS [BACKEND]: each place of the program that asks for memory
 * gets none, once, or each call that it makes fails, in whole commands. test-backend-memory.c has
 * the backends alone.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/cli/cli.h"
#include "tests/support/certificate.h"
#include "tests/support/tempdir.h"
#include "tests/unit/commandsweep.h"

#define COMMANDS 40

#define ANY "-q --set rootfs.check=no "
#define PLAIN ANY "--set image.align=2M "
#define ALL "--set image.unsupported=drop "
#define VERITY "--set verity.enabled=yes "
#define SIGNED                                        \
	VERITY "--set verity.sign-key=key.pem --set " \
	       "verity.sign-certificate=certificate.pem "
#define TO_K "-o out/k.img "
#define IMAGE PLAIN TO_K "-f erofs "
#define INITRD ANY ALL TO_K "--set tree.whole-seconds=yes -f cpio "
#define LAYOUT PLAIN "-f erofs -o oci:out/layout:new "

struct group {
	const char *name;
	const char *prepared[4];
	const char *damages;   /* what was prepared, by the shell */
	const char *known[10]; /* commands of other groups whose places are tried there */
	struct sweep_command commands[COMMANDS];
};

static const struct group groups[] = {
	{ .name = "builds",
	  .commands = {
		  { PLAIN TO_K "-f ext4 tree", "k.img" },
		  { PLAIN TO_K "-f xfs tree", "k.img" },
		  { IMAGE "tree", "k.img" },
		  { IMAGE "--set image.verify=content --set tree.exclude=etc/o* --set "
			  "tree.apply=t.mtree tree", "k.img" },
		  { IMAGE "--set image.verify=readback --set tree.holes=detect tree", "k.img" },
		  { IMAGE "--set image.table=gpt --report out/report tree",  "k.img report" },
		  { IMAGE "--set erofs.compress=lz4 --no-reflink tree", "k.img" },
		  { PLAIN TO_K "-f ext4 --set image.free-space=1M --set image.table=none --set "
			       "selinux.file-contexts=contexts tree", "k.img" },
		  { INITRD "tree", "k.img" },
		  { INITRD "--set image.compress=gzip tree", "k.img" },
		  { INITRD "--set image.compress=zstd tree", "k.img" },
		  { "-v --dry-run -c k.ini" },
		  { "--explain -c k.ini" },
		  { "backends" },
		  { "backends ext4" },
	  } },
	{ .name = "measured",
	  .commands = {
		  { IMAGE VERITY "--set verity.place=file tree",
		    "k.img k.img.verity root_hash_.txt" },
		  { IMAGE SIGNED "tree", "k.img k.img.roothash.p7s" },
		  { IMAGE SIGNED "--set image.table=gpt tree", "root_hash_.txt" },
		  { IMAGE VERITY "--set verity.hash=sha512 --set verity.place=append --set "
				 "image.table=none tree", "k.img" },
		  { LAYOUT "tree" },
		  { LAYOUT VERITY "--set image.compress=zstd tree" },
		  { LAYOUT "--set image.oci-form=containerdisk tree" },
		  { "-q -c two.ini --manifest out/manifest --toml out/toml",
		    "one.img two.img root_hash_one.txt manifest toml" },
		  { "key -q " SIGNED "-c k.ini" },
		  { "key -q --text --set image.output=oci:x:y --set image.compress=gzip -c k.ini" },
	  } },
	{ .name = "sources",
	  .commands = {
		  { IMAGE ALL "rich.tar", "k.img" },
		  { IMAGE ALL "rich.tar.gz", "k.img" },
		  { IMAGE ALL "-", "k.img", .input = "rich.tar.zst" },
		  { IMAGE ALL "--set tree.exclude=fifo rich.tar.many.gz", "k.img" },
		  { IMAGE ALL "plain.cpio.gz", "k.img" },
		  { IMAGE ALL "whole.mtree", "k.img" },
		  { "tree -q --hash sha256 --set rootfs.check=no rich.tar.xz" },
		  { "tree -q --set rootfs.check=no rich.tar.bz2" },
		  { "tree -q --set rootfs.check=no plain.cpio" },
		  { "ls -lR rich.tar.gz" },
		  { "cat rich.tar.zst etc/deep/file" },
		  { "extract -q rich.tar.gz -C out/new", .leaves = true },
		  { "extract -q plain.cpio -C out/new", .leaves = true },
	  } },
	{ .name = "containers",
	  .commands = {
		  { IMAGE ALL "oci:containers:one", "k.img" },
		  { IMAGE ALL "oci-archive:containers.tar", "k.img" },
		  { IMAGE ALL "docker-archive:docker.tar", "k.img" },
		  { "tree -q --set rootfs.check=no oci:containers:one" },
		  { "key -q -f erofs --set rootfs.check=no oci:containers:one" },
		  { "ls -lR docker-archive:docker.tar" },
		  { "diff oci:containers:one docker-archive:docker.tar" },
		  { "extract -q oci:containers:one -C out/new", .leaves = true },
		  { "extract -q oci:containers:one -o out/new.tar" },
	  } },
	{ .name = "reads",
	  .prepared = { "-q -c k.ini --set image.output=k.img", PLAIN "-f ext4 -o e.img tree",
			"-q --set image.table=gpt --set image.output=v.img " SIGNED "-c k.ini" },
	  .commands = {
		  { "inspect k.img" },
		  { "inspect --json e.img" },
		  { "inspect --root-hash root_hash_.txt v.img" },
		  { "ls -lR k.img" },
		  { "cat k.img etc/more" },
		  { "diff k.img e.img" },
		  { "diff --json k.img rich.tar", .ends = 1 },
		  { "diff --blocks k.img e.img", .ends = 1 },
		  { "attest -q k.img -c k.ini --set image.output=k.img" },
		  { "attest -q v.img --set image.table=gpt " SIGNED "-c k.ini" },
		  { "tree -q --hash sha256 --set rootfs.check=no tree" },
		  { "tree -q --set rootfs.check=no whole.mtree" },
		  { IMAGE "image:k.img", "k.img" },
		  { "extract -q k.img -C out/new", .leaves = true },
		  { "extract -q e.img etc -C out/new", .leaves = true },
		  { "extract -q --force k.img -C out", "holes link", .leaves = true },
		  { "extract -q --force k.img -o out/new.tar", "new.tar" },
		  { "extract -q k.img -o out/new.tar.gz" },
		  { "extract -q k.img -o out/new.tar.zst" },
		  { "extract -q k.img etc -o out/new.tar.xz" },
	  } },
	/* What is refused, and what only some machines and backends have. */
	{ .name = "refused",
	  .prepared = { "-q -c k.ini --set image.output=k.img", PLAIN "-f ext4 -o e.img tree",
			"-q --set image.table=gpt --set image.output=v.img " SIGNED "-c k.ini" },
	  .damages = "exec python3 damage-images",
	  .known = { "inspect --root-hash root_hash_.txt v.img", "ls -lR e.img",
		     "cat k.img etc/more", "extract -q k.img -C out/new", "diff k.img e.img", IMAGE "rich.tar.gz",
		     IMAGE "oci:containers:one", "-q -c two.ini", LAYOUT "tree", IMAGE SIGNED "tree" },
	  .commands = {
		  { "inspect broken.img", .ends = 1 },
		  { "inspect --root-hash root_hash_.txt bad-v.img", .ends = 1 },
		  { "ls -lR bad-e.img", .ends = 1 },
		  { "extract -q bad-k.img -C out/new", .ends = 1, .leaves = true },
		  { "extract -q k.img none -C out/new", .ends = 1, .leaves = true },
		  { "diff k.img bad-k.img", .ends = 2 },
		  { "cat k.img none", .ends = 1 },
		  { IMAGE ALL "short.tar.gz", "k.img", .ends = 1 },
		  { IMAGE ALL "outside.tar", "k.img", .ends = 1 },
		  { IMAGE ALL "docker-archive:two.tar", "k.img", .ends = 1 },
		  { IMAGE ALL "oci:lying:one", "k.img", .ends = 1 },
		  { IMAGE "--set verity.enabled=yes --set verity.sign-key=key.pem --set "
			  "verity.sign-certificate=other.pem tree", "k.img", .ends = 2 },
		  { "-q -c wrong.ini", .ends = 2 },
		  { IMAGE "tree", "k.img", .lacks_tmpfile = true },
		  { LAYOUT "tree", .lacks_tmpfile = true },
		  { "extract -q k.img -o out/new.tar.gz", .lacks_tmpfile = true },
		  { PLAIN TO_K "-f run/kataimg-run-backend.so tree", "k.img" },
	  } },
};

/* With exit code 1 or 2, one sentence, the old files as they were and no others. */
static const char *judge(const struct sweep_command *command, const struct sweep_fault *fault,
			 uint64_t before, const struct sweep_result *result)
{
	/* What inspect says where no backend may be looked for. */
	if (result->ended == 3 && strstr(result->complained, "as far as it could be checked"))
		return NULL;
	if (result->ended != 1 && result->ended != 2)
		return "a wrong exit code";
	if (sweep_count(result->complained, "error: ") != 1)
		return "not one sentence";
	/* Names that cannot be changed cannot be changed back: it is said where old files are. */
	if (command->leaves || (fault->kind == RENAME && strstr(result->complained, "is kept as")))
		return NULL;
	return result->out == before ? NULL : "other files";
}

static const struct sweep_program kataimg = { "kataimg", cli_main, judge, true };

static const struct group *group;
static bool is_memory;

static void all_of_group(void **state)
{
	(void)state;
	if (group != groups) /* which has it */
		sweep_know(IMAGE "tree");
	for (size_t i = 0; group->prepared[i]; i++)
		sweep_prepare(group->prepared[i]);
	if (group->damages)
		assert_int_equal(system(group->damages), 0);
	for (size_t i = 0; i < COUNT_OF(group->known) && group->known[i]; i++)
		sweep_know(group->known[i]);
	for (size_t i = 0; group->commands[i].words; i++)
		sweep(&group->commands[i], is_memory);
	sweep_end();
}

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_of_group) };
	struct tempdir directory;
	char inputs[4096];
	int failed;

	for (size_t i = 0; count >= 4 && i < COUNT_OF(groups); i++)
		if (strcmp(groups[i].name, words[2]) == 0)
			group = &groups[i];
	if (!group)
		return 99;
	if (count > 4) /* one that runs a program */
		setenv("KATAIMG_TEST_RUN", words[4], 1);
	is_memory = strcmp(words[1], "memory") == 0;
	snprintf(inputs, sizeof(inputs), "exec '%s'", words[3]);
	tempdir_open_large(&directory);
	if (chdir(directory.path) < 0 || system(inputs) != 0)
		return 99;
	certificate_make(2048, "key.pem", "certificate.pem");
	certificate_make(2048, "other-key.pem", "other.pem");
	setenv("TOY_SCRIPT", "{ cat; echo said by the program >&2; } >&3", 1);
	sweep_begin(&kataimg);
	failed = cmocka_run_group_tests_name(words[2], tests, NULL, NULL);
	if (chdir("/") < 0)
		return 99;
	tempdir_close(&directory);
	return failed;
}
