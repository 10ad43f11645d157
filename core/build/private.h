/* SPDX-License-Identifier: Apache-2.0 */
/* One build on its way, shared by the stages (plan.c, write.c, verify.c) and the report. */
#ifndef BUILD_PRIVATE_H
#define BUILD_PRIVATE_H

#include "core/backend/session.h"
#include "core/build/build.h"
#include "core/build/source.h"
#include "core/config/options.h"
#include "core/copy/copy.h"
#include "core/format/geometry.h"
#include "core/format/verity.h"
#include "core/image/output.h"
#include "core/tree/tree.h"

/* Members are set from top to bottom and stay as they are. */
struct build {
	const struct config *config;
	const struct build_options *options;
	struct progress *progress;

	struct backend *backend;
	struct kataimg_value *values; /* of the backend's options */
	struct output *output;

	struct tree *tree;
	int64_t build_time;
	struct source_facts facts;

	uint8_t seed[DIGEST_BYTES];
	struct kataimg_job job;
	struct host *host;
	struct session *session;
	uint64_t dropped; /* things left out, by unsupported = drop */
	struct kataimg_plan plan;
	struct geometry geometry;
	struct kataimg_fs_info info; /* of the filesystem in geometry.window_bytes */

	struct copy *copy;
	struct copy_stats copied;

	struct verity_params verity; /* of a measured image, as root_hash */
	uint8_t root_hash[DIGEST_BYTES];
};

/* The tree against the backend, the backend's plan, and the geometry that follows. */
int build_plan(struct build *build, struct error *error);

/* The image file: the backend's metadata, the files' data, partition tables and info block. */
int build_write(struct build *build, struct error *error);

/* The backend's own look at what it wrote. */
int build_verify_filesystem(struct build *build, struct error *error);

/* Of a measured image the hash tree and root_hash; of others nothing. */
int build_measure(struct build *build, struct error *error);

/* The last look, as inspect takes it: tables, info block, what the filesystem says of itself. */
int build_verify_image(struct build *build, struct error *error);

/* The root hash's file, once the image is there. */
int build_publish_root_hash(struct build *build, struct error *error);

/* Gives a finished file its owner and its name. */
int build_publish(const struct build *build, struct output *output, struct error *error);

/* The root filesystem's place in the image. */
struct host_range build_window(const struct build *build);

/* The whole geometry, on stdout, for --dry-run. */
void report_print_geometry(const struct build *build);
/* What was built, to the log. */
void report_log_summary(const struct build *build);
/* The JSON report. */
int report_write(const struct build *build, const char *path, struct error *error);

#endif
