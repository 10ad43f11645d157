#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kataimg inspect finds what was damaged: each byte that somebody reads, changed on its own."""
import json
import os
import shutil

from harness.damage import flip
from harness.partitions import HEADER_BYTES, INFO_OFFSET, MIB, SECTOR
from harness.program import Program
from harness.source import Sources
from harness.tap import Tap, check, check_equal
from harness.workspace import Workspace, is_reduced

PARTITION = 3 * MIB
# Where the checksum of each superblock reaches, from the start of the partition.
SUPERBLOCKS = {'ext4': range(1024, 2048), 'xfs': range(0, 512), 'erofs': range(1024, 1024 + 128)}
# The teaching backend has no checksum: its superblock is known by the magic number alone.
MAGIC = range(1024, 1028)
ENTRY = 446


class Bench:
    def __init__(self):
        self.program = Program(Workspace())
        self.sources = Sources(self.program.workspace)
        self.images = {}

    def image(self, backend):
        if backend not in self.images:
            path = os.path.join(self.program.workspace.directory('image'), 'image')
            self.program.build_well(backend, self.sources.path('one-byte'), path)
            self.images[backend] = path
        return self.images[backend]

    def inspect(self, path, *options):
        return self.program.run(['inspect', *options, path])


def sound(bench, backend):
    """The whole one contradicts nothing, as text and as JSON."""
    image = bench.image(backend)
    text = bench.inspect(image).expect(0).out
    check('contradiction' not in text and 'right' in text, text)
    said = json.loads(bench.inspect(image, '--json').expect(0).out)
    check_equal(said['contradictions'], [], 'contradictions')
    check_equal([table['offset_bytes'] for table in said['partition_tables']], [0, HEADER_BYTES],
                'partition tables')
    check_equal(said['info_block']['checksum'], '0x685b032be3943830', 'checksum of the info block')


def damaged(bench, backend, offsets):
    """Each of these bytes is read by somebody, so a change of it must not pass."""
    image = bench.image(backend)
    passed = []
    for offset in offsets:
        flip(image, offset, 0x80)
        if bench.inspect(image).code != 1:
            passed.append(offset)
        flip(image, offset, 0x80)
    check(not passed, f'{len(passed)} changes were not found, at {passed[:20]}')
    bench.inspect(image).expect(0)


def info_block():
    fields = list(range(88)) + [88, 1000, 4087] + list(range(4088, 4096))
    return [INFO_OFFSET + offset for offset in fields]


def partition_table(base):
    """Of the first entry: bootable, type, start and length; and the signature."""
    fields = [ENTRY, ENTRY + 4, *range(ENTRY + 8, ENTRY + 16), SECTOR - 2, SECTOR - 1]
    return [base + offset for offset in fields]


def superblock(backend):
    area = SUPERBLOCKS.get(backend, MAGIC)
    step = 16 if is_reduced() else 3
    return [PARTITION + offset for offset in area[::step]]


def cut_off(bench, backend):
    image = bench.image(backend)
    size = os.path.getsize(image)
    copy = f'{image}.cut'
    for end in [0, 1, 511, 512, 4096, 8192, 2 * MIB, 3 * MIB, size - 4096, size - 1]:
        shutil.copyfile(image, copy)
        os.truncate(copy, end)
        bench.inspect(copy).expect(1)
    os.unlink(copy)


def not_an_image(bench):
    directory = bench.program.workspace.directory('other')
    path = os.path.join(directory, 'file')
    for content in [b'', b'text\n' * 10_000, bytes(2 * MIB), os.urandom(MIB)]:
        with open(path, 'wb') as file:
            file.write(content)
        bench.inspect(path).expect(1)
    bench.inspect(directory).expect(1)
    bench.inspect(os.path.join(directory, 'none')).expect(1, 'No such file')


def main():
    bench = Bench()
    tap = Tap()
    for backend in bench.program.backends:
        tap.case(f'{backend}: a sound image', sound, bench, backend)
        tap.case(f'{backend}: superblock', damaged, bench, backend, superblock(backend))
        tap.case(f'{backend}: cut off', cut_off, bench, backend)
    backend = bench.program.backends[0]
    tap.case('info block', damaged, bench, backend, info_block())
    for base in [0, HEADER_BYTES]:
        tap.case(f'partition table at {base}', damaged, bench, backend, partition_table(base))
    tap.case('not an image', not_an_image, bench)
    tap.finish()


if __name__ == '__main__':
    main()
