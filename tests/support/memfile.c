/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/memfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/io.h"

int memfile_new(uint64_t bytes)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	return fd;
}

void memfile_put(int fd, const void *bytes, size_t len, uint64_t off)
{
	assert_int_equal(io_pwrite(fd, bytes, len, off), 0);
}
