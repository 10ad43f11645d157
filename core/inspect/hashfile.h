/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that root hashes lie in, beside images: root_hash*.txt, each one line as
 * verity_format_line makes it. Whoever can write into the directory may have put anything there
 * under such a name: only small regular files are read, and nothing is waited for.
 */
#ifndef INSPECT_HASHFILE_H
#define INSPECT_HASHFILE_H

#include "core/base/error.h"
#include "core/confine/confine.h"
#include "core/format/verity.h"

struct hash_file {
	char *path;                  /* owned; as it would be opened from here */
	struct verity_params params; /* data_blocks 0: the file does not say */
	uint8_t root[VERITY_DIGEST_MAX_BYTES];
};

struct hash_files {
	struct hash_file *files; /* owned, by name */
	size_t count;
};

/* Those beside an image; what is no such file is passed over. -ENOMEM, or the error of a directory
 * that cannot be read. */
int hash_files_find(const char *image, struct hash_files *found, struct error *error);
/* Allows reading of those that hash_files_find would find now, and of all else that may speak of
 * the image beside it (measure/beside.h). */
int hash_files_confine(const char *image, struct confine *confine, struct error *error);
void hash_files_free(struct hash_files *found);

/* One that somebody names. Of kind ERROR_USAGE when it has no such line with a salt. */
int hash_file_read(const char *path, struct hash_file *file, struct error *error);
void hash_file_free(struct hash_file *file);

#endif
