/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/inspected.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

void inspected(int fd, const struct inspect_probe *probe, struct inspection *inspection)
{
	autoerror struct error error = ERROR_INIT;

	assert_int_equal(inspect_fd(fd, probe, inspection, &error), 0);
}

void inspected_only(const struct inspect_findings *findings, const char *words)
{
	if (findings->count > 1)
		fail_msg("%s and %s", findings->sentences[0], findings->sentences[1]);
	assert_int_equal(findings->count, 1);
	assert_string_equal(findings->sentences[0], words);
}
