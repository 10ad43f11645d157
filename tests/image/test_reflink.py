#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where source and image are on one filesystem that can, they share the blocks of larger files.

The filesystem is XFS in a file of its own; what is shared is the kernel's word (FIEMAP).
"""
import contextlib
import filecmp
import os
import subprocess

from harness import judge, manifest
from harness.backends import BACKENDS
from harness.extents import SHARED, read_extents
from harness.program import Program
from harness.tap import Tap, check, check_equal
from harness.workspace import Workspace, need_root, need_tool
from trees.maker import Maker, pattern

BLOCK = 4096
KIB = 1 << 10
SHARED_FROM = 64 * KIB
SIZES = [1, BLOCK, SHARED_FROM - 1, SHARED_FROM, SHARED_FROM + 1, 100 * KIB, (1 << 20) + 5, 9 << 20]


@contextlib.contextmanager
def reflink_filesystem(workspace):
    """A mounted XFS of its own."""
    need_root('mounting a filesystem')
    directory = workspace.directory('xfs')
    image, point = os.path.join(directory, 'image'), os.path.join(directory, 'point')
    os.mkdir(point)
    with open(image, 'wb') as file:
        file.truncate(512 << 20)
    subprocess.run([need_tool('mkfs.xfs'), '-q', '-m', 'reflink=1', image], check=True)
    subprocess.run(['mount', '-o', 'loop', image, point], check=True)
    try:
        yield point
    finally:
        subprocess.run(['umount', point], check=True)
        workspace.remove_directory(directory)


def make_source(root, backend):
    cannot = BACKENDS[backend].cannot
    maker = Maker(root)
    for size in SIZES:
        maker.file(f'file{size}', pattern(size, size))
    if 'holes' not in cannot:
        maker.sparse('sparse', 300 * KIB,
                     [(0, 8 * KIB), (100 * KIB, 80 * KIB), (290 * KIB, 10 * KIB)])
    if 'hardlinks' not in cannot:
        maker.link('file102400', 'name')
    maker.finish()


def check_shared(path, is_shared):
    """Every whole block with data is shared, or none is."""
    whole = os.path.getsize(path) // BLOCK * BLOCK
    for extent in read_extents(path):
        if extent.logical < whole:
            check_equal(bool(extent.flags & SHARED), is_shared,
                        f'{path} at {extent.logical} is shared')


def shares(program, backend):
    with reflink_filesystem(program.workspace) as point:
        source, image = os.path.join(point, 'source'), os.path.join(point, 'image')
        make_source(source, backend)
        os.sync()
        expected = manifest.read_manifest(source)
        copied = program.build_well(backend, source, image + '-copied', '--no-reflink').report
        check_equal(copied['copy']['reflinked_bytes'], 0, 'bytes shared unasked')
        for name in os.listdir(source):
            check_shared(os.path.join(source, name), False)
        report = program.build_well(backend, source, image).report
        check(report['copy']['reflinked_bytes'] > 0, 'nothing is shared')
        for name in os.listdir(source):
            path = os.path.join(source, name)
            check_shared(path, os.path.getsize(path) >= SHARED_FROM)
        check(filecmp.cmp(image, image + '-copied', shallow=False), 'sharing changes the image')
        judge.judge(program, backend, image, expected, report)


def extracted(program):
    """Files of a directory, and those of an image, come into a directory without being copied."""
    with reflink_filesystem(program.workspace) as point:
        source, image = os.path.join(point, 'source'), os.path.join(point, 'image')
        make_source(source, 'ext4')
        program.build_well('ext4', source, image, '--no-reflink')
        os.sync()
        for number, what in enumerate([source, image]):
            target = os.path.join(point, f'target{number}')
            program.run(['extract', '-C', target, what]).expect(0)
            os.sync()
            for name in os.listdir(source):
                path = os.path.join(target, name)
                check_shared(path, os.path.getsize(path) >= SHARED_FROM)
            differences = manifest.compare(manifest.read_manifest(source),
                                           manifest.read_manifest(target))
            check(not differences, f'{differences[:5]}')


def main():
    program = Program(Workspace())
    tap = Tap()
    for backend in program.backends:
        tap.case(f'{backend}: the image shares blocks with its source', shares, program, backend)
    tap.case('what is extracted shares blocks with its source', extracted, program)
    tap.finish()


if __name__ == '__main__':
    main()
