/* SPDX-License-Identifier: Apache-2.0 */
/* Builds on their way, shared by the stages (plan.c, write.c, verify.c, measure.c, tables.c,
 * publish.c) and the report.
 */
#ifndef BUILDER_PRIVATE_H
#define BUILDER_PRIVATE_H

#include <stdio.h>

#include "core/artifact/artifact.h"
#include "core/artifact/place.h"
#include "core/backend/session.h"
#include "core/builder/build.h"
#include "core/builder/source.h"
#include "core/config/options.h"
#include "core/config/set.h"
#include "core/copy/copy.h"
#include "core/format/dax.h"
#include "core/format/geometry.h"
#include "core/format/gpt.h"
#include "core/format/verity.h"
#include "core/image/output.h"
#include "core/measure/beside.h"
#include "core/measure/measure.h"
#include "core/sign/sign.h"
#include "core/tree/tree.h"

#define BUILD_REPLACED_MAX 3 /* root hash, hash tree, signature */

/* What an image leaves behind: itself, and what speaks of it when it is measured. */
enum build_file { BUILD_IMAGE, BUILD_HASH, BUILD_TREE, BUILD_SIGNATURE, BUILD_FILES };

/* What all images of a run leave behind together, each where an option says. */
enum set_file { SET_REPORT, SET_MANIFEST, SET_TOML, SET_FILES };

/*
 * Members are set from top to bottom. Then they stay as they are, but for those of the negotiation
 * (seed to dropped): what is left out of the tree makes them anew.
 */
struct build {
	const struct build_set *set; /* that it is of; NULL: of none */
	size_t number;               /* in its set */
	const struct config *config;
	const struct build_options *options;
	char *subject; /* owned: "image base", for messages; NULL: it is the only one */
	struct progress *progress;

	struct backend *backend;
	struct kataimg_value *values;      /* of the backend's options */
	struct output *files[BUILD_FILES]; /* NULL: there is none, or it is in the layout */
	struct artifact_place place; /* of an image that goes into a layout, absolute; else NULL */
	char *output_name;           /* of the image's file, or of the image in the layout */
	struct signer *signer;

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
	struct kataimg_fs_info info; /* of the filesystem in geometry.filesystem */

	int image_fd;              /* of its file, raw_fd, or what is attested; -1 until then */
	int raw_fd;                /* of an image before it is compressed; else -1 */
	uint64_t compressed_bytes; /* of an image that is compressed */
	struct copy *copy;         /* while the image is made */
	struct copy_stats copied;
	bool has_copied;

	struct verity_params verity; /* of a measured image; data_blocks is the geometry's */
	uint8_t verity_uuid[16];     /* of the superblock */
	uint8_t root_hash[VERITY_DIGEST_MAX_BYTES];
	bool measured; /* root_hash is set */
	struct signature signature;
	char *signature_text; /* owned: of the signature's partition; NULL: there is none */

	struct gpt_labels labels; /* of a GPT */
	bool labelled;

	struct artifact artifact; /* of an image that goes into a layout */

	uint8_t content[DIGEST_BYTES]; /* of a key: the files' data */
	bool has_content;
	char *key_text; /* owned */
};

/* The images of one run: all go through a stage before the next one begins, up to the plan; then
 * one after the other is made, and all are published together. */
struct build_set {
	const struct config_set *configs;
	const struct build_options *options;
	struct build *builds; /* one an image; owned */
	size_t count;

	struct output *files[SET_FILES]; /* NULL: none, or it goes to a stream */

	/* Those that images go into, each once, while they are being changed; owned. */
	struct artifact_layout **layouts;
	size_t layout_count;

	bool reported; /* a report went to a stream, from which nothing takes it back */
};

/* The trees of all: a source is read once for all that read it alike, and what rules make of it is
 * shared by all that have the same. */
int build_load_sources(struct build_set *set, struct error *error);

/* The stages of one image before it is planned, and after. */
int build_load_backend(struct build *build, struct error *error);
int build_make(struct build *build, struct error *error);
void build_release(struct build *build);

/* The job that a configuration asks for. */
struct kataimg_job build_job(const struct config *config, int64_t build_time, unsigned int threads,
			     const uint8_t seed[DIGEST_BYTES]);

/* Gives up what loading the sources, and all that follows, does not need. image: one that is to be
 * attested; NULL. */
int build_confine(const struct build_set *set, const char *image, struct error *error);

/* The tree against the backend, the backend's plan, and the geometry that follows. */
int build_plan(struct build *build, struct error *error);

/* The image file: the backend's metadata and the files' data. */
int build_write(struct build *build, struct error *error);

/* The file that the image is written into: the output, or one beside it that build_compress brings
 * into the output. */
int build_create_image(struct build *build, struct error *error);
int build_compress(struct build *build, struct error *error);
/* Of an image to attest: what it unpacks to takes its place. */
int build_expand_image(struct build *build, const char *path, struct error *error);

/* The metadata, and as [image] verify says the content, against what is written a second time; then
 * the backend's own look at what that cannot see. */
int build_verify_filesystem(struct build *build, struct error *error);
int build_compare(struct build *build, struct error *error);

/* A partition table or the info block: len bytes at off of the image. */
struct build_table {
	const char *what; /* "a partition table" */
	uint64_t off;
	size_t len;
	uint8_t *bytes; /* owned */
};
#define BUILD_TABLES_MAX 3
struct build_tables {
	struct build_table items[BUILD_TABLES_MAX];
	size_t count;
};

/* All that is outside of filesystem, hash tree and signature. Of a measured image the root hash is
 * known: a GPT has it in its GUIDs. Free the tables in any case. */
int build_make_tables(struct build *build, struct build_tables *tables, struct error *error);
void build_free_tables(struct build_tables *tables);
int build_write_tables(struct build *build, struct error *error);

/* Sets labels. */
int build_label_partitions(struct build *build, struct error *error);

/* Where the hash tree of a measured image is, with place = file in tree_fd, and what it is made
 * with: all of verity but data_blocks. */
struct measure_area build_measure_area(const struct build *build, int tree_fd);
int build_set_verity(struct build *build, struct error *error);
uint64_t build_hash_area_bytes(const struct build *build);
/* Where the tree starts, in blocks of it, from the start of the device that a guest finds it in. */
uint64_t build_hash_start_block(const struct build *build);
void build_root_hash_text(const struct build *build, char text[2 * VERITY_DIGEST_MAX_BYTES + 1]);

/* What guests are told of the image, when it is measured. */
#define PARAMETER_BYTES (VERITY_TABLE_BYTES + 256)
struct parameters {
	const char *obstacle;         /* why Kata's runtime makes no device of it; NULL: it does */
	char line[VERITY_LINE_BYTES]; /* kernel_verity_params, unless there is an obstacle */
	char create[PARAMETER_BYTES]; /* dm-mod.create=, with DATA and HASH for the devices */
	char roothash[2 * VERITY_DIGEST_MAX_BYTES + 16];
	char extension[PARAMETER_BYTES]; /* kata.extension.NAME.verity_params=; as line */
};
void build_make_parameters(const struct build *build, struct parameters *parameters);

/* The key and its certificate, if the root hash is to be signed; then its signature, as it is
 * published and as the image has it; that written into the image. */
int build_load_signer(struct build *build, struct error *error);
/* What the partition of a signature takes in this image, 0: there is none. */
int build_signature_bytes(const struct build *build, uint64_t *bytes, struct error *error);
int build_make_signature(struct build *build, struct error *error);
int build_sign(struct build *build, struct error *error);

/* The stages of attesting, when all is planned. */
int build_attest_image(struct build *build, const char *path, struct error *error);

/* With [image] verify = readback: can the backend do it, and has the image what the tree has? */
int build_check_readback(const struct build *build, struct error *error);
int build_read_back(struct build *build, struct error *error);

/* Of a measured image the hash tree, root_hash and its signature; of others nothing. */
int build_measure(struct build *build, struct error *error);

/* The last look, as inspect takes it: tables, info block, what the filesystem says of itself. */
int build_verify_image(struct build *build, struct error *error);

/* "the report", and where it goes; NULL: there is to be none. */
const char *build_name_of_all(enum set_file file);
const char *build_path_of_all(const struct build_set *set, enum set_file file);

/* Finds the places of the images, the root hashes' files and the report: no two are the same, none
 * is in a source. */
int build_open_outputs(struct build_set *set, struct error *error);

/* Refuses to replace any file, or to lie inside any source, that is read for one of the images. */
int build_keep_inputs(const struct build_set *set, const struct output *output, bool in_layout,
		      struct error *error);
void build_close_outputs(struct build *build);

/* Where a file goes that is named after the image (measure/beside.h), unless a place is given. To
 * be freed; NULL: no memory. */
char *build_beside_path(const char *given, const char *image, const char *suffix);

/* The image's place: of a file, or in a layout. */
/* As output_open, beside what the set has open already where it is named so (image/output.h). */
int build_open_output(const struct build_set *set, const char *what, const char *path,
		      const char *source, struct output **output, struct error *error);
int build_open_image(struct build *build, const char *source, struct error *error);
/* What decides bytes of its manifest, besides image and configuration (builder/key.h). */
int build_print_artifact(const struct build *build, FILE *out, struct error *error);
/* Are both for one architecture of one tag? */
bool build_same_artifact(const struct build *a, const struct build *b);
/* The blobs of an image that goes into a layout; of others nothing. */
int build_make_artifact(struct build *build, struct error *error);
void build_close_artifact(struct build *build);
/* All of them into their layouts, whose indexes are then to be published in place of images; then,
 * published or not, the layouts are left. */
int build_change_layouts(struct build_set *set, struct error *error);
void build_settle_layouts(struct build_set *set);
void build_close_layouts(struct build_set *set);

/* An unnamed file beside the image, or where temporary files go when there is no image to make, for
 * sources and backends; arg is the build. A descriptor or
 * -errno. */
int build_open_scratch(void *arg);

/* The files that speak of the image that is replaced, where this build does not write them; NULL:
 * there is none. To be closed. */
int build_find_replaced(const struct build *build, struct output *replaced[BUILD_REPLACED_MAX],
			struct error *error);

/* Gives the images, the files that speak of each, and the report, which it writes, their owner and
 * their names, all of them or none. */
int build_publish(struct build_set *set, struct error *error);

/* Writes the report, of which text has no newline at the end, by itself: of a dry run, or of a
 * build that failed. */
int build_publish_report(struct build_set *set, const char *text, struct error *error);

/* The root filesystem's place in the image. */
struct host_range build_window(const struct build *build);

/* The whole geometry, on stdout, for --dry-run. */
void report_print_geometry(const struct build *build);
/* What was built, to the log. */
void report_log_summary(const struct build *build);
/* The JSON report, of a build that failed when there is an error; no newline at the end. To be
 * freed; NULL when memory is out. */
char *report_text(const struct build_set *set, const struct error *error);
int report_write(struct build_set *set, struct error *error);

/* Members of a JSON object (inspect/jsonout.h) that report and manifest share. */
struct json;
void describe_partitions(struct json *json, const struct build *build);
void describe_identifiers(struct json *json, const struct build *build);
/* Of a measured image. */
void describe_hash_tree(struct json *json, const struct build *build);

/* What is said of all images once they are made: to be freed, no newline at the end. */
int manifest_text(const struct build_set *set, char **text, struct error *error);
int toml_text(const struct build_set *set, char **text, struct error *error);

/* Can Kata's runtime be told of the image, if it is an extension? */
int build_check_extension(struct build *build, struct error *error);
/* The same of what is known when the outputs are open. */
int build_check_extension_path(struct build *build, struct error *error);

/* The length of the name as an extension of Kata's, which *name begins with; 0: it is none. */
int build_extension_name(const struct build *build, const char **name);

/* Why Kata's runtime cannot read the hash tree; NULL: it can. */
const char *build_kata_obstacle(const struct build *build);

/* The report of a build that failed, if one is wanted and there is a place where it replaces
 * nothing but another report. That it cannot be written is a warning beside the error. */
void build_report_failure(struct build_set *set, const struct error *error);

/* The place of the report alone, when those of the others could not be found: it must not be one of
 * them. */
int build_open_report(struct build_set *set, struct error *error);

#endif
