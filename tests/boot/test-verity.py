#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measured images: the guest opens dm-verity as the report says and sees the tree that went in.

In a copy one byte of a file is flipped: there the same mount must refuse to read that file. So too
with hash trees in other places, of other blocks and another hash. A root hash's signature is read by
the kernel as far as the key that it was made with, which Debian's kernel does not trust.

usage: test-verity.py KATAIMG CACHE OPEN-VERITY FILESYSTEMS BACKEND-DIR...
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

import guest
import images
from guest import check

VICTIM = 'big/b-4m'

# Name, filesystem, what is set, and where a guest finds data and hash tree; {} is the disk.
FORMS = [
    ('bare', 'ext4', ['image.table=none'], '{}', '{}'),
    ('bare512', 'xfs', ['image.table=none', 'verity.hash=sha512', 'verity.superblock=no',
                        'verity.data-block=512', 'verity.hash-block=1024'], '{}', '{}'),
    ('appended', 'erofs', ['image.dax=no', 'verity.place=append'], '{}1', '{}1'),
    ('gpt', 'erofs', ['image.table=gpt'], '{}1', '{}2'),
    ('beside', 'ext4', ['image.dax=no', 'verity.place=file'], '{}1', None),
]
SIGNATURE = 'root.p7s'  # beside the guest's helper


def measured_image(program, tree, path, fstype, *settings):
    """The image, and the dm-mod.create= argument with DATA and HASH still to be named."""
    variant = os.path.splitext(os.path.basename(path))[0]
    program.build(tree, path, f'image.filesystem={fstype}', 'verity.enabled=yes',
                  f'verity.variant={variant}', *settings, report=path + '.json')
    with open(path + '.json', encoding='utf-8') as report:
        argument = json.load(report)['verity']['kernel_parameter']
    with open(f'{os.path.dirname(path)}/root_hash_{variant}.txt', encoding='ascii') as line:
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


def opening(argument, name, data, hashes):
    """The argument with the names of a guest's devices."""
    opened = argument.replace('dm-verity,', f'{name},', 1)
    return opened.replace('DATA', f'/dev/{data}').replace('HASH', f'/dev/{hashes}')


def script_for(device, argument, fstype, data=None, hashes=None):
    """Opens the device and mounts what it shows."""
    name = f'{fstype}-{device}'
    opened = opening(argument, name, data or f'{device}p1', hashes or f'{device}p2')
    flags = ','.join(part for part in (images.PLAIN_FLAGS[fstype], 'ro') if part)
    return (f'next=/dev/dm-$(ls -d /sys/block/dm-* 2>/dev/null | wc -l)\n'
            f'open-verity "{opened}" || fail "cannot open {name}"\n'
            f'mount_at /mnt/{device} {fstype} "${{next#/dev/}}" {flags}\n')


def judge_form(boot, program, tree, scratch, form):
    """The script for a good image and one with a flipped byte; the good one's disk."""
    name, fstype, settings, data, hashes = form
    script, disks = '', []
    for path, flipped in (f'{scratch}/{name}.img', False), (f'{scratch}/{name}-bad.img', True):
        argument = measured_image(program, tree, path, fstype, *settings)
        if flipped:
            flip_byte(tree, path)
        disk = boot.add_disk(path)
        beside = boot.add_disk(path + '.verity') if hashes is None else None
        script += script_for(disk, argument, fstype, data.format(disk), beside or hashes.format(disk))
        if not flipped:
            script += f'manifest /mnt/{disk} > /out/{disk}.manifest; umount /mnt/{disk}\n'
        disks.append(disk)
    script += (f'cat /mnt/{disks[1]}/big/a-small > /dev/null || fail "{name}: an untouched file"\n'
               f'cat /mnt/{disks[1]}/{VICTIM} > /dev/null && fail "{name}: a flipped byte was read"\n')
    return script, disks[0]


def make_signature(program, tree, scratch):
    """Of an image: its path, the dm-mod.create= argument, and the signature."""
    key, certificate = f'{scratch}/key', f'{scratch}/certificate'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-noenc', '-keyout', key, '-out',
                    certificate, '-subj', '/CN=kataimg'], check=True, capture_output=True)
    path = f'{scratch}/signed.img'
    argument = measured_image(program, tree, path, 'ext4', 'image.dax=no', f'verity.sign-key={key}',
                              f'verity.sign-certificate={certificate}')
    return path, argument, f'{path}.roothash.p7s'


def judge_signature(argument, disk):
    """The kernel reads a whole signature, misses its key, and says otherwise of a broken one."""
    script = f'head -c 100 /bin/{SIGNATURE} > /broken\n'
    for name, path in ('signed', f'/bin/{SIGNATURE}'), ('broken', '/broken'):
        opened = opening(argument, name, f'{disk}1', f'{disk}2')
        script += (f'if open-verity "{opened} 2 root_hash_sig_key_desc kataimg:sig" {path} 2> /out/{name}; then\n'
                   f'fail "{name}: a signature of nobody is trusted"; fi\n')
    return script


def run(kataimg, cache, open_verity, filesystems, *backend_dirs):
    """The whole test."""
    program = images.Program(kataimg, backend_dirs)
    script, devices = '', []
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        tree = os.path.join(scratch, 'tree')
        os.mkdir(tree)
        images.make_tree(tree)
        signed, signed_argument, signature = make_signature(program, tree, scratch)
        shutil.move(signature, f'{scratch}/{SIGNATURE}')
        boot = guest.Guest(cache, [open_verity, f'{scratch}/{SIGNATURE}'])
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
        for form in FORMS:
            if form[1] in filesystems.split(','):
                more, device = judge_form(boot, program, tree, scratch, form)
                script += more
                devices.append(device)
        script += judge_signature(signed_argument, boot.add_disk(signed))
        result = boot.run(script)
        check('Required key not available' in result.files['signed'], result.files['signed'])
        check('Bad message' in result.files['broken'], result.files['broken'])
        expected = images.host_manifest(tree)
        for device in devices:
            images.compare_manifests(device, expected, result.files[f'{device}.manifest'])


if __name__ == '__main__':
    guest.main(run, *sys.argv[1:])
