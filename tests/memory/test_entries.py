#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: test_entries.py KATAIMG: how many bytes of memory an entry of a large tree takes, its name of 8
bytes included, when the tree is read, when it is planned, and in a whole build. The tree is an archive's:
one of a directory takes 24 bytes more for each file, by which it is seen that it did not change."""
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

KATAIMG = os.path.abspath(sys.argv[1])
PER_DIRECTORY = 1000
FEW, MANY = 10000, 60000
BUILD = ['-q', '--no-sync', '-f', 'ext4', '--set', 'rootfs.check=no', '-o', 'image']
# docs/performance.md says where they are. While an archive is read, its names are in a table as well, and
# arrays that outgrow their place below a MiB leave holes.
RUNS = [('tree', ['tree', '-q'], 275), ('dry run', BUILD + ['--dry-run'], 290), ('build', BUILD, 310)]


def member(name, size):
    info = tarfile.TarInfo(name)
    info.size = size
    info.type = tarfile.REGTYPE if size else tarfile.DIRTYPE
    return info.tobuf(tarfile.USTAR_FORMAT)


def make_tar(path, files):
    """Names differ in digits, by which the sum of the header is off."""
    first = member('00000000/00000000', 1)
    total = int(first[148:154], 8)
    with open(path, 'wb') as out:
        for number in range(files):
            directory = f'{number // PER_DIRECTORY:08d}'
            if number % PER_DIRECTORY == 0:
                out.write(member(directory, 0))
            name = f'{directory}/{number:08d}'
            own = total + sum(name.encode()) - sum(b'00000000/00000000')
            out.write(name.encode() + first[17:148] + b'%06o' % own + first[154:] + b'x'.ljust(512, b'\0'))
        out.write(bytes(1024))


def peak_bytes(command, source):
    """A child begins with the peak of who starts it: Python is not that."""
    with open('out', 'wb') as out:
        ended = subprocess.run(['time', '-f', '%M', '-o', 'peak', KATAIMG] + command + [source], stdout=out,
                               stderr=out, check=False)
    if ended.returncode:
        sys.exit(f'{command}: {ended.returncode}: {pathlib.Path("out").read_text(errors="replace")}')
    return int(pathlib.Path('peak').read_text(encoding='ascii')) * 1024


failures = 0
with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    make_tar('few.tar', FEW)
    make_tar('many.tar', MANY)
    for name, command, limit in RUNS:
        each = (peak_bytes(command, 'many.tar') - peak_bytes(command, 'few.tar')) / (MANY - FEW)
        print(f'{name}: {each:.0f} bytes an entry')
        if each > limit:
            failures += 1
            print(f'FAIL: {name}: more than {limit}')
sys.exit(1 if failures else 0)
