/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/runs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/byteorder.h"

static struct trial *new_host(const struct trial_setup *setup)
{
	struct trial_setup whole = *setup;

	if (!whole.backend)
		whole.backend = trial_load_backend();
	return trial_new(&whole);
}

struct trial *run_ok(const struct trial_setup *setup)
{
	struct trial *trial = new_host(setup);
	int ret = trial_run(trial);

	if (ret)
		fail_msg("%s: %d: %s%s", trial_stage(trial), ret, trial_error(trial),
			 trial_violation(trial));
	return trial;
}

struct trial *run_tree(struct memtree *tree, const char *const *options,
		       const struct kataimg_job *job)
{
	return run_ok(&(struct trial_setup){ .tree = tree, .options = options, .job = job });
}

void run_refused(const struct trial_setup *setup, const char *stage, int code, const char *text)
{
	struct trial *trial = new_host(setup);

	assert_int_equal(trial_run(trial), code);
	assert_string_equal(trial_stage(trial), stage);
	if (!strstr(trial_error(trial), text))
		fail_msg("'%s' lacks '%s'", trial_error(trial), text);
	trial_free(trial);
}

uint32_t run_word(const struct trial *trial, uint64_t off)
{
	le32 disk;

	trial_read(trial, off, &disk, sizeof(disk));
	return from_le32(disk);
}

bool have_program(const char *name)
{
	char command[64];

	snprintf(command, sizeof(command), "command -v %s > /dev/null 2>&1", name);
	return system(command) == 0;
}
