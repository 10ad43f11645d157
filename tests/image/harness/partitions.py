# SPDX-License-Identifier: Apache-2.0
"""The image around the filesystem: both partition tables and the NVDIMM info block."""
import dataclasses
import os
import struct
import subprocess

from harness.tap import check, check_equal
from harness.workspace import need_tool

SECTOR = 512
MIB = 1 << 20
HEADER_BYTES = 2 * MIB
INFO_OFFSET = 4096
INFO_SIGNATURE = b'NVDIMM_PFN_INFO\0'
INFO_CHECKSUM = 0x685b032be3943830
LINUX = 0x83


@dataclasses.dataclass(frozen=True)
class Partition:
    start: int  # bytes from the start of the image
    size: int


def read_table(path, base):
    """The entries of the dos label at base, with what they count from taken in."""
    with open(path, 'rb') as image:
        image.seek(base)
        sector = image.read(SECTOR)
    check_equal(sector[510:], b'\x55\xaa', f'signature of the partition table at {base}')
    entries = []
    for number in range(4):
        entry = sector[446 + 16 * number:462 + 16 * number]
        kind = entry[4]
        start, count = struct.unpack_from('<II', entry, 8)
        if kind or count:
            check_equal(kind, LINUX, f'type of partition {number + 1}')
            entries.append(Partition(base + start * SECTOR, count * SECTOR))
    return entries


def check_info_block(path):
    """Byte for byte what the original tool writes."""
    with open(path, 'rb') as image:
        image.seek(INFO_OFFSET)
        block = image.read(4096)
    expected = bytearray(4096)
    struct.pack_into('<16s32xIHHQQIIII', expected, 0, INFO_SIGNATURE, 0, 0, 2, HEADER_BYTES, 0, 1,
                     0, 0, HEADER_BYTES)
    struct.pack_into('<Q', expected, 4088, INFO_CHECKSUM)
    check(block == bytes(expected), 'the info block is not the one that guests read')


def check_with_sfdisk(path, base):
    """util-linux must take the table, too; from 2 MiB on it sees what a pmem guest sees."""
    view = f'{path}.view'
    size = os.path.getsize(path) - base
    with open(path, 'rb') as image, open(view, 'wb') as copy:
        image.seek(base)
        copy.write(image.read(SECTOR))
        copy.truncate(size)
    try:
        dump = subprocess.run([need_tool('sfdisk'), '--dump', view], capture_output=True, text=True)
        check(dump.returncode == 0 and 'label: dos' in dump.stdout, f'sfdisk: {dump.stderr}')
        verdict = subprocess.run([need_tool('sfdisk'), '--verify', view], capture_output=True,
                                 text=True)
        complaints = [line for line in (verdict.stdout + verdict.stderr).splitlines()
                      if line not in ('', f'{view}:') and 'No errors detected' not in line
                      and 'unallocated' not in line]
        check(verdict.returncode == 0 and not complaints, f'sfdisk --verify: {complaints}')
    finally:
        os.unlink(view)


def check_partitions(path, dax=True, align=HEADER_BYTES):
    """Judges the headers and returns the root partition."""
    size = os.path.getsize(path)
    check_equal(size % align, 0, f'image of {size} bytes modulo {align}')
    views = [read_table(path, 0)]
    check_with_sfdisk(path, 0)
    if dax:
        check_info_block(path)
        views.append(read_table(path, HEADER_BYTES))
        check_with_sfdisk(path, HEADER_BYTES)
        check_equal(views[0], views[1], 'partitions seen from 0 and from 2 MiB')
    check_equal(len(views[0]), 1, 'number of partitions')
    root = views[0][0]
    check_equal(root.start, 3 * MIB if dax else MIB, 'start of the root partition')
    check(root.start + root.size <= size, 'the root partition ends behind the image')
    return root
