# SPDX-License-Identifier: Apache-2.0
"""Everything that a tree says, and how two trees differ."""
import dataclasses
import errno
import hashlib
import os
import stat

from harness.walk import DIRECTORY, proc_path, walk

CHUNK_BYTES = 1 << 20
ZEROS = bytes(CHUNK_BYTES)
HOLE_BYTES = 4096
# From here on ext4 says 1 link for a directory: it no longer counts.
UNCOUNTED_SUBDIRECTORIES = 64998


@dataclasses.dataclass(slots=True)
class Entry:
    kind: int          # S_IFMT bits
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    rdev: int
    size: int          # directories: 0
    target: bytes
    xattrs: dict
    digest: bytes      # of the content, the same however the holes lie
    data: tuple        # (start, end) of what is not a hole, in whole blocks
    nlink: int         # as stat says
    inode: int
    names: int = 1     # in this tree
    first: bytes = b''  # its first name in this tree
    subdirectories: int = 0


def _data_ranges(fd, size):
    """What SEEK_DATA calls data, in blocks of 4096, neighbours joined."""
    ranges = []
    position = 0
    while position < size:
        try:
            start = os.lseek(fd, position, os.SEEK_DATA)
        except OSError:
            break
        position = os.lseek(fd, start, os.SEEK_HOLE)
        start -= start % HOLE_BYTES
        end = -(-position // HOLE_BYTES) * HOLE_BYTES
        if ranges and start <= ranges[-1][1]:
            start = ranges.pop()[0]
        ranges.append((start, end))
    return tuple(ranges)


def _digest(fd, ranges):
    """Hashes the chunks that are not all zeros with their places: holes do not matter."""
    digest = hashlib.sha256()  # which processors have instructions for
    done = 0
    for start, end in ranges:
        offset = max(done, start - start % CHUNK_BYTES)
        while offset < end:
            chunk = os.pread(fd, CHUNK_BYTES, offset)
            if chunk != ZEROS[:len(chunk)]:
                digest.update(b'%d:' % offset)
                digest.update(chunk)
            offset += CHUNK_BYTES
        done = max(done, offset)
    return digest.digest()


def digest_file(path):
    """The size of a file and the digest of its content: equal where the bytes are. What is a hole in a
    large image takes no time.
    """
    fd = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        return size, _digest(fd, _data_ranges(fd, size))
    finally:
        os.close(fd)


def _read_content(directory_fd, name, size):
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory_fd)
    try:
        ranges = _data_ranges(fd, size)
        return _digest(fd, ranges), ranges
    finally:
        os.close(fd)


def _read_xattrs(path):
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        # what squashfs says where no file has any
        if error.errno != errno.EOPNOTSUPP:
            raise
        names = []
    return {os.fsencode(name): os.getxattr(path, name, follow_symlinks=False) for name in names}


def _read_entry(directory_fd, name, status):
    kind = stat.S_IFMT(status.st_mode)
    target, digest, data = b'', b'', ()
    if kind == stat.S_IFLNK:
        target = os.readlink(name, dir_fd=directory_fd)
    elif kind == stat.S_IFREG:
        digest, data = _read_content(directory_fd, name, status.st_size)
    return Entry(kind=kind, mode=stat.S_IMODE(status.st_mode), uid=status.st_uid,
                 gid=status.st_gid, mtime_ns=status.st_mtime_ns, rdev=status.st_rdev,
                 size=0 if kind == stat.S_IFDIR else status.st_size, target=target,
                 xattrs=_read_xattrs(proc_path(directory_fd, name)), digest=digest, data=data,
                 nlink=status.st_nlink, inode=status.st_ino)


def _read_root(root):
    fd = os.open(root, DIRECTORY & ~os.O_NOFOLLOW)
    try:
        return _read_entry(fd, b'.', os.fstat(fd))
    finally:
        os.close(fd)


def _count_names(entries):
    inodes = {}
    for path in sorted(entries):
        entry = entries[path]
        if entry.kind == stat.S_IFDIR:
            entry.first = path
            if path:
                entries[path.rpartition(b'/')[0]].subdirectories += 1
        else:
            inodes.setdefault(entry.inode, []).append(path)
    for names in inodes.values():
        for path in names:
            entries[path].names = len(names)
            entries[path].first = names[0]


def read_manifest(root):
    """All entries of the tree by path; the root is b''."""
    entries = {b'': _read_root(root)}
    for path, directory_fd, name, status in walk(root):
        entries[path] = _read_entry(directory_fd, name, status)
    _count_names(entries)
    return entries


def describe_path(path):
    text = path.decode('utf-8', 'backslashreplace')
    text = ''.join(c if c.isprintable() else f'\\x{ord(c):02x}' for c in text)
    return text if len(text) < 120 else f'{text[:60]}...{text[-50:]}'


def _xattr_differences(expected, actual):
    for name in sorted(expected.keys() | actual.keys()):
        if name not in actual:
            yield f'lacks the attribute {name!r}'
        elif name not in expected:
            yield f'has an attribute {name!r} that it should not'
        elif expected[name] != actual[name]:
            yield (f'attribute {name!r} is {actual[name][:40]!r} ({len(actual[name])} bytes), '
                   f'expected {expected[name][:40]!r} ({len(expected[name])} bytes)')


def _link_difference(expected, actual):
    if expected.kind == stat.S_IFDIR:
        allowed = {2 + expected.subdirectories}
        if expected.subdirectories >= UNCOUNTED_SUBDIRECTORIES:
            allowed.add(1)
    else:
        allowed = {expected.names}
    if actual.nlink not in allowed:
        yield f'nlink is {actual.nlink}, expected {min(allowed)}'
    if expected.first != actual.first:
        yield f'is a link of {actual.first!r}, expected {expected.first!r}'


def _widen(ranges, step, size):
    wide = []
    for start, end in ranges:
        start -= start % step
        end = min(-(-end // step) * step, -(-size // HOLE_BYTES) * HOLE_BYTES)
        if wide and start <= wide[-1][1]:
            start = wide.pop()[0]
        wide.append((start, end))
    return wide


def _covers(outer, inner):
    return all(any(start >= a and end <= b for a, b in outer) for start, end in inner)


def _hole_difference(expected, actual, chunk):
    """Data may cover the holes around it up to the next multiple of chunk, and nothing else."""
    if not (_covers(actual.data, expected.data)
            and _covers(_widen(expected.data, chunk, expected.size), actual.data)):
        yield f'data lies at {actual.data}'[:200] + f', expected {expected.data}'[:200]


def _entry_differences(expected, actual, hole_chunk):
    fields = ['kind', 'mode', 'uid', 'gid', 'mtime_ns', 'rdev', 'size', 'target', 'digest']
    for field in fields:
        values = getattr(expected, field), getattr(actual, field)
        if values[0] != values[1]:
            text = [oct(v) if field in ('kind', 'mode') else repr(v)[:120] for v in values]
            yield f'{field} is {text[1]}, expected {text[0]}'
    if hole_chunk and expected.data != actual.data:
        yield from _hole_difference(expected, actual, hole_chunk)
    yield from _xattr_differences(expected.xattrs, actual.xattrs)
    yield from _link_difference(expected, actual)


def compare(expected, actual, hole_chunk=0):
    """Every difference as a sentence; hole_chunk: the maps of data and holes must be
    equal too, but for what a filesystem that keeps data in chunks of so many bytes rounds up.
    """
    differences = []
    for path in sorted(expected.keys() | actual.keys()):
        if path not in actual:
            differences.append(f'{describe_path(path)}: missing')
        elif path not in expected:
            differences.append(f'{describe_path(path)}: should not be there')
        else:
            differences += [f'{describe_path(path) or "the root"}: {difference}' for difference
                            in _entry_differences(expected[path], actual[path], hole_chunk)]
    return differences
