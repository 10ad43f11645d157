#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is an image what a configuration builds? Yes for the image itself, and for no other byte."""
import os
import shutil

from harness.damage import flip
from harness.program import Program
from harness.tap import Tap, check
from harness.workspace import Workspace
from trees.maker import Maker, pattern

MIB = 1 << 20
SETTINGS = ['image.align=2M', 'rootfs.check=no', 'verity.enabled=yes']


def make_source(root):
    maker = Maker(root)
    maker.directory('usr')
    maker.file('usr/large', pattern(2, 3 * MIB + 5))
    for number in range(300):
        maker.file(f'usr/file-{number}', pattern(number, number * 31))
    maker.sparse('holes', 4 * MIB, [(2 * MIB, 4096)])
    maker.symlink('link', 'usr/large')
    maker.finish()


def attest(program, backend, image, source, *more):
    words = ['attest', image, '-q']
    for setting in [*SETTINGS, f'image.filesystem={backend}', f'image.source={source}', *more]:
        words += ['--set', setting]
    return program.run(words)


def find_data(image):
    """Where the large file lies: its first bytes are nowhere else."""
    with open(image, 'rb') as file:
        return file.read().index(pattern(2, 4096))


def judge(program, backend):
    source = program.workspace.directory('source')
    make_source(source)
    directory = program.workspace.directory('image')
    image = os.path.join(directory, 'image')
    program.build_well(backend, source, image, settings=['verity.enabled=yes'])
    with open(os.path.join(directory, 'root_hash_.txt'), encoding='ascii') as file:
        root_hash = file.read().split('=')[1].split(',')[0]
    said = attest(program, backend, image, source).expect(0).out
    check('is what this configuration builds, byte for byte' in said, said)
    check(root_hash in said, f'{root_hash} is not in {said}')
    check(sorted(os.listdir(directory)) == ['image', 'root_hash_.txt'], 'it leaves nothing')
    size = os.path.getsize(image)
    for offset, what in [(440, 'byte 0: a partition table'), (4096 + 20, 'NVDIMM info block'),
                         (2 * MIB + 1, f'byte {2 * MIB}: a partition table'),
                         (8192, 'byte 8192 of the image, which belongs to nothing'),
                         (3 * MIB + 1100, 'metadata at byte 1100 of the filesystem'),
                         (find_data(image) + 2 * MIB + 7, 'usr/large'),
                         (size - 10, 'the hash tree')]:
        flip(image, offset, 0x10)
        said = attest(program, backend, image, source)
        said.expect(1, 'is not what this configuration builds: it differs in 1 place')
        check(what in said.out, f'{what!r} is not in {said.out!r}')
        flip(image, offset, 0x10)
    attest(program, backend, image, source, 'image.align=128M').expect(1, 'the build makes')
    os.utime(os.path.join(source, 'usr'), ns=(7, 7))
    check('metadata at byte' in attest(program, backend, image, source).expect(1).out, 'a time')
    for path in (source, directory):
        shutil.rmtree(path)


def main():
    program = Program(Workspace())
    tap = Tap()
    for backend in program.backends:
        if backend != 'erofs-stub':
            tap.case(backend, judge, program, backend)
    tap.finish()


if __name__ == '__main__':
    main()
