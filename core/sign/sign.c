/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sign/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/hex.h"

/* More than any key or certificate has. */
#define PEM_BYTES_MAX (256u << 10)

DEFINE_CLEANUP(BIO, BIO_free_all)
DEFINE_CLEANUP(CMS_ContentInfo, CMS_ContentInfo_free)

struct signer {
	EVP_PKEY *key;
	X509 *certificate;
};

/* The text of OpenSSL's newest error, whose queue is empty then; "no reason given". */
static const char *reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return text ? text : "no reason given";
}

/* Is that what the newest error says? The queue is empty then. */
static bool ran_out_of_memory(void)
{
	unsigned long code = ERR_peek_last_error();

	ERR_clear_error();
	return ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
}

/* ---- The files ---- */

static ssize_t read_all(int fd, uint8_t *bytes, size_t room)
{
	size_t len = 0;

	while (len < room) {
		ssize_t got = read(fd, bytes + len, room - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

/* A copy that OpenSSL wipes when it is done with it. */
static int read_pem(const char *path, BIO **pem, struct error *error)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	autofree uint8_t *bytes = NULL;
	ssize_t len;

	if (fd < 0)
		return error_errno(error, errno, "cannot read %s", path);
	bytes = malloc(PEM_BYTES_MAX);
	if (!bytes)
		return error_nomem(error);
	len = read_all(fd, bytes, PEM_BYTES_MAX);
	if (len < 0)
		return error_errno(error, (int)-len, "cannot read %s", path);
	*pem = BIO_new(BIO_s_secmem());
	if (!*pem || (len > 0 && BIO_write(*pem, bytes, (int)len) != len)) {
		OPENSSL_cleanse(bytes, (size_t)len);
		return error_nomem(error);
	}
	OPENSSL_cleanse(bytes, (size_t)len);
	return 0;
}

/* Nobody is asked for a passphrase; that one would be needed is noted. */
static int refuse_passphrase(char *buf, int size, int writing, void *asked)
{
	(void)buf;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static int check_key(const struct signer *signer, const char *path, struct error *error)
{
	const char *name = EVP_PKEY_get0_type_name(signer->key);

	if (EVP_PKEY_is_a(signer->key, "RSA"))
		return 0;
	return error_usage(error,
			   "%s holds a key of the kind %s: only RSA signs the same bytes at each "
			   "run, so that a build can be repeated",
			   path, name ? name : "unknown");
}

static int read_key(struct signer *signer, const char *path, struct error *error)
{
	BIO *pem autocall(cleanup_BIO_free_all) = NULL;
	bool asked = false;
	int ret = read_pem(path, &pem, error);

	if (ret < 0)
		return ret;
	signer->key = PEM_read_bio_PrivateKey(pem, NULL, refuse_passphrase, &asked);
	if (signer->key)
		return check_key(signer, path, error);
	if (ran_out_of_memory())
		return error_nomem(error);
	if (asked)
		return error_usage(error,
				   "%s is encrypted, and nobody is asked for a passphrase: openssl "
				   "pkey -in %s -out FILE makes one without",
				   path, path);
	return error_usage(error, "%s holds no private key in PEM", path);
}

static int read_certificate(struct signer *signer, const char *path, struct error *error)
{
	BIO *pem autocall(cleanup_BIO_free_all) = NULL;
	int ret = read_pem(path, &pem, error);

	if (ret < 0)
		return ret;
	signer->certificate = PEM_read_bio_X509(pem, NULL, NULL, NULL);
	if (signer->certificate && X509_check_private_key(signer->certificate, signer->key) == 1)
		return 0;
	if (ran_out_of_memory())
		return error_nomem(error);
	if (!signer->certificate)
		return error_usage(error, "%s holds no certificate in PEM", path);
	return error_usage(error, "%s is the certificate of another key than sign-key", path);
}

int signer_new(const char *key_path, const char *certificate_path, struct signer **signer,
	       enum signer_part *bad, struct error *error)
{
	struct signer *made autocall(cleanup_signer_free) = calloc(1, sizeof(*made));
	int ret = made ? 0 : error_nomem(error);

	*bad = SIGNER_KEY;
	if (ret == 0)
		ret = read_key(made, key_path, error);
	if (ret < 0)
		return ret;
	*bad = SIGNER_CERTIFICATE;
	ret = read_certificate(made, certificate_path, error);
	if (ret < 0)
		return ret;
	*signer = steal_ptr(&made);
	return 0;
}

void signer_free(struct signer *signer)
{
	if (!signer)
		return;
	EVP_PKEY_free(signer->key);
	X509_free(signer->certificate);
	free(signer);
}

int signer_fingerprint(const struct signer *signer, char hex[2 * DIGEST_BYTES + 1])
{
	uint8_t digest[DIGEST_BYTES];

	if (X509_digest(signer->certificate, EVP_sha256(), digest, NULL) != 1)
		return -ENOMEM;
	hex_format(digest, sizeof(digest), hex);
	return 0;
}

const char *signer_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

/* ---- Signing ---- */

static int encode(CMS_ContentInfo *cms, struct signature *signature, struct error *error)
{
	unsigned char *der = NULL;
	int len = i2d_CMS_ContentInfo(cms, &der);

	if (len <= 0)
		return error_set(error, EIO, "cannot write the signature: %s", reason());
	signature->der = malloc((size_t)len);
	signature->len = (size_t)len;
	if (signature->der)
		memcpy(signature->der, der, (size_t)len);
	OPENSSL_free(der);
	return signature->der ? 0 : error_nomem(error);
}

int signer_sign(const struct signer *signer, const char *root_hash, struct signature *signature,
		struct error *error)
{
	const unsigned int flags =
		CMS_BINARY | CMS_DETACHED | CMS_NOATTR | CMS_NOCERTS | CMS_NOSMIMECAP;
	BIO *text autocall(cleanup_BIO_free_all) = BIO_new_mem_buf(root_hash, -1);
	CMS_ContentInfo *cms autocall(cleanup_CMS_ContentInfo_free) =
		text ? CMS_sign(NULL, NULL, NULL, text, flags | CMS_PARTIAL) : NULL;

	*signature = (struct signature){ 0 };
	if (!cms || !CMS_add1_signer(cms, signer->certificate, signer->key, EVP_sha256(), flags) ||
	    CMS_final(cms, text, NULL, flags) != 1)
		return error_set(error, EIO, "cannot sign the root hash: %s", reason());
	return encode(cms, signature, error);
}

void signature_free(struct signature *signature)
{
	free(signature->der);
	*signature = (struct signature){ 0 };
}

/* ---- The partition ---- */

char *signer_partition_text(const struct signer *signer, const char *root_hash,
			    const struct signature *signature)
{
	autofree char *base64 = malloc((signature->len + 2) / 3 * 4 + 1);
	char hex[2 * DIGEST_BYTES + 1];
	char *text;

	if (!base64 || signer_fingerprint(signer, hex) < 0)
		return NULL;
	EVP_EncodeBlock((unsigned char *)base64, signature->der, (int)signature->len);
	if (asprintf(&text,
		     "{\"rootHash\":\"%s\",\"certificateFingerprint\":\"%s\",\"signature\":\"%s\"}",
		     root_hash, hex, base64) < 0)
		return NULL;
	return text;
}
