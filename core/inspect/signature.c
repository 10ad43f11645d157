/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/io.h"
#include "core/inspect/findings.h"
#include "core/measure/beside.h"
#include "lib/cleanup.h"

/* What is behind the outermost tag and length, of one to three bytes, that a signature has. */
#define HEAD_BYTES 16

/* DER of a CMS ContentInfo (RFC 5652, 3): a SEQUENCE as long as the file, which begins with the
 * object identifier of signed data. */
static bool is_signature(const uint8_t *head, uint64_t bytes)
{
	static const uint8_t signed_data[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
					       0xf7, 0x0d, 0x01, 0x07, 0x02 };
	const size_t more = head[1] < 0x80 ? 0 : head[1] & 0x7f;
	uint64_t len = more ? 0 : head[1];

	if (head[0] != 0x30 || more > 3)
		return false;
	for (size_t i = 0; i < more; i++)
		len = len << 8 | head[2 + i];
	return len == bytes - 2 - more &&
	       memcmp(head + 2 + more, signed_data, sizeof(signed_data)) == 0;
}

/* Nothing, a link, or a socket: no error of the disk's. */
static bool is_no_file(int code)
{
	return code == ENOENT || code == ENOTDIR || code == ELOOP || code == ENXIO;
}

/* Whoever can write into the directory may have put anything there under this name: 1 when it is a
 * file, of *bytes, 0, -errno. */
static int read_head(const char *path, uint8_t head[HEAD_BYTES], uint64_t *bytes)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	struct stat st;
	int ret;

	*bytes = 0;
	if (fd < 0)
		return is_no_file(errno) ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	*bytes = (uint64_t)st.st_size;
	ret = *bytes < HEAD_BYTES ? 0 : io_pread(fd, head, HEAD_BYTES, 0);
	return ret < 0 ? ret : 1;
}

bool signature_is(const char *path)
{
	uint8_t head[HEAD_BYTES] = { 0 };
	uint64_t bytes;

	return read_head(path, head, &bytes) > 0 && is_signature(head, bytes);
}

int signature_note(const char *path, struct inspection *inspection, struct error *error)
{
	autofree char *name = beside_path(path, BESIDE_SIGNATURE);
	uint8_t head[HEAD_BYTES] = { 0 };
	uint64_t bytes;
	int ret;

	if (!name)
		return error_nomem(error);
	ret = read_head(name, head, &bytes);
	if (ret == 0)
		return 0;
	if (ret < 0)
		ret = findings_add(&inspection->notes,
				   "whether there is a signature %s cannot be told: %s", name,
				   strerror(-ret));
	else if (is_signature(head, bytes))
		ret = findings_add(
			&inspection->notes,
			"there is a signature %s; whether it is one of this root hash can "
			"be told with its certificate alone, and was not checked",
			name);
	else
		ret = findings_add(
			&inspection->notes,
			"%s is named as the root hash's signature, but holds none: kernel "
			"and systemd refuse it",
			name);
	return ret < 0 ? error_nomem(error) : 0;
}
