/* SPDX-License-Identifier: Apache-2.0 */
/* What glibc has and other C libraries, or older ones of its own, lack: by one name everywhere. */
#ifndef LIB_LIBC_H
#define LIB_LIBC_H

#include <dirent.h>
#include <stddef.h>
#include <sys/types.h>

/* Of renameat2(2). */
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1u << 0)
#endif
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1u << 1)
#endif

/* What a positive errno value means, in English; NULL: it is none. Any thread. */
const char *errno_text(int code);

/* Its name, "ENOENT"; NULL: it is none, or none that this program meets. */
const char *errno_name(int code);

/* As renameat2(2): 0, or -1 with errno. */
int libc_renameat2(int old_dir, const char *old_name, int new_dir, const char *new_name,
		   unsigned int flags);

/* A record of getdents64(2); musl has it as struct dirent. */
#ifdef __GLIBC__
typedef struct dirent64 libc_dirent;
#else
typedef struct dirent libc_dirent;
#endif

/* As getdents64(2). */
ssize_t libc_getdents(int dir, void *records, size_t bytes);

#endif
