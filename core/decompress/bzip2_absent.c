/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of bzip2.c where kataimg is built without libbz2. */
#include "core/decompress/codec.h"

const struct decompress_codec decompress_bzip2 = {
	.name = "bzip2",
	.lack = "libbz2: build it with -Dbzip2=enabled",
};
