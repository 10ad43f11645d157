/* SPDX-License-Identifier: Apache-2.0 */
/* A key and its certificate, for tests that sign. */
#ifndef SUPPORT_CERTIFICATE_H
#define SUPPORT_CERTIFICATE_H

/* Makes an RSA key of so many bits, and a certificate of it by itself: PEM, in these files. */
void certificate_make(unsigned int bits, const char *key_path, const char *certificate_path);

#endif
