/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of xz.c where kataimg is built without liblzma. */
#include "core/decompress/codec.h"

const struct decompress_codec decompress_xz = {
	.name = "xz",
	.lack = "liblzma: build it with -Dxz=enabled",
};
