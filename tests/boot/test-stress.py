#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writable filesystems live through a hard day in a guest, and fsck finds nothing to repair.

Of each filesystem there are two copies: one is filled up, half emptied and left so, the other is
emptied in the end.

usage: test-stress.py KATAIMG CACHE FILESYSTEMS BACKEND-DIR...
"""

import os
import subprocess
import sys
import tempfile

import guest
import images
from guest import check

FREE_BYTES = 48 << 20
INODE_BYTES = 16384  # of free space for each free inode that is promised
JUDGES = {'ext4': ('e2fsck', '-fn'), 'xfs': ('xfs_repair', '-n', '-f')}
COMPLAINTS = r'EXT4-fs (error|warning)|XFS \(.*\): .*([Cc]orrupt|[Ee]rror|[Aa]ssert)|BUG:|WARNING:'

DAY = '''
day()
{
	cd "$1" || fail "no $1"
	mkdir -p many deep/a/b/c/d/e || fail "mkdir"
	seq 1 300 | while read -r n; do echo "$n" > "many/file-$n"; done
	seq 1 50 | while read -r n; do ln "many/file-$n" "deep/hard-$n"; ln -s ../many "deep/soft-$n"; done
	for n in 1 2 3 4 5; do dd if=/dev/urandom of="big-$n" bs=256k count=8 2>/dev/null; done
	seq 1 100 | while read -r n; do echo "$n" >> "many/file-$n"; done
	seq 100 200 | while read -r n; do mv "many/file-$n" "deep/a/b/moved-$n"; done
	for n in 1 3 5; do dd if=/dev/zero of="big-$n" bs=4096 seek=5000 count=3 conv=notrunc 2>/dev/null; done
	truncate -s 12345 big-2 && truncate -s 40M big-4 || fail "truncate"
	chmod 04711 many/file-1 && chown 70000:80000 many/file-2 || fail "attributes"
	full=no
	for n in $(seq 1 200); do
		dd if=/dev/zero of="fill-$n" bs=64k count=16 2>/dev/null || { full=yes; break; }
	done
	[ $full = yes ] || fail "$1 never became full"
	seq 1 200 | while read -r n; do echo more > "many/last-$n" 2>/dev/null; done
	sync
	rm -rf fill-*[02468] many/file-2* deep/a/b/moved-1[5-9]*
	seq 1 40 | while read -r n; do echo again > "many/again-$n"; done
	cd /
}

empty()
{
	find "$1" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} +
	[ -z "$(find "$1" -mindepth 1 ! -name lost+found)" ] || fail "$1 is not empty"
}
'''


def script_for(device, fstype, emptied):
    """What a guest does to one disk."""
    mount = f'/mnt/{device}'
    return '\n'.join([
        f'mount_at {mount} {fstype} {device} rw',
        f'manifest {mount} > /out/{device}.manifest',
        f'stat -f -c "%a %S %d" {mount} > /out/{device}.free',
        f'day {mount} > /dev/null',
        f'empty {mount}' if emptied else ':',
        f'umount {mount} || fail "umount {mount}"',
        f'mount_at {mount} {fstype} {device} ro',
        f'df {mount}; df -i {mount}; find {mount} | wc -l',
        f'umount {mount}',
        f'! dmesg | grep -E "{COMPLAINTS}" || fail "the kernel complains"\n'])


def judge_on_host(image, fstype):
    """Lets the filesystem's own checker look at partition 1."""
    part = image + '.part'
    subprocess.run(['dd', f'if={image}', f'of={part}', 'bs=1M', 'skip=3', 'conv=sparse'],
                   check=True, capture_output=True)
    done = subprocess.run([*JUDGES[fstype], part], capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    check(done.returncode == 0, f'{JUDGES[fstype][0]} is not content with {image}')


def judge_free_space(device, text):
    """What was asked for must be there for an unprivileged writer."""
    blocks, block_bytes, inodes = (int(word) for word in text.split())
    check(blocks * block_bytes >= FREE_BYTES, f'{device}: {blocks * block_bytes} bytes free')
    check(inodes >= FREE_BYTES // INODE_BYTES, f'{device}: {inodes} inodes free')


def judge_content(device, text, expected):
    """The tree that went in; but lost+found is new, and one link more of the root directory."""
    def ordinary(manifest):
        return ''.join(line for line in manifest.splitlines(True)
                       if 'lost+found' not in line and not line.startswith('. mode'))

    images.compare_manifests(device, ordinary(expected), ordinary(text))


def run(kataimg, cache, filesystems, *backend_dirs):
    """The whole test."""
    boot = guest.Guest(cache)
    program = images.Program(kataimg, backend_dirs)
    writable = [fstype for fstype in guest.chosen_filesystems(filesystems) if fstype in JUDGES]
    guest.require_programs(*(JUDGES[fstype][0] for fstype in writable))
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        tree = os.path.join(scratch, 'tree')
        os.mkdir(tree)
        images.make_tree(tree)
        disks = []
        for fstype in writable:
            for emptied in (False, True):
                image = program.build(tree, f'{scratch}/{fstype}-{emptied}.img', 'image.align=2M',
                                      f'image.filesystem={fstype}',
                                      f'image.free-space={FREE_BYTES}')
                disks.append((boot.add_disk(image, writable=True) + '1', image, fstype, emptied))
        script = ''.join(script_for(device, fstype, emptied)
                         for device, _, fstype, emptied in disks)
        result = boot.run(DAY + script, timeout=500)
        expected = images.host_manifest(tree)
        for device, image, fstype, _ in disks:
            judge_content(device, result.files[f'{device}.manifest'], expected)
            judge_free_space(device, result.files[f'{device}.free'])
            judge_on_host(image, fstype)


if __name__ == '__main__':
    guest.main(run, *sys.argv[1:])
