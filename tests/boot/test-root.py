#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Debian root filesystem becomes the root of guests, with the command lines of Kata's runtimes.

There its own md5sum compares every file with what Debian's packages say.

usage: test-root.py KATAIMG CACHE FILESYSTEMS BACKEND-DIR...
"""

import os
import shutil
import subprocess
import sys
import tempfile

import guest
import images
from guest import Skip, check

INIT = '''#!/bin/sh
# Says what it sees, checks every packaged file, and ends the guest.
mount -t proc proc /proc
echo "ROOT IS $(grep ' / ' /proc/mounts)"
cd / && cat var/lib/dpkg/info/*.md5sums | md5sum --check --quiet && echo "ROOT IS SOUND"
echo o > /proc/sysrq-trigger
sleep 60
'''


def make_debian(directory):
    """A minimal Debian with an init of the test's own."""
    if not guest.has_root():
        raise Skip('debootstrap needs root')
    guest.require_programs('debootstrap')
    done = subprocess.run(['debootstrap', '--variant=minbase', 'bookworm', directory],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skip(f'debootstrap: {done.stdout[-500:]}{done.stderr[-500:]}')
    shutil.rmtree(f'{directory}/var/cache/apt')
    init = f'{directory}/usr/sbin/init'
    with open(init, 'w', encoding='ascii') as out:
        out.write(INIT)
    os.chmod(init, 0o755)
    os.chmod(directory, 0o755)


def boot(cache, image, nvdimm, fstype):
    """Boots one guest and judges what its init said."""
    run = guest.Guest(cache)
    flags = (images.DAX_FLAGS if nvdimm else images.PLAIN_FLAGS)[fstype]
    if nvdimm:
        run.add_nvdimm(image)
    else:
        run.add_disk(image)
    device = 'pmem0p1' if nvdimm else 'vda1'
    console = run.run_root(f'root=/dev/{device} rootflags={flags} ro rootfstype={fstype}')
    lines = [line for line in console.splitlines() if line.startswith('ROOT IS ')]
    name = f'{os.path.basename(image)} as {device}'
    check(len(lines) == 2 and lines[1] == 'ROOT IS SOUND', f'{name}: said {lines}')
    check(f' / {fstype} ro,' in lines[0], f'{name}: {lines[0]}')
    check(('dax=always' in lines[0]) == nvdimm, f'{name}: {lines[0]}')


def run(kataimg, cache, filesystems, *backend_dirs):
    """The whole test."""
    guest.Guest(cache)
    tree = guest.cached(cache, 'debian', make_debian)
    program = images.Program(kataimg, backend_dirs)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        for number, fstype in enumerate(guest.chosen_filesystems(filesystems)):
            setting = f'image.filesystem={fstype}'
            image = program.build(tree, f'{scratch}/{fstype}.img', setting)
            boot(cache, image, True, fstype)
            if number > 0:
                continue  # one filesystem is enough for what differs in the device alone
            boot(cache, image, False, fstype)
            plain = program.build(tree, f'{scratch}/{fstype}-plain.img', setting, 'image.dax=no')
            boot(cache, plain, False, fstype)


if __name__ == '__main__':
    guest.main(run, *sys.argv[1:])
