#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One boot mounts images without a DOS table: bare filesystems as virtio-blk and as virtio-pmem with
dax, behind an NVDIMM header without partitions, and in a GPT, measured and found by PARTUUID.

Each mount must show the tree that went in, and where it is mapped every whole 2 MiB of a file is a
huge page.

usage: test-shapes.py KATAIMG CACHE TOUCH-PAGES OPEN-VERITY FILESYSTEMS BACKEND-DIR...
"""

import importlib
import json
import os
import sys
import tempfile

import guest
import images
from guest import check

Mount = importlib.import_module('test-mount').Mount


def attach(boot, program, tree, scratch, fstype):
    """The images of one filesystem without a table, and their mounts."""
    setting = f'image.filesystem={fstype}'
    bare = program.build(tree, f'{scratch}/{fstype}-bare.img', setting, 'image.table=none')
    header = program.build(tree, f'{scratch}/{fstype}-header.img', setting, 'image.table=none',
                           'image.dax=yes')
    unaligned = program.build(tree, f'{scratch}/{fstype}-unaligned.img', setting,
                              'image.table=none', 'image.hugepages=no')
    gpt = program.build(tree, f'{scratch}/{fstype}-gpt.img', setting, 'image.table=gpt')
    dax_flags, plain_flags = images.DAX_FLAGS[fstype], images.PLAIN_FLAGS[fstype]
    return [
        Mount(f'{fstype}-bare-blk', fstype, boot.add_disk(bare), plain_flags),
        Mount(f'{fstype}-header', fstype, boot.add_nvdimm(header), dax_flags, True),
        Mount(f'{fstype}-bare-pmem', fstype, boot.add_pmem(bare), dax_flags, True),
        Mount(f'{fstype}-unaligned-pmem', fstype, boot.add_pmem(unaligned), dax_flags, False),
        Mount(f'{fstype}-gpt', fstype, boot.add_disk(gpt) + '1', plain_flags),
    ]


def measured_script(boot, program, tree, scratch, fstype):
    """Root and hash tree of a GPT, named by the GUIDs that the root hash says. A kernel from 6.5 on looks
    for GUIDs only until init runs: there they are opened by device, and no other is looked for."""
    image = f'{scratch}/measured.img'
    program.build(tree, image, f'image.filesystem={fstype}', 'image.table=gpt', 'verity.enabled=yes',
                  report=image + '.json')
    with open(image + '.json', encoding='utf-8') as report:
        said = json.load(report)
    disk = boot.add_disk(image)
    argument = late = said['verity']['kernel_parameter'].split('"')[1]
    for number, word in enumerate(('DATA', 'HASH')):
        guid = said['geometry']['partitions'][number]['guid']
        argument = argument.replace(word, f'PARTUUID={guid}')
        late = late.replace(word, f'/dev/{disk}{number + 1}')
    check(said['verity']['root_hash'].startswith(
        said['geometry']['partitions'][0]['guid'].replace('-', '')), 'the GUID is another')
    wrong = argument.replace('dm-verity,', 'wrong,', 1).replace('PARTUUID=', 'PARTUUID=f', 1)
    flags = ','.join(part for part in (images.PLAIN_FLAGS[fstype], 'ro') if part)
    return ('release=$(uname -r); minor=${release#*.}; minor=${minor%%[!0-9]*}\n'
            'early=; [ "${release%%.*}" -lt 6 ] || [ "${release%%.*}$minor" -lt 65 ] && early=yes\n'
            f'if [ "$early" ]; then open-verity "{argument}" || fail "cannot open by PARTUUID"\n'
            f'else wait_for {disk}2; open-verity "{late}" || fail "cannot open"; fi\n'
            f'mount_at /mnt/measured {fstype} dm-0 {flags}\n'
            'manifest /mnt/measured > /out/measured.manifest; umount /mnt/measured\n'
            f'[ "$early" ] && open-verity "{wrong}" 2>/dev/null && fail "another GUID was found"; true\n')


def run(kataimg, cache, touch_pages, open_verity, filesystems, *backend_dirs):
    """The whole test."""
    boot = guest.Guest(cache, [touch_pages, open_verity])
    program = images.Program(kataimg, backend_dirs)
    chosen = guest.chosen_filesystems(filesystems)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        tree = os.path.join(scratch, 'tree')
        os.mkdir(tree)
        images.make_tree(tree)
        mounts = [mount for fstype in chosen
                  for mount in attach(boot, program, tree, scratch, fstype)]
        script = 'echo 1 > $trace/events/fs_dax/dax_pmd_fault_done/enable\n'
        script += '\n'.join(mount.script() for mount in mounts) + '\n'
        script += measured_script(boot, program, tree, scratch, chosen[0])
        result = boot.run(script)
        expected = images.host_manifest(tree)
        for mount in mounts:
            mount.judge(result, expected)
        images.compare_manifests('measured', expected, result.files['measured.manifest'])


if __name__ == '__main__':
    guest.main(run, *sys.argv[1:])
