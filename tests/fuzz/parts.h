/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a container image as one input: parts with a line "--" between them. In each part "@N"
 * stands for the digest of part N, and "#N" for its length, where N is one digit; parts come before
 * those that they name. So a mutation of a blob leaves a layout whose digests are right.
 */
#ifndef FUZZ_PARTS_H
#define FUZZ_PARTS_H

#include "core/base/digest.h"
#include "tests/fuzz/target.h"

#define FUZZ_PARTS_MAX 10

struct fuzz_part {
	uint8_t *bytes; /* owned */
	size_t len;
	char digest[2 * DIGEST_BYTES + 1];
};

struct fuzz_parts {
	struct fuzz_part items[FUZZ_PARTS_MAX];
	size_t count; /* at least 1 */
};

void fuzz_parts_split(struct fuzz_parts *parts, const uint8_t *bytes, size_t len);
void fuzz_parts_free(struct fuzz_parts *parts);

#endif
