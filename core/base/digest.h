/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, by OpenSSL. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "lib/cleanup.h"

#define DIGEST_BYTES 32

struct digest;

struct digest *digest_new(void); /* NULL when memory is out */
void digest_free(struct digest *digest);
DEFINE_CLEANUP(struct digest, digest_free)
int digest_update(struct digest *digest, const void *data, size_t len); /* 0 or -EIO */
/* Of [off, off + bytes) of a file, which the meter hears of (base/meter.h): 0 or -errno, -ECANCELED
 * when the user has had enough. */
int digest_range(struct digest *digest, int fd, uint64_t off, uint64_t bytes);
int digest_final(struct digest *digest, uint8_t out[DIGEST_BYTES]); /* 0 or -EIO; then only free */

/* SHA-256(seed, label without its NUL): the source of every identifier of an image. */
int digest_derive(const uint8_t seed[DIGEST_BYTES], const char *label, uint8_t out[DIGEST_BYTES]);

/* Its first 16 bytes as a UUID of version 8 (RFC 9562). */
int digest_uuid(const uint8_t seed[DIGEST_BYTES], const char *label, uint8_t out[16]);

#endif
