/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "check/support/must.h"

#define VALID_SECONDS (365L * 24 * 60 * 60)

static X509 *certify(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name;

	must(certificate);
	name = X509_get_subject_name(certificate);
	must(X509_set_version(certificate, 2));
	must(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1));
	must(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
	must(X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_SECONDS));
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"kataimg",
					-1, -1, 0));
	must(X509_set_issuer_name(certificate, name));
	must(X509_set_pubkey(certificate, key));
	must(X509_sign(certificate, key, EVP_sha256()));
	return certificate;
}

void certificate_make(unsigned int bits, const char *key_path, const char *certificate_path)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);
	X509 *certificate = key ? certify(key) : NULL;
	FILE *key_file = fopen(key_path, "w"), *file = fopen(certificate_path, "w");

	must(certificate && key_file && file);
	must(PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL));
	must(PEM_write_X509(file, certificate));
	must(fclose(key_file) == 0 && fclose(file) == 0);
	X509_free(certificate);
	EVP_PKEY_free(key);
}
