/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/inspect.h"

#include <errno.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "core/base/io.h"
#include "tests/support/inspected.h"

#define MIB (UINT64_C(1) << 20)

/* What the image is made of and what the only backend says; a test changes it, then looks. */
struct scene {
	struct geometry geometry;
	uint64_t fs_bytes;
	int probe_ret;
	int has_backend;
	bool has_no_type;
	int fd;
};

static int has(void *arg, const char *backend)
{
	const struct scene *scene = arg;

	assert_string_equal(backend, "erofs");
	return scene->has_backend;
}

static int probe(void *arg, int fd, uint64_t off, uint64_t len, struct kataimg_fs_info *info,
		 char backend[INSPECT_BACKEND_NAME_BYTES], struct error *error)
{
	const struct scene *scene = arg;

	(void)fd;
	(void)len;
	if (off != scene->geometry.filesystem.start_bytes)
		return -ENODATA;
	if (scene->probe_ret == -EILSEQ)
		return error_set(error, EILSEQ, "toyfs: wrong checksum");
	if (scene->probe_ret == -EOPNOTSUPP)
		error_set(error, EOPNOTSUPP, "toyfs: half of it is elsewhere");
	if (scene->has_no_type)
		return scene->probe_ret;
	strcpy(info->type, "toyfs");
	strcpy(info->label, "na\nme");
	info->size_bytes = scene->fs_bytes;
	info->free_bytes = 4096;
	strcpy(backend, "toy");
	return scene->probe_ret;
}

static void write_headers(struct scene *scene)
{
	autoerror struct error error = ERROR_INIT;
	uint8_t sector[MBR_BYTES], block[DAX_INFO_BYTES];

	assert_int_equal(mbr_encode(&scene->geometry, 0, sector, &error), 0);
	assert_int_equal(io_pwrite(scene->fd, sector, sizeof(sector), 0), 0);
	if (!scene->geometry.dax)
		return;
	dax_encode(block);
	assert_int_equal(io_pwrite(scene->fd, block, sizeof(block), DAX_INFO_OFFSET), 0);
	assert_int_equal(mbr_encode(&scene->geometry, DAX_HEADER_BYTES, sector, &error), 0);
	assert_int_equal(io_pwrite(scene->fd, sector, sizeof(sector), DAX_HEADER_BYTES), 0);
}

static struct scene new_scene(bool dax)
{
	const struct geometry_request request = {
		.fs_bytes = 100 * MIB,
		.granularity = 4096,
		.align_bytes = 128 * MIB,
		.dax = dax,
	};
	autoerror struct error error = ERROR_INIT;
	struct scene scene = { .fs_bytes = 125 * MIB };

	assert_int_equal(geometry_compute(&request, &scene.geometry, &error), 0);
	scene.fd = memfd_create("image", MFD_CLOEXEC);
	assert_int_equal(ftruncate(scene.fd, (off_t)scene.geometry.image_bytes), 0);
	write_headers(&scene);
	return scene;
}

static void inspect(const struct scene *scene, struct inspection *inspection)
{
	const struct inspect_probe prober = { .probe = probe,
					      .has = has,
					      .arg = (void *)(uintptr_t)scene };

	inspected(scene->fd, &prober, inspection);
}

static int check(const struct scene *scene, const char *words)
{
	const struct inspect_probe prober = { .probe = probe,
					      .has = has,
					      .arg = (void *)(uintptr_t)scene };
	autoerror struct error error = ERROR_INIT;
	int ret = inspect_check(scene->fd, &scene->geometry, &prober, &error);

	if (ret < 0)
		assert_non_null(strstr(error.message, words));
	return ret;
}

/* One contradiction, with these words; and the build's own check sees it too. */
static void expect_problem(struct scene *scene, const char *words)
{
	struct inspection inspection;

	inspect(scene, &inspection);
	assert_int_equal(inspection.problems.count, 1);
	assert_non_null(strstr(inspection.problems.sentences[0], words));
	inspect_clear(&inspection);
	assert_int_equal(check(scene, words), -EBADMSG);
	close(scene->fd);
}

static void overwrite(struct scene *scene, uint64_t off, uint8_t byte)
{
	assert_int_equal(io_pwrite(scene->fd, &byte, 1, off), 0);
}

static void a_right_image_has_no_problem(void **state)
{
	(void)state;
	for (int dax = 0; dax < 2; dax++) {
		struct scene scene = new_scene(dax);
		struct inspection inspection;

		inspect(&scene, &inspection);
		assert_int_equal(inspection.problems.count, 0);
		assert_int_equal(inspection.notes.count, 0);
		assert_int_equal(inspection.has_dax, dax);
		assert_true(inspection.has_filesystem);
		assert_int_equal(inspection.partitions[0].start_bytes, dax ? 3 * MIB : MIB);
		inspect_clear(&inspection);
		assert_int_equal(check(&scene, ""), 0);
		close(scene.fd);
	}
}

static void the_info_block_is_judged(void **state)
{
	struct scene scene = new_scene(true);
	struct inspection inspection;

	(void)state;
	overwrite(&scene, DAX_INFO_OFFSET + 2000, 1);
	expect_problem(&scene, "checksum");
	scene = new_scene(true);
	overwrite(&scene, DAX_INFO_OFFSET, 'X');
	expect_problem(&scene, "no info block");
	scene = new_scene(true);
	overwrite(&scene, DAX_INFO_OFFSET + 72, 2); /* mode, and with it the checksum */
	inspect(&scene, &inspection);
	assert_int_equal(inspection.problems.count, 2);
	assert_non_null(strstr(inspection.problems.sentences[1], "mode is 2, not 1"));
	inspect_clear(&inspection);
	close(scene.fd);
}

static void the_tables_are_compared(void **state)
{
	struct scene scene = new_scene(true);

	(void)state;
	overwrite(&scene, DAX_HEADER_BYTES + 446 + 8, 1); /* start_lba */
	expect_problem(&scene, "partition 1 differs");
	scene = new_scene(true);
	overwrite(&scene, DAX_HEADER_BYTES + 446 + 12, 1); /* sectors */
	expect_problem(&scene, "partition 1 differs");
	scene = new_scene(true);
	overwrite(&scene, DAX_HEADER_BYTES + 446, 0x80);
	expect_problem(&scene,
		       "type 0x83; from 2 MiB it is sector 2048, 256000 sectors, type 0x83, "
		       "bootable");
	scene = new_scene(true);
	overwrite(&scene, DAX_HEADER_BYTES + 510, 0);
	expect_problem(&scene, "no partition table at 2 MiB");
	scene = new_scene(false);
	overwrite(&scene, 510, 0);
	expect_problem(&scene, "neither a partition table in it nor a filesystem");
	scene = new_scene(false);
	overwrite(&scene, 446 + 12, 0); /* 127 MiB are 0x03f800 sectors */
	overwrite(&scene, 446 + 13, 0);
	overwrite(&scene, 446 + 14, 0);
	expect_problem(&scene, "no partition 1");
}

static void sizes_are_judged(void **state)
{
	struct scene scene = new_scene(true);

	(void)state;
	assert_int_equal(ftruncate(scene.fd, 128 * MIB + 4096), 0);
	expect_problem(&scene, "no multiple of 2 MiB");
	scene = new_scene(false);
	assert_int_equal(ftruncate(scene.fd, 128 * MIB + 512), 0);
	expect_problem(&scene, "no multiple of 4096");
	scene = new_scene(true);
	assert_int_equal(ftruncate(scene.fd, 126 * MIB), 0);
	expect_problem(&scene, "partition 1 ends at 134217728, the image at 132120576");
	scene = new_scene(true);
	assert_int_equal(ftruncate(scene.fd, 130 * MIB), 0); /* right in itself, but not as asked */
	assert_int_equal(check(&scene, "bytes instead of"), -EBADMSG);
	close(scene.fd);
}

static void partitions_may_not_overlap(void **state)
{
	struct scene scene = new_scene(false);

	(void)state;
	scene.geometry.partition_count = 2;
	scene.geometry.partitions[0].len_bytes = 64 * MIB;
	scene.geometry.partitions[1] = (struct partition){ .start_bytes = 65 * MIB,
							   .len_bytes = MIB,
							   .type = DOS_TYPE_LINUX };
	scene.fs_bytes = 64 * MIB;
	write_headers(&scene);
	assert_int_equal(check(&scene, ""), 0);
	overwrite(&scene, 446 + 16 + 9, 0); /* start_lba 0x020800 -> 0x020000: 64 MiB */
	expect_problem(&scene, "partitions 1 and 2 overlap");
}

static void the_filesystem_is_judged(void **state)
{
	struct scene scene = new_scene(true);

	(void)state;
	scene.fs_bytes = 125 * MIB + 4096;
	expect_problem(&scene, "the filesystem has 131076096 bytes, its partition 131072000");
	scene = new_scene(true);
	scene.probe_ret = -ENODATA;
	expect_problem(&scene, "holds no filesystem that anybody here knows");
	scene = new_scene(true);
	scene.probe_ret = -EILSEQ;
	expect_problem(&scene, "toyfs: wrong checksum");
}

/* An EROFS superblock begins so: magic number, and blocks of 2^12 bytes, which libblkid wants to
 * see from 2.41 on. Nothing else is set in it. */
static void make_look_like_erofs(struct scene *scene)
{
	const uint8_t super[] = { 0xe2, 0xe1, 0xf5, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0, 12 };
	uint64_t off = scene->geometry.partitions[0].start_bytes + 1024;

	assert_int_equal(io_pwrite(scene->fd, super, sizeof(super), off), 0);
}

static void a_missing_backend_leaves_it_unchecked(void **state)
{
	struct scene scene = new_scene(true);
	struct inspection inspection;

	(void)state;
	make_look_like_erofs(&scene);
	scene.probe_ret = -ENODATA;
	inspect(&scene, &inspection);
	assert_int_equal(inspection.problems.count, 0);
	assert_int_equal(inspection.unchecked.count, 1);
	assert_string_equal(inspection.unchecked.sentences[0],
			    "partition 1 holds erofs, but the backend erofs is not installed; "
			    "packaged, it is called kataimg-backend-erofs");
	inspect_clear(&inspection);
	scene.has_backend = 1;
	expect_problem(&scene,
		       "looks like erofs, but its superblock is not one that the backend erofs "
		       "knows");
}

static void a_filesystem_that_is_not_all_here_is_unchecked(void **state)
{
	struct scene scene = new_scene(true);
	struct inspection inspection;

	(void)state;
	scene.probe_ret = -EOPNOTSUPP;
	inspect(&scene, &inspection);
	assert_int_equal(inspection.problems.count, 0);
	assert_int_equal(inspection.unchecked.count, 1);
	assert_string_equal(inspection.unchecked.sentences[0], "toyfs: half of it is elsewhere");
	assert_true(inspection.has_filesystem);
	assert_string_equal(inspection.filesystem.type, "toyfs");
	inspect_clear(&inspection);
	scene.has_no_type = true; /* nothing is known of it: it is no filesystem to mount */
	expect_problem(&scene, "the filesystem is broken: toyfs: half of it is elsewhere");
}

static void an_empty_file_is_no_image(void **state)
{
	struct scene scene = new_scene(false);

	(void)state;
	assert_int_equal(ftruncate(scene.fd, 0), 0);
	expect_problem(&scene, "it is empty");
}

static void a_size_that_breaks_hotplug_is_a_note(void **state)
{
	struct scene scene = new_scene(true);
	struct inspection inspection;

	(void)state;
	assert_int_equal(ftruncate(scene.fd, 130 * MIB), 0);
	inspect(&scene, &inspection);
	assert_int_equal(inspection.problems.count, 0);
	assert_int_equal(inspection.notes.count, 1);
	assert_non_null(strstr(inspection.notes.sentences[0], "128 MiB"));
	inspect_clear(&inspection);
	close(scene.fd);
}

/* What could not be asked says nothing of the image. */
static void no_memory_is_no_contradiction(void **state)
{
	const struct {
		int probe_ret, has_backend;
	} cases[] = { { -ENOMEM, 1 }, { -ECANCELED, 1 }, { -ENODATA, -ENOMEM } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		autoerror struct error error = ERROR_INIT;
		struct scene scene = new_scene(true);
		const struct inspect_probe prober = { .probe = probe, .has = has, .arg = &scene };
		struct inspection inspection;
		int expected = cases[i].has_backend < 0 ? -ENOMEM : cases[i].probe_ret;

		make_look_like_erofs(&scene);
		scene.probe_ret = cases[i].probe_ret;
		scene.has_backend = cases[i].has_backend;
		assert_int_equal(inspect_fd(scene.fd, &prober, &inspection, &error), expected);
		assert_string_equal(error.message,
				    expected == -ENOMEM ? "out of memory" : "interrupted");
		assert_int_equal(inspection.problems.count + inspection.unchecked.count, 0);
		inspect_clear(&inspection);
		close(scene.fd);
	}
}

static char *print(const struct inspection *inspection,
		   int (*printer)(const struct inspection *, const char *, FILE *))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(printer(inspection, "kata.img", out), 0);
	fclose(out);
	return text;
}

static void text_shows_everything(void **state)
{
	struct scene scene = new_scene(true);
	struct inspection inspection;
	char *text;

	(void)state;
	overwrite(&scene, DAX_INFO_OFFSET + 4088, 0);
	inspect(&scene, &inspection);
	text = print(&inspection, inspect_print_text);
	assert_non_null(strstr(text, "checksum       0x685b032be3943800, wrong\n"));
	assert_non_null(strstr(text, "sector 6144, 256000 sectors, type 0x83\n"));
	assert_non_null(strstr(text, "sector 2048, 256000 sectors, type 0x83\n"));
	assert_non_null(strstr(text, "filesystem in partition 1: toyfs\n"));
	assert_non_null(strstr(text, "\n  0     4096         2097152   3145728    134217728\n"
				     "| MBR | info block | MBR     | 1: toyfs |\n"));
	assert_non_null(strstr(text, "\"na\\x0ame\"\n"));
	assert_non_null(strstr(text, "contradiction: the info block's checksum"));
	free(text);
	inspect_clear(&inspection);
	close(scene.fd);
}

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(object, key, &value));
	return value;
}

static void json_shows_everything(void **state)
{
	struct scene scene = new_scene(true);
	struct inspection inspection;
	struct json_object *root, *table, *filesystem;
	char *text;

	(void)state;
	inspect(&scene, &inspection);
	text = print(&inspection, inspect_print_json);
	root = json_tokener_parse(text);
	assert_non_null(root);
	assert_true(json_object_get_boolean(member(member(root, "info_block"), "checksum_right")));
	table = json_object_array_get_idx(member(root, "partition_tables"), 1);
	table = json_object_array_get_idx(member(table, "partitions"), 0);
	assert_int_equal(json_object_get_int64(member(table, "start_lba")), 2048);
	assert_int_equal(json_object_get_int64(member(table, "start_bytes")), 3 * MIB);
	filesystem = member(root, "filesystem");
	assert_string_equal(json_object_get_string(member(filesystem, "backend")), "toy");
	assert_int_equal(json_object_get_int64(member(filesystem, "used_bytes")), 125 * MIB - 4096);
	assert_int_equal(json_object_array_length(member(root, "contradictions")), 0);
	json_object_put(root);
	free(text);
	inspect_clear(&inspection);
	close(scene.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_image_has_no_problem),
		cmocka_unit_test(the_info_block_is_judged),
		cmocka_unit_test(no_memory_is_no_contradiction),
		cmocka_unit_test(the_tables_are_compared),
		cmocka_unit_test(sizes_are_judged),
		cmocka_unit_test(partitions_may_not_overlap),
		cmocka_unit_test(the_filesystem_is_judged),
		cmocka_unit_test(a_missing_backend_leaves_it_unchecked),
		cmocka_unit_test(a_filesystem_that_is_not_all_here_is_unchecked),
		cmocka_unit_test(an_empty_file_is_no_image),
		cmocka_unit_test(a_size_that_breaks_hotplug_is_a_note),
		cmocka_unit_test(text_shows_everything),
		cmocka_unit_test(json_shows_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
