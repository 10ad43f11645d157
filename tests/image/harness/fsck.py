# SPDX-License-Identifier: Apache-2.0
"""The filesystems' own checkers. None of them may find anything to say."""
import os
import re
import subprocess

from harness.tap import check
from harness.workspace import need_tool

CHUNK = 1 << 20


def extract(image, partition, path):
    """Copies a partition into a file of its own, holes and all."""
    source = os.open(image, os.O_RDONLY)
    target = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o644)
    try:
        end = partition.start + partition.size
        position = partition.start
        while position < end:
            try:
                position = os.lseek(source, position, os.SEEK_DATA)
            except OSError:
                break
            stop = min(os.lseek(source, position, os.SEEK_HOLE), end)
            while position < stop:
                chunk = os.pread(source, min(CHUNK, stop - position), position)
                os.pwrite(target, chunk, position - partition.start)
                position += len(chunk)
        os.ftruncate(target, partition.size)
    finally:
        os.close(source)
        os.close(target)
    return path


def _run(*command):
    result = subprocess.run(command, capture_output=True, text=True, errors='replace',
                            env={**os.environ, 'LC_ALL': 'C'})
    return result.returncode, result.stdout + result.stderr


def _expect_silence(command, allowed, gives_up=None):
    """Exit code 0, and no line that does not match one of the patterns; or the checker gives up with
    a line that matches gives_up, and the kernel is the only judge."""
    code, text = _run(need_tool(command[0]), *command[1:])
    if gives_up and re.search(gives_up, text):
        return
    lines = [line for line in text.splitlines()
             if line.strip() and not any(re.fullmatch(pattern, line) for pattern in allowed)]
    check(code == 0 and not lines,
          f'{" ".join(command)}: exit code {code}\n' + '\n'.join((lines or text.splitlines())[:30]))


E2FSCK_LINES = [r'e2fsck \d.*', r'Pass \d[A-D]?: Checking .*',
                r'.*: \d+/\d+ files \(.*% non-contiguous\), \d+/\d+ blocks']
XFS_REPAIR_LINES = [r'Phase \d - .*', r' +- .*', r'No modify flag set, skipping .*',
                    r'Cannot get host filesystem geometry.*', r'Repair may fail if there is .*',
                    r'the image and the host filesystem\.']


def check_ext4(path):
    _expect_silence(['e2fsck', '-fn', path], E2FSCK_LINES)


def check_xfs(path):
    _expect_silence(['xfs_repair', '-n', path], XFS_REPAIR_LINES)
    # what repair does not see: blocks that belong to nobody
    _expect_silence(['xfs_db', '-r', '-c', 'blockget -n', path], [])
    _expect_silence(['xfs_logprint', '-t', path],
                    [r'xfs_logprint:', r' +data device: .*', r' +log device: .*',
                     r' +log tail: .* state: <CLEAN>'])


def _is_newer(path):
    """Has the filesystem fragments, which fsck.erofs 1.5 does not know, and says so? Then the kernel
    is its judge."""
    with open(path, 'rb') as file:
        features = int.from_bytes(os.pread(file.fileno(), 4, 1024 + 80), 'little')
    if not features & 0x20:
        return False
    _, text = _run(need_tool('fsck.erofs'), '-d3', path)
    return 'unidentified incompatible feature 20,' in text


def check_erofs(path):
    # fsck.erofs 1.5 reads 12 bytes behind an inode before it looks whether it has attributes, and
    # the last inode may end with the filesystem; the kernel does not
    os.truncate(path, os.path.getsize(path) + 4096)
    if _is_newer(path):
        return
    # it recurses, with buffers on the stack
    _expect_silence(['prlimit', '--stack=unlimited', 'fsck.erofs', path], [r'No errors found'],
                    gives_up=r'unable to fsck since the path is too long')


CHECKERS = {'ext4': check_ext4, 'xfs': check_xfs, 'erofs': check_erofs}


def check_filesystem(kind, image, partition):
    path = f'{image}.partition'
    try:
        CHECKERS[kind](extract(image, partition, path))
    finally:
        if os.path.exists(path):
            os.unlink(path)
