# SPDX-License-Identifier: Apache-2.0
"""Trees that take seconds to make: run apart, and once."""
from trees import tree
from trees.directories import fill

BLOCK = 4096


@tree('names-100000', large=True)
def make_names(maker):
    fill(maker, 'd', 100_000, 20)


@tree('subdirectories-66000', large=True)
def make_subdirectories(maker):
    maker.directory('d')
    for i in range(66_000):
        maker.directory(f'd/{i}')


@tree('links-65000', only=('ext4',), large=True)
def make_links(maker):
    """As many as ext4 holds."""
    maker.file('file', b'x' * 100)
    maker.directory('d')
    for i in range(64_999):
        maker.link('file', f'd/{i}')


@tree('links-70000', only=('xfs', 'erofs'), large=True)
def make_more_links(maker):
    maker.file('file', b'x' * 100)
    maker.directory('d')
    for i in range(69_999):
        maker.link('file', f'd/{i}')


@tree('extents-100000', large=True)
def make_extents(maker):
    maker.sparse('file', 200_000 * BLOCK, [(2 * i * BLOCK, BLOCK) for i in range(100_000)])


@tree('small-files-60000', large=True)
def make_small_files(maker):
    for i in range(600):
        maker.directory(f'd{i}')
        for j in range(100):
            maker.file(f'd{i}/{j}', b'%d' % j * (i + 1))
