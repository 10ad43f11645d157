/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sample tree for a backend that cannot hold all of it. What there is too much of is cut to
 * size; of the rest, what kataimg would leave out of a build (unsupported = drop) is left out here.
 */
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "core/backend/limits.h"
#include "core/backend/negotiate.h"
#include "core/tree/node.h"

#define REASON_BYTES 256
/* So many reasons are told apart; what is left out for others is counted with the last one. */
#define NOTES_MAX 20

/* What was left out for one reason: the first of it, and how much. */
struct note {
	char reason[REASON_BYTES];
	char first[REASON_BYTES];
	unsigned int count;
};

struct fit {
	struct session *session;
	struct tree *tree;
	struct kataimg_limits limits;
	struct note notes[NOTES_MAX];
	size_t note_count;
};

static struct note *find_note(struct fit *fit, const char *reason)
{
	size_t i = 0;

	while (i < fit->note_count && strcmp(fit->notes[i].reason, reason) != 0)
		i++;
	if (i == NOTES_MAX)
		return &fit->notes[NOTES_MAX - 1];
	fit->note_count += i == fit->note_count;
	return &fit->notes[i];
}

/* The sample tree's names are not all text. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void note_left_out(void *arg, const char *filesystem, const struct kataimg_node *node,
			  const char *cannot, const char *has)
{
	char reason[REASON_BYTES], path[REASON_BYTES / 2];
	const char *why = *has == '(' ? has : ""; /* the backend's check has said it */
	struct note *note;

	snprintf(reason, sizeof(reason), "%s cannot store %s%s", filesystem, cannot, why);
	note = find_note(arg, reason);
	if (note->count++ > 0)
		return;
	memcpy(note->reason, reason, sizeof(reason));
	snprintf(note->first, sizeof(note->first), "%s cannot store %s: %s %s", filesystem, cannot,
		 tree_path(node, path, sizeof(path)), has);
	make_printable(note->first);
}

static void print_notes(const struct fit *fit, const char *occasion)
{
	for (size_t i = 0; i < fit->note_count; i++) {
		const struct note *note = &fit->notes[i];

		printf("note %s: left out: %s", occasion, note->first);
		if (note->count > 1)
			printf(", and %u more", note->count - 1);
		putchar('\n');
	}
}

/* Times are moved, for else all of the tree would have to go. */
static void move_times(const struct fit *fit)
{
	const struct kataimg_tree *tree = tree_public(fit->tree);

	for (uint64_t i = 0; i < tree->node_count; i++) {
		struct kataimg_node *node = &tree_node(tree->nodes[i])->pub;

		if (node->mtime_sec < fit->limits.mtime_min)
			node->mtime_sec = fit->limits.mtime_min;
		if (node->mtime_sec > fit->limits.mtime_max)
			node->mtime_sec = fit->limits.mtime_max;
	}
}

static int cut(struct fit *fit, const struct kataimg_node *node, const char *what, uint64_t limit)
{
	char cannot[64];

	snprintf(cannot, sizeof(cannot), "more than %llu %s", (unsigned long long)limit, what);
	note_left_out(fit, session_table(fit->session)->name, node, cannot, "is one too many");
	return tree_mark(fit->tree, node, TREE_DROP_NODE, 0);
}

/* What is too many for a directory goes from its end. */
static int cut_entries(struct fit *fit, const struct kataimg_node *dir)
{
	uint64_t entries = dir->entry_count, subdirectories = dir->nlink - 2;
	int ret = 0;

	for (uint32_t i = dir->entry_count; ret == 0 && i-- > 0;) {
		const struct kataimg_node *node = dir->entries[i].node;
		bool is_dir = node->type == KATAIMG_DIR;

		if (is_dir && subdirectories > fit->limits.subdirectories)
			ret = cut(fit, node, "subdirectories", fit->limits.subdirectories);
		else if (entries > fit->limits.entries)
			ret = cut(fit, node, "entries", fit->limits.entries);
		else
			continue;
		entries--;
		subdirectories -= is_dir;
	}
	return ret;
}

static int cut_to_size(struct fit *fit, struct error *error)
{
	const struct kataimg_tree *tree = tree_public(fit->tree);
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < tree->node_count; i++)
		if (tree->nodes[i]->type == KATAIMG_DIR)
			ret = cut_entries(fit, tree->nodes[i]);
	if (ret == 0)
		ret = tree_drop_marked(fit->tree, error);
	tree = tree_public(fit->tree);
	for (uint64_t i = tree->node_count; ret == 0 && i-- > fit->limits.nodes;)
		ret = cut(fit, tree->nodes[i], "inodes", fit->limits.nodes);
	return ret < 0 ? ret : tree_drop_marked(fit->tree, error);
}

/* Asks again until there is nothing more to leave out, as a build does. */
static int leave_out(struct fit *fit, struct error *error)
{
	const struct negotiate_drop drop = { note_left_out, fit };
	uint64_t dropped;
	int ret;

	do {
		ret = negotiate_tree(fit->session, fit->tree, &drop, &dropped, error);
		if (ret == 0 && dropped > 0)
			ret = tree_drop_marked(fit->tree, error);
	} while (ret == 0 && dropped > 0);
	return ret;
}

static int fit_tree(struct fit *fit, struct error *error)
{
	int ret = session_limits(fit->session, &fit->limits, error);

	if (ret < 0)
		return ret;
	move_times(fit);
	ret = cut_to_size(fit, error);
	return ret < 0 ? ret : leave_out(fit, error);
}

void check_fit(const struct subject *subject, struct memtree *tree, const char *occasion)
{
	const struct trial_setup setup = check_setup(subject, tree);
	struct trial *trial = trial_new(&setup);
	struct fit fit = { .session = trial_open(trial), .tree = memtree_core(tree) };
	autoerror struct error error = ERROR_INIT;

	if (!fit.session || fit_tree(&fit, &error) < 0) {
		check_fail("%s: the backend was not asked what it can hold: %s", subject->check,
			   fit.session ? error_sentence(&error) : trial_error(trial));
		check_end();
	}
	session_close(fit.session);
	if (occasion)
		print_notes(&fit, occasion);
	trial_free(trial);
}
