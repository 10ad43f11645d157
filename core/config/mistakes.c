/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/mistakes.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "core/base/textstream.h"
#include "lib/cleanup.h"

/* What comes from elsewhere comes last. */
static unsigned int rank_of(const struct mistake *mistake)
{
	return mistake->line ? mistake->line : UINT_MAX;
}

/* Keeps the first lines, in their order; those of one line in the order in which they were found.
 */
static void insert(struct mistakes *mistakes, struct mistake mistake)
{
	size_t to = mistakes->count < MISTAKES_SHOWN ? mistakes->count : MISTAKES_SHOWN;

	if (to == MISTAKES_SHOWN) {
		struct mistake *last = &mistakes->shown[to - 1];

		if (rank_of(&mistake) >= rank_of(last)) {
			free(mistake.text);
			return;
		}
		free(last->text);
		to--;
	}
	for (; to > 0 && rank_of(&mistakes->shown[to - 1]) > rank_of(&mistake); to--)
		mistakes->shown[to] = mistakes->shown[to - 1];
	mistakes->shown[to] = mistake;
}

int mistakes_take(struct mistakes *mistakes, int ret, unsigned int line, struct error *error)
{
	if (ret >= 0 || error->kind != ERROR_USAGE)
		return ret;
	if (!error->message)
		return -ENOMEM;
	insert(mistakes, (struct mistake){ steal_ptr(&error->message), line });
	mistakes->count++;
	error_clear(error);
	return 0;
}

static int join(const struct mistakes *mistakes, size_t shown, char **text)
{
	struct text_stream stream;
	int ret = text_stream_open(&stream);

	if (ret < 0)
		return ret;
	fprintf(stream.out, "%zu mistakes", mistakes->count);
	if (shown < mistakes->count)
		fprintf(stream.out, ", the first %zu of them", shown);
	fputc(':', stream.out);
	for (size_t i = 0; i < shown; i++)
		fprintf(stream.out, "\n%s", mistakes->shown[i].text);
	return text_stream_close(&stream, text);
}

int mistakes_report(struct mistakes *mistakes, struct error *error)
{
	size_t shown = mistakes->count < MISTAKES_SHOWN ? mistakes->count : MISTAKES_SHOWN;
	autofree char *text = NULL;

	if (mistakes->count == 0)
		return 0;
	if (mistakes->count > 1 && join(mistakes, shown, &text) < 0)
		return error_nomem(error);
	error_set_lines(error, EINVAL, text ? text : mistakes->shown[0].text);
	error->kind = ERROR_USAGE;
	mistakes_clear(mistakes);
	return -EINVAL;
}

void mistakes_clear(struct mistakes *mistakes)
{
	for (size_t i = 0; i < mistakes->count && i < MISTAKES_SHOWN; i++)
		free(mistakes->shown[i].text);
	*mistakes = (struct mistakes){ 0 };
}
