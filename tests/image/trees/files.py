# SPDX-License-Identifier: Apache-2.0
"""Sizes of files, and many of them: what the allocator has to place."""
import random

from trees import tree
from trees.maker import pattern

MIB = 1 << 20


@tree('sizes')
def make_sizes(maker):
    edges = [0, 1, 511, 512, 4096, 8192, 65536, MIB, 2 * MIB, 4 * MIB]
    for edge in edges:
        for size in {max(edge - 1, 0), edge, edge + 1}:
            maker.file(f'f{size}', pattern(size, size))


@tree('alignment')
def make_alignment(maker):
    """Small files fill the gaps that huge pages leave between large ones."""
    chance = random.Random(1)
    for i in range(12):
        maker.file(f'large-{i}', pattern(i, 2 * MIB + i * 300_001))
    for i in range(60):
        maker.directory(f'd{i}')
        for j in range(25):
            maker.file(f'd{i}/{j}', pattern(i * j, int(chance.paretovariate(1.0) * 700) % 200_000))


@tree('alignment-large-only')
def make_large_only(maker):
    for i in range(9):
        maker.file(f'large-{i}', pattern(i, 2 * MIB + 4096 * i))


@tree('file-of-40-mib', reduced=False)
def make_40_mib(maker):
    """More than an allocation group of the smallest XFS holds, more than a bitmap's run."""
    maker.file('before', b'1')
    maker.file('large', pattern(1, 40 * MIB + 1))


@tree('file-of-300-mib', reduced=False)
def make_300_mib(maker):
    """Crosses block groups of 128 MiB."""
    maker.file('large', pattern(1, 300 * MIB))
    for i in range(100):
        maker.file(f'small{i}', pattern(i, 5000))


@tree('compressible')
def make_compressible(maker):
    """Text, numbers, runs and what does not shrink, of every length."""
    chance = random.Random(2)
    words = [pattern(i, 3 + i % 9).hex().encode() for i in range(500)]
    for i, size in enumerate([1, 100, 4095, 4096, 4097, 8192, 20_000, 65_535, 65_536, 200_000,
                              MIB, 2 * MIB + 77]):
        text = b' '.join(chance.choices(words, k=size // 4 + 1))
        maker.file(f'text-{size}', text[:size])
        maker.file(f'run-{size}', b'%d' % i * size)
        maker.file(f'mixed-{size}', (text[:size // 2] + pattern(i, size))[:size])
    maker.sparse('sparse', 3 * MIB, [(MIB, 70_000), (2 * MIB, 5000)])
