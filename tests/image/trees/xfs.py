# SPDX-License-Identifier: Apache-2.0
"""What decides forms in XFS: two forks that share an inode, and names of one hash."""
from trees import tree
from trees.maker import pattern

BLOCK = 4096
BASE = b'abcdefghijklmnopqrstuvwx'
# Its hash is higher than that of BASE. xfs_repair takes it for an error when more attributes than a
# leaf holds share the highest hash, in files that the kernel made as well.
HIGHER = b'ozzzz'


def colliding(count):
    """Names of one hash: in a pair of bytes flip bit 0 of the first and bit 7 of the second."""
    for number in range(count):
        name = bytearray(BASE)
        for pair in range(len(BASE) // 2):
            if number >> pair & 1:
                name[2 * pair] ^= 1
                name[2 * pair + 1] ^= 0x80
        yield bytes(name)


def make_colliding(maker, name, count, *others):
    directory = maker.directory(name).encode()
    for name in [*colliding(count), *others]:
        maker.file(directory + b'/' + name)


@tree('xfs-colliding-names', only=('xfs',))
def make_colliding_names(maker):
    """Of one hash alone, around what two leaves hold; between others; with the highest hash."""
    for count in [10, 100, 400, 502, 503, 1005, 1006, 1007, 1500]:
        make_colliding(maker, f'alone{count}', count)
    for count in [10, 100, 400, 520, 1500]:
        make_colliding(maker, f'between{count}', count, HIGHER,
                       *(b'other-%d' % other for other in range(300 if count > 100 else 0)))
    make_colliding(maker, 'highest', 1500, *(b'%d' % other for other in range(1500)))


@tree('xfs-colliding-attributes', privileged=True, only=('xfs',))
def make_colliding_attributes(maker):
    for count in [10, 80, 110]:
        maker.file(f'last{count}', xattrs={b'trusted.' + name: b'' for name in colliding(count)})
    for count in [200, 400]:
        names = [*colliding(count), HIGHER]
        maker.file(f'not-last{count}', xattrs={b'trusted.' + name: b'v' for name in names})


@tree('xfs-link-and-attributes', privileged=True, only=('xfs',))
def make_links(maker):
    for length in [1, 55, 56, 57, 295, 296, 297, 298, 335, 336, 337, 1023]:
        for size in [20, 200, 280, 2000]:
            maker.symlink(f'l{length}-{size}', b't' * length,
                          xattrs={'trusted.q': pattern(size, size)})


@tree('xfs-directory-and-attributes', privileged=True, only=('xfs',))
def make_directories(maker):
    for size in [20, 100, 265, 275, 500]:
        for count in [*range(0, 32, 3), 100, 600]:
            directory = maker.directory(f'd{size}-{count}', xattrs={'trusted.a': b'v' * size})
            for child in range(count):
                maker.file(f'{directory}/{child}')


@tree('xfs-extents-and-attributes', privileged=True, only=('xfs',))
def make_extents(maker):
    for count in [0, 1, 2, 3, 4, 5, 6, 17, 18, 19, 20, 21, 22, 251, 252, 753, 754]:
        for size in [10, 200, 255, 3000]:
            name = maker.sparse(f's{count}-{size}', 2 * count * BLOCK,
                                [(2 * i * BLOCK, BLOCK) for i in range(count)])
            maker.set_attributes(name, xattrs={'trusted.a': pattern(size, size)})


@tree('xfs-short-attributes', privileged=True, only=('xfs',))
def make_short(maker):
    """Around what the inode has left for attributes: 280 bytes of 336, of a FIFO 328."""
    for total in [*range(270, 284), *range(322, 332)]:
        size = total - 4 - 2 * (3 + 1) - 100
        xattrs = {'trusted.a': b'v' * size, 'trusted.b': b'w' * 100}
        maker.file(f'file{total}', b'x', xattrs=xattrs)
        maker.fifo(f'fifo{total}', xattrs=xattrs)


@tree('xfs-value-sizes', privileged=True, only=('xfs',))
def make_values(maker):
    for size in [0, 1, 255, 256, 3061, 3062, 3063, 4039, 4040, 4041, 8080, 8081]:
        xattrs = {'trusted.abc': pattern(size, size)}
        maker.file(f'file{size}', b'x', xattrs=xattrs)
        maker.directory(f'directory{size}', xattrs=xattrs)
        maker.symlink(f'link{size}', 'target', xattrs=xattrs)
        maker.fifo(f'fifo{size}', xattrs=xattrs)
