#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images of mkfs.erofs, with every option that it has, and ours: read as a source and built again,
they are what the kernel shows of the first image."""
import itertools
import os
import random
import re
import subprocess
import tempfile

import trees
from harness import judge, manifest, mount
from harness.partitions import Partition, read_table
from harness.program import Program
from harness.tap import Tap, check, check_equal, skip_program
from harness.workspace import ISOLATE, Workspace, is_reduced, is_root, need_tool
from trees.maker import make_tree

BACKEND = 'erofs'
TREES = ['erofs-compressible', 'erofs-tails', 'erofs-equal-files', 'sizes', 'sparse-segments',
         'random-1', 'random-2']
# Owners of these trees do not fit the 16 bits of a compact inode.
NEVER_COMPACT = {'random-1', 'random-2'}
SLOW_TO_COMPARE = {'erofs-compressible', 'random-1', 'random-2'}
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
        ['erofs.compress=lz4hc', 'erofs.level=1', 'erofs.dedupe=yes', 'erofs.data=packed'],
        ['erofs.compress=lz4', 'erofs.tail=inline'],
        ['erofs.compress=lz4', 'erofs.fragments=tails', 'erofs.tail=inline'],
        ['erofs.compress=lz4', 'erofs.fragments=all', 'erofs.cluster-size=64K']]


def mkfs_version():
    shown = subprocess.run([need_tool('mkfs.erofs'), '--version'], check=False,
                           capture_output=True, text=True)
    return tuple(map(int, re.search(r'(\d+)\.(\d+)', shown.stdout + shown.stderr).groups()))


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


def why_not(name, options, version):
    """Of what mkfs.erofs itself cannot: from 1.6 on it has two faults, as its fsck.erofs and the kernel say."""
    if name in NEVER_COMPACT and 'force-inode-compact' in options:
        return 'its owners are no compact inode\'s'
    if version >= (1, 6) and 'ztailpacking,fragments' in options:
        return 'this mkfs.erofs writes other data into the last block of some files'
    if version >= (1, 6) and 'dedupe' in options and name in SLOW_TO_COMPARE:
        return 'this mkfs.erofs takes minutes to find what is equal'
    return None


# In the directory $0, of the source $1: what --chunksize writes on the way goes to /tmp, whatever TMPDIR says,
# and cannot be taken from a tmpfs.
MKFS = """mkdir "$0/tree" "$0/tmp" && mount --bind "$1" "$0/tree" && mount --bind "$0/tmp" /tmp && shift &&
    exec "$@" "$0/image" "$0/tree\""""


def judge_foreign(program, source, options):
    with tempfile.TemporaryDirectory(dir='/var/tmp') as directory:
        result = subprocess.run([ISOLATE, 'sh', '-c', MKFS, directory, source.path,
                                 need_tool('mkfs.erofs'), *options], errors='replace', capture_output=True)
        check(result.returncode == 0, f'mkfs.erofs: {result.stderr}')
        image = os.path.join(directory, 'image')
        judge_read(program, image, Partition(0, os.path.getsize(image)))


def judge_ours(program, source, settings):
    image = os.path.join(program.workspace.directory('image'), 'image')
    program.build_well(BACKEND, source.path, image, settings=['image.dax=no', *settings])
    judge_read(program, image, read_table(image, 0)[0])
    os.unlink(image)


SUPER = 1024
# Byte of the image, or before the superblock of the root's inode; what is put there; what is said.
REFUSED = [
    (SUPER + 80, b'\x80', 'it has 48-bit block numbers (feature 0x80)'),
    (SUPER + 80, b'\0\1', 'it has compressed metadata (metabox) (feature 0x100)'),
    (SUPER + 80, b'\0\0\2', 'a feature that is newer than this reader: 0x20000'),
    (SUPER + 80, b'\x08\0\0\0\0\0\2\0\xff\xff', 'its table of devices is outside the filesystem'),
    (SUPER + 80, b'\x02\0\0\0\x10', 'compressed in a way that is newer than this reader: 0x10'),
    (SUPER + 90, b'\1', 'its directories have blocks of another size'),
    (SUPER + 36, b'\xff\xff', 'reaches beyond the end of the partition'),
    (SUPER + 14, b'\xff\xff', 'inode 65535 is outside the filesystem'),
    (0, b'\x14', 'has a form that is newer than this reader: 0x14'),
    (4, b'\0\0', 'is of no known type: 00'),
    (4, b'\0\x80', 'it has no root directory'),
    (8, b'\xff' * 4, 'is followed by data that leaves its block'),
    (64, b'\0' * 12, 'has a block that is none'),
]


def judge_refusals(program, source):
    image = os.path.join(program.workspace.directory('mkfs'), 'image')
    subprocess.run([need_tool('mkfs.erofs'), '-Enosbcrc,force-inode-extended', '-x-1', image,
                    source], check=True, capture_output=True)
    with open(image, 'rb') as file:
        sound = file.read()
    root = 32 * int.from_bytes(sound[SUPER + 14:SUPER + 16], 'little')
    for place, put, said in REFUSED:
        at = place if place >= SUPER else root + place
        with open(image, 'wb') as file:
            file.write(sound[:at] + put + sound[at + len(put):])
        result = program.run(['tree', f'image:{image}'])
        check(result.code == 1 and said in result.err, f'{said}: {result.describe()}')


    for damage in (end_name_early, end_name_behind_directory):
        damaged = bytearray(sound)
        damage(damaged, root)
        with open(image, 'wb') as file:
            file.write(damaged)
        result = program.run(['tree', f'image:{image}'])
        check(result.code == 1 and 'has a block that is none' in result.err,
              f'{damage.__name__}: {result.describe()}')


def put(image, at, value, size):
    image[at:at + size] = value.to_bytes(size, 'little')


def get(image, at, size):
    return int.from_bytes(image[at:at + size], 'little')


# A directory behind its inode of 64 bytes: entries of 12 bytes with, at 8, where their names are.
ENTRIES, ENTRY, NAME_AT = 64, 12, 8


def end_name_early(image, root):
    """The first name that has two characters and another behind it gets a NUL as its second."""
    start = root + ENTRIES
    count = get(image, start + NAME_AT, 2) // ENTRY
    places = [get(image, start + i * ENTRY + NAME_AT, 2) for i in range(count)]
    name = next(a for a, b in zip(places[2:], places[3:]) if b - a > 1)
    image[start + name + 1] = 0


def end_name_behind_directory(image, root):
    """The last name but one, by where the last one begins."""
    start = root + ENTRIES
    count = get(image, start + NAME_AT, 2) // ENTRY
    put(image, start + (count - 1) * ENTRY + NAME_AT, get(image, root + 8, 8) + 1, 2)


def judge_other_device(program):
    """Files that are on a second device: what is here is told, and which device is missing."""
    with tempfile.TemporaryDirectory(dir='/var/tmp') as directory:
        source = os.path.join(directory, 'tree')
        os.mkdir(source)
        with open(os.path.join(source, 'file'), 'wb') as file:
            file.write(random.Random(5).randbytes(20_000))
        image, other = os.path.join(directory, 'image'), os.path.join(directory, 'other')
        with open(other, 'wb'):
            pass
        subprocess.run([need_tool('mkfs.erofs'), '-Enosbcrc', '--chunksize=4096',
                        f'--blobdev={other}', image, source], check=True, capture_output=True)
        with open(image, 'r+b') as file:
            bare = bytearray(file.read())
            slot = 128 * get(bare, SUPER + 88, 2)
            bare[slot:slot + 64] = b'A tag'.ljust(64, b'\0')
            put(bare, slot + 64, 6, 4)
            file.seek(0)
            file.write(bare)
        said = ('erofs: data of its files is on 1 other device, which cannot be read here: device 1 '
                '(A tag) of 24576 bytes; mount it, with -o device=FILE for each of them')
        result = program.run(['inspect', image])
        check(result.code == 3 and f'not checked: {said}' in result.out and
              'features       mtime chunked_file device_table' in result.out, result.describe())
        program.run(['ls', image]).expect(1, said)
        program.run(['diff', image, source]).expect(2, said)


def inode_of(image, nid):
    """Where it is, and where its index's header is: ours have no attributes here."""
    at = 32 * nid
    return at, at + (64 if image[at] & 1 else 32)


# What is done to the image, to its packed inode and to one whose data is in it.
HOSTILE = [
    (lambda image, packed, file: put(image, SUPER + 96, 0, 8), 'has data outside the packed inode'),
    (lambda image, packed, file: put(image, SUPER + 96, 1 << 40, 8), 'is outside the filesystem'),
    (lambda image, packed, file: put(image, SUPER + 96, file, 8),
     'has data outside the packed inode'),
    (lambda image, packed, file: put(image, inode_of(image, packed)[1], 1 << 63, 8),
     'has data outside the packed inode'),
    (lambda image, packed, file: put(image, inode_of(image, packed)[1] + 4, 0x21, 2),
     'has data outside the packed inode'),
    (lambda image, packed, file: put(image, inode_of(image, file)[1], 1 << 63 | 1 << 40, 8),
     'has data outside the packed inode'),
    (lambda image, packed, file: put(image, inode_of(image, file)[1], (1 << 64) - 1, 8),
     'has data outside the packed inode'),
    (lambda image, packed, file: put(image, inode_of(image, packed)[1] + 2, 0xffff, 2),
     'is followed by data that leaves its block'),
]


def judge_hostile_fragments(program):
    """A packed inode that is not there, or is in itself; a fragment that is behind its end."""
    source = os.path.join(program.workspace.directory('tree'), 'fragments')
    os.mkdir(source)
    with open(os.path.join(source, 'file'), 'w', encoding='utf-8') as file:
        file.write('\n'.join(str(number) for number in range(5000)))
    path = os.path.join(program.workspace.directory('image'), 'image')
    program.build_well(BACKEND, source, path, settings=['image.dax=no', 'image.table=none',
                                                        'erofs.compress=lz4', 'erofs.tail=inline',
                                                        'erofs.fragments=all'])
    with open(path, 'rb') as file:
        sound = bytearray(file.read())
    sound[SUPER + 8] &= 0xfe  # without the superblock's checksum
    packed = int.from_bytes(sound[SUPER + 96:SUPER + 104], 'little')
    # inodes of regular files that the index of compressed ones follows
    whole = [nid for nid in range(36, 256) if sound[32 * nid + 5] >> 4 == 8
             and sound[32 * nid] >> 1 == 3 and nid != packed]
    check_equal(len(whole), 1, 'files in the packed inode')
    for change, said in HOSTILE:
        image = bytearray(sound)
        change(image, packed, whole[0])
        with open(path, 'wb') as file:
            file.write(image)
        result = program.run(['tree', f'image:{path}'])
        check(result.code == 1 and said in result.err, f'{said}: {result.describe()}')


def judge_interlaced(program):
    """Of a file whose plain blocks are said to be turned round, as mkfs.erofs 1.6 has them."""
    source = os.path.join(program.workspace.directory('tree'), 'interlaced')
    os.mkdir(source)
    with open(os.path.join(source, 'file'), 'wb') as file:
        file.write(b'text' * 1500 + random.Random(3).randbytes(70_000))
    path = os.path.join(program.workspace.directory('image'), 'image')
    program.build_well(BACKEND, source, path, settings=['image.dax=no', 'image.table=none',
                                                        'erofs.compress=lz4'])
    with open(path, 'rb') as file:
        image = bytearray(file.read())
    image[SUPER + 8] &= 0xfe  # without the superblock's checksum
    file, = (nid for nid in range(36, 256) if image[32 * nid + 5] >> 4 == 8
             and image[32 * nid] >> 1 == 3)
    image[inode_of(image, file)[1] + 4] |= 0x10
    with open(path, 'wb') as file:
        file.write(image)
    judge_read(program, path, Partition(0, len(image)))


def main():
    program = Program(Workspace())
    if BACKEND not in program.backends:
        skip_program('the EROFS backend is not built')
    if not is_root():
        skip_program('only root can mount an image')
    tap, version = Tap(), mkfs_version()
    for name in TREES[:2] if is_reduced() else TREES:
        source = Source(program, name)
        for options in FOREIGN:
            case = f'{name}: mkfs.erofs {" ".join(options)}'
            reason = why_not(name, ' '.join(options), version)
            if reason:
                tap.note(f'no {case}: {reason}')
            else:
                tap.case(case, judge_foreign, program, source, options)
        for settings in OURS:
            tap.case(f'{name}: {" ".join(settings)}', judge_ours, program, source, settings)
    small = os.path.join(program.workspace.directory('tree'), 'small')
    for name in '', 'first', 'last':
        os.mkdir(os.path.join(small, name))
    tap.case('refusals', judge_refusals, program, small)
    tap.case('files on another device', judge_other_device, program)
    tap.case('hostile fragments', judge_hostile_fragments, program)
    tap.case('plain blocks that are turned round', judge_interlaced, program)
    tap.finish()


if __name__ == '__main__':
    main()
