#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: test_damage.py KATAIMG: what a compressed archive's own tool calls damaged is refused, by a
build and by a look at it, from a file and from a pipe; what the tool takes gives the same tree."""
import io
import os
import random
import re
import struct
import subprocess
import sys
import tarfile
import tempfile
import zlib

KATAIMG = os.path.abspath(sys.argv[1])
BUILD = ('-q', '--no-sync', '-f', 'erofs', '--set', 'image.align=2M', '--set', 'rootfs.check=no', '-o',
         'x.img')
LOOKS = (('tree', '-q'), BUILD + ('--dry-run',), BUILD)
failures = 0


def fail(what):
    global failures
    failures += 1
    print('FAIL:', what)


def archive():
    """A tar of which compression makes little: a changed byte is a changed byte of a file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        for name, data in ('noise', random.Random(1).randbytes(300000)), ('zeros', bytes(700000)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def run(*words, data=b''):
    return subprocess.run(words, input=data, capture_output=True, check=False)


def looks(data):
    """What each look at the archive, as a file and as a pipe, ends with and says."""
    with open('in', 'wb') as out:
        out.write(data)
    for words in LOOKS:
        for source in 'in', '-':
            got = run(KATAIMG, *words, source, data=data if source == '-' else b'')
            yield f'{words} {source}', got


def changed(data, at):
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1:]


def damages(packed):
    """Somewhere in the middle, in the sums at the end, and cut off."""
    for at in 3, len(packed) // 3, len(packed) // 2, *range(len(packed) - 12, len(packed), 3):
        yield f'byte {at} of {len(packed)} is changed', changed(packed, at)
    for left in 0.5, 0.9:
        yield f'cut to {left}', packed[:int(left * len(packed))]
    for less in 1, 4, 8:
        yield f'{less} bytes are missing', packed[:-less]


def check_damages(tool, plain):
    packed = run(tool, '-c', data=plain).stdout
    refused = 0
    for what, data in damages(packed):
        if run(tool, '-t', data=data).returncode == 0:
            continue
        refused += 1
        for look, got in looks(data):
            if got.returncode != 1 or not got.stderr.startswith(b'kataimg: error: '):
                fail(f'{tool}: {what}: {look}: {got.returncode}, {got.stderr}')
    if refused < 6:
        fail(f'{tool}: only {refused} damages are any to {tool}')


def member(plain, flags=0, extra=b'', level=6):
    """A member of a gzip file, RFC 1952, with the fields that flags name."""
    head = struct.pack('<BBBBIBB', 0x1f, 0x8b, 8, flags, 0, 0, 255) + extra
    if flags & 2:
        head += struct.pack('<H', zlib.crc32(head) & 0xffff)
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
    return (head + deflate.compress(plain) + deflate.flush() +
            struct.pack('<II', zlib.crc32(plain), len(plain) & 0xffffffff))


def check_forms(plain):
    """All that gzip(1) takes is read as what it stands for."""
    with open('plain', 'wb') as out:
        out.write(plain)
    tree = run(KATAIMG, 'tree', '-q', 'plain').stdout
    half = len(plain) // 2
    forms = {
        'one member': member(plain),
        'two members': member(plain[:half]) + member(plain[half:]),
        'an empty member': member(b'') + member(plain) + member(b''),
        'a member for each 5000 bytes': b''.join(member(plain[at:at + 5000])
                                                 for at in range(0, len(plain), 5000)),
        'zeros behind it': member(plain) + bytes(10240),
        'all fields': member(plain, 2 | 4 | 8 | 16, b'\x03\0abcname\0comment\0'),
        'stored': member(plain, level=0),
    }
    for name, data in forms.items():
        if name != 'zeros behind it' and run('gzip', '-t', data=data).returncode != 0:
            fail(f'{name}: gzip does not take it')
        for look, got in looks(data):
            if got.returncode != 0:
                fail(f'{name}: {look}: {got.stderr}')
            elif 'tree' in look and got.stdout != tree:
                fail(f'{name}: {look}: another tree')


def check_told(name, data, want):
    for look, got in looks(data):
        label = 'standard input' if look.endswith('-') else 'in'
        if not re.fullmatch(f'kataimg: error: {label}: {want}\n', got.stderr.decode()):
            fail(f'{name}: {look}: {got.stderr}, not {want}')


def check_messages(plain):
    """Archive, member, place and reason, whatever the compression."""
    # A file of which bzip2 makes more than one block.
    for command in ('gzip',), ('bzip2', '-1'), ('xz',), ('zstd', '-q'):
        name = command[0]
        packed = run(*command, '-c', data=plain).stdout
        half = len(packed) // 2
        what = f'what {name} compressed (is damaged|cannot be unpacked), '
        check_told(name, packed[:half], f'noise: {what}at byte {half}: it is cut off')
        check_told(name, packed[:-4], f'(behind )?zeros: {what}at byte {len(packed) - 4}: '
                   'it is cut off')
        # No one knows it better than by what was read at once.
        near = '|'.join(str(len(packed) - less) for less in range(100))
        check_told(name, changed(packed, len(packed) - 3),
                   f'(behind )?zeros: {what}(at|near) byte ({near}): [A-Za-z].+')
    packed = run('gzip', '-c', data=plain).stdout
    what = 'what gzip compressed is damaged, at byte'
    check_told('gzip', changed(packed, len(packed) - 8),
               f'zeros: {what} {len(packed) - 4}: incorrect data check')
    check_told('gzip', changed(packed, len(packed) - 1),
               f'zeros: {what} {len(packed)}: incorrect length check')
    check_told('gzip', packed[:12], f'{what} 12: it is cut off')
    with open('noise', 'wb') as out:
        out.write(random.Random(2).randbytes(300000))
    packed = run('xz', '-c', data=run('cpio', '-o', '-H', 'newc', '--quiet',
                                      data=b'noise\n').stdout).stdout
    check_told('cpio', packed[:200000], 'noise: what xz compressed cannot be unpacked, '
               'at byte 200000: it is cut off')


def check_nested(plain):
    """Each layer of gzip is checked, wherever it is."""
    with open('plain', 'wb') as out:
        out.write(plain)
    tree = run(KATAIMG, 'tree', '-q', 'plain').stdout
    once = member(plain)
    wrong_sum = changed(once, len(once) - 6)

    def packed(*commands, data=once):
        for command in commands:
            data = run(command, '-c', data=data).stdout
        return data

    for name, data in (('gzip', packed('gzip')), ('gzip twice', packed('gzip', 'gzip')),
                       ('xz', packed('xz')), ('xz and gzip', packed('xz', 'gzip')),
                       ('xz within gzip', packed('xz', 'gzip', 'gzip', data=plain))):
        for look, got in looks(data):
            if got.returncode != 0 or ('tree' in look and got.stdout != tree):
                fail(f'gzip in {name}: {look}: {got.stderr}')
    what = r'what gzip compressed is damaged, (at|near) byte \d+'
    for outer in 'gzip', 'bzip2', 'xz', 'zstd':
        check_told(f'gzip in {outer}', packed(outer, data=wrong_sum),
                   f'(behind )?zeros: {what}: incorrect data check')
        check_told(f'gzip in {outer}', packed(outer, data=once[:-5]),
                   f'(behind )?zeros: {what}: it is cut off')
    twice = packed('gzip')
    check_told('outer gzip', changed(twice, len(twice) - 6), f'.*{what}: incorrect data check')
    check_told('too deep', packed(*['gzip'] * 12),
               f'{what}: it is gzip within gzip, too many times')
    for data in once, twice, packed('xz', data=once + b'letters'):
        if data[:1] == b'\x1f':
            data += b'letters'
        for source in 'in', '-':
            with open('in', 'wb') as out:
                out.write(data)
            got = run(KATAIMG, 'tree', source, data=data if source == '-' else b'')
            text = b'what follows its compressed data is left out'
            if got.returncode != 0 or got.stdout != tree or got.stderr.count(text) != 1:
                fail(f'letters behind gzip: {source}: {got.stderr}')


with tempfile.TemporaryDirectory(dir='.') as directory:
    os.chdir(directory)
    content = archive()
    for compressor in 'gzip', 'bzip2', 'xz', 'zstd':
        check_damages(compressor, content)
    check_forms(content)
    check_messages(content)
    check_nested(content)
    os.chdir('..')
sys.exit(1 if failures else 0)
