/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that reads file after file has one read at a time on its way to the disk, of a few
 * threads there are a few: nearly all of the time is waiting. So the kernel is told of all that a
 * batch will read, and the disk's scheduler has hundreds of reads to put into the disk's order. It
 * costs that each file is opened twice, and so it is only done where it was seen that the thread
 * had to read from a disk.
 */
#include <fcntl.h>
#include <sys/resource.h>

#include "core/copy/private.h"

/* So many small files are read before it is seen. */
#define PIECES_BETWEEN_LOOKS 16u
/* The kernel takes no more at once. */
#define STEP_BYTES ((uint64_t)512 << 10)

/* What this thread has read from disks so far, in a unit of its own. */
static long blocks_read(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) < 0 ? 0 : usage.ru_inblock;
}

static void announce_range(int fd, uint64_t off, uint64_t len)
{
	for (uint64_t at = 0; at < len; at += STEP_BYTES)
		posix_fadvise(fd, (off_t)(off + at),
			      (off_t)(len - at < STEP_BYTES ? len - at : STEP_BYTES),
			      POSIX_FADV_WILLNEED);
}

/* Whatever cannot be opened is told of when it is read. */
static void announce(struct copy_ahead *ahead, const struct copy_batch *batch, uint32_t from)
{
	for (uint32_t i = from; i < batch->piece_count; i++) {
		const struct copy_piece *piece = &batch->pieces[i];
		autoerror struct error ignored = ERROR_INIT;
		int fd = piece->node ? tree_reader_open(ahead->reader, piece->node, &ignored)
				     : piece->fd;

		if (fd >= 0 && piece->source_off < TREE_DECODED_OFF)
			announce_range(fd, piece->source_off, piece->len);
	}
}

void copy_ahead_begin(struct copy_ahead *ahead, const struct copy_batch *batch)
{
	long blocks = blocks_read();

	/* What was announced counts as read: once begun it goes on until nothing of a batch was on
	 * a disk. */
	ahead->is_announced = blocks != ahead->blocks && !batch->clone;
	ahead->blocks = blocks;
	if (ahead->is_announced)
		announce(ahead, batch, 0);
}

void copy_ahead_look(struct copy_ahead *ahead, const struct copy_batch *batch, uint32_t next)
{
	if (ahead->is_announced || next % PIECES_BETWEEN_LOOKS != 0 ||
	    blocks_read() == ahead->blocks)
		return;
	ahead->is_announced = true;
	announce(ahead, batch, next);
}
