#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A tree in an archive gives the image that the directory gives, byte for byte."""
import os
import subprocess

from harness.program import Program
from harness.source import Sources
from harness.tap import Tap, check, check_equal
from harness.walk import walk
from harness.workspace import PLAIN_ID, Workspace, is_reduced, need_root, need_tool

TREES = ['simple', 'empty', 'names-odd', 'names-long', 'names-every-byte', 'times', 'ids',
         'devices', 'xattrs', 'xattrs-everywhere', 'acls', 'symlinks', 'sizes', 'sparse',
         'sparse-segments', 'directory-of-1000', 'deep', 'root-attributes', 'random-1', 'random-3']
TAR = ['tar', '--create', '--format=posix', '--numeric-owner', '--no-recursion', '--null',
       '--files-from=-', '--file=-', '--xattrs', '--xattrs-include=*', '--acls', '--sparse']
COMPRESSORS = [None, 'gzip', 'xz', 'zstd', 'bzip2']


def without_sockets(source):
    """tar has no way to say what a socket is."""
    for path, *_ in walk(source):
        full = os.path.join(os.fsencode(source), path)
        if os.path.exists(full) and not os.path.islink(full) and os.stat(full).st_mode >> 12 == 12:
            parent = os.stat(os.path.dirname(full))
            os.unlink(full)
            os.utime(os.path.dirname(full), ns=(parent.st_mtime_ns, parent.st_mtime_ns))


def make_archive(source, path, compressor=None, last_first=False):
    names = [b'.'] + [b'./' + name for name, *_ in walk(source)]
    if last_first:
        names.reverse()
    with open(path, 'wb') as archive:
        command = subprocess.Popen(TAR, cwd=source, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        packer = subprocess.Popen([need_tool(compressor) if compressor else 'cat'],
                                  stdin=command.stdout, stdout=archive)
        command.stdout.close()
        command.stdin.write(b'\0'.join(names) + b'\0')
        command.stdin.close()
        check_equal((command.wait(), packer.wait()), (0, 0), 'exit codes of tar and compressor')
    return path


class Bench:
    def __init__(self):
        self.program = Program(Workspace())
        self.sources = Sources(self.program.workspace)

    def source(self, tree):
        path = self.sources.path(tree)
        without_sockets(path)
        return path

    def directory(self):
        return self.program.workspace.directory('archive', PLAIN_ID)

    def image(self, backend, source, name, **options):
        path = os.path.join(self.directory(), name)
        self.program.build_well(backend, source, path, **options)
        return path


def same(one, other):
    result = subprocess.run(['cmp', one, other], capture_output=True, text=True, check=False)
    check(result.returncode == 0, f'the images differ: {result.stdout}{result.stderr}')


def same_image(bench, tree):
    """As a plain user, who could not even make the tree."""
    need_root('a tree with owners')
    source = bench.source(tree)
    directory = bench.directory()
    backend = 'erofs'
    expected = bench.image(backend, source, 'image')
    for last_first in [False, True]:
        archive = make_archive(source, os.path.join(directory, f'{last_first}.tar'),
                               last_first=last_first)
        same(expected, bench.image(backend, archive, f'{last_first}', plain=True))
    bench.program.workspace.remove_directory(directory)


def compressed(bench, backend, compressor):
    source = bench.source('simple')
    archive = make_archive(source, os.path.join(bench.directory(), 'archive'), compressor)
    same(bench.image(backend, source, 'image'), bench.image(backend, archive, 'other'))


def from_standard_input(bench, backend):
    source = bench.source('simple')
    archive = make_archive(source, os.path.join(bench.directory(), 'archive'))
    with open(archive, 'rb') as stream:
        same(bench.image(backend, source, 'image'),
             bench.image(backend, '-', 'other', stdin=stream))


def cut_off(bench):
    """An archive that ends too early makes no image, wherever it ends."""
    archive = make_archive(bench.source('simple'), os.path.join(bench.directory(), 'archive'))
    size = os.path.getsize(archive)
    for end in [1, 511, 512, 700, size // 3, size // 2, size - 20_000]:
        os.truncate(archive, end)
        directory = bench.directory()
        bench.program.build('erofs', archive, os.path.join(directory, 'image')).expect(1)
        check_equal(os.listdir(directory), [], f'what an archive cut at {end} leaves')
        make_archive(bench.source('simple'), archive)


def main():
    bench = Bench()
    tap = Tap()
    for tree in TREES[:4] if is_reduced() else TREES:
        tap.case(f'{tree}: the image of an archive', same_image, bench, tree)
    for compressor in COMPRESSORS:
        tap.case(f'compressed by {compressor}', compressed, bench, 'erofs', compressor)
    for backend in bench.program.backends:
        tap.case(f'{backend}: from standard input', from_standard_input, bench, backend)
    tap.case('archives that are cut off', cut_off, bench)
    tap.finish()


if __name__ == '__main__':
    main()
