/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The typed configuration: what the command line, an INI file and the defaults of config/keys.h
 * together ask for.
 *
 * Order: config_init, config_read_environment, config_take_records (at most once), config_set as
 * often as needed, config_finish. Each step overrides the one before; after the last every member
 * has its value.
 *
 * Mistakes are gathered in the configuration, so that all are told at once: config_set_report makes
 * one error of them. Each starts with its place: "build.ini:7: [image] free-space = 12Q: not a size
 * ..." or "--set: ...". Until it is asked, a value that was refused is as if it had not been given.
 *
 * Paths of the file are relative to the file's directory, all others to the working directory.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/artifact/artifact.h"
#include "core/base/error.h"
#include "core/compress/compress.h"
#include "core/config/keys.h"
#include "core/config/mistakes.h"
#include "core/config/records.h"
#include "core/format/geometry.h"
#include "core/format/verity.h"
#include "core/tree/owner.h"
#include "core/tree/tree.h"
#include "lib/hashtable.h"

enum config_verify {
	CONFIG_VERIFY_NONE,
	CONFIG_VERIFY_METADATA,
	CONFIG_VERIFY_CONTENT,
	CONFIG_VERIFY_READBACK
};
enum config_auto { CONFIG_YES, CONFIG_NO, CONFIG_AUTO };
enum config_unsupported { CONFIG_UNSUPPORTED_ERROR, CONFIG_UNSUPPORTED_DROP };

/* Who gave a value. name NULL: the default. line not 0: the file of that name, else an option or
 * an environment variable. The name must outlive the configuration. */
struct config_origin {
	const char *name;
	unsigned int line;
	const char *image; /* the file's section was this image's own; NULL: a plain one */
};

struct config_list {
	char **items; /* owned, with their strings */
	size_t count;
};

#define CONFIG_BYTES_MAX 256

struct config_bytes {
	uint8_t data[CONFIG_BYTES_MAX];
	size_t len;
};

/* A key of a backend's section, which only its option table can type (config/options.h). */
struct config_pair {
	char *section, *name, *value; /* owned */
	struct config_origin origin;
};

/* A section that is not one of the core's: a backend's, or a mistake. */
struct config_section {
	char *name;                  /* owned */
	struct config_origin origin; /* of its first key, or of the section itself without any */
	bool has_keys;
};

/* Owns all strings. What the members mean is said in config/keys.c. */
struct config {
	struct {
		char *output;
		enum artifact_form oci_form;
		char *oci_name, *oci_type; /* name: NULL or "": by verity.variant */
		char *source;              /* after config_finish not NULL */
		char *arch;
		char *filesystem;
		enum image_table table;
		uint64_t free_space_bytes;
		uint64_t align_bytes; /* not 0, a multiple of 4096; with dax of 2 MiB */
		uint64_t size_bytes;  /* 0, or as align_bytes */
		enum config_auto dax_wanted;
		bool dax;    /* after config_finish: the NVDIMM header is there */
		bool mapped; /* the same: files are laid out to be mapped, by whatever device */
		bool hugepages;
		bool no_disk; /* after config_finish: of a backend that makes none */
		enum compress_form compress;
		uint64_t level;  /* 0: the form's own default */
		char *extension; /* NULL or "": see core/builder/parameters.c */
		enum config_unsupported unsupported;
		enum config_verify verify; /* decides no byte */
		char *identity; /* NULL or "": identifiers are derived from tree and options */
		uint64_t disk_signature; /* 32 bits; 0: derive */
		uint64_t build_time;     /* 0: the newest mtime */
	} image;
	struct {
		char *disk_guid, *root_guid; /* NULL or "": derived */
		char *name;                  /* NULL or "": after the architecture */
		enum config_auto read_only, grow;
	} gpt;
	struct {
		bool check;
		bool agent_init;
		char *init_link; /* NULL or "": none is added */
		char *agent;
	} rootfs;
	struct {
		enum tree_holes holes;
		bool one_filesystem;
		struct config_list exclude;
		bool all_root;
		struct tree_id_map uid_map, gid_map;
		bool clamp_mtime;
		struct config_list apply; /* paths */
		bool whole_seconds;
		uint64_t unpack_limit; /* 0: what is plausible */
	} tree;

	struct {
		char *file_contexts; /* NULL or "": labels stay as they are */
	} selinux;
	struct {
		bool enabled;
		enum hash_place place; /* after config_finish: the one for the table */
		bool superblock;       /* the same, for table and place */
		enum verity_hash hash;
		uint64_t data_block_bytes, hash_block_bytes; /* verity_block_is_valid */
		struct config_bytes salt;                    /* empty: derive */
		char *variant;                               /* NULL: as "" */
		char *hash_file; /* NULL or "": beside the image, named by variant */
		char *tree_file; /* NULL or "": beside the image, named after it */
		char *sign_key;  /* NULL or "": the root hash is not signed */
		char *sign_certificate;
		char *signature_file; /* NULL or "": beside the image, named after it */
	} verity;

	char *name;        /* owned: of the image; NULL: it is the only one, without a name */
	bool has_sections; /* of its own: what plain ones say is said for others, too */
	char *path;        /* of the file, for messages; NULL: none was loaded */
	struct config_origin origins[CONFIG_KEYS_MAX]; /* of each key, in the table's order */
	char *given[CONFIG_KEYS_MAX];  /* owned: each key's last text, as given; NULL: default */
	bool refused[CONFIG_KEYS_MAX]; /* that text is no value of the key, which was told */
	struct config_pair *pairs;     /* of all backends, in the order given */
	size_t pair_count, pair_room;
	struct config_section *sections; /* of all backends, each once */
	size_t section_count;
	struct hashtable pair_numbers, section_numbers; /* of both, by name: config/pairs.h */
	struct mistakes mistakes;
};

/* All defaults. On an error too config_free is to be called. */
int config_init(struct config *config, struct error *error);

/* Takes the keys that have an environment variable (config/keys.h) from there. */
int config_read_environment(struct config *config, struct error *error);

/* Takes what an INI file says (records_read): first its plain sections, then those of the image
 * that has the configuration's name. Mistakes in it are gathered. */
int config_take_records(struct config *config, const struct records *records, struct error *error);

/* One value from elsewhere; origin is the option that gave it: "--set", "-o". */
int config_set(struct config *config, const char *section, const char *name, const char *value,
	       const char *origin, struct error *error);

/* The same out of "SECTION.KEY=VALUE". */
int config_set_assignment(struct config *config, const char *assignment, const char *origin,
			  struct error *error);

/* Gathers the error of one of these two. 0, or another kind of error. */
int config_collect(struct config *config, int ret, struct error *error);

/* What is asked about the backends. */
struct config_backends {
	/* Is a section's name that of a backend that exists, or of the one at the path that
	 * filesystem gives? 1, 0 or -ENOMEM. */
	int (*has)(void *arg, const char *name);
	/* Can the filesystem that is configured be mounted with dax? 1, also of one that cannot be
	 * asked, which is told elsewhere, 0 or -ENOMEM. */
	int (*can_dax)(void *arg);
	/* Does it make a file that no device holds (KATAIMG_CAP_NO_DISK)? 1, 0 or -ENOMEM. */
	int (*no_disk)(void *arg);
	void *arg;
};

/*
 * Checks what single values cannot: a source is given, sizes fit each other, no section is unknown.
 * What depends on other values and on the backend is settled: dax = auto, the default of align, and
 * what SOURCE_DATE_EPOCH means for [tree] clamp-mtime.
 */
int config_finish(struct config *config, const struct config_backends *backends,
		  struct error *error);

/* Are the files there that will be read? */
int config_check_inputs(struct config *config, struct error *error);

/* Are the directories there of the files that will be written, and can layouts be in those that
 * are named? */
int config_check_outputs(struct config *config, struct error *error);

/* A mistake in the value of a core's key: "build.ini:3: [image] size = 16K: " and fmt. Returns
 * -EINVAL. */
int config_fail_key(const struct config *config, const char *section, const char *name,
		    struct error *error, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* The same, gathered with the line that gave the value: 0, or another kind of error. */
int config_refuse_key(struct config *config, const char *section, const char *name,
		      struct error *error, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * The same of a key that this image has no use for. Where a plain section says it for all images of
 * a file, others are meant: then it is as if it had not been given.
 */
int config_refuse_own_key(struct config *config, const char *section, const char *name,
			  struct error *error, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Was a core's key given, by whomever? */
bool config_is_given(const struct config *config, const char *section, const char *name);

/* Was it given, and otherwise than by default? --explain gives every key its value: one that is
 * the default asks for nothing. Neither does one that was refused. */
bool config_is_changed(const struct config *config, const char *section, const char *name);

/* Puts "[image base] size = 16K: " in front, as origin says. Returns -error->code. */
int config_prefix_assignment(const struct config_origin *origin, const char *section,
			     const char *name, const char *value, struct error *error);

/* Who gave a core's key. */
const struct config_origin *config_origin_of(const struct config *config, const char *section,
					     const char *name);

/* A key of a backend's section; NULL: not given. */
const struct config_pair *config_find_pair(const struct config *config, const char *section,
					   const char *name);

/* Frees what the configuration owns. */
void config_free(struct config *config);

/* "build.ini:7", "--set", "default"; cut to size. Returns buf. */
const char *config_origin_text(const struct config_origin *origin, char *buf, size_t size);

#define CONFIG_ORIGIN_BYTES 512 /* enough for origin texts in messages */

#endif
