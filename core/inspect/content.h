/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody has who has no image: a file of another kind is called by its name. libblkid knows
 * filesystems, containers of them and partition tables; archives, compressed files and the image
 * formats of virtual machines are told by their first bytes.
 */
#ifndef INSPECT_CONTENT_H
#define INSPECT_CONTENT_H

#include <stdint.h>
#include <sys/stat.h>

#include "core/base/error.h"

#define CONTENT_NAME_BYTES 33

struct content {
	char name[CONTENT_NAME_BYTES]; /* one word, "qcow2", "ext4"; "": nobody knows it */
	char *sentence;                /* owned: what it is, and what can be done with it */
};

/* What a whole file is, if it is something that is no disk with an MBR. */
int content_identify(int fd, uint64_t bytes, struct content *content, struct error *error);
void content_clear(struct content *content);

/* The filesystem in a part of the file, by libblkid's name; "": it knows none. */
int content_filesystem(int fd, uint64_t off, uint64_t len, char name[CONTENT_NAME_BYTES],
		       struct error *error);

/* NULL for files and block devices, else what is wrong with opening it as an image: "is a
 * directory, not an image". */
const char *content_refuse_type(mode_t mode);

#endif
