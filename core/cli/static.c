/* SPDX-License-Identifier: Apache-2.0 */
/* What a static program needs besides: linked in with -Dstatic=true alone. */
#include <archive.h>

#ifdef __GLIBC__
#include <nss.h>
#endif

/*
 * libarchive.a has one function that knows every format by its number, so that whoever writes a tar
 * links them all, and the libraries of those below. Nobody calls these; the linker takes them
 * instead of libarchive's.
 */
#define ABSENT_FORMAT(name)                                                              \
	int archive_write_set_format_##name(struct archive *archive)                     \
	{                                                                                \
		archive_set_error(archive, -1, "kataimg is linked without this format"); \
		return ARCHIVE_FATAL;                                                    \
	}

ABSENT_FORMAT(7zip)
ABSENT_FORMAT(iso9660)
ABSENT_FORMAT(mtree)
ABSENT_FORMAT(warc)
ABSENT_FORMAT(xar)
ABSENT_FORMAT(zip)

#ifdef __GLIBC__

/*
 * Names of users come from /etc/passwd and /etc/group alone: other ways are shared objects of the
 * machine's own glibc, which a program with another one in it must not load.
 */
static __attribute__((constructor)) void use_files(void)
{
	__nss_configure_lookup("passwd", "files");
	__nss_configure_lookup("group", "files");
}

#endif
