/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/base/text.h"
#include "core/diff/diff.h"
#include "lib/cleanup.h"

/* "YXcstpoguax" */
#define ITEM_LETTERS 11

static char type_letter(const struct kataimg_node *node)
{
	static const char letters[] = {
		[KATAIMG_REG] = 'f', [KATAIMG_DIR] = 'd',  [KATAIMG_CHR] = 'D',
		[KATAIMG_BLK] = 'D', [KATAIMG_FIFO] = 'S', [KATAIMG_SOCK] = 'S',
		[KATAIMG_LNK] = 'L',
	};

	return letters[node->type];
}

/* What would have to be done to have b: bytes come, something is made, or only attributes change.
 */
static char way_letter(const struct diff_item *item)
{
	bool is_new = !item->a || (item->bits & DIFF_TYPE);

	if ((is_new && item->is_link) || (item->bits & DIFF_LINK))
		return 'h';
	if (!is_new && !(item->bits & DIFF_CONTENT))
		return '.';
	return item->b->type == KATAIMG_REG ? '>' : 'c';
}

static void format_letters(const struct diff_item *item, char letters[ITEM_LETTERS + 1])
{
	static const struct {
		int place;
		unsigned int bit;
		char letter;
	} marks[] = {
		{ 2, DIFF_TYPE, 'y' },  { 2, DIFF_CONTENT, 'c' }, { 3, DIFF_SIZE, 's' },
		{ 4, DIFF_TIME, 't' },  { 5, DIFF_MODE, 'p' },    { 6, DIFF_OWNER, 'o' },
		{ 7, DIFF_GROUP, 'g' }, { 9, DIFF_ACL, 'a' },     { 10, DIFF_XATTR, 'x' },
	};

	if (!item->b) {
		strcpy(letters, "*deleting  ");
		return;
	}
	memset(letters, item->a ? '.' : '+', ITEM_LETTERS);
	letters[ITEM_LETTERS] = '\0';
	letters[0] = way_letter(item);
	letters[1] = type_letter(item->b);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (item->bits & marks[i].bit)
			letters[marks[i].place] = marks[i].letter;
}

static int print_text(const char *before, const char *bytes, FILE *out)
{
	autofree char *text = bytes ? text_line(bytes) : NULL;

	if (!text)
		return -1;
	fprintf(out, "%s%s", before, text);
	return 0;
}

/* The first name of what is a link now. */
static int print_first(const struct diff_item *item, FILE *out)
{
	const struct diff_item first = { .dir = item->b->parent, .name = item->b->name };
	autofree char *path = diff_path(&first);

	return print_text(" => ", path, out);
}

static int print_item(const struct diff_item *item, FILE *out)
{
	autofree char *path = diff_path(item);
	char letters[ITEM_LETTERS + 1];
	int ret;

	format_letters(item, letters);
	fputs(letters, out);
	ret = print_text(" ", path, out);
	if (ret == 0 && !item->b && item->a->type == KATAIMG_DIR)
		putc('/', out);
	if (ret == 0 && item->b && item->b->type == KATAIMG_LNK)
		ret = print_text(" -> ", item->b->target, out);
	if (ret == 0 && letters[0] == 'h' && item->is_link)
		ret = print_first(item, out);
	putc('\n', out);
	return ret;
}

int diff_print(const struct diff *diff, FILE *out, struct error *error)
{
	for (size_t i = 0; i < diff->items.count; i++)
		if (print_item(&diff->items.items[i], out) < 0)
			return error_nomem(error);
	return 0;
}
