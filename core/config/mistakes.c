/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/mistakes.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/textstream.h"
#include "lib/cleanup.h"

/* What comes from elsewhere comes last. */
static unsigned int rank_of(const struct mistake *mistake)
{
	return mistake->line ? mistake->line : UINT_MAX;
}

static bool is_same_place(const struct mistake *a, const struct mistake *b)
{
	return a->file == b->file && a->line == b->line;
}

static int compare(const void *a, const void *b)
{
	const struct mistake *x = a, *y = b;
	unsigned int x_rank = rank_of(x), y_rank = rank_of(y);

	if ((x_rank == UINT_MAX) != (y_rank == UINT_MAX))
		return x_rank == UINT_MAX ? 1 : -1;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x_rank != y_rank)
		return x_rank < y_rank ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

int mistakes_take(struct mistakes *mistakes, int ret, unsigned int line, struct error *error)
{
	struct mistake *added;

	if (ret >= 0 || error->kind != ERROR_USAGE)
		return ret;
	added = error->message ? array_add(&mistakes->all) : NULL;
	if (!added)
		return -ENOMEM;
	*added = (struct mistake){ .text = steal_ptr(&error->message),
				   .file = mistakes->file,
				   .line = line,
				   .number = mistakes->all.count,
				   .image = mistakes->image };
	error_clear(error);
	return 0;
}

int mistakes_move(struct mistakes *to, struct mistakes *from)
{
	for (size_t i = 0; i < from->all.count; i++) {
		struct mistake *added = array_add(&to->all);

		if (!added)
			return -ENOMEM;
		*added = from->all.items[i];
		added->number = to->all.count;
		from->all.items[i].text = NULL;
	}
	mistakes_clear(from);
	return 0;
}

static void drop_taken(struct mistakes *mistakes)
{
	struct mistake *items = mistakes->all.items;
	size_t kept = 0;

	for (size_t i = 0; i < mistakes->all.count; i++)
		if (items[i].text)
			items[kept++] = items[i];
	mistakes->all.count = kept;
}

/* "[image base]" and the like say it already. */
static bool names_image(const struct mistake *mistake)
{
	const char *found = strstr(mistake->text, mistake->image);
	size_t len = strlen(mistake->image);

	for (; found; found = strstr(found + 1, mistake->image))
		if (found > mistake->text && found[-1] == ' ' && found[len] == ']')
			return true;
	return false;
}

/* Says which images have it; those that are alike behind it are taken away. */
static int name_images(struct mistakes *mistakes, size_t number, size_t images)
{
	struct mistake *items = mistakes->all.items, *first = &items[number];
	struct text_stream stream;
	size_t count = 1;
	char *text;
	int ret;

	if (!first->image || images < 2 || names_image(first))
		return 0;
	ret = text_stream_open(&stream);
	if (ret < 0)
		return ret;
	fprintf(stream.out, "%s (image %s", first->text, first->image);
	for (size_t i = number + 1; i < mistakes->all.count && is_same_place(first, &items[i]);
	     i++) {
		if (!items[i].text || strcmp(items[i].text, first->text) != 0)
			continue;
		fprintf(stream.out, ", %s", items[i].image ? items[i].image : "");
		free(steal_ptr(&items[i].text));
		count++;
	}
	fputc(')', stream.out);
	ret = text_stream_close(&stream, &text);
	if (ret < 0)
		return ret;
	if (count == images) {
		free(text);
		return 0;
	}
	free(first->text);
	first->text = text;
	return 0;
}

static int settle(struct mistakes *mistakes, size_t images)
{
	int ret = 0;

	qsort(mistakes->all.items, mistakes->all.count, sizeof(struct mistake), compare);
	for (size_t i = 0; ret == 0 && i < mistakes->all.count; i++)
		if (mistakes->all.items[i].text)
			ret = name_images(mistakes, i, images);
	drop_taken(mistakes);
	return ret;
}

static int join(const struct mistakes *mistakes, char **text)
{
	size_t count = mistakes->all.count, shown = count < MISTAKES_SHOWN ? count : MISTAKES_SHOWN;
	struct text_stream stream;
	int ret = text_stream_open(&stream);

	if (ret < 0)
		return ret;
	fprintf(stream.out, "%zu mistakes", count);
	if (shown < count)
		fprintf(stream.out, ", the first %zu of them", shown);
	fputc(':', stream.out);
	for (size_t i = 0; i < shown; i++)
		fprintf(stream.out, "\n%s", mistakes->all.items[i].text);
	return text_stream_close(&stream, text);
}

int mistakes_report(struct mistakes *mistakes, size_t images, struct error *error)
{
	autofree char *text = NULL;

	if (mistakes->all.count == 0)
		return 0;
	if (settle(mistakes, images) < 0 || (mistakes->all.count > 1 && join(mistakes, &text) < 0))
		return error_nomem(error);
	error_set_lines(error, EINVAL, text ? text : mistakes->all.items[0].text);
	error->kind = ERROR_USAGE;
	mistakes_clear(mistakes);
	return -EINVAL;
}

void mistakes_clear(struct mistakes *mistakes)
{
	for (size_t i = 0; i < mistakes->all.count; i++)
		free(mistakes->all.items[i].text);
	array_free(&mistakes->all);
}
