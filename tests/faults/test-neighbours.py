#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-neighbours.py KATAIMG SHIM [ROUNDS]: somebody exchanges directories, files and links meanwhile.

What is outside of the source is in no image, what is outside of the outputs stays as it was, and the
files of one build are in one directory. A round is a build, or an extraction, with its attacker; it is
had twice, the second time without confinement, which would hide whether kataimg itself follows a link.
"""
import ctypes
import os
import pathlib
import subprocess
import sys
import threading
import time

from faults import Bench, digest, has_root, look, tree

ROUNDS = 10
NOBODY = 65534
SECRET = b'what nobody may see. ' * 400
AT_FDCWD, RENAME_EXCHANGE = -100, 2
PLAIN = ['-q', '--no-sync', '--set', 'rootfs.check=no', '--set', 'image.align=2M']
libc = ctypes.CDLL(None, use_errno=True)


class Attacker:
    """Exchanges two names for as long as the block lasts; they end as they were."""

    def __init__(self, one, other):
        self.names = os.fsencode(one), os.fsencode(other)
        self.ends, self.count = False, 0
        self.thread = threading.Thread(target=self.run)

    def exchange(self):
        one, other = self.names
        if libc.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) == 0:
            self.count += 1

    def run(self):
        while not self.ends:
            self.exchange()
            time.sleep(0.0003)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends = True
        self.thread.join()
        if self.count % 2:
            self.exchange()


def judge_end(bench, what, result):
    """Whether it went well."""
    if result.returncode not in (0, 1) or (result.returncode == 1) != (b'error: ' in result.stderr):
        bench.fail(f'{what}: exit {result.returncode}; {result.stderr.decode()}')
    return result.returncode == 0


def begin(bench):
    """A place with what is the victim's, and what must be of it afterwards."""
    base = pathlib.Path(bench.directory) / 'base'
    subprocess.run(['rm', '-rf', base], check=True)
    (base / 'victim').mkdir(parents=True)
    (base / 'victim/file').write_bytes(SECRET)
    (base / 'out').mkdir()
    return base


def state(directory):
    return {path: (os.lstat(path).st_mode, os.lstat(path).st_mtime_ns)
            for path in [directory, *directory.rglob('*')]}, look(directory)


def attack_source(bench, name, outside):
    """name: of a file or a directory in the source; outside: what the link beside it leads to."""
    base = begin(bench)
    root = tree(base)
    link = base / 'link'
    link.symlink_to(base / outside)
    image = base / 'out/k.img'
    with Attacker(root / name, link) as attacker:
        result = bench.run([*PLAIN, '-f', 'ext4', '-o', str(image), str(root)])
    what = f'source, {name}, {attacker.count} exchanges'
    if judge_end(bench, what, result):
        if SECRET[:21] in image.read_bytes():
            bench.fail(f'{what}: what is outside is in the image')
    elif look(base / 'out'):
        bench.fail(f'{what}: there are {look(base / "out")}')
    return attacker.count


def attack_output(bench, root, foreign):
    """The image's name is a link to the victim's file at times: followed, unless it is another
    user's where everybody may make some."""
    base = begin(bench)
    image, link = base / 'out/k.img', base / 'link'
    image.write_bytes(b'old')
    link.symlink_to(base / 'victim/file')
    if foreign:
        (base / 'out').chmod(0o1777)
        os.lchown(link, NOBODY, NOBODY)
    whole = {bench.undisturbed} if not foreign else set()
    allowed = {digest(base / 'victim/file'), *whole}
    with Attacker(image, link) as attacker:
        result = bench.run([*PLAIN, '-f', 'erofs', '-o', str(image), str(root)])
    what = f'output, foreign link {foreign}, {attacker.count} exchanges'
    judge_end(bench, what, result)
    victim = look(base / 'victim')
    if set(victim) != {'file'} or victim['file'] not in allowed:
        bench.fail(f'{what}: the victim has {victim}')
    if set(look(base / 'out')) != {'k.img'}:
        bench.fail(f'{what}: there are {look(base / "out")}')
    return attacker.count


def attack_directory(bench, root):
    """The directory of the outputs is a link to another one at times: all outputs are in one."""
    base = begin(bench)
    (base / 'link').symlink_to('victim')
    with Attacker(base / 'out', base / 'link') as attacker:
        result = bench.run([*PLAIN, '-f', 'erofs', '--set', 'verity.enabled=yes', '-o',
                            str(base / 'out/k.img'), str(root)])
    what = f'directory of outputs, {attacker.count} exchanges'
    made = {name: set(look(base / name)) - {'file'} for name in ('out', 'victim')}
    if judge_end(bench, what, result):
        if sorted(map(sorted, made.values())) != [[], ['k.img', 'root_hash_.txt']]:
            bench.fail(f'{what}: there are {made}')
    elif any(made.values()):
        bench.fail(f'{what}: after an error there are {made}')
    if (base / 'victim/file').read_bytes() != SECRET:
        bench.fail(f'{what}: the victim\'s file is another one')
    return attacker.count


def attack_extraction(bench, image):
    """A directory among what is extracted is a link to the victim's at times."""
    base = begin(bench)
    (base / 'out/etc/deep').mkdir(parents=True)
    (base / 'link').symlink_to(base / 'victim')
    before = state(base / 'victim')
    with Attacker(base / 'out/etc', base / 'link') as attacker:
        result = bench.run(['extract', '-q', '--force', str(image), '-C', str(base / 'out')])
    what = f'extraction, {attacker.count} exchanges'
    judge_end(bench, what, result)
    if state(base / 'victim') != before:
        bench.fail(f'{what}: the victim has {state(base / "victim")}')
    return attacker.count


def attack_all(bench, root, image):
    """The exchanges."""
    count = attack_source(bench, 'etc/deep/file', 'victim/file')
    count += attack_source(bench, 'etc/deep', 'victim')
    for foreign in (False, True) if has_root() else (False,):
        count += attack_output(bench, root, foreign)
    return count + attack_directory(bench, root) + attack_extraction(bench, image)


def main():
    bench = Bench(*sys.argv[1:3])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else ROUNDS
    root = tree(bench.directory)
    image = bench.directory / 'k.img'
    made = bench.run([*PLAIN, '-f', 'ext4', '-o', str(image), str(root)])
    if made.returncode != 0:
        sys.exit(made.stderr.decode())
    bench.run([*PLAIN, '-f', 'erofs', '-o', str(image) + '2', str(root)])
    bench.undisturbed = digest(pathlib.Path(str(image) + '2'))
    count = 0
    for bench.more in ([], ['--no-sandbox']):
        count += sum(attack_all(bench, root, image) for _ in range(rounds))
    print(f'{count} exchanges')
    if count < rounds:
        bench.fail('nobody exchanged anything')
    bench.end()


if __name__ == '__main__':
    sys.dont_write_bytecode = True
    main()
