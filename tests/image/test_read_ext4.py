#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images of mke2fs, with the features that it has, filled by it and by the kernel: what is
extracted from them is what the kernel shows of them, or what mke2fs was given.

Usage: test_read_ext4.py [--all]
"""
import contextlib
import ctypes
import os
import random
import re
import stat
import struct
import subprocess
import sys

from harness import manifest
from harness.program import Program
from harness.tap import Tap, check, skip_program
from harness.workspace import Workspace, is_root, need_tool

BACKEND = 'ext4'
MIB = 1 << 20
LOST_FOUND = b'lost+found'
# name: options of mke2fs; the kernel fills them
BY_KERNEL = {
    'as Debian makes them': [],
    'blocks of 1 KiB': ['-b1024'],
    'ext2, small inodes': ['-text2', '-b1024', '-I128'],
    'inline data, values in inodes': ['-Oinline_data,ea_inode'],
    'meta_bg': ['-Ometa_bg,^resize_inode,^flex_bg', '-b1024', '-g1024'],
    'bigalloc': ['-Obigalloc', '-C16384'],
    'bigalloc of 64 KiB': ['-Obigalloc', '-C65536', '-N2048'],
    'group checksums of old': ['-O^metadata_csum,^64bit,uninit_bg'],
    'block maps': ['-O^extents,^64bit,^flex_bg', '-b1024'],
}
MORE_BY_KERNEL = {
    'blocks of 2 KiB': ['-b2048'],
    'ext3': ['-text3', '-b4096', '-I128'],
    'the first revision': ['-text2', '-r0', '-b1024'],
    'inline data in large inodes': ['-Oinline_data', '-I1024'],
    'inline data in blocks of 1 KiB': ['-Oinline_data,ea_inode', '-b1024', '-I512'],
    'meta_bg with flex_bg': ['-Ometa_bg,^resize_inode', '-b1024', '-g2048'],
    'meta_bg without 64bit': ['-Ometa_bg,^resize_inode,^64bit', '-b1024', '-g1024'],
    'bigalloc of 1 KiB': ['-Obigalloc', '-b1024', '-C8192'],
    'sparse_super2': ['-Osparse_super2,^resize_inode', '-b1024', '-g1024'],
    'sparse_super2 with meta_bg': ['-Osparse_super2,meta_bg,^resize_inode', '-b1024', '-g1024'],
    'a seed, an orphan file': ['-Ometadata_csum_seed,orphan_file'],
    'verity, encrypt': ['-Overity,encrypt'],
    'large_dir': ['-Olarge_dir', '-b1024'],
    'no journal, types or indexes': ['-O^has_journal,^filetype,^dir_index,mmp'],
    'no checksums': ['-O^metadata_csum', '-b1024'],
    'block maps of 4 KiB': ['-O^extents,^64bit'],
    'flex groups of one group': ['-G1'],
    'groups of 256 blocks': ['-b1024', '-g256'],
    'without flex_bg': ['-b1024', '-O^flex_bg'],
    'metadata packed': ['-Epacked_meta_blocks=1'],
    'no features but extents': ['-Onone,extents', '-I128'],
    'no backups of the superblock': ['-Osparse_super2,^resize_inode', '-Enum_backup_sb=0'],
}
BY_MKE2FS = {
    'blocks of 64 KiB': ['-b65536'],
    'blocks of 64 KiB, inline data': ['-b65536', '-Oinline_data'],
}
MORE_BY_MKE2FS = {
    'blocks of 1 KiB': ['-b1024'],
    'blocks of 4 KiB, inline data': ['-Oinline_data,ea_inode'],
    'blocks of 64 KiB, no extents': ['-b65536', '-O^extents,^64bit'],
    'quota, project': ['-Oquota,project'],
    'casefold': ['-Ocasefold'],
}
LIBC = ctypes.CDLL(None, use_errno=True)


# ---- What is in them ----

def write(path, *parts):
    """parts: (offset, bytes)"""
    with open(path, 'wb') as file:
        for offset, content in parts:
            file.seek(offset)
            file.write(content)


def fill_files(root, numbers):
    for size in (0, 1, 59, 60, 61, 100, 150, 156, 160, 500, 900, 1024, 4095, 4096, 5000, 70000):
        write(root + f'/size-{size}', (0, numbers.randbytes(size)))
    write(root + '/large', (0, numbers.randbytes(3 * MIB)))
    # an extent each, or a block of numbers each
    write(root + '/pieces', *((i * 8192, numbers.randbytes(3000)) for i in range(700)))
    write(root + '/far', (5, b'a'), (70 * MIB, b'b'), (4000 * MIB, b'c'))
    os.truncate(root + '/far', 4001 * MIB)
    write(root + '/hole-at-end', (0, b'x' * 5000))
    os.truncate(root + '/hole-at-end', MIB + 1)
    os.link(root + '/large', root + '/second-name')


def fill_specials(root):
    for length in (1, 59, 60, 61, 100, 160, 900):
        os.symlink('t' * length, root + f'/link-{length}')
    os.mknod(root + '/old-device', 0o640 | stat.S_IFCHR, os.makedev(5, 255))
    os.mknod(root + '/new-device', 0o600 | stat.S_IFBLK, os.makedev(0xabc, 0x12345))
    os.mknod(root + '/no-device', 0o600 | stat.S_IFCHR, os.makedev(0, 0))
    os.mkfifo(root + '/fifo')
    os.mknod(root + '/socket', 0o755 | stat.S_IFSOCK)


def fill_directories(root):
    for name, count in (('empty', 0), ('one', 1), ('some', 5), ('many', 1500)):
        os.mkdir(root + '/' + name)
        for i in range(count):
            write(root + f'/{name}/{i}-' + 'n' * (i % 60))
    os.mkdir(root + '/deep')
    os.makedirs(root + '/deep' + '/d' * 40)
    os.mkdir(os.fsencode(root) + b'/\xff\xfe\x01 \n')
    write(root + '/' + 'l' * 255)
    for i in range(1200):
        os.unlink(root + f'/many/{i}-' + 'n' * (i % 60))


def acl(*entries):
    return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *entry) for entry in entries)


def fill_attributes(root, large):
    none = 0xffffffff
    path = root + '/size-1'
    os.setxattr(path, 'user.small', b'value')
    os.setxattr(path, 'user.empty', b'')
    os.setxattr(path, 'trusted.t', b'\0\1')
    os.setxattr(path, 'security.selinux', b'system_u:object_r:etc_t:s0\0')
    for name in ('size-60', 'size-100', 'size-5000', 'one', 'empty'):
        os.setxattr(f'{root}/{name}', 'user.block', b'b' * 300)
    for i in range(3):
        os.setxattr(root + '/some', f'user.{i}', bytes([i]) * 100)
    if large:
        os.setxattr(root + '/size-4096', 'user.large', bytes(range(256)) * 120)
        os.setxattr(root + '/size-4095', 'user.larger', bytes(range(255)) * 200)
    entries = ((1, 7, none), (2, 6, 70000), (4, 5, none), (8, 4, 3), (16, 7, none), (32, 1, none))
    os.setxattr(root + '/one', 'system.posix_acl_access', acl(*entries))
    os.setxattr(root + '/one', 'system.posix_acl_default', acl(*entries[:1], *entries[2:3],
                                                               entries[5]))


def fill_owners(root, old):
    os.chown(root + '/size-61', 4000000000, 100000)
    os.chmod(root + '/size-60', 0o6751)
    os.chmod(root + '/some', 0o1777)
    times = [-1, 1, 1700000000123456789, 2147483647999999999]
    if not old:
        times += [-2147483648000000000, 2147483648000000001, 9000000000999999999,
                  15032385535000000000]
    for i, time in enumerate(times):
        write(root + f'/time-{i}')
        os.utime(root + f'/time-{i}', ns=(time, time))


def fill(root, large=False, old=False):
    fill_directories(root)
    fill_files(root, random.Random(7))
    fill_specials(root)
    fill_attributes(root, large)
    fill_owners(root, old)


def fallocate(path, size):
    """Blocks that are not written, before and behind the end of the file."""
    write(path, (8192, b'w' * 4096))
    fd = os.open(path, os.O_RDWR)
    for keep_size, offset in ((0, 0), (1, size)):
        LIBC.fallocate64(fd, keep_size, ctypes.c_int64(offset), ctypes.c_int64(size))
    os.close(fd)


# ---- Making them ----

def run(*command):
    result = subprocess.run([need_tool(command[0]), *command[1:]], text=True, capture_output=True)
    check(result.returncode == 0, f'{" ".join(command)}: {result.stderr}')
    return result.stdout


def is_inline(options):
    return any('inline_data' in option for option in options)


def make(image, options, size=64 * MIB, source=None):
    write(image)
    os.truncate(image, size)
    if not any(option.startswith('-t') for option in options):
        options = ['-text4', *options]
    run('mke2fs', '-q', '-F', '-b4096', '-N8192', *options, *(['-d', source] if source else []),
        image)


@contextlib.contextmanager
def mounted(image, point, options='rw'):
    run('mount', f'-oloop,{options}', image, point)
    try:
        yield point
    finally:
        run('umount', point)


def without_lost_found(entries):
    """As the reader leaves it out."""
    found = entries.get(LOST_FOUND)
    if found and not any(path.startswith(LOST_FOUND + b'/') for path in entries):
        del entries[LOST_FOUND]
        entries[b''].nlink -= 1
        entries[b''].subdirectories -= 1
    return entries


class Bench:
    def __init__(self):
        self.program = Program(Workspace())
        self.work = self.program.workspace

    def image(self):
        return os.path.join(self.work.directory('image'), 'image')

    def extract(self, image):
        target = os.path.join(self.work.directory('out'), 'target')
        result = self.program.run(['extract', '-C', target, f'image:{image}'])
        return target, result

    def expect(self, image, expected, hole_chunk=0):
        target, result = self.extract(image)
        result.expect(0)
        differences = manifest.compare(expected, manifest.read_manifest(target), hole_chunk)
        check(not differences, f'{len(differences)} differences:\n' + '\n'.join(differences[:15]))
        self.work.remove_directory(os.path.dirname(target))


def shown(bench, image):
    point = bench.work.directory('mnt')
    with mounted(image, point, 'ro'):
        return without_lost_found(manifest.read_manifest(point))


def judge_kernel(bench, options):
    image, point = bench.image(), bench.work.directory('fill')
    make(image, options)
    old = '-I128' in options or '-r0' in options
    with mounted(image, point):
        fill(point, large=any('ea_inode' in option for option in options), old=old)
        if not old and not any('^extents' in option for option in options):
            fallocate(point + '/unwritten', 8 * MIB)
        # a directory's entries move out of the inode when they are too many
        os.mkdir(point + '/grows')
        for i in range(12):
            write(point + f'/grows/{"g" * i}{i}')
    bench.expect(image, shown(bench, image), 0 if '-b1024' in options else 4096)
    os.unlink(image)


def as_mke2fs_copies(expected):
    """It brings no nanoseconds, nothing of the root, and splits symbolic links of two names."""
    for path, entry in expected.items():
        entry.mtime_ns -= entry.mtime_ns % 1_000_000_000
        if path == b'':
            entry.mtime_ns = entry.mode = 0
    return expected


def judge_mke2fs(bench, options, indexed):
    source, image = bench.work.directory('source'), bench.image()
    fill(source, old=True)
    if is_inline(options):
        # mke2fs 1.47 makes the file shorter
        for name in ('far', 'hole-at-end'):
            os.unlink(f'{source}/{name}')
    expected = as_mke2fs_copies(manifest.read_manifest(source))
    make(image, options, 512 * MIB if '-b65536' in options else 64 * MIB, source)
    if indexed:
        subprocess.run([need_tool('e2fsck'), '-fyD', image], capture_output=True, check=False)
    target, result = bench.extract(image)
    result.expect(0)
    actual = manifest.read_manifest(target)
    actual[b''].mtime_ns = actual[b''].mode = 0
    differences = manifest.compare(expected, actual)
    check(not differences, f'{len(differences)} differences:\n' + '\n'.join(differences[:15]))
    os.unlink(image)


# ---- What is left out, and what is refused ----

def judge_orphans(bench):
    """A copy of a filesystem in which a deleted file is open."""
    image, point, copy = bench.image(), bench.work.directory('fill'), bench.image()
    make(image, ['-O^has_journal'])
    with mounted(image, point):
        write(point + '/stays', (0, b's'))
        with open(point + '/goes', 'wb') as file:
            file.write(b'g' * 100000)
            os.unlink(point + '/goes')
            os.sync()
            run('cp', image, copy)
        expected = without_lost_found(manifest.read_manifest(point))
    bench.extract(copy)[1].expect(0, 'ext4: the filesystem was not unmounted: e2fsck -f FILE')
    bench.expect(copy, expected)


def change(image, *commands):
    for command in commands:
        run('debugfs', '-w', '-R', command, image)


def judge_refused(bench, options, commands, code, message):
    image = bench.image()
    make(image, options)
    change(image, 'mkdir d', 'write /etc/passwd f')
    inode = number(run('debugfs', '-R', 'imap f', image), r'Inode (\d+)')
    change(image, *commands)
    bench.extract(image)[1].expect(code, message.format(f=inode))


REFUSED = {
    'a journal to replay': ([], ['feature needs_recovery'],
                            'its journal must be replayed: e2fsck -fp FILE'),
    'a feature that is too new': ([], ['feature FEATURE_I19'],
                                  'it has what cannot be read here: incompat:0x80000'),
    'a feature of another time': ([], ['feature compression'],
                                  'it has what cannot be read here: compression'),
    'an encrypted file': ([], ['sif f flags 0x80800'], 'inode {f} is encrypted'),
}


def number(text, pattern):
    return int(re.search(pattern, text).group(1))


def find_block(image, command, pattern):
    return number(run('debugfs', '-R', command, image), pattern) * 4096


def find_damage(image):
    """Where a byte of each structure is, and what is said when it is another one."""
    located = run('debugfs', '-R', 'imap f', image)
    blocks = [int(word) for word in run('debugfs', '-R', 'blocks /many', image).split()]
    return {
        'the superblock': (1024 + 0x88, 'superblock has a wrong checksum'),
        'a group descriptor': (4096 + 12, 'the descriptor of group 0 has a wrong checksum'),
        'an inode': (number(located, r'located at block (\d+)') * 4096
                     + int(re.search(r'offset 0x(\w+)', located).group(1), 16) + 4,
                     f'inode {number(located, "Inode ([0-9]+)")} has a wrong checksum'),
        'an index': (blocks[0] * 4096 + 44, 'has an index with a wrong checksum'),
        'a block of a directory': (blocks[1] * 4096 + 9, 'has a block with a wrong checksum'),
        'an extent block': (find_block(image, 'ex /pieces', r'0/ +1 .*? (\d+) +\d+\n') + 20,
                            'has an extent block with a wrong checksum'),
        'a block of attributes': (find_block(image, 'stat /x', r'File ACL: (\d+)') + 4090,
                                  'has a block of attributes with a wrong checksum'),
    }


def judge_checksums(bench):
    image, point = bench.image(), bench.work.directory('fill')
    make(image, [])
    with mounted(image, point):
        os.mkdir(point + '/many')
        for i in range(1000):
            write(point + f'/many/{i}')
        write(point + '/f', (0, b'f'))
        write(point + '/pieces', *((i * 8192, b'p') for i in range(50)))
        write(point + '/x')
        os.setxattr(point + '/x', 'user.x', b'x' * 1000)
    bench.expect(image, shown(bench, image))
    for what, (offset, message) in find_damage(image).items():
        with open(image, 'r+b') as file:
            file.seek(offset)
            byte = file.read(1)
            file.seek(offset)
            file.write(bytes([byte[0] ^ 1]))
            file.flush()
            result = bench.extract(image)[1]
            check(message in result.err, f'{what}: {result.describe()}')
            check(result.code == 1, f'{what}: {result.describe()}')
            file.seek(offset)
            file.write(byte)


def judge_journal(bench):
    image = bench.image()
    make(image, ['-Ojournal_dev'])
    for command in ['ls', 'tree']:
        bench.program.run([command, image]).expect(
            1, 'it is the journal of another filesystem (journal_dev), and has no files')


def main():
    bench = Bench()
    if BACKEND not in bench.program.backends:
        skip_program('the ext4 backend is not built')
    if not is_root():
        skip_program('only root can mount an image')
    everything = '--all' in sys.argv[1:]
    by_kernel = {**BY_KERNEL, **(MORE_BY_KERNEL if everything else {})}
    by_mke2fs = {**BY_MKE2FS, **(MORE_BY_MKE2FS if everything else {})}
    tap = Tap()
    for name, options in by_kernel.items():
        tap.case(f'filled by the kernel: {name}', judge_kernel, bench, options)
    for name, options in by_mke2fs.items():
        tap.case(f'filled by mke2fs: {name}', judge_mke2fs, bench, options, False)
        tap.case(f'filled by mke2fs, indexed: {name}', judge_mke2fs, bench, options, True)
    tap.case('deleted files', judge_orphans, bench)
    tap.case('refused: the journal of another filesystem', judge_journal, bench)
    tap.case('wrong checksums', judge_checksums, bench)
    for name, (options, commands, message) in REFUSED.items():
        tap.case(f'refused: {name}', judge_refused, bench, options, commands, 1, message)
    tap.finish()


if __name__ == '__main__':
    main()
