/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of zstd.c where kataimg is built without libzstd. */
#include "core/decompress/codec.h"

const struct decompress_codec decompress_zstd = {
	.name = "zstd",
	.lack = "libzstd: build it with -Dzstd=enabled",
};
