# SPDX-License-Identifier: Apache-2.0
"""What decides layouts in EROFS: what compresses and what does not, tails, equal files."""
import random

from trees import tree
from trees.maker import pattern

BLOCK = 4096
WORDS = [b'the ', b'guest ', b'image ', b'maps ', b'pages ', b'of ', b'a file\n']


def text(chance, size):
    return b''.join(chance.choices(WORDS, k=size // 3 + 1))[:size]


def mixed(chance, size):
    """Stretches of text, of noise and of one byte, in turns."""
    parts, length = [], 0
    while length < size:
        stretch = chance.randint(1, 30_000)
        parts.append(chance.choice([text(chance, stretch), chance.randbytes(stretch),
                                    b'x' * stretch]))
        length += stretch
    return b''.join(parts)[:size]


@tree('erofs-compressible', only=('erofs',))
def make_compressible(maker):
    """File ends around the ends of blocks, of clusters and of what is compressed in one piece."""
    chance = random.Random(1)
    edges = [BLOCK, 2 * BLOCK, 3 * BLOCK, 16 * BLOCK, 17 * BLOCK, 1 << 20, 4 << 20]
    for edge in edges:
        for size in [edge - 1, edge, edge + 1, edge + 100]:
            maker.file(f'text{size}', text(chance, size))
            maker.file(f'mixed{size}', mixed(chance, size))
    maker.file('noise', chance.randbytes(300_000))
    maker.file('one-byte', b'x' * (9 << 20))
    maker.file('text', text(chance, (9 << 20) + 5))


@tree('erofs-tails', only=('erofs',))
def make_tails(maker):
    """Inodes, attributes and tails that fill a block, and that do not fit it."""
    chance = random.Random(2)
    for size in [1, 31, 32, 33, 2000, 3967, 3968, 4031, 4032, 4033, 4063, 4064, 4065, 4095, 4097]:
        maker.file(f'f{size}', pattern(size, size))
        maker.symlink(f'l{size}', b't' * min(size, 4095))
    for i in range(500):
        xattrs = {'user.a': pattern(i, chance.randint(0, 1500))} if i % 3 == 0 else {}
        maker.file(f'r{i}', pattern(i, chance.randint(0, 9000)), xattrs=xattrs)


@tree('erofs-equal-files', only=('erofs',))
def make_equal(maker):
    for size in [1, 100, 3000, 4096, 5000, 200_000, 3 << 20]:
        for i in range(4):
            maker.file(f'same{size}-{i}', pattern(size, size), mode=0o644 + i,
                       xattrs={'user.number': b'%d' % i * (i * 9)})
        maker.file(f'other{size}', pattern(size + 1, size))
    maker.sparse('sparse-1', 1 << 20, [(8192, 4096)])
    maker.sparse('sparse-2', 1 << 20, [(8192, 4096)])


@tree('erofs-segments', only=('erofs',), large=True)
def make_segments(maker):
    """Files around the length up to which one is compressed in one piece."""
    chance = random.Random(3)
    mib = 1 << 20
    some = mixed(chance, mib)
    for size in [20 * mib - 1, 20 * mib, 20 * mib + 1, 20 * mib + BLOCK - 1, 20 * mib + BLOCK]:
        start = chance.randrange(mib)
        maker.file(f'mixed{size}', (some[start:] + some * (size // mib + 1))[:size])
    maker.file('noise', chance.randbytes(20 * mib + 1))
