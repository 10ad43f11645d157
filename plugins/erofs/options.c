/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/options.h"

#include <errno.h>
#include <string.h>

static const char *const data_choices[] = { "dax", "packed", NULL };

const struct kataimg_option erofs_option_table[EROFS_OPTION_COUNT] = {
	[EROFS_OPTION_DATA] = {
		.name = "data",
		.type = KATAIMG_OPT_ENUM,
		.choices = data_choices,
		.help = "dax: whole blocks, which a guest can map; packed: tails beside inodes, "
			"smallest (default: dax if the image has DAX, else packed)",
		.since = "0.1",
	},
	[EROFS_OPTION_LABEL] = {
		.name = "label",
		.type = KATAIMG_OPT_STRING,
		.default_value = "",
		.max = EROFS_LABEL_BYTES - 1,
		.help = "the volume's name",
		.since = "0.1",
	},
	[EROFS_OPTION_UUID] = {
		.name = "uuid",
		.type = KATAIMG_OPT_STRING,
		.max = 36,
		.help = "the volume's UUID (default: made from the build's seed)",
		.since = "0.1",
	},
};

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* 8-4-4-4-12 hexadecimal digits. */
static int parse_uuid(const char *text, uint8_t uuid[16])
{
	unsigned int digits = 0;

	memset(uuid, 0, 16);
	for (; *text; text++) {
		bool dash_due = digits == 8 || digits == 12 || digits == 16 || digits == 20;
		int digit = hex_digit(*text);

		if (*text == '-' && dash_due && text[-1] != '-')
			continue;
		if (digit < 0 || digits == 32 || (dash_due && text[-1] != '-'))
			return -EINVAL;
		uuid[digits / 2] = (uint8_t)(uuid[digits / 2] << 4 | digit);
		digits++;
	}
	return digits == 32 ? 0 : -EINVAL;
}

static int read_uuid(struct erofs *fs, const struct kataimg_value *value)
{
	if (!value->is_set)
		return fs->host->uuid(fs->host->ctx, "erofs", fs->options.uuid);
	if (!parse_uuid(value->string, fs->options.uuid))
		return 0;
	erofs_error(fs, "uuid = %s is not a UUID", value->string);
	return -EINVAL;
}

int erofs_options_read(struct erofs *fs, const struct kataimg_value *values)
{
	bool dax = fs->job->required & KATAIMG_JOB_DAX;

	fs->options.data = dax ? EROFS_DATA_DAX : EROFS_DATA_PACKED;
	if (values[EROFS_OPTION_DATA].is_set)
		fs->options.data =
			values[EROFS_OPTION_DATA].number ? EROFS_DATA_PACKED : EROFS_DATA_DAX;
	strncpy(fs->options.label, values[EROFS_OPTION_LABEL].string,
		sizeof(fs->options.label) - 1);
	return read_uuid(fs, &values[EROFS_OPTION_UUID]);
}
