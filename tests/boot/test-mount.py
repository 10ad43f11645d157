#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One boot mounts images of every filesystem, as NVDIMM with dax and as virtio-blk.

Each mount must show the tree that went in. On NVDIMM a file's whole 2 MiB chunks must be mapped as
huge pages, which the same tree built with hugepages = no shows to be no accident.

usage: test-mount.py KATAIMG CACHE TOUCH-PAGES FILESYSTEMS BACKEND-DIR...
"""

import os
import re
import sys
import tempfile

import guest
import images
from guest import check


class Mount:
    """One filesystem on one device."""

    def __init__(self, name, fstype, device, flags, hugepages=None):
        self.name, self.fstype, self.device = name, fstype, device
        self.flags = ','.join(part for part in (flags, 'ro') if part)
        self.hugepages = hugepages  # None: do not look; True: mapped as such; False: not

    def script(self):
        """What the guest shall do with it."""
        lines = [f'mount_at /mnt/{self.name} {self.fstype} {self.device} {self.flags}'
                 f' > /out/{self.name}.mount',
                 f'manifest /mnt/{self.name} > /out/{self.name}.manifest']
        if self.hugepages is not None:
            lines += [f'touch_pages /mnt/{self.name}/{file} >> /out/{self.name}.pages'
                      for file in images.HUGE_FILES]
        lines.append(f'umount /mnt/{self.name}')  # XFS mounts no UUID twice
        return '\n'.join(lines)

    def judge(self, result, expected):
        """Compares what the guest saw with what must be."""
        shown = result.files[f'{self.name}.mount']
        check(('dax=always' in shown) == ('dax' in self.flags.split(',')),
              f'{self.name}: mounted with {shown}')
        images.compare_manifests(self.name, expected, result.files[f'{self.name}.manifest'])
        if self.hugepages is not None:
            self._judge_pages(result.files[f'{self.name}.pages'])

    def _judge_pages(self, text):
        print(f'{self.name}:\n{text}')
        mapped = [int(count) for count in re.findall(r' pmd (\d+) ', text)]
        wanted = list(images.HUGE_FILES.values())
        check(len(mapped) == len(wanted), f'{self.name}: not every file was looked at')
        if self.hugepages:
            check(mapped == wanted, f'{self.name}: huge pages {mapped} instead of {wanted}')
        else:
            check(mapped != wanted, f'{self.name}: huge pages even without alignment')


def attach(boot, program, tree, scratch, fstype):
    """The images of one filesystem and their mounts."""
    setting = f'image.filesystem={fstype}'
    dax = program.build(tree, f'{scratch}/{fstype}-dax.img', setting)
    plain = program.build(tree, f'{scratch}/{fstype}-plain.img', setting, 'image.dax=no')
    unaligned = program.build(tree, f'{scratch}/{fstype}-unaligned.img', setting,
                              'image.hugepages=no')
    dax_flags, plain_flags = images.DAX_FLAGS[fstype], images.PLAIN_FLAGS[fstype]
    mounts = [
        Mount(f'{fstype}-nvdimm', fstype, boot.add_nvdimm(dax) + 'p1', dax_flags, True),
        Mount(f'{fstype}-unaligned', fstype, boot.add_nvdimm(unaligned) + 'p1', dax_flags, False),
        Mount(f'{fstype}-virtio', fstype, boot.add_disk(dax) + '1', plain_flags),
        Mount(f'{fstype}-plain', fstype, boot.add_disk(plain) + '1', plain_flags),
    ]
    for name, form in images.FORMS[fstype].items():
        image = program.build(tree, f'{scratch}/{fstype}-{name}.img', setting, *form)
        mounts += [
            Mount(f'{fstype}-{name}-nvdimm', fstype, boot.add_nvdimm(image) + 'p1', dax_flags),
            Mount(f'{fstype}-{name}-virtio', fstype, boot.add_disk(image) + '1', plain_flags),
        ]
    return mounts


def run(kataimg, cache, touch_pages, filesystems, *backend_dirs):
    """The whole test."""
    boot = guest.Guest(cache, [touch_pages])
    program = images.Program(kataimg, backend_dirs)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        tree = os.path.join(scratch, 'tree')
        os.mkdir(tree)
        images.make_tree(tree)
        mounts = [mount for fstype in guest.chosen_filesystems(filesystems)
                  for mount in attach(boot, program, tree, scratch, fstype)]
        script = 'echo 1 > $trace/events/fs_dax/dax_pmd_fault_done/enable\n'
        result = boot.run(script + '\n'.join(mount.script() for mount in mounts))
        expected = images.host_manifest(tree)
        for mount in mounts:
            mount.judge(result, expected)


if __name__ == '__main__':
    guest.main(run, *sys.argv[1:])
