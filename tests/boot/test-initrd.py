#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kernels unpack initrds of kataimg's, plain and compressed, into what the tree was.

An init in the initrd lists every name with what stat(1) says of it, and hashes every file.

usage: test-initrd.py KATAIMG CACHE BACKEND-DIR FORMS
"""

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile

import guest
import images
from guest import check, has_root

# What the list is made of must not be in it: the console and what the kernel's own archive has.
INIT = '''#!/bin/busybox sh
/bin/busybox --install -s /tools
export PATH=/tools
echo "UNPACKED"
find /tree -xdev | sort | while read -r name; do
	case $(stat -c %F "$name") in
	directory) links=- size=- ;;
	*) links=$(stat -c %h "$name") size=$(stat -c %s "$name") ;;
	esac
	echo "ENTRY $(stat -c '%f %u %g %t %T' "$name") $links $size $(readlink "$name") $name"
done
find /tree -xdev -type f | sort | xargs md5sum | sed 's/^/HASH /'
for name in /tree/link-a /tree/link-b; do echo "TARGET $name $(readlink $name)"; done
stat -c 'ROOT %a %u %g' /
mount -t proc proc /proc
echo o > /proc/sysrq-trigger
sleep 60
'''
SETTINGS = ('image.filesystem=cpio', 'tree.whole-seconds=yes', 'tree.holes=fill',
            'image.unsupported=drop')


def make_tree(directory):
    """Busybox, the init, and below /tree one of everything."""
    for name in ('bin', 'tools', 'proc', 'dev', 'tree/deep/er'):
        os.makedirs(f'{directory}/{name}')
    shutil.copy(shutil.which('busybox'), f'{directory}/bin/busybox')
    with open(f'{directory}/init', 'w', encoding='ascii') as init:
        init.write(INIT)
    os.chmod(f'{directory}/init', 0o755)
    tree = f'{directory}/tree'
    for number, size in enumerate((0, 1, 2, 3, 4, 5, 511, 4095, 4096, 4097, 65536, 3000001)):
        with open(f'{tree}/file-{number:02}', 'wb') as out:
            out.write(hashlib.shake_128(str(number).encode()).digest(size))
    os.chmod(f'{tree}/file-03', 0o4711)
    os.symlink('file-01', f'{tree}/link-a')
    os.link(f'{tree}/link-a', f'{tree}/link-b', follow_symlinks=False)
    os.symlink('x' * 4000, f'{tree}/link-long')
    for name in ('deep/hard', 'hard-z', 'a-hard'):
        os.link(f'{tree}/file-11', f'{tree}/{name}')
    os.makedirs(f'{tree}/{"d" * 200}/{"e" * 200}')
    with open(f'{tree}/{"d" * 200}/{"e" * 200}/{"f" * 255}', 'w', encoding='ascii') as out:
        out.write('long')
    os.mkfifo(f'{tree}/fifo')
    if has_root():
        os.mknod(f'{tree}/null', 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        os.mknod(f'{tree}/block', 0o640 | stat.S_IFBLK, os.makedev(259, 70000))
        os.link(f'{tree}/block', f'{tree}/block-again')
        os.mknod(f'{directory}/dev/console', 0o600 | stat.S_IFCHR, os.makedev(5, 1))
        os.chown(f'{tree}/file-02', 3000000000, 4000000000)
    os.chmod(directory, 0o711)


def expected_lines(directory):
    """What the init says, of a tree that is on the host."""
    lines = []
    for base, dirs, files in os.walk(f'{directory}/tree'):
        for path in [base] * (base == f'{directory}/tree') + [f'{base}/{n}' for n in dirs + files]:
            st = os.lstat(path)
            inside = path[len(directory):]
            kind = stat.S_IFMT(st.st_mode)
            # the kernel makes links of their own of a symbolic link's names
            links = {stat.S_IFDIR: '-', stat.S_IFLNK: 1}.get(kind, st.st_nlink)
            size = '-' if kind == stat.S_IFDIR else st.st_size
            target = os.readlink(path) if kind == stat.S_IFLNK else ''
            lines.append(f'ENTRY {st.st_mode:x} {st.st_uid} {st.st_gid} {os.major(st.st_rdev):x} '
                         f'{os.minor(st.st_rdev):x} {links} {size} {target} {inside}')
            if kind == stat.S_IFREG:
                with open(path, 'rb') as file:
                    lines.append(f'HASH {hashlib.md5(file.read()).hexdigest()}  {inside}')
    return sorted(lines)


def boot(run, initrd, tree):
    """Boots one, and holds what it says against the tree."""
    console = run.run_initrd(initrd)
    lines = console.replace('\r', '').splitlines()
    said = sorted(line for line in lines if line.startswith(('ENTRY ', 'HASH ')))
    name = os.path.basename(initrd)
    check('UNPACKED' in lines, f'{name}: its init was not started')
    wanted = expected_lines(tree)
    check(said == wanted, f'{name}: ' + '\n'.join(sorted(set(said) ^ set(wanted))[:20]))
    root = os.lstat(tree)
    check(f'ROOT {root.st_mode & 0o7777:o} {root.st_uid} {root.st_gid}' in lines,
          f'{name}: another root directory')


def run(kataimg, cache, backend_dir, forms):
    """The whole test."""
    qemu = guest.Guest(cache)
    program = images.Program(kataimg, [backend_dir])
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        tree = f'{scratch}/tree'
        make_tree(tree)
        for form in forms.split(','):
            initrd = program.build(tree, f'{scratch}/{form}.img', *SETTINGS,
                                   f'image.compress={form}')
            boot(qemu, initrd, tree)
        # the judge refuses what a kernel does not unpack: a gzip of two members
        broken = f'{scratch}/broken.img'
        with open(f'{scratch}/none.img', 'rb') as plain, open(broken, 'wb') as out:
            data = plain.read()
            for half in data[:1 << 20], data[1 << 20:]:
                out.write(subprocess.run(['gzip', '-9', '-n'], input=half, capture_output=True,
                                         check=True).stdout)
        check('UNPACKED' not in qemu.run_initrd(broken), 'an initrd of two members is unpacked')


if __name__ == '__main__':
    guest.main(run, *sys.argv[1:])
