/* SPDX-License-Identifier: Apache-2.0 */
/* What single keys ask of their values, beyond the type. Errors are of kind ERROR_USAGE and name
 * neither place nor key. */
#ifndef CONFIG_CHECKS_H
#define CONFIG_CHECKS_H

#include "core/base/error.h"

int check_pattern(const char *value, struct error *error);
int check_name_part(const char *value, struct error *error);
int check_guid(const char *value, struct error *error);
int check_partition_name(const char *value, struct error *error);
/* Of a file in an artifact. */
int check_file_name(const char *value, struct error *error);
/* "type/subtype", by RFC 6838. */
int check_media_type(const char *value, struct error *error);

/* What the guest's kernel, a serial number and a directory can have for a name. */
int check_extension(const char *value, struct error *error);

#endif
