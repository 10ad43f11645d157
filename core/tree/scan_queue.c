/* SPDX-License-Identifier: Apache-2.0 */
/* What the workers of a scan share: directories that wait, and blocks of large ones. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/meter.h"
#include "core/tree/scan.h"

/* Fewer bytes of records than these are looked at faster than they are handed over. */
#define OFFER_BYTES_MIN 8192

int scan_add_found(struct scan_worker *worker, const struct scan_pending *pending)
{
	struct scan_pending *found = array_add(&worker->found);

	if (!found)
		return -ENOMEM;
	*found = *pending;
	return 0;
}

static struct scan_block *pop_block(struct scan *scan)
{
	struct scan_block *block = scan->blocks;

	if (block) {
		scan->blocks = block->next;
		scan->block_count--;
	}
	return block;
}

bool scan_take(struct scan *scan, struct scan_task *task)
{
	bool taken;

	pthread_mutex_lock(&scan->lock);
	scan->idle++;
	while (!scan->failure && scan->pending.count == 0 && !scan->blocks && scan->busy > 0)
		pthread_cond_wait(&scan->changed, &scan->lock);
	scan->idle--;
	task->block = pop_block(scan);
	taken = task->block || (scan->pending.count > 0 && !scan->failure);
	if (taken && !task->block) {
		task->pending = scan->pending.items[--scan->pending.count];
		scan->busy++;
	}
	pthread_mutex_unlock(&scan->lock);
	return taken;
}

void scan_leave(struct scan *scan)
{
	pthread_mutex_lock(&scan->lock);
	if (--scan->busy == 0)
		pthread_cond_broadcast(&scan->changed);
	pthread_mutex_unlock(&scan->lock);
}

static int push_found(struct scan_worker *worker)
{
	struct scan *scan = worker->scan;
	size_t count = worker->found.count;
	int ret = array_reserve(&scan->pending, count);

	if (ret < 0 || count == 0)
		return ret;
	memcpy(&scan->pending.items[scan->pending.count], worker->found.items,
	       count * sizeof(*worker->found.items));
	scan->pending.count += count;
	return 0;
}

/* Counts the names on the tray, too. */
static struct tree_name *last_of(const struct tree_node *tray)
{
	struct tree_name *last = tray->names;
	uint64_t count = last ? 1 : 0;

	for (; last && last->next; count++)
		last = last->next;
	if (count > 0)
		meter_count(count);
	return last;
}

/* The names on the tray become the directory's. */
static void push_names(struct tree_node *tray, struct tree_name *last, struct tree_node *dir)
{
	if (!last)
		return;
	last->next = dir->names;
	dir->names = tray->names;
	dir->edited = 1;
	tray->names = NULL;
}

int scan_give(struct scan_worker *worker, struct tree_node *dir, int ret)
{
	struct scan *scan = worker->scan;
	struct tree_name *last = last_of(&worker->tray);

	pthread_mutex_lock(&scan->lock);
	push_names(&worker->tray, last, dir);
	if (ret == 0)
		ret = push_found(worker);
	if (ret < 0 && !scan->failure)
		scan->failure = ret;
	if (scan->idle > 0 && (ret < 0 || worker->found.count > 0))
		pthread_cond_broadcast(&scan->changed);
	pthread_mutex_unlock(&scan->lock);
	worker->found.count = 0;
	return ret;
}

bool scan_offer(struct scan_worker *worker, struct scan_share *share, size_t len)
{
	struct scan *scan = worker->scan;
	struct scan_block *block = NULL;

	if (len < OFFER_BYTES_MIN)
		return false;
	pthread_mutex_lock(&scan->lock);
	if (scan->idle > scan->block_count)
		block = malloc(sizeof(*block) + len);
	if (block) {
		*block = (struct scan_block){ scan->blocks, share, len };
		memcpy(block->records, worker->records, len);
		scan->blocks = block;
		scan->block_count++;
		share->blocks_out++;
		pthread_cond_broadcast(&scan->changed);
	}
	pthread_mutex_unlock(&scan->lock);
	return block != NULL;
}

void scan_end_block(struct scan *scan, struct scan_block *block)
{
	pthread_mutex_lock(&scan->lock);
	if (--block->share->blocks_out == 0)
		pthread_cond_broadcast(&scan->changed);
	pthread_mutex_unlock(&scan->lock);
	free(block);
}

struct scan_block *scan_take_block(struct scan *scan, const struct scan_share *share)
{
	struct scan_block *block = NULL;

	pthread_mutex_lock(&scan->lock);
	while (share->blocks_out > 0 && !(block = pop_block(scan)))
		pthread_cond_wait(&scan->changed, &scan->lock);
	pthread_mutex_unlock(&scan->lock);
	return block;
}
