#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measured images against veritysetup(8): the hash tree is the one that it makes, and it finds a
changed byte wherever one is."""
import filecmp
import os
import re
import shutil
import subprocess

from harness.damage import flip
from harness.partitions import read_table
from harness.program import Program
from harness.tap import Tap, check, check_equal
from harness.workspace import Workspace, is_reduced, need_tool
from trees.maker import Maker, pattern

BLOCK = 4096
MIB = 1 << 20
LINE = re.compile(r'root_hash=([0-9a-f]{64}),salt=([0-9a-f]*),data_blocks=(\d+),'
                  r'data_block_size=4096,hash_block_size=4096\n')
# One level of hashes for up to 128 blocks, two for 64 MiB, three beyond.
CASES = [
    ([], 64),
    (['verity.salt=00ff'], 4),
    (['verity.salt=' + 'a5' * 256], 512),
    (['image.size=140M'], 64),
    (['image.dax=no'], 64),
]


def make_source(root):
    maker = Maker(root)
    maker.file('file', pattern(1, 300_001))
    maker.file('large', pattern(2, 3 * MIB))
    maker.finish()


def extract(image, partition, path):
    with open(image, 'rb') as whole, open(path, 'wb') as part:
        whole.seek(partition.start)
        part.write(whole.read(partition.size))


class Measured:
    """An image's two partitions as files, and what its root hash's file says."""

    def __init__(self, directory, image):
        with open(os.path.join(directory, 'root_hash_.txt'), encoding='ascii') as file:
            line = file.read()
        said = LINE.fullmatch(line)
        check(said, f'the root hash\'s file says {line!r}')
        self.root_hash, self.salt, self.blocks = said[1], said[2], int(said[3])
        self.data, self.hashes = (os.path.join(directory, name) for name in ('data', 'hashes'))
        partitions = read_table(image, 0)
        check_equal(len(partitions), 2, 'number of partitions')
        check_equal(partitions[0].size, self.blocks * BLOCK, 'bytes that are measured')
        extract(image, partitions[0], self.data)
        extract(image, partitions[1], self.hashes)

    def veritysetup(self, action, *arguments):
        return subprocess.run(
            [need_tool('veritysetup'), action, *arguments, '--no-superblock', '--format=1',
             '--hash=sha256', f'--data-block-size={BLOCK}', f'--hash-block-size={BLOCK}',
             f'--data-blocks={self.blocks}', f'--salt={self.salt or "-"}'],
            capture_output=True, text=True, check=False)

    def verifies(self):
        return self.veritysetup('verify', self.data, self.hashes, self.root_hash).returncode == 0


def check_same_tree(measured, directory):
    """veritysetup makes the same tree, and nothing comes after it."""
    made = os.path.join(directory, 'made')
    with open(made, 'wb') as file:
        file.truncate(os.path.getsize(measured.hashes))
    result = measured.veritysetup('format', measured.data, made)
    check_equal(result.returncode, 0, f'veritysetup format: {result.stderr}')
    check(f'{measured.root_hash}\n' in result.stdout, f'another root hash: {result.stdout}')
    check(filecmp.cmp(made, measured.hashes, shallow=False), 'another hash tree')


def check_finds_changes(program, measured, image):
    salt = ['--salt', measured.salt]
    asked = ['inspect', image, '--root-hash', measured.root_hash, *salt]
    program.run(asked).expect(0)
    for path, partition in zip([measured.data, measured.hashes], read_table(image, 0)):
        for offset in [0, partition.size // 2, partition.size - 1]:
            flip(path, offset)
            flip(image, partition.start + offset)
            found = not measured.verifies()
            check_equal(program.run(asked).code != 0, found,
                        f'inspect and veritysetup on byte {offset} of {os.path.basename(path)}')
            # behind the last hash of a block nothing is asked for
            check(found or path == measured.hashes and offset > 0,
                  f'a change at {offset} of {os.path.basename(path)} is not seen')
            flip(path, offset)
            flip(image, partition.start + offset)


def judge(program, backend, settings, salt_digits):
    directory = program.workspace.directory('verity')
    source, image = os.path.join(directory, 'source'), os.path.join(directory, 'image')
    os.mkdir(source)
    make_source(source)
    program.build_well(backend, source, image, settings=['verity.enabled=yes', *settings])
    measured = Measured(directory, image)
    check_equal(len(measured.salt), salt_digits, 'digits of the salt')
    check(measured.verifies(), 'veritysetup verify refuses the image')
    check_same_tree(measured, directory)
    check_finds_changes(program, measured, image)
    shutil.rmtree(directory)


def main():
    program = Program(Workspace())
    tap = Tap()
    for backend in program.backends:
        for settings, salt_digits in CASES[:1] if is_reduced() else CASES:
            shown = ' '.join(setting[:24] for setting in settings)
            tap.case(f'{backend}: measured {shown}', judge, program, backend, settings, salt_digits)
    tap.finish()


if __name__ == '__main__':
    main()
