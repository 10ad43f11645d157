# SPDX-License-Identifier: Apache-2.0
"""Trees and images for boot tests, and the host's view of them."""

import os
import random
import subprocess

from guest import HERE, check, has_root

MIB = 1 << 20

# What Kata's runtimes give as rootflags, with a DAX device and without.
DAX_FLAGS = {'ext4': 'dax,data=ordered,errors=remount-ro', 'xfs': 'dax', 'erofs': 'dax'}
PLAIN_FLAGS = {'ext4': 'data=ordered,errors=remount-ro', 'xfs': '', 'erofs': ''}


# Other forms of a filesystem that guests must mount in the same way: names and settings.
FORMS = {
    'ext4': {'nojournal': ['ext4.journal=no']},
    'xfs': {'compat': ['xfs.profile=compat'], 'sectors': ['xfs.sector-size=4096']},
    'erofs': {'packed': ['erofs.data=packed'],
              'lz4': ['erofs.compress=lz4', 'erofs.dedupe=yes'],
              'lz4hc': ['erofs.compress=lz4hc', 'erofs.cluster-size=64K'],
              'fragments': ['erofs.compress=lz4hc', 'erofs.level=3', 'erofs.cluster-size=64K',
                            'erofs.fragments=tails', 'erofs.tail=inline'],
              'smallest': ['erofs.compress=lz4hc', 'erofs.level=3', 'erofs.cluster-size=1M',
                           'erofs.fragments=all', 'erofs.tail=inline', 'erofs.dedupe=yes']},
}


class Program:
    """The kataimg under test, with the backends of its build."""

    def __init__(self, path, backend_dirs):
        self.path = path
        self.options = [f'--backend-dir={directory}' for directory in backend_dirs]

    def build(self, source, output, *settings, report='/dev/null'):
        """An image of the tree; settings as of --set. Inspect must find nothing wrong with it."""
        config = output + '.ini'
        with open(config, 'w', encoding='utf-8') as out:
            out.write(f'[image]\nsource = {source}\noutput = {output}\n')
        sets = [f'--set={setting}' for setting in ('rootfs.check=no', *settings)]
        subprocess.run([self.path, '-c', config, '-q', '--report', report, *self.options, *sets], check=True)
        subprocess.run([self.path, 'inspect', *self.options, output], check=True,
                       stdout=subprocess.DEVNULL)
        return output


def _write(path, data, mode=0o644):
    with open(path, 'wb') as out:
        out.write(data)
    os.chmod(path, mode)


def _write_sparse(path, size, pieces):
    with open(path, 'wb') as out:
        out.truncate(size)
        for offset, data in pieces:
            out.seek(offset)
            out.write(data)


def _make_small_files(tree, noise):
    for directory in range(4):
        below = f'{tree}/usr/share/d{directory}'
        os.makedirs(below)
        for number in range(60):
            _write(f'{below}/file-{number}', noise.randbytes(noise.randrange(20000)))


def _make_odd_entries(tree):
    _write(f'{tree}/usr/setuid', b'#!/bin/sh\n', 0o4755)
    os.link(f'{tree}/usr/setuid', f'{tree}/hard-link')
    os.symlink('usr/share', f'{tree}/short-link')
    os.symlink('x' * 300, f'{tree}/long-link')
    os.mkfifo(f'{tree}/fifo')
    os.mkdir(f'{tree}/.hidden', 0o1777)
    if has_root():
        os.mknod(f'{tree}/null', 0o20666, os.makedev(1, 3))
        os.chown(f'{tree}/.hidden', 100000, 4000000000)


# Names and how many huge pages hold each: the first, small, file keeps the others from starting
# where a filesystem's data starts.
HUGE_FILES = {'big/b-4m': 2, 'big/c-5m': 2, 'big/d-exactly-2m': 1, 'big/e-sparse': 4}


def make_tree(tree):
    """A tree with something of everything, the same at every call."""
    noise = random.Random(7)
    _make_small_files(tree, noise)
    os.mkdir(f'{tree}/big')
    _write(f'{tree}/big/a-small', noise.randbytes(5000))
    _write(f'{tree}/big/b-4m', noise.randbytes(4 * MIB))
    _write(f'{tree}/big/c-5m', noise.randbytes(5 * MIB + 123))
    _write(f'{tree}/big/d-exactly-2m', noise.randbytes(2 * MIB))
    _write_sparse(f'{tree}/big/e-sparse', 8 * MIB,
                  [(0, noise.randbytes(2 * MIB)), (6 * MIB, noise.randbytes(2 * MIB))])
    _make_odd_entries(tree)


def host_manifest(tree):
    """The tree as lib.sh lists it, by the same busybox that the guest runs."""
    return subprocess.run(['busybox', 'sh', '-c', f'. {HERE}/lib.sh; manifest "$0"', tree],
                          check=True, capture_output=True, text=True,
                          env={'PATH': os.environ['PATH']}).stdout


def compare_manifests(name, expected, found):
    """Ends the test with the first lines that differ."""
    only_expected = sorted(set(expected.splitlines()) - set(found.splitlines()))[:10]
    only_found = sorted(set(found.splitlines()) - set(expected.splitlines()))[:10]
    check(expected == found, '\n'.join([f'{name} differs; expected:', *only_expected,
                                        'found:', *only_found]))
