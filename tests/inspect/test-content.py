#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kataimg inspect on what is no image, or holds what nobody here knows: it is called by its name.

usage: test-content.py KATAIMG BACKEND-DIR...
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile

from inspecting import MIB, Kataimg, check

TOOLS = ('sfdisk', 'mke2fs', 'mkfs.xfs', 'mkfs.erofs', 'mksquashfs', 'mkswap', 'tar', 'cpio', 'gzip',
         'bzip2', 'xz', 'zstd')
RAW = ': qemu-img convert -O raw makes an image of it'
SOURCE = ', which is a source, not an image: kataimg -o IMAGE FILE makes an image of it'
# Formats of other machines' tools, by the first bytes that their specifications give them.
HEADS = [
    ('qcow2', 0, b'QFI\xfb\0\0\0\3', 'a qcow2 file' + RAW),
    ('vmdk', 0, b'KDMV\1\0\0\0', 'a VMDK file' + RAW),
    ('vmdk', 0, b'# Disk DescriptorFile\nversion=1\n', 'a VMDK description' + RAW),
    ('vdi', 0, b'<<< Oracle VM VirtualBox Disk Image >>>\n'.ljust(64, b'\0') + b'\x7f\x10\xda\xbe',
     'a VDI file' + RAW),
    ('vhdx', 0, b'vhdxfile', 'a VHDX file' + RAW),
    ('vhd', 0, b'conectix', 'a VHD file' + RAW),
    ('android-sparse', 0, b'\x3a\xff\x26\xed',
     'an Android sparse image: simg2img makes a raw one of it'),
    ('lz4', 0, b'\x04\x22\x4d\x18', 'compressed by lz4: it has to be unpacked first, lz4 -d'),
    ('zip', 0, b'PK\3\4', 'a zip archive: it has to be unpacked first, unzip'),
    ('elf', 0, b'\x7fELF', 'an ELF file, a program or a kernel, not an image'),
    ('linux', 510, b'\x55\xaa\xeb\x66HdrS', 'a Linux kernel, not an image'),
    ('linux', 56, b'ARM\x64', 'a Linux kernel, not an image'),
    ('iso9660', 32768, b'\1CD001\1', 'a CD image (iso9660), not a disk image'),
    ('crypto_LUKS', 0, b'LUKS\xba\xbe\0\1' + bytes(160) + b'00000000-0000-4000-8000-000000000000',
     'encrypted (crypto_LUKS), not an image'),
]
# By the tools that make them; {} is the file.
MADE = [
    ('swap', MIB, 'mkswap {}', 'swap, not an image'),
    ('sun', 16 * MIB, 'echo label: sun | sfdisk -q {}',
     'a disk with a partition table of the kind sun; an image has an MBR or a GPT'),
    ('tar', 0, 'tar -cf {} tree', 'a tar' + SOURCE),
    ('tar', 0, 'tar --format=v7 -cf {} tree && printf ustar | dd of={} bs=1 seek=257 conv=notrunc',
     'a tar' + SOURCE),
    ('cpio', 0, 'find tree | cpio -o -H newc >{}', 'a cpio' + SOURCE),
    ('cpio', 0, 'find tree | cpio -o -H odc >{}', 'a cpio' + SOURCE),
    ('cpio', 0, 'find tree | cpio -o -H crc >{}', 'a cpio' + SOURCE),
    ('cpio', 0, 'find tree | cpio -o -H bin >{}', 'a cpio' + SOURCE),
    ('gzip', 0, 'gzip -c tree/file >{}', 'compressed by gzip: it has to be unpacked first, gzip -d'),
    ('bzip2', 0, 'bzip2 -c tree/file >{}',
     'compressed by bzip2: it has to be unpacked first, bzip2 -d'),
    ('xz', 0, 'xz -c tree/file >{}', 'compressed by xz: it has to be unpacked first, xz -d'),
    ('zstd', 0, 'zstd -qc tree/file >{}',
     'compressed by zstd: it has to be unpacked first, zstd -d'),
    ('empty', 0, ': >{}', 'empty'),
]


def shell(kataimg, command):
    """Where the files are made."""
    subprocess.run(command, shell=True, cwd=kataimg.scratch, check=True, capture_output=True)


def expect_named(kataimg, name, content, sentence):
    """Called by its name, once in each place, and nothing else is said of it."""
    out, err, said = kataimg.inspect(name, code=1)
    check(f'contradiction: it is {sentence}\n' in out, f'{content}: it says {out}')
    check(err == f'kataimg: error: {name}: not an image\n', f'{content}: the error is {err}')
    check(said['content'] == content and said['verdict'] == 'unsound', f'{content}: {said}')
    check(said['contradictions'] == [f'it is {sentence}'], f'{content}: {said["contradictions"]}')
    check(not said['partition_tables'] and not said['notes'], f'{content}: {said}')


def name_contents(kataimg):
    """Everything of the two tables."""
    for content, offset, data, sentence in HEADS:
        expect_named(kataimg, kataimg.write('head', bytes(offset) + data, MIB), content, sentence)
    for content, size, command, sentence in MADE:
        name = kataimg.write('made', b'', size)
        shell(kataimg, command.format(name, name))
        expect_named(kataimg, name, content, sentence)


def refuse_types(kataimg):
    """What no image can be in is refused by its kind, and never waited for."""
    os.mkfifo(kataimg.path('pipe'))
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(kataimg.scratch)
        server.bind('socket')
        os.chdir(here)
    for name, sentence in {
            'tree': 'a directory, not an image: kataimg -o IMAGE DIRECTORY makes an image of one',
            'pipe': 'a pipe, not an image: it has to be written to a file first',
            'socket': 'a socket, not an image', '/dev/null': 'a character device, not an image'}.items():
        _, err, said = kataimg.inspect(name, code=1)
        check(err == f'kataimg: error: {name} is {sentence}\n' and said is None, f'it says {err}')
    _, err, _ = kataimg.inspect('none', code=1)
    check(err == 'kataimg: error: cannot open none: No such file or directory\n', err)


def say_little_of_nothing(kataimg):
    """Text, noise and zeros have no name; nobody wants to know that their size is odd."""
    for data in b'text\n', os.urandom(MIB + 1), bytes(MIB + 1):
        _, _, said = kataimg.inspect(kataimg.write('file', data), code=1)
        check(said['contradictions'] == ['there is neither a partition table in it nor a filesystem '
                                         'that anybody here knows'], said['contradictions'])
        check(said['content'] is None, f'it is taken for {said["content"]}')


def disk_with(kataimg, command, size):
    """An image with a filesystem by another tool in partition 1."""
    name, inner = kataimg.write('disk', b'', size + MIB), kataimg.write('inner', b'', size)
    shell(kataimg, command.format(inner))
    shell(kataimg, f'echo 2048,,83 | sfdisk -q --label dos {name} && '
          f'dd if={inner} of={name} bs=1M seek=1 conv=notrunc')
    return name


def tell_unchecked_from_unsound(kataimg):
    """A filesystem that nobody here can check is not a fault of the image: exit status 3."""
    missing = ('partition 1 holds {0}, but the backend {0} is not installed; packaged, it is called '
               'kataimg-backend-{0}')
    for name, size, command, sentence in [
            ('squashfs', 3 * MIB, 'mksquashfs tree {} -quiet -noappend',
             'partition 1 holds squashfs, which no backend here knows'),
            ('ext4', 15 * MIB, 'mke2fs -q -F -t ext4 {}', missing.format('ext4')),
            ('xfs', 301 * MIB, 'mkfs.xfs -q {}', missing.format('xfs')),
            ('erofs', 3 * MIB, 'mkfs.erofs --quiet {} tree', missing.format('erofs'))]:
        disk = disk_with(kataimg, command, size)
        out, err, said = kataimg.inspect(disk, code=3, backends=False)
        check(f'not checked: {sentence}\n' in out, f'{name}: it says {out}')
        check(err == f'kataimg: warning: {disk}: sound as far as it could be checked\n', err)
        check(said['unchecked'] == [sentence] and said['verdict'] == 'unchecked', f'{name}: {said}')
        check(not said['contradictions'] and said['filesystem'] is None, f'{name}: {said}')
    for name, command in [('squashfs', 'mksquashfs tree {} -quiet -noappend'),
                          ('ext4', 'mke2fs -q -F -t ext4 {}')]:
        bare = kataimg.write('bare', b'', 16 * MIB)
        shell(kataimg, command.format(bare))
        out, _, said = kataimg.inspect(bare, code=3, backends=False)
        check(f'not checked: the image holds {name}, ' in out, f'bare {name}: it says {out}')
        check(not said['partition_tables'] and not said['contradictions'], f'bare {name}: {said}')
    disk = disk_with(kataimg, 'mke2fs -q -F -t ext4 {}', 15 * MIB)
    with open(kataimg.path(disk), 'r+b') as file:
        file.truncate(14 * MIB)
    _, err, said = kataimg.inspect(disk, code=1, backends=False)
    check('not a sound image' in err and said['verdict'] == 'unsound', f'{err}{said}')
    check('ends at' in said['contradictions'][0], f'{said["contradictions"]}')


def show_odd_names(kataimg):
    """Names and labels reach a terminal without their control characters; JSON stays JSON."""
    odd = 'a\x1b]0;owned\x07\nb\x9b\u009b.img'.encode('utf-8', 'surrogateescape')
    disk = disk_with(kataimg, "mke2fs -q -F -t ext4 -L \"$(printf 'l\\033[31m')\" {}", 15 * MIB)
    os.rename(kataimg.path(disk), os.path.join(os.fsencode(kataimg.scratch), odd))
    shown = rb'a\x1b]0;owned\x07\x0ab\xc2\x9b\xc2\x9b.img:'
    for arguments in [], ['--json']:
        done = kataimg.run('inspect', *arguments, odd)
        check(done.returncode == 0, f'{done.returncode}: {done.stderr}')
        text = done.stdout.replace(b'\n', b'').decode('utf-8')
        check(not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text), f'raw: {text!r}')
        check(arguments or done.stdout.startswith(shown), f'the name is {done.stdout[:80]}')
        label = rb'"l\u001b[31m"' if arguments else rb'"l\x1b[31m"'
        check(label in done.stdout, f'no label: {text!r}')
    os.truncate(os.path.join(os.fsencode(kataimg.scratch), odd), 100)
    done = kataimg.run('inspect', odd)
    check(done.stderr.startswith(b'kataimg: error: ' + shown), f'the error is {done.stderr}')


def main(program, *backend_dirs):
    """The whole test."""
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    for tool in TOOLS:
        if not shutil.which(tool):
            print(f'SKIPPED: {tool} is not installed')
            sys.exit(77)
    with tempfile.TemporaryDirectory() as scratch:
        kataimg = Kataimg(program, backend_dirs, scratch)
        os.mkdir(kataimg.path('tree'))
        kataimg.write('tree/file', b'content\n')
        name_contents(kataimg)
        refuse_types(kataimg)
        say_little_of_nothing(kataimg)
        tell_unchecked_from_unsound(kataimg)
        show_odd_names(kataimg)


if __name__ == '__main__':
    main(*sys.argv[1:])
