/* SPDX-License-Identifier: Apache-2.0 */
/* Several images of one run: their names, what plain sections leave to them, and their mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/config/set.h"
#include "tests/support/configtest.h"

/* xfs makes no disk here. */
static int makes_no_disk(void *arg)
{
	const struct config *config = arg;

	return strcmp(config->image.filesystem, "xfs") == 0;
}

static int can_dax(void *arg)
{
	(void)arg;
	return 1;
}

static int has_backend(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "xfs") == 0 || strcmp(name, "ext4") == 0;
}

struct file {
	const char *path, *text;
};

static int finish_each(struct config_set *set, const char *only, const char *assignment,
		       struct error *error)
{
	int ret = config_set_choose(set, &only, only ? 1 : 0, error);

	for (size_t i = 0; ret == 0 && i < set->count; i++) {
		struct config *config = &set->items[i];
		const struct config_backends backends = { has_backend, can_dax, makes_no_disk,
							  config };

		ret = config_set_begin(set, i, error);
		if (ret == 0)
			ret = config_set_fill(set, i, error);
		if (ret == 0 && assignment)
			ret = config_set_assignment(config, assignment, "--set", error);
		if (ret == 0)
			ret = config_finish(config, &backends, error);
	}
	if (ret == 0)
		ret = config_set_check(set, error);
	return ret < 0 ? ret : config_set_report(set, error);
}

static int load_set(struct config_set *set, const struct file *files, const char *only,
		    const char *assignment, struct error *error)
{
	const char *paths[3] = { 0 };
	size_t count = 0;
	int ret;

	for (; count < 3 && files[count].path; count++) {
		paths[count] = files[count].path;
		write_file(paths[count], files[count].text, strlen(files[count].text));
	}
	ret = config_set_read(set, paths, count, error);
	return ret < 0 ? ret : finish_each(set, only, assignment, error);
}

/* Followed by nothing, of two. */
#define ONE(text) "build.ini", text
#define IMAGE "[image]\nsource = x\nalign = 2M\n"

#define NAMES                                                                                    \
	"an image's name has letters and digits, and behind the first of them . _ - too, 64 in " \
	"all"
#define NO_DISK "what this filesystem makes is no disk: it is as long as it is"

static const struct {
	const char *text; /* of build.ini; NULL: files */
	struct file files[3];
	const char *only, *assignment, *message;
} refused[] = {
	{ IMAGE "[image a]\nsize = 2M\nsize = 4M\n",
	  .message = "build.ini:6: [image a] size: already given in line 5" },
	{ IMAGE "[quux a]\nx = 1\n[image a]\n",
	  .message = "build.ini:5: unknown section [quux a]" },
	{ IMAGE "[image a]\nsiz = 1\n",
	  .message = "build.ini:5: [image a] siz: unknown key; did you mean size?" },
	{ IMAGE "[image -a]\n", .message = "build.ini:4: [image -a]: " NAMES },
	{ IMAGE "[image a b]\n", .message = "build.ini:4: [image a b]: " NAMES },
	{ IMAGE "[image 12345678901234567890123456789012345678901234567890123456789012345]\n",
	  .message = "build.ini:4: [image "
		     "12345678901234567890123456789012345678901234567890123456789012345]: " NAMES },
	{ IMAGE "[tree base]\n[image bas]\n",
	  .message = "build.ini:4: [tree base]: there is no [image base]; did you mean bas?" },
	{ IMAGE "[image one]\n", .only = "two",
	  .message = "--only two: there is no such image (there are: one)" },
	{ IMAGE, .only = "two",
	  .message = "--only two: the configuration has one image, without a name" },
	{ .files = { { "a.ini", IMAGE "[image a]\n" }, { "b.ini", IMAGE "[image a]\n" } },
	  .message = "b.ini:4: [image a]: a.ini has an image of this name, too" },
	{ .files = { { "a b.ini", IMAGE }, { "a_b.ini", IMAGE "output = o\n" } },
	  .message = "a_b.ini: the image of this file would be called a_b as that of a b.ini: give "
		     "one of the files another name" },
	{ .files = { { "a.ini", IMAGE }, { "b.ini", IMAGE } },
	  .message = "default: [image] output = kata-containers.img: image a and image b would "
		     "both be this file: give each its own (image b)" },
	{ IMAGE "[image a]\noutput = oci:l:t\n[image b]\noutput = oci:l:t\n",
	  .message =
		  "build.ini:7: [image b] output = oci:l:t: image a and image b would both be this "
		  "image of one architecture: give one of them another tag or [image] arch" },
	{ IMAGE "[image a]\nfilesystem = xfs\nalign = 4M\n[image b]\n",
	  .message = "build.ini:6: [image a] align = 4M: " NO_DISK },
	{ IMAGE "filesystem = xfs\n", .message = "build.ini:3: [image] align = 2M: " NO_DISK },
	{ "[image]\nsource = x\nfilesystem = xfs\n[image a]\n[image b]\n", .only = "a",
	  .assignment = "image.align=2M", .message = "--set: [image] align = 2M: " NO_DISK },
	{ IMAGE "[verity]\nenabled = yes\n[image a]\nfilesystem = xfs\n[image b]\n",
	  .message = "build.ini:5: [verity] enabled = yes: what this filesystem makes is no disk, "
		     "which dm-verity could measure: sign the file (image a)" },
	{ IMAGE "[image a]\ntable = gpt\ndisk-signature = 7\n[image b]\n",
	  .message = "build.ini:6: [image a] disk-signature = 7: only table = dos has one" },
	{ IMAGE "[image a]\ncompress = gzip\n[image b]\n",
	  .message = "build.ini:5: [image a] compress = gzip: a device would not read it: a disk's "
		     "image is not compressed, what is no disk, such as an initrd, may be, and "
		     "what goes into oci:DIR:TAG" },
	{ IMAGE "[image a]\nlevel = 3\n[image b]\n",
	  .message = "build.ini:5: [image a] level = 3: needs compress = gzip or zstd" },
	{ IMAGE "compress = gzip\nlevel = 12\n[image a]\noutput = oci:l:t\n",
	  .message = "build.ini:5: [image] level = 12: gzip has levels up to 9" },
	{ IMAGE "[image a]\noutput = a.img\noci-type = x/y\n",
	  .message = "build.ini:6: [image a] oci-type = x/y: says how an OCI image layout has the "
		     "image: it needs [image] output = oci:DIR:TAG, not a.img" },
	{ IMAGE "[image a]\noutput = oci:l:t\noci-form = containerdisk\noci-type = x/y\n",
	  .message = "build.ini:7: [image a] oci-type = x/y: a containerdisk is a container image "
		     "and has no type of its own: leave it out" },
};

static void refusals_name_the_image_and_the_line(void **state)
{
	struct config_test *fixture = *state;
	struct error *error = &fixture->error;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const struct file one[2] = { { ONE(refused[i].text) } };
		struct config_set set = { 0 };

		if (load_set(&set, refused[i].text ? one : refused[i].files, refused[i].only,
			     refused[i].assignment, error) != -EINVAL)
			fail_msg("accepted: %s", refused[i].message);
		assert_string_equal(error->message, refused[i].message);
		assert_int_equal(error->kind, ERROR_USAGE);
		error_clear(error);
		config_set_free(&set);
	}
}

static void load_right(struct config_test *fixture, struct config_set *set,
		       const struct file *files, const char *assignment)
{
	if (load_set(set, files, NULL, assignment, &fixture->error) < 0)
		fail_msg("%s", fixture->error.message);
}

/* What a plain section says is for those images that have a use for it. */
static void plain_keys_are_for_those_who_have_a_use_for_them(void **state)
{
	static const struct file files[2] = { { ONE(
		IMAGE "size = 8M\ntable = gpt\ndisk-signature = 7\ndax = no\ncompress = zstd\n"
		      "level = 5\noci-form = containerdisk\n[gpt]\nname = kata\n"
		      "[image disk]\n[image bare]\ntable = none\n[image initrd]\nfilesystem = xfs\n"
		      "[image layout]\noutput = oci:l:t\n") } };
	struct config_set set = { 0 };
	const struct config *disk, *bare, *initrd, *layout;

	load_right(*state, &set, files, NULL);
	assert_int_equal(set.count, 4);
	disk = &set.items[config_set_find(&set, "disk")];
	bare = &set.items[config_set_find(&set, "bare")];
	initrd = &set.items[config_set_find(&set, "initrd")];
	layout = &set.items[config_set_find(&set, "layout")];
	assert_string_equal(disk->gpt.name, "kata");
	assert_int_equal(disk->image.size_bytes, 8 << 20);
	assert_int_equal(disk->image.disk_signature, 0);
	assert_int_equal(disk->image.compress, COMPRESS_NONE);
	assert_int_equal(disk->image.level, 0);
	assert_null(bare->gpt.name);
	assert_int_equal(bare->image.size_bytes, 8 << 20);
	assert_int_equal(initrd->image.size_bytes, 0);
	assert_int_equal(initrd->image.align_bytes, 1);
	assert_int_equal(initrd->image.table, IMAGE_TABLE_NONE);
	assert_int_equal(initrd->image.compress, COMPRESS_ZSTD);
	assert_false(config_is_given(initrd, "image", "align"));
	assert_int_equal(layout->image.level, 5);
	assert_int_equal(layout->image.oci_form, ARTIFACT_CONTAINERDISK);
	assert_int_equal(config_set_find(&set, "none"), 4);
	config_set_free(&set);
}

/* Whoever decides that an image is no disk: its section, or the command line. */
static void the_command_line_makes_no_disk_as_well(void **state)
{
	static const struct file files[2] = { { ONE(IMAGE "[image a]\n[image b]\n") } };
	struct config_set set = { 0 };

	load_right(*state, &set, files, "image.filesystem=xfs");
	assert_int_equal(set.items[0].image.align_bytes, 1);
	assert_true(set.items[1].image.no_disk);
	config_set_free(&set);
}

/* An image's own list, and one of the command line, take the place of what was said before. */
static void lists_are_replaced_by_those_who_override(void **state)
{
	static const struct file files[2] = { { ONE(
		IMAGE "[tree]\nexclude = a\nexclude = b\n[image one]\n[image two]\n[tree two]\n"
		      "exclude = c\nexclude = d\n") } };
	struct config_set set = { 0 };

	load_right(*state, &set, files, NULL);
	assert_int_equal(set.items[0].tree.exclude.count, 2);
	assert_string_equal(set.items[0].tree.exclude.items[1], "b");
	assert_int_equal(set.items[1].tree.exclude.count, 2);
	assert_string_equal(set.items[1].tree.exclude.items[0], "c");
	config_set_free(&set);
	load_right(*state, &set, files, "tree.exclude=e");
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(set.items[i].tree.exclude.count, 1);
		assert_string_equal(set.items[i].tree.exclude.items[0], "e");
	}
	config_set_free(&set);
}

/* A file's image is called as the file, without what a line for a shell or a table cannot have. */
static void files_give_their_images_names(void **state)
{
	struct config_test *fixture = *state;
	static const struct file files[] = { { "sub/a \"b\\c,d.x.ini", IMAGE "output = a\n" },
					     { ".hidden", IMAGE "output = b\n" },
					     { 0 } };
	struct config_set set = { 0 };
	char *names;

	assert_int_equal(mkdir("sub", 0755), 0);
	load_right(fixture, &set, files, NULL);
	names = config_set_names(&set);
	assert_string_equal(names, "a__b_c_d.x, .hidden");
	free(names);
	config_set_free(&set);
	config_set_default(&set);
	assert_int_equal(set.count, 1);
	assert_string_equal(set.items[0].image.output, "kata-containers.img");
	config_set_free(&set);
}

/* An image of the file that has the name of its file's, beside a named one of another. */
static void named_and_unnamed_images_are_told_apart(void **state)
{
	static const struct file files[] = { { "a.ini", IMAGE "output = a\n" },
					     { "b.ini", IMAGE "[image c]\n[tree a]\n" },
					     { 0 } };
	struct config_test *fixture = *state;
	struct config_set set = { 0 };

	assert_int_equal(load_set(&set, files, NULL, NULL, &fixture->error), -EINVAL);
	assert_string_equal(fixture->error.message, "b.ini:5: [tree a]: there is no [image a]");
	config_set_free(&set);
}

/* Two names of one file are one output. */
static void one_output_has_one_image(void **state)
{
	struct config_test *fixture = *state;
	static const struct file files[2] = { { ONE(
		IMAGE "[image a]\noutput = o\n[image b]\noutput = link\n") } };
	static const struct file layouts[2] = { { ONE(
		IMAGE "[image a]\noutput = oci:l:t\narch = arm64\n[image b]\n"
		      "output = oci:l:t\narch = x86_64\n[image c]\noutput = file\n") } };
	struct config_set set = { 0 };

	load_right(fixture, &set, layouts, NULL);
	config_set_free(&set);
	assert_int_equal(system("touch o other && ln -s o link"), 0);
	assert_int_equal(load_set(&set, files, NULL, NULL, &fixture->error), -EINVAL);
	assert_string_equal(fixture->error.message,
			    "build.ini:7: [image b] output = link: image a and image b would both "
			    "be this file: give each its own");
	config_set_free(&set);
	error_clear(&fixture->error);
	assert_int_equal(system("ln -sf other link"), 0);
	load_right(fixture, &set, files, NULL);
	config_set_free(&set);
}

/* Those of several files come in the files' order, those without a line last; each is told once,
 * with the images that have it. */
static void mistakes_of_several_files_are_in_order(void **state)
{
	static const struct file files[] = {
		{ "a.ini", "[image]\nsource = x\nalign = 3M\n[image one]\n[image two]\ndax = no\n"
			   "[image three]\n[image four]\nsize = Q\n[xfs base]\n" },
		{ "b.ini", "[image]\noutput = b\nsize = 1\n" },
		{ 0 }
	};
	struct config_test *fixture = *state;
	struct config_set set = { 0 };

	assert_int_equal(load_set(&set, files, NULL, NULL, &fixture->error), -EINVAL);
	assert_string_equal(
		fixture->error.message,
		"5 mistakes:\n"
		"a.ini:3: [image] align = 3M: not a multiple of 2 MiB, which dax needs; try 4M "
		"(image one, three, four)\n"
		"a.ini:9: [image four] size = Q: not a size (a whole number, with K, M, G or T "
		"behind it for multiples of 1024)\n"
		"a.ini:10: [xfs base]: there is no [image base]\n"
		"b.ini:3: [image] size = 1: not a multiple of 2 MiB, which dax needs; try 2M "
		"(image b)\n"
		"b.ini: no source: give [image] source or SOURCE (image b)");
	config_set_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(refusals_name_the_image_and_the_line),
		CONFIG_TEST(plain_keys_are_for_those_who_have_a_use_for_them),
		CONFIG_TEST(the_command_line_makes_no_disk_as_well),
		CONFIG_TEST(lists_are_replaced_by_those_who_override),
		CONFIG_TEST(files_give_their_images_names),
		CONFIG_TEST(named_and_unnamed_images_are_told_apart),
		CONFIG_TEST(one_output_has_one_image),
		CONFIG_TEST(mistakes_of_several_files_are_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
