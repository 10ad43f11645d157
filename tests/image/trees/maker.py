# SPDX-License-Identifier: Apache-2.0
"""Puts entries with chosen attributes into a directory; the same calls give the same tree."""
import hashlib
import os
import socket
import stat
import zlib

from harness.tap import Skip
from harness.walk import join, proc_path, walk
from harness.workspace import is_root

DEFAULT_TIME = 1_600_000_000


def pattern(seed, size):
    """Bytes that differ from seed to seed, and from block to block."""
    unit = hashlib.shake_128(b'%d' % seed).digest(min(size, 8191))
    return unit if size <= len(unit) else (unit * (size // len(unit) + 1))[:size]


def as_bytes(path):
    return path if isinstance(path, bytes) else path.encode()


class Maker:
    """Paths are relative to the root, str or bytes; parents must exist.

    Attributes: mode, uid, gid, mtime_ns, xattrs. What gets no time gets one that its path decides,
    in whole seconds, so that no tree has nanoseconds by accident.
    """

    def __init__(self, root):
        self.root = os.fsencode(root)
        self.timed = set()
        os.makedirs(self.root, exist_ok=True)
        self.set_attributes('', mode=0o755, uid=os.geteuid(), gid=os.getegid())

    def path(self, path):
        return join(self.root, as_bytes(path)) if path else self.root

    def set_attributes(self, path, mode=None, uid=None, gid=None, mtime_ns=None, xattrs=None):
        full = self.path(path)
        if uid is not None or gid is not None:
            os.chown(full, -1 if uid is None else uid, -1 if gid is None else gid,
                     follow_symlinks=False)
        if mode is not None:
            os.chmod(full, mode)
        for name, value in (xattrs or {}).items():
            os.setxattr(full, name, value, follow_symlinks=False)
        if mtime_ns is not None:
            os.utime(full, ns=(mtime_ns, mtime_ns), follow_symlinks=False)
            self.timed.add(os.lstat(full).st_ino)

    def directory(self, path, mode=0o755, **attributes):
        os.mkdir(self.path(path))
        self.set_attributes(path, mode, **attributes)
        return path

    def directories(self, path):
        os.makedirs(self.path(path), exist_ok=True)
        return path

    def file(self, path, content=b'', mode=0o644, **attributes):
        with open(self.path(path), 'wb') as file:
            file.write(content)
        self.set_attributes(path, mode, **attributes)
        return path

    def sparse(self, path, size, segments, mode=0o644):
        """segments: (offset, length) of data."""
        with open(self.path(path), 'wb') as file:
            for offset, length in segments:
                os.pwrite(file.fileno(), pattern(offset // 4096 + length, length), offset)
            os.ftruncate(file.fileno(), size)
        self.set_attributes(path, mode)
        return path

    def symlink(self, path, target, **attributes):
        os.symlink(as_bytes(target), self.path(path))
        self.set_attributes(path, **attributes)
        return path

    def node(self, path, kind, major=0, minor=0, mode=0o644, **attributes):
        os.mknod(self.path(path), kind | 0o600, os.makedev(major, minor))
        self.set_attributes(path, mode, **attributes)
        return path

    def fifo(self, path, **attributes):
        return self.node(path, stat.S_IFIFO, **attributes)

    def socket(self, path, **attributes):
        # not by mknod: bind(2) is what programs leave behind
        full = self.path(path)
        directory_fd = os.open(os.path.dirname(full), os.O_RDONLY)
        try:
            with socket.socket(socket.AF_UNIX) as unix:
                unix.bind(proc_path(directory_fd, os.path.basename(full)))
        finally:
            os.close(directory_fd)
        self.set_attributes(path, **{'mode': 0o644, **attributes})
        return path

    def link(self, existing, path):
        os.link(self.path(existing), self.path(path), follow_symlinks=False)
        return path

    def finish(self):
        for path, directory_fd, name, status in walk(self.root):
            if status.st_ino in self.timed:
                continue
            seconds = DEFAULT_TIME + zlib.crc32(path) % 100_000_000
            os.utime(name, (seconds, seconds), dir_fd=directory_fd, follow_symlinks=False)
            if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
                self.timed.add(status.st_ino)
        if os.stat(self.root).st_ino not in self.timed:
            os.utime(self.root, (DEFAULT_TIME, DEFAULT_TIME))


def make_tree(tree, root):
    """Raises Skip for a tree that this user, in this user namespace and on this filesystem, cannot make."""
    maker = Maker(root)
    try:
        tree.make(maker)
        maker.finish()
    except OSError as error:
        if is_root():
            raise
        raise Skip(f'it takes root to make the tree {tree.name}, or another filesystem: {error.strerror}') from None
    return root
