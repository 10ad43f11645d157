/* SPDX-License-Identifier: Apache-2.0 */
#include "core/mtree/word.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "core/mtree/mtree.h"
#include "core/mtree/text.h"

#define NANOSECONDS 1000000000

static const struct {
	const char *word;
	enum kataimg_type type;
} types[] = {
	{ "file", KATAIMG_REG },    { "dir", KATAIMG_DIR },   { "link", KATAIMG_LNK },
	{ "char", KATAIMG_CHR },    { "block", KATAIMG_BLK }, { "fifo", KATAIMG_FIFO },
	{ "socket", KATAIMG_SOCK },
};

#define TYPES (sizeof(types) / sizeof(types[0]))

const char *mtree_type_word(enum kataimg_type type)
{
	size_t i = 0;

	while (types[i].type != type)
		i++;
	return types[i].word;
}

static bool parse_u64(const char *text, int base, uint64_t max, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, base);
	return errno == 0 && *end == '\0' && *number <= max;
}

static bool parse_u32(const char *text, int base, uint32_t max, uint32_t *number)
{
	uint64_t wide = 0;
	bool good = parse_u64(text, base, max, &wide);

	*number = (uint32_t)wide;
	return good;
}

static bool take_type(struct mtree_words *words, char *value, struct arena *arena)
{
	(void)arena;
	for (size_t i = 0; i < TYPES; i++)
		if (strcmp(types[i].word, value) == 0) {
			words->type = types[i].type;
			return true;
		}
	return false;
}

static bool take_mode(struct mtree_words *words, char *value, struct arena *arena)
{
	(void)arena;
	return parse_u32(value, 8, 07777, &words->mode);
}

static bool take_uid(struct mtree_words *words, char *value, struct arena *arena)
{
	(void)arena;
	return parse_u32(value, 10, UINT32_MAX - 1, &words->uid);
}

static bool take_gid(struct mtree_words *words, char *value, struct arena *arena)
{
	(void)arena;
	return parse_u32(value, 10, UINT32_MAX - 1, &words->gid);
}

static bool take_time(struct mtree_words *words, char *value, struct arena *arena)
{
	bool negative = *value == '-';
	char *fraction = strchr(value, '.');
	uint64_t seconds;

	(void)arena;
	words->mtime_nsec = 0;
	if (fraction)
		*fraction++ = '\0';
	/* There is one more below zero than above. */
	if (!parse_u64(value + negative, 10, (uint64_t)INT64_MAX + negative, &seconds))
		return false;
	words->mtime_sec = (int64_t)(negative ? 0 - seconds : seconds);
	return !fraction || parse_u32(fraction, 10, NANOSECONDS - 1, &words->mtime_nsec);
}

static bool take_size(struct mtree_words *words, char *value, struct arena *arena)
{
	(void)arena;
	return parse_u64(value, 10, INT64_MAX, &words->size);
}

static bool take_nlink(struct mtree_words *words, char *value, struct arena *arena)
{
	(void)arena;
	return parse_u64(value, 10, UINT32_MAX, &words->nlink);
}

static bool take_inode(struct mtree_words *words, char *value, struct arena *arena)
{
	(void)arena;
	return parse_u64(value, 10, UINT64_MAX, &words->inode);
}

/* "FORMAT,MAJOR,MINOR", "MAJOR,MINOR" or Linux's single number. */
static bool take_device(struct mtree_words *words, char *value, struct arena *arena)
{
	char *minor_text = strrchr(value, ','), *major_text;
	uint64_t number;

	(void)arena;
	if (!minor_text) {
		if (!parse_u64(value, 0, UINT64_MAX, &number))
			return false;
		words->major = major(number);
		words->minor = minor(number);
		return true;
	}
	*minor_text++ = '\0';
	major_text = strrchr(value, ',');
	return parse_u32(major_text ? major_text + 1 : value, 0, UINT32_MAX, &words->major) &&
	       parse_u32(minor_text, 0, UINT32_MAX, &words->minor);
}

static bool take_text(const char **member, char *value, struct arena *arena)
{
	if (mtree_unescape(value) < 0 || *value == '\0')
		return false;
	*member = arena_text(arena, value, strlen(value));
	if (!*member)
		errno = ENOMEM;
	return *member != NULL;
}

static bool take_link(struct mtree_words *words, char *value, struct arena *arena)
{
	return take_text(&words->link, value, arena);
}

static bool take_contents(struct mtree_words *words, char *value, struct arena *arena)
{
	return take_text(&words->contents, value, arena);
}

static bool take_uname(struct mtree_words *words, char *value, struct arena *arena)
{
	return take_text(&words->uname, value, arena);
}

static bool take_gname(struct mtree_words *words, char *value, struct arena *arena)
{
	return take_text(&words->gname, value, arena);
}

static bool take_nothing(struct mtree_words *words, char *value, struct arena *arena)
{
	(void)words, (void)value, (void)arena;
	return true;
}

static const struct keyword {
	const char *word, *expected;
	enum mtree_bit bit;
	bool (*take)(struct mtree_words *words, char *value, struct arena *arena);
} keywords[] = {
	{ "type", "file, dir, link, char, block, fifo or socket", MTREE_TYPE, take_type },
	{ "mode", "octal digits, 7777 at most", MTREE_MODE, take_mode },
	{ "uid", "a number up to 4294967294", MTREE_UID, take_uid },
	{ "gid", "a number up to 4294967294", MTREE_GID, take_gid },
	{ "time", "SECONDS.NANOSECONDS", MTREE_TIME, take_time },
	{ "size", "a number of bytes", MTREE_SIZE, take_size },
	{ "link", "a target", MTREE_LINK, take_link },
	{ "contents", "a path", MTREE_CONTENTS, take_contents },
	{ "content", "a path", MTREE_CONTENTS, take_contents },
	{ "device", "FORMAT,MAJOR,MINOR", MTREE_DEVICE, take_device },
	{ "nlink", "a number", MTREE_NLINK, take_nlink },
	{ "inode", "a number", MTREE_INODE, take_inode },
	{ "optional", "nothing", MTREE_OPTIONAL, take_nothing },
	{ "uname", "a name", MTREE_UNAME, take_uname },
	{ "gname", "a name", MTREE_GNAME, take_gname },
	{ "nochange", "", MTREE_IGNORED, take_nothing },
	{ "ignore", "", MTREE_IGNORED, take_nothing },
	{ "flags", "", MTREE_IGNORED, take_nothing },
	{ "tags", "", MTREE_IGNORED, take_nothing },
	{ "resdevice", "", MTREE_IGNORED, take_nothing },
	{ "cksum", "", MTREE_IGNORED, take_nothing },
	{ "md5", "", MTREE_IGNORED, take_nothing },
	{ "md5digest", "", MTREE_IGNORED, take_nothing },
	{ "rmd160", "", MTREE_IGNORED, take_nothing },
	{ "rmd160digest", "", MTREE_IGNORED, take_nothing },
	{ "ripemd160digest", "", MTREE_IGNORED, take_nothing },
	{ "sha1", "", MTREE_IGNORED, take_nothing },
	{ "sha1digest", "", MTREE_IGNORED, take_nothing },
	{ "sha256", "", MTREE_IGNORED, take_nothing },
	{ "sha256digest", "", MTREE_IGNORED, take_nothing },
	{ "sha384", "", MTREE_IGNORED, take_nothing },
	{ "sha384digest", "", MTREE_IGNORED, take_nothing },
	{ "sha512", "", MTREE_IGNORED, take_nothing },
	{ "sha512digest", "", MTREE_IGNORED, take_nothing },
};

#define KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

static const struct keyword *find_keyword(const char *word)
{
	for (size_t i = 0; i < KEYWORDS; i++)
		if (strcmp(keywords[i].word, word) == 0)
			return &keywords[i];
	return NULL;
}

static_assert(MTREE_LINE_BYTES <= UINT32_MAX, "a value of a line has a length of 32 bits");

static int take_xattr(struct mtree_words *words, char *name, char *value, struct arena *arena,
		      struct error *error)
{
	struct mtree_xattr *xattr = arena_alloc(arena, sizeof(*xattr));
	size_t len;

	if (!xattr)
		return error_nomem(error);
	if (!value || mtree_unescape(name) < 0 || *name == '\0' ||
	    mtree_decode_base64(value, &len) < 0)
		return error_set(error, EINVAL, "xattr.%s: not a name with a value in base64",
				 name);
	*xattr = (struct mtree_xattr){ .next = words->xattrs,
				       .xattr = { .name = arena_text(arena, name, strlen(name)),
						  .value = arena_text(arena, value, len),
						  .name_len = (uint32_t)strlen(name),
						  .value_len = (uint32_t)len } };
	if (!xattr->xattr.name || !xattr->xattr.value)
		return error_nomem(error);
	words->xattrs = xattr;
	return 0;
}

int mtree_take_word(struct mtree_words *words, char *word, struct arena *arena, struct error *error)
{
	char *value = strchr(word, '=');
	const struct keyword *keyword;
	char nothing[1] = "";

	if (value)
		*value++ = '\0';
	if (strncmp(word, "xattr.", strlen("xattr.")) == 0)
		return take_xattr(words, word + strlen("xattr."), value, arena, error);
	keyword = find_keyword(word);
	if (!keyword)
		return error_set(error, EINVAL, "%s: an unknown keyword", word);
	errno = 0; /* ENOMEM tells a value that could not be kept from one that is wrong */
	if (!keyword->take(words, value ? value : nothing, arena))
		return errno == ENOMEM
			       ? error_nomem(error)
			       : error_set(error, EINVAL, "%s: not %s", word, keyword->expected);
	words->set |= keyword->bit;
	return 0;
}

int mtree_unset_word(struct mtree_words *words, const char *word, struct error *error)
{
	const struct keyword *keyword = find_keyword(word);

	if (strcmp(word, "all") == 0) {
		*words = (struct mtree_words){ 0 };
		return 0;
	}
	if (!keyword)
		return error_set(error, EINVAL, "%s: an unknown keyword", word);
	words->set &= ~(unsigned int)keyword->bit;
	return 0;
}
