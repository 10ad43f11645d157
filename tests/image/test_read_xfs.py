#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images of mkfs.xfs, of many geometries and filled by the kernel, and ours: read as a source and
built again, they are what the kernel shows of the first image."""
import contextlib
import ctypes
import fcntl
import os
import shutil
import socket
import stat
import struct
import subprocess

import trees
from harness import judge, manifest, mount
from harness.partitions import Partition, read_table
from harness.program import Program
from harness.tap import Tap, check, skip_program
from harness.workspace import Workspace, is_reduced, is_root, need_tool
from trees.maker import make_tree

BACKEND = 'xfs'
IMAGE_BYTES = 640 << 20
TREES = ['xattrs', 'acls', 'xfs-value-sizes', 'xfs-extents-and-attributes', 'directory-of-5000',
         'names-every-byte', 'sparse-exabyte', 'symlinks-with-xattrs', 'times', 'random-1']
FOREIGN = [
    [], ['-bsize=1024'], ['-bsize=1024', '-nsize=4096'], ['-bsize=2048', '-isize=1024'],
    ['-bsize=1024', '-nsize=65536', '-mrmapbt=1'], ['-nsize=65536', '-isize=2048', '-lsu=262144'],
    ['-ssize=4096', '-dagcount=8'], ['-mreflink=0,bigtime=0,inobtcount=0', '-isparse=0'],
    ['-inrext64=1', '-mrmapbt=1'], ['-mreflink=0,finobt=0,rmapbt=0', '-dsunit=64,swidth=128'],
    ['-bsize=16384'], ['-bsize=65536', '-isize=2048'],
    ['-bsize=8192', '-nsize=32768', '-isize=1024'], ['-bsize=32768', '-mrmapbt=1,reflink=1'],
    ['-dsu=64k,sw=4'], ['-mfinobt=0,reflink=0,rmapbt=0', '-isparse=0,nrext64=0', '-bsize=1024'],
]
FICLONE = 0x40049409
KEEP_SIZE = 1
ACL_UNDEFINED = 0xffffffff
ROOT_INODE_OFF = 56
INCOMPAT_OFF = 216
SUPER_CRC_OFF = 224


def acl(users):
    entries = [(1, 7, ACL_UNDEFINED), *((2, 5, 1000 + user) for user in range(users)),
               (4, 5, ACL_UNDEFINED), (16, 7, ACL_UNDEFINED), (32, 1, ACL_UNDEFINED)]
    return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *entry) for entry in entries)


# ---- What the kernel is asked to store ----

def fill_names(root):
    """Directories of every form, and some that have lost names again."""
    for count in [3, 30, 300, 3000]:
        directory = os.path.join(root, f'names-{count}')
        os.mkdir(directory)
        for number in range(count):
            name = os.path.join(directory, f'{number}-' + 'n' * (number * 7 % 60))
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o640))
            if number % 3 == 0:
                os.unlink(name)
    shutil.copytree(os.path.join(root, 'names-30'), os.path.join(root, 'names-3/copy'))
    os.link(os.path.join(root, 'names-3/1-nnnnnnn'), os.path.join(root, 'names-300/link'))
    os.mkdir(os.path.join(root, 'x' * 255))


def fill_extents(root):
    libc = ctypes.CDLL(None, use_errno=True)
    for count in [1, 5, 40, 1500]:
        with open(os.path.join(root, f'extents-{count}'), 'wb', 0) as file:
            for number in range(count):
                os.pwrite(file.fileno(), f'{number}'.encode() * 100, number * 131072 // 16)
            os.ftruncate(file.fileno(), count * 8192 + 12345)
    for mode, name in [(0, 'unwritten'), (KEEP_SIZE, 'behind')]:
        with open(os.path.join(root, name), 'wb', 0) as file:
            file.write(b'begin')
            libc.fallocate(file.fileno(), mode, ctypes.c_int64(0), ctypes.c_int64(1 << 20))
            os.pwrite(file.fileno(), b'middle', 300000)
    path = os.path.join(root, 'large')
    with open(path, 'wb') as file:
        file.write(os.urandom(3_000_001))
    with open(path, 'rb') as file, open(path + '-clone', 'wb') as clone:
        with contextlib.suppress(OSError):  # not every one of the filesystems can
            fcntl.ioctl(clone, FICLONE, file.fileno())
            os.pwrite(clone.fileno(), b'changed', 1 << 20)


def fill_attributes(root):
    for count, length in [(1, 10), (20, 40), (60, 400), (300, 300), (3, 65536), (7, 5000)]:
        path = os.path.join(root, f'attributes-{count}-{length}')
        os.mkdir(path)
        for number in range(count):
            space = ['user', 'trusted', 'security'][number % 3]
            os.setxattr(path, f'{space}.name-{number}', os.urandom(length - number % 7))
            if number % 11 == 5:
                os.removexattr(path, f'{space}.name-{number}')
        for users in [1, 300]:
            os.setxattr(path, 'system.posix_acl_access', acl(users))
            os.setxattr(path, 'system.posix_acl_default', acl(users // 2))
    os.setxattr(root, 'user.empty', b'')


def fill_scattered(root):
    """Attributes whose blocks lie between those of a file."""
    path = os.path.join(root, 'scattered')
    os.mkdir(path)
    with open(f'{path}-file', 'wb', 0) as file:
        for number in range(120):
            os.setxattr(path, f'user.{number}', os.urandom(900 + number))
            file.write(bytes([number]) * 4096)
            os.fsync(file.fileno())


def fill_special(root):
    for length in [1, 200, 400, 1023]:
        path = os.path.join(root, f'symlink-{length}')
        os.symlink('t' * length, path)
        os.setxattr(path, 'trusted.of-link', b'v' * length, follow_symlinks=False)
    os.mknod(os.path.join(root, 'chr'), stat.S_IFCHR | 0o600, os.makedev(511, 262143))
    os.mknod(os.path.join(root, 'blk'), stat.S_IFBLK | 0o640, os.makedev(8, 1))
    os.mkfifo(os.path.join(root, 'fifo'))
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as server:
        previous = os.getcwd()
        os.chdir(root)
        server.bind('socket')
        os.chdir(previous)
    for name, time in [('chr', -1_500_000_001), ('blk', 2_000_000_000_123_456_789), ('fifo', 1)]:
        os.utime(os.path.join(root, name), ns=(time, time))
    os.chown(os.path.join(root, 'fifo'), 4294967294, 70000)


def fill(root):
    fill_names(root)
    fill_extents(root)
    fill_attributes(root)
    fill_scattered(root)
    fill_special(root)


# ---- Images ----

def make_filesystem(program, options):
    image = os.path.join(program.workspace.directory('mkfs'), 'image')
    with open(image, 'wb') as file:
        file.truncate(IMAGE_BYTES)
    result = subprocess.run([need_tool('mkfs.xfs'), '-q', *options, image], text=True,
                            capture_output=True, check=False)
    check(result.returncode == 0, f'mkfs.xfs: {result.stderr}')
    return image


@contextlib.contextmanager
def mounted_to_fill(program, image):
    """Writable: only what mkfs.xfs made."""
    point = program.workspace.directory('fill')
    result = subprocess.run(['mount', '-o', 'loop', image, point], text=True,
                            capture_output=True, check=False)
    check(result.returncode == 0, f'mount: {result.stderr}')
    try:
        yield point
    finally:
        subprocess.run(['umount', point], check=True)


def whole(image):
    return Partition(0, os.path.getsize(image))


def shown(program, image, partition):
    """What the kernel shows of a filesystem."""
    point = program.workspace.directory('mnt')
    with mount.mounted(BACKEND, image, partition, point):
        return judge.read_mounted(BACKEND, point)


def judge_read(program, image, partition):
    expected = shown(program, image, partition)
    copy = os.path.join(program.workspace.directory('image'), 'copy')
    program.build_well(BACKEND, f'image:{image}', copy, settings=['image.dax=no'])
    actual = shown(program, copy, read_table(copy, 0)[0])
    differences = manifest.compare(expected, actual, 65536)
    check(not differences, f'{len(differences)} differences:\n' + '\n'.join(differences[:15]))
    os.unlink(copy)


def judge_foreign(program, options):
    image = make_filesystem(program, options)
    with mounted_to_fill(program, image) as point:
        fill(point)
    judge_read(program, image, whole(image))
    os.unlink(image)


def judge_renamed(program):
    """The superblock has another UUID than all other metadata."""
    image = make_filesystem(program, [])
    with mounted_to_fill(program, image) as point:
        fill_special(point)
    result = subprocess.run([need_tool('xfs_admin'), '-U', 'generate', image], text=True,
                            capture_output=True, check=False)
    check(result.returncode == 0, f'xfs_admin: {result.stderr}')
    judge_read(program, image, whole(image))
    os.unlink(image)


def judge_ours(program, name):
    source = os.path.join(program.workspace.directory('tree'), name)
    make_tree(trees.get(name), source)
    image = os.path.join(program.workspace.directory('image'), 'image')
    program.build_well(BACKEND, source, image, settings=['image.dax=no'])
    judge_read(program, image, read_table(image, 0)[0])
    os.unlink(image)


# ---- What is not read ----

def expect_refusal(program, image, message):
    program.run(['ls', f'image:{image}']).expect(1, message)


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def patch_super(image, off, value):
    """Changes the first superblock and mends its checksum."""
    with open(image, 'r+b') as file:
        sector = bytearray(file.read(512))
        sector[off:off + len(value)] = value
        sector[SUPER_CRC_OFF:SUPER_CRC_OFF + 4] = bytes(4)
        sector[SUPER_CRC_OFF:SUPER_CRC_OFF + 4] = struct.pack('<I', crc32c(sector))
        file.seek(0)
        file.write(sector)


def judge_dirty_log(program):
    image = make_filesystem(program, [])
    copy = f'{image}.copy'
    with mounted_to_fill(program, image) as point:
        fill_names(point)
        descriptor = os.open(point, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        shutil.copyfile(image, copy)
    expect_refusal(program, copy, 'its log must be replayed: mount it once, or xfs_repair it')
    program.run(['ls', f'image:{image}']).expect(0)


def judge_feature(program, bits, message):
    image = make_filesystem(program, [])
    with open(image, 'rb') as file:
        incompat, = struct.unpack_from('>I', file.read(512), INCOMPAT_OFF)
    patch_super(image, INCOMPAT_OFF, struct.pack('>I', incompat | bits))
    expect_refusal(program, image, message)


def judge_options(program, options, message):
    image = make_filesystem(program, options)
    expect_refusal(program, image, message)


def judge_outside(program, option, message):
    device = os.path.join(program.workspace.directory('device'), 'device')
    with open(device, 'wb') as file:
        file.truncate(IMAGE_BYTES)
    image = make_filesystem(program, [option + device])
    expect_refusal(program, image, message)
    result = program.run(['inspect', image])
    check(result.code == 3 and f'not checked: xfs: {message}' in result.out, result.describe())


def judge_link_count(program):
    """Of the root: as xfs_repair calls it. What is read is the same."""
    image = make_filesystem(program, [])
    program.run(['inspect', image]).expect(0)
    subprocess.run([need_tool('xfs_db'), '-x', '-c', 'sb 0', '-c', 'addr rootino', '-c',
                    'write core.nlinkv2 9', image], check=True, capture_output=True)
    judged = subprocess.run([need_tool('xfs_repair'), '-n', image], capture_output=True, text=True,
                            check=False)
    check(judged.returncode == 1 and 'would have reset inode 128 nlinks from 9 to 2' in
          judged.stderr, judged.stderr)
    said = 'xfs: inode 128 (.) says that it has 9 links, and has 2'
    result = program.run(['inspect', image])
    check(result.code == 1 and f'contradiction: {said}' in result.out, result.describe())
    result = program.run(['ls', image])
    check(result.code == 0 and f'warning: {said}' in result.err, result.describe())


def judge_checksum(program):
    image = make_filesystem(program, [])
    with open(image, 'r+b') as file:
        head = file.read(512)
        root, = struct.unpack_from('>Q', head, ROOT_INODE_OFF)
        file.seek(root * 512 + 200)
        file.write(b'wrong')
    expect_refusal(program, image, f'inode {root} has a wrong checksum')


def refusals(tap, program):
    tap.case('a log to replay', judge_dirty_log, program)
    tap.case('version 4', judge_options, program, ['-mcrc=0'], 'it is XFS version 4')
    tap.case('a log elsewhere', judge_outside, program, '-llogdev=', 'its log is on a device')
    tap.case('a realtime device', judge_outside, program, '-rrtdev=', 'it has a realtime device')
    tap.case('in need of repair', judge_feature, program, 0x10, 'in need of repair: xfs_repair it')
    tap.case('metadata directories', judge_feature, program, 0x100, '(metadir)')
    tap.case('zoned', judge_feature, program, 0x200, '(zoned)')
    tap.case('a newer feature', judge_feature, program, 1 << 30, 'newer than this reader: 0x40')
    tap.case('a wrong link count', judge_link_count, program)
    tap.case('a wrong checksum', judge_checksum, program)


def main():
    program = Program(Workspace())
    if BACKEND not in program.backends:
        skip_program('the XFS backend is not built')
    if not is_root():
        skip_program('only root can mount an image')
    tap = Tap()
    for options in FOREIGN[:3] if is_reduced() else FOREIGN:
        tap.case(f'mkfs.xfs {" ".join(options)}', judge_foreign, program, options)
    tap.case('another UUID', judge_renamed, program)
    for name in TREES[:1] if is_reduced() else TREES:
        tap.case(f'{name}: ours', judge_ours, program, name)
    refusals(tap, program)
    tap.finish()


if __name__ == '__main__':
    main()
