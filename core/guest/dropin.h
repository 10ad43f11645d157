/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The place of image_builder.sh and initrd_builder.sh: the environment of the former, which counts
 * when there is no INI file, and, when the program runs under the name of one of them, its manners.
 */
#ifndef GUEST_DROPIN_H
#define GUEST_DROPIN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/backend/search.h"
#include "core/base/error.h"
#include "core/config/config.h"

enum dropin_script { DROPIN_NONE, DROPIN_IMAGE, DROPIN_INITRD };

/* Under which script's name the program was started, by its path; "kataimg" is DROPIN_NONE's. */
enum dropin_script dropin_find_script(const char *program);
const char *dropin_script_name(enum dropin_script script);

/* How a variable's value becomes that of its key. */
enum dropin_form {
	DROPIN_TEXT,      /* as it is */
	DROPIN_MEBIBYTES, /* a number of MiB */
	DROPIN_INVERTED,  /* yes means no */
	DROPIN_BLOCKS,    /* 4096 and nothing else; has no key */
	DROPIN_CONTAINER, /* asks for a container, which nothing needs; has no key */
	DROPIN_ACCEPTED   /* has nothing to say to a key */
};

struct dropin_variable {
	const char *name;
	enum dropin_form form;
	const char *section, *key;
	const char *help; /* one line, no full stop */
};

extern const struct dropin_variable dropin_variables[];
extern const size_t dropin_variable_count;
/* Those of initrd_builder.sh. */
extern const struct dropin_variable dropin_initrd_variables[];
extern const size_t dropin_initrd_variable_count;

/* Takes the script's variables that are set and not empty into the configuration, for
 * initrd_builder.sh behind what it makes of every tree. */
int dropin_read_environment(struct config *config, enum dropin_script script, struct error *error);

/* What initrd_builder.sh makes: cpio, gzip -9, with a link /init. */
int dropin_preset_initrd(struct config *config, struct error *error);

/*
 * Once all values are known: labels for SELINUX=yes, compression of EROFS where the script has it;
 * and free space on a filesystem that cannot have any is no more than a warning, as it was there.
 * script: under whose name the program runs; it says what is otherwise than there.
 */
int dropin_adjust(struct config *config, const struct backend_search *search,
		  enum dropin_script script, struct error *error);

/* EROFS alone of that: all that is known of a filesystem outside its backend lies there. */
int dropin_adjust_erofs(struct config *config, bool script, struct error *error);

/* SELINUX=yes: labels by the policy of the root filesystem, unless another is named. */
int dropin_apply_selinux(struct config *config, struct error *error);

/* The image's owner by USER and GROUP, when both are set and the caller is root; else -1. */
int dropin_find_owner(uid_t *owner, gid_t *group, struct error *error);

#endif
