#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images of mkfs.erofs, with every option that it has, and ours: read as a source and built again,
they are what the kernel shows of the first image."""
import itertools
import os
import subprocess
import tempfile

import trees
from harness import judge, manifest, mount
from harness.partitions import Partition, read_table
from harness.program import Program
from harness.tap import Tap, check, skip_program
from harness.workspace import Workspace, is_reduced, is_root, need_tool
from trees.maker import make_tree

BACKEND = 'erofs'
TREES = ['erofs-compressible', 'erofs-tails', 'erofs-equal-files', 'sizes', 'sparse-segments',
         'random-1', 'random-2', 'random-3', 'random-4']
CLUSTERS = [[], ['-C8192'], ['-C65536']]
PACKING = ['ztailpacking', 'fragments', 'all-fragments', 'dedupe', 'fragments,dedupe',
           'ztailpacking,fragments', 'all-fragments,dedupe']
FOREIGN = [
    [], ['-Enoinline_data'], ['-Eforce-inode-compact', '-T1700000000'],
    ['-Eforce-inode-extended'], ['--ignore-mtime'], ['-x1'], ['-Enosbcrc'],
    ['--chunksize=4096'], ['--chunksize=65536', '-Eforce-chunk-indexes'],
    ['-zlz4'], ['-zlz4', '-Elegacy-compress'], ['-zlz4hc,1', '-Elegacy-compress,ztailpacking'],
    ['-zlz4', '--max-extent-bytes=65536'], ['-zlz4hc,1', '-C1048576', '-Eall-fragments'],
    *([*cluster, '-zlz4hc,1'] for cluster in CLUSTERS),
    *([*cluster, '-zlz4', f'-E{packing}'] for cluster, packing
      in itertools.product(CLUSTERS, PACKING)),
]
OURS = [['erofs.data=packed'], ['erofs.compress=lz4', 'erofs.cluster-size=16K'],
        ['erofs.compress=lz4hc', 'erofs.level=1', 'erofs.dedupe=yes', 'erofs.data=packed']]


class Source:
    def __init__(self, program, name):
        self.path = os.path.join(program.workspace.directory('tree'), name)
        make_tree(trees.get(name), self.path)


def shown(program, image, partition):
    """What the kernel shows of a filesystem."""
    point = program.workspace.directory('mnt')
    with mount.mounted('erofs', image, partition, point):
        return judge.read_mounted('erofs', point)


def judge_read(program, image, partition):
    expected = shown(program, image, partition)
    copy = os.path.join(program.workspace.directory('image'), 'copy')
    program.build_well(BACKEND, f'image:{image}', copy, settings=['image.dax=no'])
    actual = shown(program, copy, read_table(copy, 0)[0])
    differences = manifest.compare(expected, actual)
    check(not differences, f'{len(differences)} differences:\n' + '\n'.join(differences[:15]))
    os.unlink(copy)


def judge_foreign(program, source, options):
    # where --chunksize works: not on tmpfs
    with tempfile.TemporaryDirectory(dir='/var/tmp') as directory:
        image = os.path.join(directory, 'image')
        result = subprocess.run([need_tool('mkfs.erofs'), *options, image, source.path], text=True,
                                capture_output=True, env=dict(os.environ, TMPDIR=directory))
        check(result.returncode == 0, f'mkfs.erofs: {result.stderr}')
        judge_read(program, image, Partition(0, os.path.getsize(image)))


def judge_ours(program, source, settings):
    image = os.path.join(program.workspace.directory('image'), 'image')
    program.build_well(BACKEND, source.path, image, settings=['image.dax=no', *settings])
    judge_read(program, image, read_table(image, 0)[0])
    os.unlink(image)


def main():
    program = Program(Workspace())
    if BACKEND not in program.backends:
        skip_program('the EROFS backend is not built')
    if not is_root():
        skip_program('only root can mount an image')
    tap = Tap()
    for name in TREES[:2] if is_reduced() else TREES:
        source = Source(program, name)
        for options in FOREIGN:
            tap.case(f'{name}: mkfs.erofs {" ".join(options)}', judge_foreign, program, source,
                     options)
        for settings in OURS:
            tap.case(f'{name}: {" ".join(settings)}', judge_ours, program, source, settings)
    tap.finish()


if __name__ == '__main__':
    main()
