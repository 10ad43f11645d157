# SPDX-License-Identifier: Apache-2.0
"""Hard links and symbolic links."""
import stat

from trees import tree


@tree('hardlinks')
def make_hardlinks(maker):
    maker.directory('a')
    maker.directory('b')
    maker.directory('b/c')
    maker.file('b/c/file', b'shared content', xattrs={'user.x': b'1'})
    maker.symlink('a/link', 'target')
    maker.node('a/device', stat.S_IFCHR, 1, 3)
    maker.node('a/block', stat.S_IFBLK, 259, 70000)
    maker.fifo('a/fifo')
    maker.socket('a/socket')
    maker.file('a/empty')
    for existing in ['b/c/file', 'a/link', 'a/device', 'a/block', 'a/fifo', 'a/socket', 'a/empty']:
        name = existing.rpartition('/')[2]
        maker.link(existing, f'{name}-in-the-root')
        maker.link(existing, f'b/{name}-in-b')


@tree('hardlinks-1000')
def make_1000(maker):
    maker.directory('here')
    maker.directory('there')
    maker.file('here/file', b'x' * 5000)
    for i in range(1000):
        maker.link('here/file', f'{"here" if i % 3 else "there"}/{i}')


@tree('hardlink-outside')
def make_outside(maker):
    """Of three names of an inode, two lie in the tree."""
    maker.file('one', b'content')
    maker.link('one', 'two')
    maker.link('one', '../hardlink-outside.third')


@tree('symlinks')
def make_symlinks(maker):
    for length in [1, 2, 58, 59, 60, 61, 150, 255, 295, 296, 297, 298, 335, 336, 337, 500, 1022,
                   1023]:
        maker.symlink(f'l{length}', b'/' * (length // 2) + b't' * (length - length // 2))
    maker.symlink('bytes', bytes(range(1, 256)))
    maker.symlink('dot', '.')
    maker.symlink('loop', 'loop')
    maker.symlink('up', '../../../..')


@tree('symlinks-long', only=('ext4', 'erofs', 'erofs-stub'))
def make_long(maker):
    for length in [1024, 2000, 3000, 4000, 4031, 4032, 4033, 4093, 4094, 4095]:
        maker.symlink(f'l{length}', b't' * length)


@tree('symlinks-with-xattrs', privileged=True)
def make_with_xattrs(maker):
    """A symbolic link and its attributes compete for the room in the inode."""
    for length in [1, 59, 60, 200, 295, 298, 336, 1023]:
        for size in [20, 200, 2000]:
            maker.symlink(f'l{length}-{size}', b't' * length, xattrs={'trusted.x': b'v' * size})


@tree('symlinks-many')
def make_many(maker):
    for i in range(600):
        maker.symlink(f'{i}', b't' * (i + 1))
