# SPDX-License-Identifier: Apache-2.0
"""Files with holes: where they lie, how many there are, how far the end is."""
from trees import tree

MIB = 1 << 20
GIB = 1 << 30
BLOCK = 4096


@tree('sparse')
def make_sparse(maker):
    maker.sparse('head', 2 * MIB + 10, [(MIB, MIB + 10)])
    maker.sparse('tail', 2 * MIB, [(0, 5000)])
    maker.sparse('middle', 2 * MIB, [(0, BLOCK), (MIB, BLOCK)])
    maker.sparse('all', 3 * MIB, [])
    maker.sparse('all-odd', 12345, [])
    maker.sparse('one-block', BLOCK, [])
    maker.sparse('tail-odd', 3 * BLOCK + 17, [(0, BLOCK)])
    maker.sparse('ends-in-data', 10 * BLOCK + 1, [(10 * BLOCK, 1)])
    maker.sparse('large-segments', 40 * MIB, [(BLOCK, 5 * MIB), (12 * MIB, 4 * MIB),
                                              (20 * MIB + 5 * BLOCK, 7 * MIB), (38 * MIB, 2 * MIB)])


@tree('sparse-segments')
def make_segments(maker):
    """As many extents as an inode, a block of them and more than one block hold."""
    for count in [1, 2, 3, 4, 5, 6, 7, 19, 20, 21, 22, 30, 250, 251, 252, 253, 339, 340, 341, 502,
                  503, 900, 1361]:
        maker.sparse(f's{count}', 2 * count * BLOCK,
                     [((2 * i + 1) * BLOCK, BLOCK) for i in range(count)])


@tree('sparse-5-gib')
def make_5_gib(maker):
    maker.sparse('file', 5 * GIB + 1, [(0, BLOCK), (4 * GIB - BLOCK, 2 * BLOCK), (5 * GIB, 1)])
    maker.sparse('hole', 6 * GIB, [])


@tree('sparse-terabytes', only=('ext4', 'xfs'))
def make_terabytes(maker):
    maker.sparse('hole', 8 << 40, [])
    maker.sparse('far', 15 << 40, [((15 << 40) - BLOCK, BLOCK)])
    # as large as a file of ext4 can be
    maker.sparse('largest', (16 << 40) - BLOCK, [((16 << 40) - 2 * BLOCK, BLOCK)])


@tree('sparse-exabyte', only=('xfs',))
def make_exabyte(maker):
    maker.sparse('hole', 1 << 60, [])
    maker.sparse('far', (1 << 60) + BLOCK, [(1 << 60, BLOCK)])
