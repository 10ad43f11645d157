/* SPDX-License-Identifier: Apache-2.0 */
#include "core/decompress/codec.h"

#include <string.h>

/*
 * gzip: RFC 1952. bzip2: "BZh", a digit, and the first block or the end. xz: The .xz File Format,
 * 2.1.1.1. zstd: RFC 8878, 3.1.1; its skippable frames (3.1.2) may be the first, as those of pzstd
 * are.
 */
static const struct magic {
	const struct decompress_codec *codec;
	const char *bytes;
	size_t at, len;
} magics[] = {
	{ &decompress_gzip, "\x1f\x8b\x08", 0, 3 },
	{ &decompress_bzip2, "\x31\x41\x59\x26\x53\x59", 4, 6 },
	{ &decompress_bzip2, "\x17\x72\x45\x38\x50\x90", 4, 6 },
	{ &decompress_xz, "\xfd\x37zXZ\0", 0, 6 },
	{ &decompress_zstd, "\x28\xb5\x2f\xfd", 0, 4 },
	{ &decompress_zstd, "\x2a\x4d\x18", 1, 3 },
};

static bool begins(const struct magic *magic, const uint8_t *bytes, size_t len)
{
	if (len < magic->at + magic->len ||
	    memcmp(bytes + magic->at, magic->bytes, magic->len) != 0)
		return false;
	if (magic->codec == &decompress_bzip2)
		return memcmp(bytes, "BZh", 3) == 0 && bytes[3] >= '1' && bytes[3] <= '9';
	return magic->at == 0 || (bytes[0] & 0xf0) == 0x50;
}

const struct decompress_codec *decompress_codec_of(const void *bytes, size_t len)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (begins(&magics[i], bytes, len))
			return magics[i].codec;
	return NULL;
}
