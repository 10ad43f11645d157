# SPDX-License-Identifier: Apache-2.0
"""Where the bytes of files lie: the kernel's FIEMAP, linux/fiemap.h."""
import dataclasses
import fcntl
import os
import stat
import struct

from harness.tap import Failure

FS_IOC_FIEMAP = 0xc020660b
FIEMAP_FLAG_SYNC = 1
LAST, UNKNOWN, UNWRITTEN, SHARED = 0x1, 0x2, 0x800, 0x2000
HEADER = struct.Struct('<QQIIII')
EXTENT = struct.Struct('<QQQ16xI12x')
BATCH = 1024
HUGE = 2 << 20


@dataclasses.dataclass(frozen=True)
class Extent:
    logical: int
    physical: int
    length: int
    flags: int


def read_extents(path):
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    extents, start = [], 0
    try:
        while True:
            request = bytearray(HEADER.size + BATCH * EXTENT.size)
            HEADER.pack_into(request, 0, start, 2**64 - 1 - start, FIEMAP_FLAG_SYNC, 0, BATCH, 0)
            fcntl.ioctl(fd, FS_IOC_FIEMAP, request)
            count = HEADER.unpack_from(request)[3]
            for i in range(count):
                extents.append(Extent(*EXTENT.unpack_from(request, HEADER.size + i * EXTENT.size)))
            if count == 0 or extents[-1].flags & LAST:
                return extents
            start = extents[-1].logical + extents[-1].length
    finally:
        os.close(fd)


def _joined(extents, start):
    """Extents by place in the image, those that continue one another as one."""
    joined = []
    for extent in extents:
        physical = extent.physical + start
        if joined and (joined[-1][0] + joined[-1][2] == extent.logical
                       and joined[-1][1] + joined[-1][2] == physical):
            joined[-1][2] += extent.length
        else:
            joined.append([extent.logical, physical, extent.length])
    return joined


def _chunks(entry):
    """The (start, end) of the file's whole chunks that are all data."""
    for begin, end in entry.data:
        for chunk in range(-(-begin // HUGE) * HUGE, min(end, entry.size) - HUGE + 1, HUGE):
            yield chunk, chunk + HUGE


def misplaced_chunks(path, entry, partition_start):
    """Chunks of 2 MiB, all data, that a guest cannot map with one huge page: (offset, place)."""
    extents = _joined(read_extents(path), partition_start)
    for chunk, _ in _chunks(entry):
        holder = [e for e in extents if e[0] <= chunk and chunk + HUGE <= e[0] + e[2]]
        place = holder[0][1] + chunk - holder[0][0] if holder else None
        if place is None or place % HUGE:
            yield chunk, place


def check_huge_pages(manifest, mounted_root, partition_start):
    """Invariant 12, over every file that is large enough. Returns how many there are."""
    complaints, count = [], 0
    for path, entry in manifest.items():
        if entry.kind != stat.S_IFREG or not any(_chunks(entry)) or entry.first != path:
            continue
        count += 1
        complaints += [f'{path!r} at {chunk}: lies at {place} of the image' for chunk, place
                       in misplaced_chunks(os.path.join(os.fsencode(mounted_root), path), entry,
                                           partition_start)]
    if complaints:
        raise Failure(f'{len(complaints)} chunks of 2 MiB cannot be mapped with a huge page:\n'
                      + '\n'.join(complaints[:8]))
    return count
