/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program gives up before it looks at what others made: an image, an archive, a tree. From
 * confine_enter on it has no new privileges, only the capabilities named below, no network, and of
 * the filesystem what was allowed (Landlock, Linux 5.13; user space: landlock(7)). What is open
 * stays open. System calls that nothing here makes and that Landlock does not bind fail (calls.c;
 * seccomp(2)), unless programs are run. All this binds the thread that enters and those that it
 * starts: there must be no other thread yet.
 *
 * A kernel without Landlock, or with less of it, confines less; confine_enter says so to the log.
 */
#ifndef CONFINE_CONFINE_H
#define CONFINE_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "lib/cleanup.h"

/* A process enters once: what begins afterwards, or after confine_switch_off, allows and enters
 * nothing. */
struct confine {
	int ruleset;      /* a descriptor; -1: nothing is confined */
	uint64_t handled; /* LANDLOCK_FS_ rights that are denied unless allowed */
	int version;      /* of Landlock; 0: there is none */
	int code;         /* errno: why there is none, or no ruleset; 0: that is for the version */
	bool attributes;  /* privileged attributes of files are read or set: CAP_SYS_ADMIN stays */
	bool devices;  /* files of any kind, owner and mode are made: CAP_MKNOD and others stay */
	bool programs; /* are run: system calls are not filtered */
};

/* What is allowed of a file, or of a directory and all below it. */
enum confine_access {
	CONFINE_LIST,   /* names in directories */
	CONFINE_READ,   /* and content */
	CONFINE_WRITE,  /* content of what is there: a pipe, a terminal */
	CONFINE_MAKE,   /* regular files: read, made, renamed, removed */
	CONFINE_TREE,   /* all that, and files of any kind, and directories */
	CONFINE_REMOVE, /* of directories that are empty */
	CONFINE_RUN,    /* to read, and run as a program */
};

/* --no-sandbox. */
void confine_switch_off(void);

/* tree: CONFINE_TREE will be allowed, which needs links between directories. */
void confine_begin(struct confine *confine, bool tree);
void confine_end(struct confine *confine);
#define CONFINE_NONE ((struct confine){ .ruleset = -1 })
#define autoconfine __attribute__((cleanup(confine_end)))

/* Symbolic links are followed. What is not there, and what no rule can be about (a pipe), needs
 * none: the error is that of who opens it. -ENOMEM, -EMFILE, -ENFILE. */
int confine_allow(struct confine *confine, const char *path, enum confine_access access,
		  struct error *error);
/* The directory that path is, or will be, in. */
int confine_allow_parent(struct confine *confine, const char *path, enum confine_access access,
			 struct error *error);
/* Where unnamed files go when they go beside nothing: TMPDIR, or /var/tmp. */
int confine_allow_scratch(struct confine *confine, struct error *error);
/* All that a program which is run may need, but for places to write: only /dev/null is one. */
int confine_allow_programs(struct confine *confine, struct error *error);

/* A kernel that refuses is a warning. */
void confine_enter(struct confine *confine);

/* To a refusal of the system's, recorded with the system's words at its end, that confinement may
 * be the cause of, adds how the user learns whether it is. */
void confine_explain(struct error *error);

/* capabilities.c, calls.c: -errno. */
int confine_drop_capabilities(const struct confine *confine);
int confine_filter_calls(const struct confine *confine);

#endif
