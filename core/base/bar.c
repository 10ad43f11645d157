/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/bar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define FILL_MAX 24
#define FILL_MIN 4
#define FILL "########################"
#define COLUMNS_DEFAULT 80
#define MEBIBYTE (1024.0 * 1024.0)

/* The line in the making, and how long it may get. */
struct room {
	char *line;
	size_t len, max;
};

/* Appends the text whole, or not at all. */
static void add(struct room *room, const char *text)
{
	size_t len = strlen(text);

	if (room->len + len > room->max)
		return;
	memcpy(room->line + room->len, text, len + 1);
	room->len += len;
}

static double ratio(const struct bar *bar)
{
	return (double)bar->done / (double)bar->total;
}

/* The frame takes what the stage's name and the percentage leave of the line. */
static void add_frame(struct room *room, const struct bar *bar)
{
	size_t around = sizeof("[] 100%") - 1, left = room->max - room->len;
	size_t width = left < around ? 0 : left - around;
	char text[FILL_MAX + 16];
	int filled;

	width = width < FILL_MAX ? width : FILL_MAX;
	filled = (int)(ratio(bar) * (double)width);
	snprintf(text, sizeof(text), "[%.*s%*s] ", filled, FILL, (int)width - filled, "");
	if (width >= FILL_MIN)
		add(room, text);
	snprintf(text, sizeof(text), "%3d%%", (int)(100 * ratio(bar)));
	add(room, text);
}

static void add_figures(struct room *room, const struct bar *bar)
{
	double done = (double)bar->done / MEBIBYTE, total = (double)bar->total / MEBIBYTE;
	char text[64];

	snprintf(text, sizeof(text), "%" PRIu64 " entries", bar->done);
	if (bar->entries)
		add(room, text);
	if (bar->bytes && bar->total)
		snprintf(text, sizeof(text), "  %.0f of %.0f MiB", done, total);
	else
		snprintf(text, sizeof(text), "  %.0f MiB", done);
	if (bar->bytes)
		add(room, text);
	if (bar->total > 0 && bar->done > 0) {
		snprintf(text, sizeof(text), "  %.0f s left", bar->seconds * (1 / ratio(bar) - 1));
		add(room, text);
	}
	snprintf(text, sizeof(text), "  %.0f MiB/s", bar->seconds > 0 ? done / bar->seconds : 0);
	if (bar->bytes)
		add(room, text);
}

void bar_format(const struct bar *bar, unsigned int columns, char *line, size_t size)
{
	struct room room = { line, 0, columns < size ? columns : size };
	char name[32];

	line[0] = '\0';
	room.max = room.max > 0 ? room.max - 1 : 0;
	snprintf(name, sizeof(name), "%-9s ", bar->stage);
	add(&room, name);
	if (bar->total)
		add_frame(&room, bar);
	add_figures(&room, bar);
}

unsigned int bar_columns(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : COLUMNS_DEFAULT;
}
