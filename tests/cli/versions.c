/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded, it gives the libraries whose versions are in a key another version. */
#define OTHER "0.0.0"

#pragma GCC visibility push(default)

const char *LZ4_versionString(void);
const char *OpenSSL_version(int what);
const char *ZSTD_versionString(void);
const char *zlibVersion(void);

const char *LZ4_versionString(void)
{
	return OTHER;
}

const char *OpenSSL_version(int what)
{
	(void)what;
	return OTHER;
}

const char *ZSTD_versionString(void)
{
	return OTHER;
}

const char *zlibVersion(void)
{
	return OTHER;
}
