/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A build's identity: SHA-256 over a format version, the finished tree's metadata and every
 * resolved option that affects bytes. Never paths, host, user, umask, time zone or thread count.
 * Content is left out: images whose trees differ in content alone share it.
 *
 * With [image] identity it is SHA-256 over another version, that text, [verity] variant and the
 * backend's name: then all versions of an image share it.
 */
#ifndef BUILDER_SEED_H
#define BUILDER_SEED_H

#include "core/backend/loader.h"
#include "core/base/digest.h"
#include "core/config/config.h"
#include "core/tree/tree.h"

/* values are those of the backend's options; build_time is the resolved one. */
int seed_compute(const struct tree *tree, const struct config *config,
		 const struct backend *backend, const struct kataimg_value *values,
		 int64_t build_time, uint8_t seed[DIGEST_BYTES], struct error *error);

/* An MBR's disk signature out of a seed; never 0. 0 or -errno. */
int seed_disk_signature(const uint8_t seed[DIGEST_BYTES], uint32_t *signature);

#endif
