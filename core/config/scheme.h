/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of source a value of [image] source names: "oci:DIR", or a path with nothing in front.
 */
#ifndef CONFIG_SCHEME_H
#define CONFIG_SCHEME_H

#include <stddef.h>

enum source_scheme { SOURCE_PATH, SOURCE_OCI, SOURCE_OCI_ARCHIVE, SOURCE_DOCKER_ARCHIVE };

/* *len: of the scheme with its colon, 0 for SOURCE_PATH. */
enum source_scheme source_scheme_of(const char *source, size_t *len);

#endif
