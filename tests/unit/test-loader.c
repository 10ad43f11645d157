/* SPDX-License-Identifier: Apache-2.0 */
/* What the loader takes and refuses, message by message. The backends are those of
 * tests/unit/backends. */
#include "core/backend/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/log.h"

static const char *backend_dir(void)
{
	const char *dir = getenv("KATAIMG_TEST_BACKEND_DIR");

	assert_non_null(dir);
	return dir;
}

static struct backend_search *new_search(void)
{
	const char *dirs[] = { backend_dir() };
	struct backend_search *search = backend_search_new(dirs, 1);

	assert_non_null(search);
	return search;
}

static void assert_refused(const char *value, const char *why)
{
	struct backend_search *search autocall(cleanup_backend_search_free) = new_search();
	struct backend *backend = NULL;
	autoerror struct error error = ERROR_INIT;

	assert_true(backend_load(search, value, &backend, &error) < 0);
	assert_null(backend);
	assert_int_equal(error.kind, ERROR_USAGE);
	assert_non_null(error.message);
	if (!strstr(error.message, why))
		fail_msg("'%s' is not in: %s", why, error.message);
}

static char *path_of(const char *dir, const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/kataimg-%s-backend.so", dir, name) > 0);
	return path;
}

/* A copy that may be spoiled, in a directory of its own; ends with remove_copy. */
static char *copy_of_good(const char *name)
{
	char dir[] = "/tmp/kataimg-loader-XXXXXX";
	autofree char *from = path_of(backend_dir(), "good");
	char *to, *command;

	assert_non_null(mkdtemp(dir));
	to = path_of(dir, name);
	assert_true(asprintf(&command, "cp '%s' '%s'", from, to) > 0);
	assert_int_equal(system(command), 0);
	free(command);
	return to;
}

static void remove_copy(char *path)
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	free(path);
}

static void loads_by_name_and_by_path(void **state)
{
	struct backend_search *search autocall(cleanup_backend_search_free) = new_search();
	autofree char *path = path_of(backend_dir(), "good");
	const char *values[] = { "good", path };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct backend *backend autocall(cleanup_backend_free) = NULL;
		autoerror struct error error = ERROR_INIT;

		assert_int_equal(backend_load(search, values[i], &backend, &error), 0);
		assert_string_equal(backend->table.name, "good");
		assert_int_equal(backend->table.option_count, 1);
		assert_string_equal(backend->table.options[0].default_value, "red");
	}
}

static void a_larger_table_than_ours_loads(void **state)
{
	struct backend_search *search autocall(cleanup_backend_search_free) = new_search();
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	autoerror struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(backend_load(search, "larger", &backend, &error), 0);
	assert_int_equal(backend->table.struct_size, sizeof(struct kataimg_backend));
}

static void what_a_shorter_table_lacks_is_zero(void **state)
{
	struct backend_search *search autocall(cleanup_backend_search_free) = new_search();
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	autoerror struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(backend_load(search, "older", &backend, &error), 0);
	assert_non_null(backend->table.probe);
	assert_null(backend->table.walk);
}

static void an_unknown_name_lists_where_and_what(void **state)
{
	(void)state;
	assert_refused("nosuch", "no such backend: in ");
	assert_refused("nosuch", backend_dir());
	assert_refused("nosuch", "good, larger, misnamed");
	assert_refused("nosuch", "packages of backends are called kataimg-backend-NAME");
	assert_refused("godo", "no such backend; did you mean good?");
	assert_refused("GOOD", "no such backend; did you mean good?");
}

static void bad_names_are_refused(void **state)
{
	static const char *const names[] = {
		"", "-x", "Ext4", "a_b", "a b", "a.b", "a23456789012345678901234567890123"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_refused(names[i], "no such backend");
	assert_refused("a.so", "; a file is told by a slash in its path");
	assert_refused("/tmp/good.so", "a backend's file is named kataimg-NAME-backend.so");
}

static void bad_tables_are_refused(void **state)
{
	(void)state;
	assert_refused("oldabi", "made for version 99 of the backend interface");
	assert_refused("short", "its table is truncated: 64 bytes");
	assert_refused("nocallback", "the required callback 'verify' is missing");
	assert_refused("misnamed", "its table says 'good', the file name says 'misnamed'");
	assert_refused("badname", "its table has a bad name");
	assert_refused("badoption", "an option has a bad name");
	assert_refused("nosymbol", "is not a backend: it exports no kataimg_backend");
}

static void a_file_that_is_no_object_is_refused(void **state)
{
	char *path = copy_of_good("text");
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	fputs("not a shared object\n", file);
	fclose(file);
	assert_refused(path, "cannot be loaded");
	remove_copy(path);
}

static void a_file_that_others_may_change_is_refused(void **state)
{
	char *path = copy_of_good("good");

	(void)state;
	assert_int_equal(chmod(path, 0757), 0);
	assert_refused(path, "may be written by everybody: chmod o-w it");
	remove_copy(path);
}

static void a_file_that_a_group_may_change_is_refused(void **state)
{
	char *path = copy_of_good("good");

	(void)state;
	if (chown(path, (uid_t)-1, 12345) < 0) {
		remove_copy(path);
		skip();
	}
	assert_int_equal(chmod(path, 0775), 0);
	assert_refused(path, "may be written by the group 12345: chmod g-w it");
	remove_copy(path);
}

static void assert_loads(const char *path)
{
	struct backend_search *search autocall(cleanup_backend_search_free) = new_search();
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	autoerror struct error error = ERROR_INIT;

	if (backend_load(search, path, &backend, &error) < 0)
		fail_msg("%s", error.message);
	assert_string_equal(backend->table.name, "good");
}

static char *directory_of(const char *path)
{
	char *dir = strdup(path);

	*strrchr(dir, '/') = '\0';
	return dir;
}

/* Who may write the directory may put another file there. */
static void a_directory_that_others_may_change_is_refused(void **state)
{
	char *path = copy_of_good("good");
	autofree char *dir = directory_of(path);

	(void)state;
	assert_int_equal(chmod(dir, 0777), 0);
	assert_refused(path, "may be written by everybody: chmod o-w it");
	assert_int_equal(chmod(dir, 01777), 0);
	assert_loads(path);
	assert_int_equal(chmod(dir, 0770), 0);
	if (chown(dir, (uid_t)-1, 12345) == 0)
		assert_refused(path, "may be written by the group 12345: chmod g-w it");
	assert_int_equal(chmod(dir, 0700), 0);
	assert_loads(path);
	if (chown(dir, 12345, (gid_t)-1) == 0) {
		assert_refused(path, "owned by user 12345, who is neither root nor you");
		setenv("SUDO_UID", "12345", 1);
		assert_loads(path);
		setenv("SUDO_UID", "1234", 1);
		assert_refused(path, "owned by user 12345, who is neither root nor you");
		unsetenv("SUDO_UID");
	}
	remove_copy(path);
}

static void a_link_of_another_user_is_refused(void **state)
{
	char *path = copy_of_good("good");
	autofree char *dir = directory_of(path);
	autofree char *link = NULL;

	(void)state;
	assert_true(asprintf(&link, "%s/d", dir) > 0);
	assert_int_equal(mkdir(link, 01777), 0);
	assert_int_equal(chmod(link, 01777), 0);
	free(link);
	assert_true(asprintf(&link, "%s/d/kataimg-good-backend.so", dir) > 0);
	assert_int_equal(symlink("../kataimg-good-backend.so", link), 0);
	assert_loads(link);
	if (lchown(link, 12345, 12345) == 0)
		assert_refused(link, "the symbolic link");
	unlink(link);
	*strrchr(link, '/') = '\0';
	rmdir(link);
	remove_copy(path);
}

static void a_file_of_another_user_is_refused(void **state)
{
	char *path = copy_of_good("good");

	(void)state;
	if (chown(path, 12345, 12345) < 0) {
		remove_copy(path);
		skip();
	}
	assert_refused(path, "owned by user 12345, who is neither root nor you");
	setenv("SUDO_UID", "12345", 1);
	assert_loads(path);
	setenv("SUDO_UID", "1234", 1);
	assert_refused(path, "owned by user 12345, who is neither root nor you");
	unsetenv("SUDO_UID");
	remove_copy(path);
}

/* ---- In a user namespace ---- */

#define CANNOT 77
#define DESCRIPTORS 20

static bool write_text(const char *path, const char *text)
{
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Its only user is the caller, as root. */
static bool enter_namespace(void)
{
	uid_t uid = geteuid();
	autofree char *map = NULL;

	return asprintf(&map, "0 %u 1", (unsigned int)uid) > 0 && unshare(CLONE_NEWUSER) == 0 &&
	       write_text("/proc/self/uid_map", map);
}

/* NULL: it loads. Else what is said, to be freed. */
static char *try_load(const char *path)
{
	struct backend_search *search autocall(cleanup_backend_search_free) = new_search();
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	struct error error = ERROR_INIT;

	return backend_load(search, path, &backend, &error) < 0 ? error.message : NULL;
}

/* As try_load() with every number of descriptors: that it cannot be read who owns what is told as
 * it is. */
static char *try_with_few_descriptors(const char *path)
{
	autofree char *said = NULL;

	for (rlim_t count = 0; !said && count < DESCRIPTORS; count++) {
		const struct rlimit limit = { count, DESCRIPTORS };

		setrlimit(RLIMIT_NOFILE, &limit);
		said = try_load(path);
		if (said && strstr(said, strerror(EMFILE)))
			free(steal_ptr(&said));
	}
	return steal_ptr(&said);
}

static int judge_in_namespace(const char *path, const char *expected)
{
	autofree char *said = NULL;

	if (!enter_namespace())
		return CANNOT;
	said = expected ? try_load(path) : try_with_few_descriptors(path);
	if (expected ? said && strstr(said, expected) : !said)
		return 0;
	print_error("%s\n", said ? said : "it loads");
	return 1;
}

static int run_in_namespace(const char *path, const char *expected)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(judge_in_namespace(path, expected));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void who_has_no_number_in_a_namespace_is_as_root(void **state)
{
	char *path = copy_of_good("good"), *dir = directory_of(path);
	int loaded, shared;

	(void)state;
	/* By a plain user it is not given away, but the directory / is another's then. */
	if (chown(path, 12345, 12345) < 0)
		print_message("of the caller's own\n");
	assert_int_equal(chmod(dir, 0755), 0);
	free(dir);
	loaded = run_in_namespace(path, NULL);
	assert_int_equal(chmod(path, 0775), 0);
	shared = run_in_namespace(path, "may be written by the group");
	remove_copy(path);
	if (loaded == CANNOT)
		skip();
	assert_int_equal(loaded, 0);
	assert_int_equal(shared, 0);
}

static void a_missing_path_is_refused(void **state)
{
	(void)state;
	assert_refused("./kataimg-none-backend.so",
		       "cannot open the backend ./kataimg-none-backend.so: No such file or "
		       "directory");
}

static int count_backend(void *arg, const struct backend *backend)
{
	(void)backend;
	++*(int *)arg;
	return 0;
}

static void a_walk_skips_the_bad_ones(void **state)
{
	struct backend_search *search autocall(cleanup_backend_search_free) = new_search();
	int count = 0;

	(void)state;
	log_set_level(LOG_ERROR);
	assert_int_equal(backend_for_each(search, count_backend, &count), 0);
	assert_int_equal(count, 3); /* good, larger, older */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_by_name_and_by_path),
		cmocka_unit_test(a_larger_table_than_ours_loads),
		cmocka_unit_test(what_a_shorter_table_lacks_is_zero),
		cmocka_unit_test(an_unknown_name_lists_where_and_what),
		cmocka_unit_test(bad_names_are_refused),
		cmocka_unit_test(bad_tables_are_refused),
		cmocka_unit_test(a_file_that_is_no_object_is_refused),
		cmocka_unit_test(a_file_that_others_may_change_is_refused),
		cmocka_unit_test(a_file_that_a_group_may_change_is_refused),
		cmocka_unit_test(a_directory_that_others_may_change_is_refused),
		cmocka_unit_test(a_link_of_another_user_is_refused),
		cmocka_unit_test(a_file_of_another_user_is_refused),
		cmocka_unit_test(who_has_no_number_in_a_namespace_is_as_root),
		cmocka_unit_test(a_missing_path_is_refused),
		cmocka_unit_test(a_walk_skips_the_bad_ones),
	};

	unsetenv("SUDO_UID");
	unsetenv("KATAIMG_BACKEND_PATH"); /* the caller's own must not show up */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
