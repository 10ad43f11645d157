/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/runs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct fakehost *new_host(const struct fakehost_setup *setup)
{
	struct fakehost_setup whole = *setup;

	if (!whole.backend)
		whole.backend = fakehost_load_backend();
	return fakehost_new(&whole);
}

struct fakehost *run_ok(const struct fakehost_setup *setup)
{
	struct fakehost *host = new_host(setup);
	int ret = fakehost_run(host);

	if (ret)
		fail_msg("%s: %d: %s%s", fakehost_stage(host), ret, fakehost_error(host),
			 fakehost_violation(host));
	return host;
}

void run_refused(const struct fakehost_setup *setup, const char *stage, int code, const char *text)
{
	struct fakehost *host = new_host(setup);

	assert_int_equal(fakehost_run(host), code);
	assert_string_equal(fakehost_stage(host), stage);
	if (!strstr(fakehost_error(host), text))
		fail_msg("'%s' lacks '%s'", fakehost_error(host), text);
	fakehost_free(host);
}

bool have_program(const char *name)
{
	char command[64];

	snprintf(command, sizeof(command), "command -v %s > /dev/null 2>&1", name);
	return system(command) == 0;
}
