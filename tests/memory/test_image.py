#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: test_image.py KATAIMG: what reading an image of 64 MiB takes of memory, both of the one with
the most files that a filesystem of this size can hold and of one that claims more."""
import itertools
import os
import struct
import subprocess
import sys
import tempfile

KATAIMG = os.path.abspath(sys.argv[1])
LIMIT_KIB = 256 << 10
BYTES = 64 << 20
BLOCK = 4096
LETTERS = 'abcdefghijklmnopqrstuvwxyz'
failures = 0


def fail(what):
    global failures
    failures += 1
    print('FAIL:', what)


def inode(mode, nlink, size=0, block=0):
    """Compact, plain."""
    return struct.pack('<HHHHIIIIHHI', 0, 0, mode, min(nlink, 65535), size, 0, block, 0, 0, 0, 0)


def names(count, letters):
    """Sorted."""
    return [bytes(''.join(name), 'ascii') for name in
            itertools.islice(itertools.product(LETTERS, repeat=letters), count)]


def directory(entries):
    """One block of a directory: (nid, type, name) each."""
    off, heads, texts = 12 * len(entries), [], []
    for nid, kind, name in entries:
        heads.append(struct.pack('<QHBB', nid, off, kind, 0))
        texts.append(name)
        off += len(name)
    return b''.join(heads + texts).ljust(BLOCK, b'\0')


def superblock(inodes):
    return struct.pack('<IIIBBHQQIIII', 0xE0F5E1E2, 0, 0, 12, 0, 0, inodes, 1, 0, BYTES // BLOCK, 1, 0)


def image(path, directories, per_directory, first_of):
    """Directory d has a block whose names stand for files first_of(d), + 1 and so on."""
    table, dir_names = names(per_directory, 3), names(directories, 4)
    roots = [dir_names[at:at + 200] for at in range(0, directories, 200)]
    files = max(map(first_of, range(directories))) + per_directory
    slots = 1 + directories + files
    blocks_at = 1 + -(-slots * 32 // BLOCK)
    shared = len({first_of(d) for d in range(directories)})
    dirs_at = blocks_at + len(roots)
    assert (dirs_at + shared) * BLOCK <= BYTES, (dirs_at + shared) * BLOCK
    with open(path, 'wb') as out:
        out.truncate(BYTES)
        out.seek(1024)
        out.write(superblock(slots))
        out.seek(BLOCK)
        out.write(inode(0o40755, 2 + directories, len(roots) * BLOCK, blocks_at))
        for d in range(directories):
            out.write(inode(0o40755, 2, BLOCK, dirs_at + first_of(d) // per_directory))
        out.write(inode(0o100644, 1) * files)
        out.seek(blocks_at * BLOCK)
        for number, some in enumerate(roots):
            out.write(directory([(1 + number * 200 + i, 2, name)
                                 for i, name in enumerate(some)]))
        for first in sorted({first_of(d) for d in range(directories)}):
            out.write(directory([(1 + directories + first + i, 1, table[i])
                                 for i in range(per_directory)]))


def look(path):
    """How `tree` ends, what it prints, how many lines, and its peak of memory in KiB."""
    with open('out', 'wb') as out, open('err', 'wb') as err:
        child = subprocess.Popen((KATAIMG, 'tree', '-q', path), stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    with open('out', 'rb') as out, open('err', encoding='utf-8') as err:
        return child.returncode, sum(1 for _ in out), err.read(), usage.ru_maxrss


def test_dense():
    image('dense', 5200, 271, lambda d: d * 271)
    code, lines, text, peak = look('dense')
    if code or lines < 5200 * 272:
        fail(f'dense: {code}, {lines} lines: {text}')
    if peak >= LIMIT_KIB:
        fail(f'dense: {peak} KiB')
    print('dense:', peak, 'KiB')


def test_claims():
    """All blocks are named by many directories: each file has many names."""
    image('claims', 120000, 250, lambda d: d % 4000 * 250)
    code, _, text, peak = look('claims')
    said = ('it names more files, attributes or pieces of files than a filesystem of 67108864 bytes '
            'can hold')
    if code != 1 or said not in text:
        fail(f'claims: {code}: {text}')
    if peak >= LIMIT_KIB:
        fail(f'claims: {peak} KiB')
    print('claims:', peak, 'KiB')


with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    test_dense()
    test_claims()
sys.exit(1 if failures else 0)
