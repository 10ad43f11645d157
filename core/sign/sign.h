/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of root hashes, by OpenSSL: CMS signed data over the hexadecimal digits of the root
 * hash without a newline, in DER, detached, with neither signed attributes nor certificates, as
 * dm-verity's root_hash_sig_key_desc (Linux, verity.rst) and systemd (systemd-dissect(1),
 * --root-hash-sig=) want it. By RSA with PKCS#1 v1.5 and SHA-256: the same key gives the same
 * bytes, which other algorithms do not.
 */
#ifndef SIGN_SIGN_H
#define SIGN_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/digest.h"
#include "core/base/error.h"
#include "lib/cleanup.h"

/* A private key and the certificate that readers check its signatures with. */
struct signer;

enum signer_part { SIGNER_KEY, SIGNER_CERTIFICATE };

/*
 * Reads both, PEM. The key must be an RSA key (PKCS#8, or PKCS#1) without a passphrase, and that of
 * the certificate. On an error *bad is the file that it speaks of.
 */
int signer_new(const char *key_path, const char *certificate_path, struct signer **signer,
	       enum signer_part *bad, struct error *error);
void signer_free(struct signer *signer);
DEFINE_CLEANUP(struct signer, signer_free)

/* SHA-256 of the certificate's DER, in hexadecimal. -ENOMEM. */
int signer_fingerprint(const struct signer *signer, char hex[2 * DIGEST_BYTES + 1]);

/* Of the library that signs. */
const char *signer_version(void);

struct signature {
	uint8_t *der; /* owned */
	size_t len;   /* of one signer always the same */
};

/* Signs the digits. */
int signer_sign(const struct signer *signer, const char *root_hash, struct signature *signature,
		struct error *error);
void signature_free(struct signature *signature);

/*
 * What a signature partition holds (Discoverable Partitions Specification, "Verity Signature
 * Partition"), without the zeros behind it: a JSON object of rootHash, certificateFingerprint
 * (SHA-256 of the certificate's DER) and signature (base64). To be freed; NULL when memory is out.
 */
char *signer_partition_text(const struct signer *signer, const char *root_hash,
			    const struct signature *signature);

#endif
