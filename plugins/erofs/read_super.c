/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "plugins/erofs/probe.h"
#include "plugins/erofs/read.h"

/* Features that are known and not read: what a sound filesystem with them is. */
static const struct {
	uint32_t bit;
	const char *what;
} declined[] = {
	{ EROFS_INCOMPAT_48BIT, "48-bit block numbers" },
	{ EROFS_INCOMPAT_METABOX, "compressed metadata (metabox)" },
};

#define INCOMPAT_READ                                                                            \
	(EROFS_INCOMPAT_ZERO_PADDING | EROFS_INCOMPAT_COMPR_CFGS | EROFS_INCOMPAT_CHUNKED_FILE | \
	 EROFS_INCOMPAT_DEVICE_TABLE | EROFS_INCOMPAT_ZTAILPACKING | EROFS_INCOMPAT_FRAGMENTS |  \
	 EROFS_INCOMPAT_XATTR_PREFIX)
#define ALGORITHMS_KNOWN                                                        \
	(EROFS_ALGORITHM_LZ4 | EROFS_ALGORITHM_LZMA | EROFS_ALGORITHM_DEFLATE | \
	 EROFS_ALGORITHM_ZSTD)

static int check_features(const struct erofs_reader *reader)
{
	uint32_t incompat = from_le32(reader->super.feature_incompat);
	uint32_t unknown = incompat & ~INCOMPAT_READ;
	uint32_t algorithms = from_le16(reader->super.algorithms) & ~ALGORITHMS_KNOWN;

	for (size_t i = 0; i < sizeof(declined) / sizeof(declined[0]); i++)
		if (unknown & declined[i].bit)
			return window_decline(
				&reader->window,
				"it has %s (feature 0x%x), which cannot be read here: mount it",
				declined[i].what, declined[i].bit);
	if (unknown)
		return window_decline(&reader->window,
				      "it has a feature that is newer than this reader: 0x%x",
				      unknown & -unknown);
	if (incompat & EROFS_INCOMPAT_COMPR_CFGS && algorithms)
		return window_decline(
			&reader->window,
			"it is compressed in a way that is newer than this reader: 0x%x",
			algorithms & -algorithms);
	if (reader->super.dir_block_bits)
		return window_decline(&reader->window,
				      "its directories have blocks of another size than its files");
	return 0;
}

int erofs_reader_open_super(struct erofs_reader *reader)
{
	struct kataimg_fs_info info = { .struct_size = sizeof(info) };
	int ret = erofs_probe(reader->window.host, reader->window.bytes, &info);

	if (ret == -ENODATA)
		return window_refuse(&reader->window, "it has no EROFS superblock");
	if (ret < 0)
		return ret;
	ret = window_fetch(&reader->window, EROFS_SUPER_OFFSET, &reader->super,
			   sizeof(reader->super));
	if (ret < 0)
		return ret;
	ret = check_features(reader);
	if (ret < 0)
		return ret;
	reader->block_bits = reader->super.block_bits;
	reader->block_bytes = 1u << reader->block_bits;
	reader->meta_off = (uint64_t)from_le32(reader->super.meta_block) << reader->block_bits;
	return 0;
}
