# SPDX-License-Identifier: Apache-2.0
"""Images of layers that a test makes entry by entry, and what kataimg, the test's first argument, makes of
them."""
import gzip
import io
import os
import subprocess
import sys
import tarfile

import ocilayout

KATAIMG = os.path.realpath(sys.argv[1])
TIME = 1577934245
MEDIA = ocilayout.MEDIA
failures = []


def fail(message):
    print('FAIL:', message)
    failures.append(message)


class Entry:
    """A name of a layer: kind is d, f, l, h (a hard link), w (it is hidden) or o (opaque)."""

    def __init__(self, path, kind, target='', data=b'', mode=0o644):
        self.path, self.kind, self.target, self.data, self.mode = path, kind, target, data, mode

    def archive_name(self):
        folder, name = os.path.split(self.path)
        if self.kind == 'w':
            return os.path.join(folder, '.wh.' + name)
        return os.path.join(self.path, '.wh..wh..opq') if self.kind == 'o' else self.path

    def member(self):
        info = tarfile.TarInfo(self.archive_name())
        info.type = {'d': tarfile.DIRTYPE, 'l': tarfile.SYMTYPE, 'h': tarfile.LNKTYPE}.get(
            self.kind, tarfile.REGTYPE)
        info.linkname, info.size = self.target, len(self.data)
        info.mode, info.mtime = self.mode, TIME
        return info

    def __repr__(self):
        return f'{self.archive_name()}:{self.kind}{self.target and " -> " + self.target}'


def archive(entries):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode='w', format=tarfile.PAX_FORMAT) as tar:
        for entry in entries:
            tar.addfile(entry.member(), io.BytesIO(entry.data))
    return stream.getvalue()


def gzipped(data):
    return gzip.compress(data, mtime=0)


def make_layout(path, layers, media='layer.v1.tar+gzip', compress=gzipped, prefix=MEDIA, **more):
    """An image layout; layers are the bytes of archives."""
    ocilayout.make(path, 'latest', [(layer, compress(layer), prefix + media) for layer in layers], tells=False,
                   **more)


def kataimg(*args):
    return subprocess.run([KATAIMG, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors='replace', check=False)


def printed(source):
    """The tree of a source as text, without where the data of its files is."""
    result = kataimg('tree', '-q', '--set', 'rootfs.check=no', '--set',
                     f'image.build-time={TIME}', source)
    return result.stdout if result.returncode == 0 else result.stderr
