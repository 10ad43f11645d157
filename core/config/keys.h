/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every key of the core's own sections: ONE table that parsing, defaults, --help, the man page and
 * shell completion come from. A new key is a line here and a member of struct config.
 */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"

/* What a value is, and the type of its member in struct config. */
enum config_type {
	CONFIG_BOOL,    /* bool: yes, no */
	CONFIG_U64,     /* uint64_t */
	CONFIG_SIZE,    /* uint64_t, bytes */
	CONFIG_ENUM,    /* an enum whose members are the places in choices */
	CONFIG_STRING,  /* char *, may be empty */
	CONFIG_PATH,    /* char *, relative to the INI file; may be empty: none */
	CONFIG_OUTPUT,  /* char *, a path, or oci:DIR:TAG (core/artifact/place.h); has a default */
	CONFIG_SOURCE,  /* char *, a path unless it is "-" */
	CONFIG_BACKEND, /* char *, a path when it has a slash, else a name */
	CONFIG_LIST,    /* struct config_list: may be given again; an empty value adds nothing */
	CONFIG_PATHS,   /* the same, of paths */
	CONFIG_ID_MAP,  /* struct tree_id_map: may be given again, likewise */
	CONFIG_HEX      /* struct config_bytes: hexadecimal, may be empty */
};

/* How a value gets into an image: what the key of a build has of it (builder/key.h). */
enum config_effect {
	CONFIG_DECIDES,   /* the value itself decides bytes, or may: so it is of a line that says
			     nothing */
	CONFIG_SETTLED,   /* it does together with other things, and what follows is in the key */
	CONFIG_OF_TREE,   /* by what the tree becomes, and in no other way */
	CONFIG_OF_NO_BYTE /* where something is written, what is checked, what is told */
};

struct config_key {
	const char *section, *name;
	enum config_type type;
	size_t offset;              /* of the member in struct config */
	const char *default_value;  /* in the INI's syntax; NULL: empty or NULL */
	const char *help;           /* one line, no full stop */
	const char *const *choices; /* ENUM, NULL-terminated */
	uint64_t min, max;          /* U64 and SIZE; both 0: no bounds */
	bool is_output;             /* PATH, OUTPUT: it is written, and need not be there */
	const char *environment;    /* overrides the default alone; NULL: none */
	enum config_effect effect;
	/* What else must hold of a value that is not empty (config/checks.h); NULL: nothing. */
	int (*check)(const char *value, struct error *error);
};

#define CONFIG_KEYS_MAX 64

extern const struct config_key config_keys[];
extern const size_t config_key_count; /* at most CONFIG_KEYS_MAX */

/* May the key be given again, for one value more? */
static inline bool config_is_list(const struct config_key *key)
{
	return key->type == CONFIG_LIST || key->type == CONFIG_PATHS || key->type == CONFIG_ID_MAP;
}

/* NULL when there is none. */
const struct config_key *config_find_key(const char *section, const char *name);

/* Does the section belong to the core? */
bool config_is_section(const char *section);

/* How a man page calls a value of the key: "SIZE", "yes|no". Returns buf. */
const char *config_describe_type(const struct config_key *key, char *buf, size_t size);

#endif
