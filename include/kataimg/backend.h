/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kataimg: the contract between the image builder and a filesystem backend.
 *
 * This is the only header that a backend includes. A backend is a shared object named
 * kataimg-NAME-backend.so that exports one symbol, made by KATAIMG_BACKEND() at the end of this
 * file. docs/writing-a-backend.md walks through a complete one.
 *
 * LIFECYCLE OF A BUILD
 *
 *   open, limits, check of each node, plan, describe, write, [the core copies], verify, close
 *
 *   - A failed open is the end: close is not called. After a successful open, close is called once,
 *     whatever failed. All threads that the backend started are joined before the callback in which
 *     they were started returns.
 *   - The core may open a backend, ask limits and check, close it, and open it again with another
 *     seed.
 *   - probe stands apart: it has no state, and recognises a finished filesystem. So does read,
 *     with decode and read_end, which tells what files are in one.
 *
 * UNITS AND OWNERSHIP
 *
 *   Sizes and offsets are bytes unless the name says otherwise. Window offsets count from the start
 *   of the filesystem, never of the image. Everything that the core passes in stays the core's.
 *   job, values and host live until close, the tree lives from plan until close.
 *
 * ERRORS
 *
 *   Callbacks and services return 0 or a negative errno value. Whoever finds the error gives its
 *   message once, by kataimg_host.error: what, on which object, why. A caller passes the number on
 *   and adds nothing; a callback that succeeds after an error was reported is refused. -ENOMEM and
 *   -ECANCELED need no message, the core has one for each. The core puts the backend's name in
 *   front of every message and log line. A backend never calls exit, chdir, umask or setlocale, and
 *   never writes to stdout or stderr.
 *
 * THREADS
 *
 *   Callbacks come from one thread. source_read, source_read_inline, write, window_read, log,
 *   error, progress, cancelled, path and the scratch services may be called from any thread, all
 *   other services only from the callback's own.
 *
 * COMPATIBILITY
 *
 *   The version is KATAIMG_ABI_VERSION, and as long as it is 1 this holds:
 *
 *   - An old binary works on a new core, a new binary on an old core, and an old source compiles
 *     with a new header.
 *   - Members are only ever appended, and only to structures that say their size: those with
 *     struct_size, and kataimg_option, whose size the table has. Each comes with a macro
 *     KATAIMG_HAVE_MEMBER in this header. What an older side does not know is zero or preset, and
 *     that means what it meant before. Whether the other side has a member: KATAIMG_HAS(). Such a
 *     structure of the other side is used in place: an assignment would copy more than there is.
 *     KATAIMG_HAVE_ asks what is being compiled, KATAIMG_HAS what is running: a source that is to
 *     compile with the first header, too, asks both.
 *   - Structures that come in arrays without a size (kataimg_entry, kataimg_segment, kataimg_xattr,
 *     kataimg_value) and kataimg_node never change.
 *   - Numbers keep their meaning. New bits, which #ifdef asks for, and enumerators have new
 *     numbers; a new capability is never needed for what could be stored without it.
 *
 *   A core refuses a table of another version, with a message that says so.
 */
#ifndef KATAIMG_BACKEND_H
#define KATAIMG_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KATAIMG_ABI_VERSION 1

#if defined(__GNUC__)
#define KATAIMG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define KATAIMG_EXPORT __attribute__((visibility("default")))
#else
#define KATAIMG_PRINTF(fmt, args)
#define KATAIMG_EXPORT
#endif

/*
 * Does an object of the other side, of struct type, have the member?
 * KATAIMG_HAS(kataimg_host, host, path)
 */
#define KATAIMG_HAS(type, object, member) \
	((object)->struct_size >= offsetof(struct type, member) + sizeof((object)->member))

/* ---- The tree: what goes into the filesystem ---- */

/* File types, numbered as ext4, XFS and EROFS number them in directory entries. */
enum kataimg_type {
	KATAIMG_REG = 1,
	KATAIMG_DIR = 2,
	KATAIMG_CHR = 3,
	KATAIMG_BLK = 4,
	KATAIMG_FIFO = 5,
	KATAIMG_SOCK = 6,
	KATAIMG_LNK = 7
};

/* Segments begin at multiples of it, and end at one or at the end of the file. */
#define KATAIMG_HOLE_BYTES 4096u

struct kataimg_node;

/* A directory's name for a node: 1 to 255 bytes without NUL and '/', never "." or "..". */
struct kataimg_entry {
	const char *name; /* followed by a NUL that name_len does not count */
	const struct kataimg_node *node;
	uint32_t name_len;
	uint32_t reserved;
};

/*
 * A stretch of a regular file that holds data. What lies between two segments is a hole. Without
 * KATAIMG_CAP_SPARSE a backend sees no holes: a file that is not empty has one segment, all of it.
 */
struct kataimg_segment {
	uint64_t file_off; /* a multiple of KATAIMG_HOLE_BYTES */
	uint64_t len; /* not 0; a multiple of KATAIMG_HOLE_BYTES, or up to the file's last byte */
};

/* An extended attribute with its full name ("security.capability") and the value as getxattr(2)
 * gives it. */
struct kataimg_xattr {
	const char *name; /* followed by a NUL that name_len does not count */
	const void *value;
	uint32_t name_len;
	uint32_t value_len;
};

/*
 * One inode. Hard links are resolved: the node appears once in the tree's list and in as many
 * entries as it has names. A member that does not belong to the type is 0.
 */
struct kataimg_node {
	uint64_t size;       /* regular: length; symbolic link: length of the target; else 0 */
	int64_t mtime_sec;   /* also what atime, ctime and crtime become */
	uint32_t mtime_nsec; /* 0 .. 999999999 */
	uint32_t index;      /* in kataimg_tree.nodes: sorted depth-first order, the root is 0 */
	uint32_t uid;
	uint32_t gid;
	uint16_t mode; /* permission, set-id and sticky bits: 07777 at most */
	uint8_t type;  /* enum kataimg_type */
	uint8_t reserved;
	uint32_t nlink; /* directories: 2 + subdirectories; others: entries that name the node */
	uint32_t rdev_major;
	uint32_t rdev_minor;
	uint32_t name_len;
	uint32_t xattr_count;
	uint32_t entry_count;
	uint32_t segment_count;
	const char *name;                    /* its first name in tree order; of the root: "" */
	const struct kataimg_node *parent;   /* the directory of that name; of the root: the root */
	const struct kataimg_xattr *xattrs;  /* sorted by name, unsigned bytewise */
	const struct kataimg_entry *entries; /* directory: sorted by name, unsigned bytewise */
	const struct kataimg_segment *segments; /* regular: ascending, no two of them touch */
	const char *target; /* symbolic link: followed by a NUL that size does not count */
};

/* The whole tree. nodes[0] is the root; every node's parent precedes it. */
struct kataimg_tree {
	size_t struct_size;
	const struct kataimg_node *const *nodes;
	uint64_t node_count;
};

/* ---- The job: what is asked for ---- */

/* Bits of kataimg_job.required; a backend is only asked for those in its job_features. */
/* A guest maps file data: it is not compressed, and a page of the file is a page of the image. */
#define KATAIMG_JOB_DAX (UINT64_C(1) << 0)
/* free_bytes or free_inodes is not 0. */
#define KATAIMG_JOB_FREE_SPACE (UINT64_C(1) << 1)
/*
 * The backend has KATAIMG_CAP_NO_DISK, and this core knows what that means: the window is the whole
 * image, and granularity any number. Without it the core takes the image for a disk.
 */
#define KATAIMG_JOB_NO_DISK (UINT64_C(1) << 2)

/* All that decides bytes and sizes, but for the options, the tree and the window's length. */
struct kataimg_job {
	size_t struct_size;
	uint64_t required;      /* KATAIMG_JOB_ bits */
	uint64_t window_offset; /* where the window starts in the image */
	/*
	 * 0, or: data of files of at least this many bytes starts at a multiple of it, counted from
	 * the start of the IMAGE (window_offset + place in the window). Nothing to a filesystem
	 * whose files cannot be mapped.
	 */
	uint64_t hugepage_bytes;
	uint64_t free_bytes; /* in the planned size, for an unprivileged writer: statfs' f_bavail */
	uint64_t free_inodes; /* how many inodes are unused */
	int64_t build_time;   /* seconds since 1970, at least 1: the only clock there is */
	uint32_t threads;     /* how many run at once in kataimg_host.parallel, at least 1 */
	/* The smallest unit of the device that the guest mounts: 512; 4096 behind dm-verity. */
	uint32_t sector_bytes;
	uint8_t seed[32]; /* the build's identity; uuid and derive are made from it */
};

/* ---- Options: a backend's own INI section ---- */

enum kataimg_option_type {
	KATAIMG_OPT_BOOL = 1,  /* yes, no; number is 1 or 0 */
	KATAIMG_OPT_U64 = 2,   /* decimal, or hexadecimal with 0x; number */
	KATAIMG_OPT_SIZE = 3,  /* decimal with K, M, G or T; number is bytes */
	KATAIMG_OPT_ENUM = 4,  /* one of choices; number is its place, string its text */
	KATAIMG_OPT_STRING = 5 /* string */
};

struct kataimg_option {
	const char *name; /* [a-z0-9-]+ */
	/* In the INI file's syntax; NULL: unset unless given, as is_set tells. */
	const char *default_value;
	const char *help;           /* one line, no full stop */
	const char *since;          /* the backend's version that brought it */
	const char *const *choices; /* ENUM: ended by NULL */
	/* U64 and SIZE: both 0 means no bounds. STRING: at most max bytes, 0 means any. */
	uint64_t min, max;
	uint32_t type; /* enum kataimg_option_type */
	uint32_t reserved;
};

/* The core's reading of one option, in the order of the backend's option table. */
struct kataimg_value {
	const char *string; /* ENUM, STRING; NULL when unset */
	uint64_t number;
	uint32_t is_set;   /* 1 when the configuration or default_value gave it */
	uint32_t is_given; /* 1 when the configuration gave it */
};

/* ---- Capabilities and limits: what a filesystem can store ---- */

#define KATAIMG_CAP_SYMLINKS (UINT64_C(1) << 0)
#define KATAIMG_CAP_HARDLINKS (UINT64_C(1) << 1)
#define KATAIMG_CAP_DEVICES (UINT64_C(1) << 2)
#define KATAIMG_CAP_FIFOS (UINT64_C(1) << 3)
#define KATAIMG_CAP_SOCKETS (UINT64_C(1) << 4)
#define KATAIMG_CAP_XATTRS (UINT64_C(1) << 5)
#define KATAIMG_CAP_NANOSECONDS (UINT64_C(1) << 6)
#define KATAIMG_CAP_SPARSE (UINT64_C(1) << 7) /* holes stay holes */
#define KATAIMG_CAP_DAX (UINT64_C(1) << 8)    /* can be mounted with dax */
/* Writable: free_bytes and free_inodes mean something. */
#define KATAIMG_CAP_FREE_SPACE (UINT64_C(1) << 9)
/* Of the extended attributes, POSIX ACLs too: system.posix_acl_access and _default. */
#define KATAIMG_CAP_ACLS (UINT64_C(1) << 10)
/*
 * write may be called again, and says the same to a host that compares instead of writing: so the
 * core verifies every byte of metadata. The window looks as empty as at the first call.
 */
#define KATAIMG_CAP_WRITE_AGAIN (UINT64_C(1) << 11)
/*
 * What is written is a file that a reader takes as a whole, an initrd, and never a device: it has
 * no partition table, no alignment, nothing that verifies it, and it may be compressed. Such a
 * backend has KATAIMG_JOB_NO_DISK among its job_features.
 */
#define KATAIMG_CAP_NO_DISK (UINT64_C(1) << 12)

/*
 * Largest values that a filesystem holds. The core presets "no limit" everywhere; limits lowers
 * what it must. What is no number, such as a mode, is for check.
 */
struct kataimg_limits {
	size_t struct_size;
	uint64_t name_bytes; /* of one directory entry */
	uint64_t symlink_bytes;
	uint64_t xattr_name_bytes; /* the full name, with its namespace */
	uint64_t xattr_value_bytes;
	uint64_t xattr_total_bytes; /* names and values of one node */
	int64_t mtime_min;          /* seconds */
	int64_t mtime_max;
	uint64_t device_major;
	uint64_t device_minor;
	uint64_t id;             /* uid and gid */
	uint64_t links;          /* of one non-directory */
	uint64_t subdirectories; /* of one directory */
	uint64_t entries;        /* of one directory */
	uint64_t file_bytes;
	uint64_t nodes; /* of the tree */
	/* Of a node's longest path from the root, without a '/' in front: "usr/bin/env" has 11. */
	uint64_t path_bytes;
	/*
	 * Nanoseconds of which stored times are multiples, counted from 1970: a divisor of 10^9, or
	 * a multiple of it. Without KATAIMG_CAP_NANOSECONDS it is 10^9 at least.
	 */
	uint64_t mtime_granularity_nsec;
};
#define KATAIMG_HAVE_PATH_BYTES 1
#define KATAIMG_HAVE_MTIME_GRANULARITY_NSEC 1

/*
 * What check found too much; with unsupported = drop it is what the core leaves out, and then it
 * asks again. Values above KATAIMG_CHECK_XATTRS are for a host that knows them: see
 * kataimg_host.check_max.
 */
enum kataimg_check {
	KATAIMG_CHECK_OK = 0,
	KATAIMG_CHECK_NODE = 1,   /* the node cannot be stored */
	KATAIMG_CHECK_XATTRS = 2, /* the node can be stored without its extended attributes */
	KATAIMG_CHECK_OWNER = 3,  /* the node can be stored as owned by 0:0 */
	/*
	 * The node can be stored with another mode: the core first takes away the set-id and sticky
	 * bits, then leaves 0755 of directories and of what anybody may execute, 0777 of symbolic
	 * links, and 0644 of all else.
	 */
	KATAIMG_CHECK_MODE = 4
};

/* ---- Sizes ---- */

struct kataimg_plan {
	size_t struct_size;
	uint64_t bytes; /* the exact smallest window; a multiple of granularity, not 0 */
	/* Of window lengths; a multiple of 4096 (with KATAIMG_JOB_NO_DISK any number), not 0. */
	uint64_t granularity;
};

/*
 * What a filesystem says of itself. describe foretells it, probe reads it: for one window both
 * agree. All is preset to 0; texts end with a NUL.
 */
struct kataimg_fs_info {
	size_t struct_size;
	uint64_t size_bytes; /* as far as the filesystem reaches */
	uint64_t block_bytes;
	uint64_t free_bytes; /* for an unprivileged writer; read-only filesystems: 0 */
	uint64_t inodes; /* that can exist (read-only: that exist); may be not counted: see flags */
	uint64_t free_inodes;
	uint8_t uuid[16]; /* zeros: none */
	char type[32];    /* as mount(8) calls it */
	char label[64];
	char min_kernel[16]; /* the oldest Linux that reads it, "5.10"; "" when not known */
	char features[256];  /* separated by spaces */
	uint64_t flags;      /* KATAIMG_FS_ bits */
};
#define KATAIMG_HAVE_FLAGS 1

/*
 * Bits of kataimg_fs_info.flags. Inodes are made as they are needed and not counted, as in btrfs:
 * inodes and free_inodes are 0 and mean nothing, and free_inodes of a job is there by itself.
 */
#define KATAIMG_FS_INODES_NOT_COUNTED (UINT64_C(1) << 0)
/* The core sets it where the backend has KATAIMG_CAP_NO_DISK. */
#define KATAIMG_FS_NO_DISK (UINT64_C(1) << 1)

/* ---- The host: services for a backend ---- */

enum kataimg_level { KATAIMG_LOG_WARNING = 1, KATAIMG_LOG_INFO = 2, KATAIMG_LOG_DEBUG = 3 };

struct kataimg_host_ctx; /* the core's */
struct kataimg_scratch;  /* an unnamed file in the output's directory; lives until close */

struct kataimg_host {
	size_t struct_size;
	struct kataimg_host_ctx *ctx; /* first argument of every service */

	void (*log)(struct kataimg_host_ctx *ctx, int level, const char *fmt, ...)
		KATAIMG_PRINTF(3, 4);
	/* The message of the error that is about to be returned. The first one counts. */
	void (*error)(struct kataimg_host_ctx *ctx, const char *fmt, ...) KATAIMG_PRINTF(2, 3);
	/* A fact for the log and the report, e.g. "deduplicated_bytes", "1048576". */
	void (*fact)(struct kataimg_host_ctx *ctx, const char *key, const char *value);

	/*
	 * The window. It starts as all zeros; a range outside is -ERANGE. write and place belong to
	 * the write callback, elsewhere they are -EPERM. Writing again over an earlier write is
	 * allowed, over a placed range it is -EEXIST. window_read gives back the backend's own
	 * writes; during write a placed range is -EBUSY. In probe and verify it reads the finished
	 * filesystem.
	 */
	int (*write)(struct kataimg_host_ctx *ctx, uint64_t off, const void *buf, size_t len);
	int (*window_read)(struct kataimg_host_ctx *ctx, uint64_t off, void *buf, size_t len);

	/*
	 * "These bytes belong there", at any byte of the window: only recorded; the core copies
	 * after write returned 0 and before verify. [file_off, file_off + len) lies within the
	 * file's size; holes inside stay zeros in the window. What follows a range in its last
	 * block stays zero. Overlap with an earlier write or place is -EEXIST.
	 */
	int (*place)(struct kataimg_host_ctx *ctx, uint64_t off, const struct kataimg_node *node,
		     uint64_t file_off, uint64_t len);
	int (*place_scratch)(struct kataimg_host_ctx *ctx, uint64_t off,
			     struct kataimg_scratch *scratch, uint64_t scratch_off, uint64_t len);

	/*
	 * Bytes of a regular file, from plan until write has returned, for backends that transform
	 * them. Holes read as zeros; beyond size: -ERANGE. The bytes of one read after the other
	 * are those of one file: a source that was written to since the tree was scanned is an
	 * error, here and when the core copies, and the build fails.
	 */
	int (*source_read)(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
			   uint64_t file_off, void *buf, size_t len);

	int (*scratch_create)(struct kataimg_host_ctx *ctx, struct kataimg_scratch **scratch);
	int (*scratch_write)(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			     uint64_t off, const void *buf, size_t len);
	int (*scratch_read)(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			    uint64_t off, void *buf, size_t len);

	/* SHA-256(seed, label): the only source of what looks random. uuid: its first 16 bytes, as
	 * version 8. */
	int (*derive)(struct kataimg_host_ctx *ctx, const char *label, uint8_t out[32]);
	int (*uuid)(struct kataimg_host_ctx *ctx, const char *label, uint8_t out[16]);

	/* How far the callback is, in units of its own. */
	void (*progress)(struct kataimg_host_ctx *ctx, uint64_t done, uint64_t total);

	/*
	 * Runs fn(arg, 0) .. fn(arg, count - 1) on the core's threads, in any order, and returns
	 * when all have ended. The result, and the message that counts, are those of the lowest
	 * index that failed, whoever was first; once one failed, higher ones may be skipped. Must
	 * not be nested.
	 */
	int (*parallel)(struct kataimg_host_ctx *ctx, uint64_t count,
			int (*fn)(void *arg, uint64_t index), void *arg);
	/* 1 once the build is to stop; from then on services return -ECANCELED. For long loops. */
	int (*cancelled)(struct kataimg_host_ctx *ctx);

	/*
	 * Runs a program (argv[0] is looked up in PATH, and one of kataimg_backend.programs), with
	 * input as its stdin and output as its descriptor 3, /dev/fd/3; either may be NULL. Its
	 * stdout and stderr go to the log. -EIO when it fails. For a backend that wraps a tool: its
	 * result is read back from output, or placed with place_scratch.
	 */
	int (*run)(struct kataimg_host_ctx *ctx, const char *const *argv,
		   struct kataimg_scratch *input, struct kataimg_scratch *output);

	/* For messages: the node's path from the root, without a '/' in front, cut to size. Returns
	 * buf. */
	const char *(*path)(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
			    char *buf, size_t size);

	/* The end of what was written to the scratch, by scratch_write or by a program. */
	int (*scratch_size)(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			    uint64_t *bytes);
	/* The largest enum kataimg_check value that check may return; of a host without this member
	 * it is KATAIMG_CHECK_XATTRS. */
	uint64_t check_max;
	/*
	 * As error, for the value of one option, by its place in the backend's table: the core says
	 * in front of the message where the value was given and what it is, so the message says
	 * only what is wrong with it. All that are wrong may be refused before the callback fails.
	 */
	void (*option_error)(struct kataimg_host_ctx *ctx, uint64_t index, const char *fmt, ...)
		KATAIMG_PRINTF(3, 4);

	/*
	 * source_read of bytes that the backend itself writes at off of the window, unchanged: an
	 * inline tail. They are content, not metadata: when write is called again to compare
	 * metadata alone, they are not read (buf gets zeros) and not compared.
	 */
	int (*source_read_inline)(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
				  uint64_t file_off, void *buf, size_t len, uint64_t off);
};
#define KATAIMG_HAVE_SCRATCH_SIZE 1
#define KATAIMG_HAVE_CHECK_MAX 1
#define KATAIMG_HAVE_OPTION_ERROR 1
#define KATAIMG_HAVE_SOURCE_READ_INLINE 1

/* ---- Reading a finished filesystem back ---- */

/* One inode, as read found it. A member that does not belong to the type is 0. */
struct kataimg_inode {
	size_t struct_size;
	uint64_t id;   /* the filesystem's own number of it: any, but each inode another */
	uint64_t size; /* regular: length; symbolic link: length of the target; else 0 */
	int64_t mtime_sec;
	uint32_t mtime_nsec; /* 0 .. 999999999 */
	uint32_t uid;
	uint32_t gid;
	uint32_t rdev_major;
	uint32_t rdev_minor;
	uint16_t mode; /* permission, set-id and sticky bits: 07777 at most */
	uint8_t type;  /* enum kataimg_type */
	uint8_t reserved;
	uint32_t nlink;     /* as the inode says; 0: it says nothing */
	const char *target; /* symbolic link: size bytes; need not end with a NUL */
};

struct kataimg_sink_ctx; /* the core's */

/*
 * Where read reports to. Order is of no matter, and all may be called from any thread. What is
 * passed in is copied. The core judges what it is told: ids without an inode or with two, names
 * that are none, directories with two parents or in a circle, ranges outside window or file or over
 * each other. So a backend need only stay within its own bounds, and end: it reports a directory
 * once, whoever names it.
 */
struct kataimg_sink {
	size_t struct_size;
	struct kataimg_sink_ctx *ctx; /* first argument of every service */

	/* The root directory; once. */
	int (*root)(struct kataimg_sink_ctx *ctx, uint64_t id);
	int (*inode)(struct kataimg_sink_ctx *ctx, const struct kataimg_inode *inode);
	/* With its full name and the value as getxattr(2) gives it; ACLs in Linux' form. */
	int (*xattr)(struct kataimg_sink_ctx *ctx, uint64_t id, const struct kataimg_xattr *xattr);
	/* Directory dir has the name for an inode; without "." and "..". */
	int (*entry)(struct kataimg_sink_ctx *ctx, uint64_t dir, const char *name, size_t name_len,
		     uint64_t id);
	/*
	 * [file_off, file_off + len) of a regular file are the window's bytes at off; at any byte.
	 * What no range tells is a hole. Blocks that are allocated and read as zeros (unwritten)
	 * are holes; what lies behind the file's size is not told.
	 */
	int (*range)(struct kataimg_sink_ctx *ctx, uint64_t id, uint64_t file_off, uint64_t len,
		     uint64_t off);
	/* The same for bytes that decode gives for the cookie, of which it may know what it will.
	 */
	int (*decoded)(struct kataimg_sink_ctx *ctx, uint64_t id, uint64_t file_off, uint64_t len,
		       uint64_t cookie);
};

#define KATAIMG_HAVE_READ 1

/* ---- The backend: required are open, plan, describe, write, verify, close and probe ---- */

struct kataimg_backend {
	/* Filled by KATAIMG_BACKEND(). */
	size_t struct_size;
	uint32_t abi_version;
	uint32_t option_size; /* sizeof(struct kataimg_option) */

	/* [a-z0-9][a-z0-9-]{0,31}: the NAME of kataimg-NAME-backend.so and of the INI section. */
	const char *name;
	const char *version;
	const char *summary;                  /* one line, no full stop */
	uint64_t capabilities;                /* KATAIMG_CAP_ bits */
	uint64_t job_features;                /* KATAIMG_JOB_ bits that this backend knows */
	const struct kataimg_option *options; /* option_count of them; may be NULL */
	uint64_t option_count;

	/* The libraries that decide bytes, with their versions at run time: "libext2fs 1.47.0". May
	 * be NULL. */
	const char *(*libraries)(void);

	/* Begin. values has option_count members. *state comes back in all others but probe. */
	int (*open)(const struct kataimg_host *host, const struct kataimg_job *job,
		    const struct kataimg_value *values, void **state);
	/* Lower what the filesystem, with these options, cannot hold. May be NULL: no limits. */
	int (*limits)(void *state, struct kataimg_limits *limits);
	/*
	 * What numbers cannot say: an enum kataimg_check value, or an error. A value that is not 0
	 * has a reason, a clause without the node's name: "5012 bytes do not fit a block of 4096".
	 * May be NULL.
	 */
	int (*check)(void *state, const struct kataimg_node *node, char *reason,
		     size_t reason_size);
	/*
	 * The exact smallest window: one granule less cannot hold the tree. May read content and
	 * keep results in scratch. Nothing is written into a window.
	 */
	int (*plan)(void *state, const struct kataimg_tree *tree, struct kataimg_plan *plan);
	/* What write would make of a window of so many bytes; after plan; arithmetic alone. */
	int (*describe)(void *state, uint64_t window_bytes, struct kataimg_fs_info *info);
	/*
	 * Write metadata into the window and place file data. Must succeed for EVERY window of at
	 * least plan's size that is a multiple of its granularity. A writable filesystem fills it.
	 */
	int (*write)(void *state, const struct kataimg_tree *tree, uint64_t window_bytes);
	/* Re-read the finished window and say what contradicts. */
	int (*verify)(void *state, uint64_t window_bytes);
	/* The end, after any successful open. */
	void (*close)(void *state);
	/*
	 * Is there a filesystem of this kind in the window, which may be of any content and size,
	 * and what does it say of itself? 0: yes. -ENODATA: no. -EOPNOTSUPP with info filled: yes,
	 * and nothing contradicts, but not all of it is in the window; the message says what is
	 * missing and what to do. Another error: it is one, but broken; the message says how.
	 */
	int (*probe)(const struct kataimg_host *host, uint64_t window_bytes,
		     struct kataimg_fs_info *info);
	/* Never used: NULL. */
	int (*walk)(void *state);

	/*
	 * KATAIMG_HAVE_READ. The way back, apart from a build as probe is; all three may be NULL.
	 * Reports every inode, attribute, name and range of the finished filesystem in the window,
	 * which may be of any content and size. What the tree cannot say or this reader cannot read
	 * (an unknown feature, encrypted files, a log or journal to replay) is an error that names
	 * it and what to do, best before anything is reported. After success, *state belongs to
	 * decode, and read_end is called once.
	 */
	int (*read)(const struct kataimg_host *host, uint64_t window_bytes,
		    const struct kataimg_sink *sink, void **state);
	/* Bytes [skip, skip + len) of the decoded range with the cookie. From any thread. */
	int (*decode)(void *state, uint64_t cookie, uint64_t skip, void *buf, size_t len);
	void (*read_end)(void *state);

	/*
	 * The programs that callbacks run by the host's service of that name, as it is given them
	 * in argv[0]; NULL at the end. "*": any. NULL: none, and kataimg(1) confines itself so that
	 * it can run nothing, and open no file that the backend has not opened when its callbacks
	 * begin. A program may read all that the user may, and write what kataimg may: beside the
	 * image, and to descriptors that it is given. Of a backend that is older than this member
	 * any program is run.
	 */
	const char *const *programs;
};

#define KATAIMG_HAVE_PROGRAMS 1

/* The one symbol that a backend exports. */
#define KATAIMG_BACKEND_SYMBOL "kataimg_backend"
extern KATAIMG_EXPORT const struct kataimg_backend kataimg_backend;

/*
 * Defines the exported table, in C and, with the members in their order, in C++20:
 *
 *   KATAIMG_BACKEND(.name = "myfs", .version = "1.0", .open = myfs_open, ...);
 */
#define KATAIMG_BACKEND(...)                                                                     \
	const struct kataimg_backend kataimg_backend = { .struct_size =                          \
								 sizeof(struct kataimg_backend), \
							 .abi_version = KATAIMG_ABI_VERSION,     \
							 .option_size =                          \
								 sizeof(struct kataimg_option),  \
							 __VA_ARGS__ }

#ifdef __cplusplus
}
#endif

#endif
