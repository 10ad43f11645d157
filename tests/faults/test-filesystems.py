#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-filesystems.py KATAIMG SHIM [all]: outputs in an overlay and behind FUSE, and files that share
extents.

An overlay has the old files in its lower layer. What a run leaves is what it leaves in a tmpfs; after
a call that failed there are the old files and nothing else. "all": each run of scenarios.py, and more
calls of each. Needs root and /dev/fuse.
"""
import os
import subprocess
import sys
import time

import scenarios
from faults import Bench, has_root, look, tree
from judged import campaign, judge

SKIPPED = 77
SOME = ('verity', 'configurations', 'artifact', 'extract-directory', 'extract-tar.zst')
# What a filesystem of its own kind may have of its own ways.
KINDS = ('open', 'rename', 'link', 'sync', 'mode', 'truncate', 'pwrite', 'lock', 'seek')
XFS_BYTES = 320 << 20
LARGE_BYTES = 1 << 20  # it pays to share them


def run(*command):
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stderr.decode()}")


def layers(below):
    return ','.join(f'{layer}dir={below / name}' for layer, name in
                    (('lower', 'old'), ('upper', 'new'), ('work', 'work')))


FILESYSTEMS = {
    'overlay': lambda below, at: ('mount', '-t', 'overlay', 'kataimg-test', '-o', layers(below), at),
    'fuse-overlayfs': lambda below, at: ('fuse-overlayfs', '-o', layers(below), at),
    'bindfs': lambda below, at: ('bindfs', below / 'old', at),
}


def unmount(at):
    """A mount of FUSE may be busy until its program has ended what it was asked for."""
    for _ in range(100):
        if subprocess.run(['umount', at], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    run('umount', at)


class Mounted:
    """A scenario whose directory is in another filesystem, anew for each run."""

    def __init__(self, scenario, mount, below):
        self.scenario, self.mount, self.below = scenario, mount, below
        self.is_mounted = False

    def __getattr__(self, name):
        return getattr(self.scenario, name)

    def begin(self):
        self.end()
        subprocess.run(['rm', '-rf', self.below, self.directory], check=True)
        self.directory.mkdir()
        for name in ('old', 'new', 'work'):
            (self.below / name).mkdir(parents=True)
        for name in self.old:
            (self.below / 'old' / name).write_text(f'old {name}', encoding='utf-8')
        run(*self.mount(self.below, self.directory))
        self.is_mounted = True
        return look(self.directory)

    def end(self):
        if self.is_mounted:
            unmount(self.directory)
        self.is_mounted = False


def try_filesystem(bench, name, found, every_one):
    for scenario in found:
        mounted = Mounted(scenario, FILESYSTEMS[name], bench.directory / 'below')
        try:
            before = mounted.begin()
            result = bench.run(scenario.arguments)
            judge(bench, scenario, f'{name}: {scenario.name}', before, result, '')
            if result.returncode != 0:
                bench.fail(f'{name}: {scenario.name}: {result.stderr.decode()}')
            for kind in KINDS if every_one else ('rename', 'pwrite'):
                campaign(bench, mounted, kind, 4 if every_one else 1)
        finally:
            mounted.end()


def share_extents(bench, every_one):
    """On XFS, of which kataimg asks that files share what they hold."""
    image, at, met = bench.directory / 'xfs', bench.directory / 'at', 0
    with open(image, 'wb') as out:
        out.truncate(XFS_BYTES)
    run('mkfs.xfs', '-q', '-m', 'reflink=1', image)
    at.mkdir()
    run('mount', '-o', 'loop', image, at)
    directory, bench.directory = bench.directory, at
    try:
        root = tree(at)
        (root / 'large').write_bytes(os.urandom(LARGE_BYTES))
        for scenario in scenarios.all_of(bench, root):
            if scenario.result[0] and (every_one or scenario.name in ('erofs', 'extract-directory')):
                met += campaign(bench, scenario, 'ioctl', 0 if every_one else 1)
    finally:
        bench.directory = directory
        unmount(at)
    print(f'extents were shared {met} times')
    if met == 0:
        bench.fail('nothing was asked to share extents')


def main():
    if not has_root() or not os.access('/dev/fuse', os.R_OK | os.W_OK):
        print('not root, or no /dev/fuse')
        sys.exit(SKIPPED)
    bench = Bench(*sys.argv[1:3])
    every_one = sys.argv[3:] == ['all']
    found = [scenario for scenario in scenarios.all_of(bench, tree(bench.directory))
             if scenario.result[0] and (every_one or scenario.name in SOME)]
    for name in FILESYSTEMS:
        try_filesystem(bench, name, found, every_one)
    share_extents(bench, every_one)
    bench.end()


if __name__ == '__main__':
    sys.dont_write_bytecode = True
    main()
