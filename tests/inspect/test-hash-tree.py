#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kataimg inspect on measured images: which blocks are wrong, and where the root hash comes from.

usage: test-hash-tree.py KATAIMG BACKEND-DIR...
"""

import os
import re
import shutil
import sys
import tempfile

from inspecting import MIB, Kataimg, check, flip

BLOCK = 4096


class Measured:
    """An image with its root hash's file, and copies of it to damage."""

    def __init__(self, kataimg):
        self.kataimg = kataimg
        os.mkdir(kataimg.path('tree'))
        kataimg.write('tree/file', os.urandom(2 * MIB))
        done = kataimg.run('-q', '-f', 'ext4', '-o', 'k.img', '--set=rootfs.check=no', '--no-sync',
                           '--set=image.align=2M', '--set=verity.enabled=yes', 'tree')
        check(done.returncode == 0, f'no image: {done.stderr}')
        with open(kataimg.path('root_hash_.txt'), encoding='ascii') as file:
            self.line = file.read().strip()
        self.root, self.salt = re.match('root_hash=([^,]*),salt=([^,]*),', self.line).groups()
        _, _, said = kataimg.inspect('k.img', code=0)
        self.data, self.tree = said['partition_tables'][0]['partitions']
        self.said = said['hash_tree']

    def damage(self, *offsets):
        """A copy with other bytes there."""
        shutil.copyfile(self.kataimg.path('k.img'), self.kataimg.path('w.img'))
        for offset in offsets:
            flip(self.kataimg.path('w.img'), offset)
        return 'w.img'

    def accept(self, *arguments):
        """All blocks are right, says it."""
        out, _, said = self.kataimg.inspect('k.img', *arguments, code=0)
        blocks = self.data['size_bytes'] // BLOCK
        check(f'checked        yes: all {blocks} blocks of partition 1 belong to the root hash\n' in out,
              f'{arguments}: {out}')
        tree = said['hash_tree']
        check(tree['checked'] and tree['right'] and tree['root_hash'] == self.root
              and tree['found_root_hash'] == self.root, f'{arguments}: {tree}')

    def refuse(self, image, sentence, *arguments):
        """Not right, for this reason alone; what JSON says of the tree."""
        out, _, said = self.kataimg.inspect(image, *(arguments or ['--root-hash', self.line]), code=1)
        check(re.search(f'^contradiction: {sentence}$', out, re.MULTILINE), f'{sentence}: {out}')
        check(len(said['contradictions']) == 1, f'{said["contradictions"]}')
        return said['hash_tree']

    def complain(self, code, words, *arguments):
        """An error instead of an inspection."""
        _, err, said = self.kataimg.inspect('k.img', *arguments, code=code)
        check(words in err and said is None, f'{arguments}: {err}')


def unchecked(measured):
    """Found, and said to be unchecked, with the words to type."""
    out, _, said = measured.kataimg.inspect('k.img', code=0)
    check('checked        no; kataimg inspect --root-hash root_hash_.txt k.img does\n' in out, out)
    tree = said['hash_tree']
    check(tree['checked'] is False and tree['right'] is None, f'{tree}')
    check(tree['root_hash_file'] == 'root_hash_.txt' and tree['root_hash'] == measured.root, f'{tree}')
    check(tree['data_blocks'] * BLOCK == measured.data['size_bytes'], f'{tree}')
    check(tree['start_bytes'] == measured.tree['start_bytes'], f'{tree}')


def ways_to_name_a_root_hash(measured):
    """Digits, a line, a file; each with its salt or the one of the file beside the image."""
    measured.accept('--root-hash', measured.root)
    measured.accept('--root-hash', measured.root.upper())
    measured.accept('--root-hash', f'{measured.root},salt={measured.salt}')
    measured.accept('--root-hash', measured.line)
    measured.accept('--root-hash', 'root_hash_.txt')
    measured.accept('--root-hash', measured.root, '--salt', measured.salt)
    os.mkfifo(measured.kataimg.path('pipe'))
    no_file = "is no root hash's file: that is a line root_hash=HEX,salt=HEX,data_blocks=N"
    measured.complain(2, '--root-hash zz: neither 64 nor 128 hexadecimal digits nor a file', '--root-hash', 'zz')
    measured.complain(2, 'has this root hash: give --salt', '--root-hash', '00' * 32)
    measured.complain(2, f'pipe {no_file}', '--root-hash', 'pipe')
    measured.complain(2, f'k.img {no_file}', '--root-hash', 'k.img')
    measured.complain(2, f'tree {no_file}', '--root-hash', 'tree')
    measured.complain(1, "cannot read the root hash's file no.txt: No such file or directory",
                      '--root-hash', 'no.txt')
    measured.complain(2, 'the salt 0 is not hexadecimal', '--root-hash', measured.root, '--salt', '0')


def wrong_data(measured):
    """Which block of partition 1."""
    start = measured.data['start_bytes']
    other = measured.damage(start + 300 * BLOCK + 7)
    tree = measured.refuse(other, f'1 block of partition 1 is not what was measured: block 300, at '
                           f'byte {start + 300 * BLOCK} of the image')
    check(tree['checked'] and tree['right'] is False and tree['wrong_tree_blocks'] is None, f'{tree}')
    check(tree['wrong_data_blocks'] == {'count': 1, 'first_block': 300,
                                        'first_start_bytes': start + 300 * BLOCK}, f'{tree}')
    other = measured.damage(start + 200 * BLOCK, start + 300 * BLOCK, start + 500 * BLOCK)
    tree = measured.refuse(other, f'3 blocks of partition 1 are not what was measured, the first is '
                           f'block 200, at byte {start + 200 * BLOCK} of the image')
    check(tree['wrong_data_blocks']['count'] == 3, f'{tree}')


def wrong_tree(measured):
    """Which block of the tree, which is top, leaves; or another tree altogether."""
    start = measured.tree['start_bytes']
    leaf = start + 2 * BLOCK
    tree = measured.refuse(measured.damage(leaf + 100), f'1 block of the hash tree is damaged, at byte '
                           f'{leaf} of the image: the data below cannot be judged')
    check(tree['wrong_tree_blocks'] == {'count': 1, 'first_block': 1, 'first_start_bytes': leaf},
          f'{tree}')
    measured.refuse(measured.damage(leaf, leaf + BLOCK), '2 blocks of the hash tree are damaged, the '
                    f'first at byte {leaf} of the image: the data below cannot be judged')
    tree = measured.refuse(measured.damage(start), f"the hash tree's block on top, at byte {start} of "
                           f'the image, is damaged: its hash is [0-9a-f]*, not the root hash '
                           f'{measured.root}')
    check(tree['root_hash'] == measured.root != tree['found_root_hash'], f'{tree}')
    other = measured.line.replace(measured.root, '11' * 32)
    measured.refuse('k.img', f'the hash tree is that of partition 1, but its root hash is '
                    f'{measured.root}, not {"11" * 32}', '--root-hash', other)
    measured.refuse('k.img', 'partition 2 is not the hash tree of partition 1 with this salt; its root '
                    f'hash would be [0-9a-f]*, not {measured.root}', '--root-hash', measured.root,
                    '--salt', '00')
    blocks = measured.said['data_blocks']
    measured.refuse('k.img', f'the root hash is that of {blocks - 1} blocks, partition 1 has {blocks}',
                    '--root-hash', measured.line.replace(f'={blocks},', f'={blocks - 1},'))


def no_tree(measured):
    """A partition 2 that is none, one with a superblock, an image without."""
    kataimg, start = measured.kataimg, measured.tree['start_bytes']
    with open(kataimg.path(measured.damage()), 'r+b') as file:
        file.seek(start)
        file.write(bytes(BLOCK))
    _, _, said = kataimg.inspect('w.img', code=0)
    check(said['hash_tree'] is None and any('has just the size of a hash tree of partition 1, but does '
                                            'not begin like one' in note for note in said['notes']),
          f'{said}')
    with open(kataimg.path('w.img'), 'r+b') as file:
        file.seek(start)
        file.write(b'verity\0\0')
    _, _, said = kataimg.inspect('w.img', code=0)
    check('partition 2 starts with a dm-verity superblock that was not checked: its version is not 1'
          in said['notes'], f'{said}')
    done = kataimg.run('-q', '-f', 'ext4', '-o', 'plain.img', '--set=rootfs.check=no', '--no-sync',
                       '--set=image.align=2M', 'tree')
    check(done.returncode == 0, f'{done.stderr}')
    measured.refuse('plain.img',
                    'there is no room for a hash tree of partition 1: neither in a partition 2, nor behind the '
                    'filesystem, nor in a file plain.img.verity')


def files_beside(measured):
    """Whatever has such a name beside an image: only the right small file is taken, and no wait."""
    kataimg = measured.kataimg
    beside = 'in[s]*'
    os.mkdir(kataimg.path(beside))
    shutil.copyfile(kataimg.path('k.img'), kataimg.path(f'{beside}/k.img'))
    os.mkfifo(kataimg.path(f'{beside}/root_hash_a.txt'))
    os.mkdir(kataimg.path(f'{beside}/root_hash_b.txt'))
    os.symlink('../root_hash_.txt', kataimg.path(f'{beside}/root_hash_c.txt'))
    kataimg.write(f'{beside}/root_hash_d.txt', measured.line.encode(), 1 << 30)
    kataimg.write(f'{beside}/root_hash_e.txt', b'Root hash: none\n')
    kataimg.write(f'{beside}/root_hash_f.txt', measured.line.replace(measured.root, '11' * 32).encode())
    _, _, said = kataimg.inspect(f'{beside}/k.img', code=0)
    check(said['hash_tree']['root_hash_file'] is None, f'{said["hash_tree"]}')
    check('no root_hash*.txt beside the image belongs to its hash tree' in said['notes'], f'{said}')
    _, err, _ = kataimg.inspect(f'{beside}/k.img', '--root-hash', measured.root, code=2)
    check('no root_hash*.txt beside in[s]*/k.img has this root hash: give --salt' in err, err)
    kataimg.write(f'{beside}/root_hash_g.txt', measured.line.encode())
    _, _, said = kataimg.inspect(f'{beside}/k.img', '--root-hash', measured.root, code=0)
    check(said['hash_tree']['root_hash_file'] == f'{beside}/root_hash_g.txt', f'{said["hash_tree"]}')
    check(said['hash_tree']['right'], f'{said["hash_tree"]}')


def main(program, *backend_dirs):
    """The whole test."""
    with tempfile.TemporaryDirectory() as scratch:
        measured = Measured(Kataimg(program, backend_dirs, scratch))
        unchecked(measured)
        ways_to_name_a_root_hash(measured)
        wrong_data(measured)
        wrong_tree(measured)
        no_tree(measured)
        files_beside(measured)


if __name__ == '__main__':
    main(*sys.argv[1:])
