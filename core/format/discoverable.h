/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partition types that say what a partition is for and on which architecture: the Discoverable
 * Partitions Specification (uapi-group.org/specifications), as far as it is about the root
 * filesystem.
 */
#ifndef FORMAT_DISCOVERABLE_H
#define FORMAT_DISCOVERABLE_H

#include <stddef.h>

#include "core/format/geometry.h"
#include "core/format/guid.h"

/* The specification's name of an architecture that uname -m, Debian, Go or itself calls so; NULL or
 * "": of this machine's. NULL: it has none. */
const char *discoverable_arch(const char *arch);

/* The type of a partition; arch is a name that discoverable_arch gave. */
void discoverable_type(const char *arch, enum partition_role role, uint8_t type[GUID_BYTES]);

/* Of which architecture is the partition of this type? NULL: it is of none of these. */
const char *discoverable_find(const uint8_t type[GUID_BYTES], enum partition_role *role);

/* Is it the type of a partition for this, of whatever architecture? */
bool discoverable_is(const uint8_t type[GUID_BYTES], enum partition_role role);

/* What systemd calls the type: "root-x86-64-verity". Returns name. */
#define DISCOVERABLE_NAME_BYTES 40
const char *discoverable_name(const char *arch, enum partition_role role,
			      char name[DISCOVERABLE_NAME_BYTES]);

/* The same for a type; NULL: it is none of these. */
const char *discoverable_type_name(const uint8_t type[GUID_BYTES],
				   char name[DISCOVERABLE_NAME_BYTES]);

/* All architectures, with commas between; returns its length. */
size_t discoverable_list(char *text, size_t size);

#endif
