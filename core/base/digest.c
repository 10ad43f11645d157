/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/digest.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/base/io.h"
#include "core/base/meter.h"

#define RANGE_BUFFER_BYTES ((size_t)256 << 10)

/* The opaque type of the header is OpenSSL's context under another name. */
static EVP_MD_CTX *context(struct digest *digest)
{
	return (EVP_MD_CTX *)digest;
}

struct digest *digest_new(void)
{
	EVP_MD_CTX *md;

	/* OpenSSL 3 reports no failure when memory runs out while a context is being made, and
	 * then uses the part that it did not get. */
	if (!OSSL_LIB_CTX_get0_global_default())
		return NULL;
	md = EVP_MD_CTX_new();
	if (md && !EVP_DigestInit_ex(md, EVP_sha256(), NULL)) {
		EVP_MD_CTX_free(md);
		md = NULL;
	}
	return (struct digest *)md;
}

void digest_free(struct digest *digest)
{
	EVP_MD_CTX_free(context(digest));
}

int digest_update(struct digest *digest, const void *data, size_t len)
{
	return EVP_DigestUpdate(context(digest), data, len) ? 0 : -EIO;
}

int digest_range(struct digest *digest, int fd, uint64_t off, uint64_t bytes)
{
	autofree void *buffer = malloc(RANGE_BUFFER_BYTES);
	int ret = buffer ? 0 : -ENOMEM;

	meter_expect(bytes);
	while (ret == 0 && bytes > 0) {
		size_t len = bytes < RANGE_BUFFER_BYTES ? (size_t)bytes : RANGE_BUFFER_BYTES;

		ret = cancel_requested() ? -ECANCELED : io_pread(fd, buffer, len, off);
		if (ret == 0)
			ret = digest_update(digest, buffer, len);
		meter_advance(len);
		off += len;
		bytes -= len;
	}
	return ret;
}

int digest_final(struct digest *digest, uint8_t out[DIGEST_BYTES])
{
	return EVP_DigestFinal_ex(context(digest), out, NULL) ? 0 : -EIO;
}

int digest_derive(const uint8_t seed[DIGEST_BYTES], const char *label, uint8_t out[DIGEST_BYTES])
{
	struct digest *digest = digest_new();
	int ret = -ENOMEM;

	if (digest) {
		ret = digest_update(digest, seed, DIGEST_BYTES);
		if (ret == 0)
			ret = digest_update(digest, label, strlen(label));
		if (ret == 0)
			ret = digest_final(digest, out);
	}
	digest_free(digest);
	return ret;
}

int digest_uuid(const uint8_t seed[DIGEST_BYTES], const char *label, uint8_t out[16])
{
	uint8_t derived[DIGEST_BYTES];
	int ret = digest_derive(seed, label, derived);

	if (ret < 0)
		return ret;
	memcpy(out, derived, 16);
	out[6] = 0x80 | (out[6] & 0x0f);
	out[8] = 0x80 | (out[8] & 0x3f);
	return 0;
}
