# SPDX-License-Identifier: Apache-2.0
"""Directories of every size: none, one block, the next form, many blocks; and deep ones."""
import os

from harness.walk import DIRECTORY, open_directory
from trees import tree


def fill(maker, directory, count, length):
    maker.directory(directory)
    for i in range(count):
        maker.file(f'{directory}/{i:0{length}}')


@tree('directories-small')
def make_small(maker):
    for count in range(0, 40):
        fill(maker, f'd{count}', count, 3)
    maker.directory('only-directories')
    for i in range(30):
        maker.directory(f'only-directories/{i}')


def around(capacity_bytes, entry_bytes, slack=2):
    middle = capacity_bytes // entry_bytes
    return range(max(middle - slack, 0), middle + slack + 1)


@tree('directories-one-block')
def make_one_block(maker):
    """Counts around the end of the first block, in the formats of ext4, EROFS and XFS."""
    for length in [4, 12, 20, 100, 255]:
        ext4 = around(4084 - 24, 8 + (length + 3) // 4 * 4)
        erofs = around(4096 - 27, 12 + length)
        xfs_block = around(4096 - 64 - 8 - 48, (8 + 1 + length + 2 + 7) // 8 * 8 + 8)
        for count in sorted({*ext4, *erofs, *xfs_block}):
            fill(maker, f'{length}-{count}', count, length)


@tree('directories-two-blocks')
def make_two_blocks(maker):
    """Counts around the end of the second block of ext4, with and without an index."""
    for length in [12, 20, 100, 255]:
        entry_bytes = 8 + (length + 3) // 4 * 4
        for count in around(4084 - 24, entry_bytes):
            fill(maker, f'{length}-{count}', count + 4084 // entry_bytes, length)


@tree('directories-short-form')
def make_short_form(maker):
    """Around the 336 bytes that an XFS inode holds."""
    for length in [3, 17, 60, 250]:
        for count in around(336 - 6, 3 + length + 1 + 4):
            fill(maker, f'{length}-{count}', count, length)


@tree('directories-many-blocks', reduced=False)
def make_many_blocks(maker):
    """XFS: from leaf to node form, and around one leaf of hashes."""
    for length, counts in [(255, [491, 492, 493, 494]), (20, [500, 501, 502]),
                           (6, [502, 503, 504, 1010, 2040])]:
        for count in counts:
            fill(maker, f'{length}-{count}', count, length)


@tree('directory-of-5000', reduced=False)
def make_5000(maker):
    fill(maker, 'long', 5000, 60)
    fill(maker, 'short', 5000, 1)


@tree('directory-of-1000')
def make_1000(maker):
    fill(maker, 'd', 1000, 30)


def make_chain(maker, names):
    """Directories in one another, as deep as the kernel lets one descriptor after the other go."""
    fd = os.open(maker.root, DIRECTORY)
    for name in names:
        os.mkdir(name, 0o755, dir_fd=fd)
        below = os.open(name, DIRECTORY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(os.open('bottom', os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=fd))
    os.close(fd)


@tree('deep')
def make_deep(maker):
    make_chain(maker, [f'{i}' for i in range(100)])


@tree('deeper-than-path-max', reduced=False)
def make_deeper(maker):
    make_chain(maker, [chr(97 + i % 26) * 250 for i in range(40)])
    make_chain(maker, [f'{i:04}' for i in range(1200)])
    fd = os.open(maker.root, DIRECTORY)
    bottom = open_directory(fd, b'/'.join(b'%04d' % i for i in range(1200)))
    for i in range(20):
        os.close(os.open(f'{i}', os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=bottom))
    os.close(bottom)
    os.close(fd)
