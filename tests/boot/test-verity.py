#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measured images: the guest opens dm-verity as the report says and sees the tree that went in.

In a copy one byte of a file is flipped: there the same mount must refuse to read that file.

usage: test-verity.py KATAIMG CACHE OPEN-VERITY FILESYSTEMS BACKEND-DIR...
"""

import json
import os
import shutil
import sys
import tempfile

import guest
import images
from guest import check

VICTIM = 'big/b-4m'


def measured_image(program, tree, path, fstype):
    """The image, and the dm-mod.create= argument with DATA and HASH still to be named."""
    program.build(tree, path, f'image.filesystem={fstype}', 'verity.enabled=yes',
                  f'verity.variant={fstype}', report=path + '.json')
    with open(path + '.json', encoding='utf-8') as report:
        argument = json.load(report)['verity']['kernel_parameter']
    with open(f'{os.path.dirname(path)}/root_hash_{fstype}.txt', encoding='ascii') as line:
        fields = dict(field.split('=') for field in line.read().strip().split(','))
    check(fields['root_hash'] in argument and fields['salt'] in argument,
          f'{fstype}: {argument} is not what the root hash file says')
    return argument.split('"')[1]


def flip_byte(tree, path):
    """Changes one byte in the middle of the victim's data."""
    with open(f'{tree}/{VICTIM}', 'rb') as file:
        file.seek(2 << 20)
        data = file.read(4096)
    with open(path, 'r+b') as image:
        offset = image.read().find(data)
        check(offset > 0, f'{VICTIM} is not in {path}')
        image.seek(offset + 77)
        image.write(bytes([data[77] ^ 1]))


def script_for(device, argument, fstype):
    """Opens the device and mounts what it shows."""
    name = f'{fstype}-{device}'
    opened = argument.replace('dm-verity,', f'{name},', 1)
    opened = opened.replace('DATA', f'/dev/{device}p1').replace('HASH', f'/dev/{device}p2')
    flags = ','.join(part for part in (images.PLAIN_FLAGS[fstype], 'ro') if part)
    return (f'next=/dev/dm-$(ls -d /sys/block/dm-* 2>/dev/null | wc -l)\n'
            f'open-verity "{opened}" || fail "cannot open {name}"\n'
            f'mount_at /mnt/{device} {fstype} "${{next#/dev/}}" {flags}\n')


def run(kataimg, cache, open_verity, filesystems, *backend_dirs):
    """The whole test."""
    boot = guest.Guest(cache, [open_verity])
    program = images.Program(kataimg, backend_dirs)
    script, devices = '', []
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        tree = os.path.join(scratch, 'tree')
        os.mkdir(tree)
        images.make_tree(tree)
        for fstype in guest.chosen_filesystems(filesystems):
            good, bad = f'{scratch}/{fstype}.img', f'{scratch}/{fstype}-bad.img'
            argument = measured_image(program, tree, good, fstype)
            shutil.copy(good, bad)
            flip_byte(tree, bad)
            device = boot.add_nvdimm(good)
            devices.append(device)
            script += script_for(device, argument, fstype)
            script += f'manifest /mnt/{device} > /out/{device}.manifest; umount /mnt/{device}\n'
            device = boot.add_nvdimm(bad)
            script += script_for(device, argument, fstype)
            script += (f'cat /mnt/{device}/big/a-small > /dev/null || fail "an untouched file"\n'
                       f'cat /mnt/{device}/{VICTIM} > /dev/null && fail "a flipped byte was read"\n'
                       f'umount /mnt/{device}\n')
        result = boot.run(script)
        expected = images.host_manifest(tree)
        for device in devices:
            images.compare_manifests(device, expected, result.files[f'{device}.manifest'])


if __name__ == '__main__':
    guest.main(run, *sys.argv[1:])
