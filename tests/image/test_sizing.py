#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sizes are computed, not tried: the plan is exact, and every larger window works."""
import os
import re

from harness import fsck, judge
from harness.backends import BACKENDS
from harness.partitions import check_partitions
from harness.program import Program
from harness.source import Sources
from harness.tap import Tap, check, check_equal
from harness.workspace import Workspace, is_reduced

MIB = 1 << 20
# Without the NVDIMM header the partition starts here, and sizes are multiples of 4096.
HEADER_BYTES = MIB
PLAIN_LAYOUT = ('image.dax=no', 'image.align=4096')
TREES = ['empty', 'one-byte', 'simple', 'directory-of-1000', 'sizes', 'duplicates', 'names-long',
         'every-type']
# How many granules more than planned: next to it, and over the edges of groups.
MORE_GRANULES = [0, 1, 2, 3, 7, 50, 1000, 33_000]
BYTES_PER_FREE_INODE = 16 << 10


class Bench:
    """What the cases share."""

    def __init__(self):
        self.program = Program(Workspace())
        self.sources = Sources(self.program.workspace)

    def image(self):
        return os.path.join(self.program.workspace.directory('image'), 'image')

    def build(self, backend, tree, image, *settings, words=()):
        return self.program.build(backend, self.sources.path(tree), image, *words,
                                  settings=settings)

    def forget(self, image):
        self.program.workspace.remove_directory(os.path.dirname(image))


def dry_run(bench, backend, tree):
    """A dry run prints the geometry that the build then has, and writes nothing."""
    image = bench.image()
    dry = bench.build(backend, tree, image, words=['--dry-run']).expect(0)
    check_equal(os.listdir(os.path.dirname(image)), [], 'what a dry run leaves')
    real = bench.build(backend, tree, image).expect(0)
    for part in ['geometry', 'filesystem', 'identifiers', 'tree']:
        check_equal(dry.report[part], real.report[part], f'{part} of the dry run')
    size = os.path.getsize(image)
    check_equal(dry.report['geometry']['image_bytes'], size, 'image bytes of the dry run')
    check(re.search(rf'image bytes +{size} ', dry.out), f'{size} is not in {dry.out!r}')
    bench.forget(image)


def planned(bench, backend, tree, settings=PLAIN_LAYOUT):
    image = bench.image()
    geometry = bench.build(backend, tree, image, *settings,
                           words=['--dry-run']).expect(0).report['geometry']
    bench.forget(image)
    return geometry


def windows(bench, backend, tree):
    """Every window from the planned one on works."""
    geometry = planned(bench, backend, tree)
    for more in MORE_GRANULES[:4] if is_reduced() else MORE_GRANULES:
        window = geometry['plan_bytes'] + more * geometry['granularity_bytes']
        image = bench.image()
        built = bench.build(backend, tree, image, *PLAIN_LAYOUT,
                            f'image.size={HEADER_BYTES + window}').expect(0)
        check_equal(os.path.getsize(image), HEADER_BYTES + window, 'image size')
        partition = check_partitions(image, dax=False, align=4096)
        check_equal(partition.size, window, 'partition size')
        fsck.check_filesystem(BACKENDS[backend].kind, image, partition)
        if not BACKENDS[backend].read_only:
            check(window - built.report['filesystem']['size_bytes'] < 2 * MIB,
                  f'{built.report["filesystem"]["size_bytes"]} of {window} bytes are used')
        bench.forget(image)


def large_window(bench, backend, size):
    """A dos label reaches 2 TiB; the image is nearly all hole."""
    image = bench.image()
    built = bench.build(backend, 'simple', image, f'image.size={size}').expect(0)
    partition = check_partitions(image)
    fsck.check_filesystem(BACKENDS[backend].kind, image, partition)
    judge.judge_with_kernel(bench.program, backend, image, partition,
                            bench.sources.expected('simple'), built.report, huge_pages=True)
    bench.forget(image)


def too_large(bench, backend):
    image = bench.image()
    bench.build(backend, 'simple', image, 'image.size=3T').expect(1, '2 TiB')
    check_equal(os.listdir(os.path.dirname(image)), [], 'what a refused build leaves')


def shown(size):
    """As a user would write it."""
    for unit, letter in [(1 << 40, 'T'), (1 << 30, 'G'), (1 << 20, 'M'), (1 << 10, 'K')]:
        if size % unit == 0:
            return f'{size // unit}{letter}'
    return str(size)


def too_small(bench, backend, tree):
    """One granule less is refused, with the size that is needed; that size works."""
    geometry = planned(bench, backend, tree)
    window = geometry['plan_bytes'] - geometry['granularity_bytes']
    image = bench.image()
    refused = bench.build(backend, tree, image, *PLAIN_LAYOUT,
                          f'image.size={HEADER_BYTES + window}').expect(1)
    needed = HEADER_BYTES + geometry['plan_bytes']
    check(f'{shown(needed)} are needed' in refused.err,
          f'{shown(needed)} is not in {refused.err!r}')
    check_equal(os.listdir(os.path.dirname(image)), [], 'what a refused build leaves')
    bench.build(backend, tree, image, *PLAIN_LAYOUT, f'image.size={needed}').expect(0)
    bench.forget(image)


def exact_tree(bench, backend, tree):
    """In the smallest window the whole tree is there."""
    image = bench.image()
    needed = HEADER_BYTES + planned(bench, backend, tree)['plan_bytes']
    report = bench.program.build_well(backend, bench.sources.path(tree), image, settings=[
        *PLAIN_LAYOUT, f'image.size={needed}']).report
    partition = check_partitions(image, dax=False, align=4096)
    fsck.check_filesystem(BACKENDS[backend].kind, image, partition)
    judge.judge_with_kernel(bench.program, backend, image, partition, bench.sources.expected(tree),
                            report, huge_pages=False)
    bench.forget(image)


def free_space(bench, backend, tree, mebibytes):
    wanted = mebibytes * MIB
    image = bench.image()
    report = bench.program.build_well(backend, bench.sources.path(tree), image,
                                      settings=[f'image.free-space={mebibytes}M']).report
    described = report['filesystem']
    check(described['free_bytes'] >= wanted, f'{described["free_bytes"]} of {wanted} bytes free')
    check(described['free_inodes'] >= wanted // BYTES_PER_FREE_INODE,
          f'{described["free_inodes"]} inodes free for {wanted} bytes')
    expected = judge.with_lost_found(backend, bench.sources.expected(tree), report)
    judge.judge(bench.program, backend, image, expected, report)
    bench.forget(image)


def no_free_space(bench, backend):
    image = bench.image()
    bench.build(backend, 'simple', image, 'image.free-space=1M').expect(2, 'read-only')
    check_equal(os.listdir(os.path.dirname(image)), [], 'what a refused build leaves')


def run_backend(tap, bench, backend):
    for tree in TREES:
        for case in (dry_run, windows, too_small, exact_tree):
            tap.case(f'{backend}/{tree}: {case.__name__.replace("_", " ")}', case, bench, backend,
                     tree)
    for size in ['1G', '70G', '2047G']:
        tap.case(f'{backend}: an image of {size}', large_window, bench, backend, size)
    tap.case(f'{backend}: an image of 3T', too_large, bench, backend)
    if BACKENDS[backend].read_only:
        tap.case(f'{backend}: free space', no_free_space, bench, backend)
        return
    for tree, mebibytes in [('empty', 1), ('simple', 1), ('simple', 100), ('sizes', 700)]:
        tap.case(f'{backend}/{tree}: {mebibytes} MiB free', free_space, bench, backend, tree,
                 mebibytes)


def main():
    bench = Bench()
    tap = Tap()
    for backend in bench.program.backends:
        run_backend(tap, bench, backend)
    tap.finish()


if __name__ == '__main__':
    main()
