# SPDX-License-Identifier: Apache-2.0
"""Extended attributes on both sides of every form that a filesystem stores them in."""
import stat
import struct

from trees import tree
from trees.acl import ACCESS, DEFAULT, GROUP, USER, acl
from trees.maker import pattern

CAPABILITY = 'security.capability'


def capability(revision=2, root_id=0):
    """CAP_NET_RAW, permitted and effective: linux/capability.h."""
    words = [(revision << 24) | 1, 1 << 13, 0, 0, 0]
    return struct.pack('<5I', *words) + (struct.pack('<I', root_id) if revision == 3 else b'')


@tree('xattrs')
def make_xattrs(maker):
    maker.file('one', b'x', xattrs={'user.a': b'1'})
    maker.file('empty-value', b'x', xattrs={'user.empty': b''})
    maker.file('binary', xattrs={'user.b': bytes(range(256))})
    maker.file('several', xattrs={f'user.{i}': b'v' * i for i in range(20)})
    maker.file('similar', xattrs={'user.a': b'1', 'user.aa': b'1', 'user.b': b'1', 'user.a.b': b''})
    maker.file('long-name', xattrs={'user.' + 'n' * 250: b'value'})
    maker.file('long-names', xattrs={'user.%s%d' % ('n' * 249, i): b'%d' % i for i in range(9)})
    maker.directory('directory', xattrs={'user.d': b'd' * 50})
    maker.file('directory/below', xattrs={'user.d': b'd' * 50})
    maker.file('capability', mode=0o755, xattrs={CAPABILITY: capability()})
    maker.file('capability-3', mode=0o755, xattrs={CAPABILITY: capability(3, 100000)})


@tree('xattrs-sizes')
def make_sizes(maker):
    """One attribute after another in size: from within the inode to a block of their own."""
    for size in list(range(0, 130)) + list(range(240, 360)) + [1000, 2000, 3000, 3060, 3064, 3900]:
        maker.file(f'f{size}', b'x' * (size % 7), xattrs={'user.abc': pattern(size, size)})
    for size in range(24, 72, 3):
        maker.directory(f'd{size}', xattrs={'user.abc': pattern(size, size)})
        maker.file(f'd{size}/child')
    for count in [2, 3, 10, 37, 38, 39, 100]:
        maker.file(f'n{count}', xattrs={f'user.{i:x}': b'%d' % i for i in range(count)})
    # ext4: 88 bytes of the inode and 4060 of a block are all taken, which only one split does
    maker.file('full', xattrs={'user.a': pattern(1, 24), 'user.b': pattern(2, 24),
                               'user.c': pattern(3, 28), 'user.d': pattern(4, 3992)})


@tree('xattrs-shared')
def make_shared(maker):
    large = {'user.large': pattern(1, 1500), 'user.other': b'o'}
    for i in range(10):
        maker.file(f'large-{i}', b'%d' % i, xattrs=large)
        maker.file(f'capability-{i}', xattrs={CAPABILITY: capability()})
        maker.file(f'alone-{i}', xattrs={'user.large': pattern(i + 2, 1500)})
    for i in range(1100):
        maker.file(f'label-{i}', xattrs={'user.label': b'system_u:object_r:bin_t:s0' * 10})


@tree('xattrs-everywhere', privileged=True)
def make_everywhere(maker):
    """Every type of inode, with attributes that only root sees."""
    for size in [5, 120, 700, 3000]:
        xattrs = {'trusted.t': pattern(size, size), 'security.selinux': b'u:r:t:s0\0',
                  'trusted.overlay.opaque': b'y'}
        maker.directory(f'directory{size}', xattrs=xattrs)
        maker.file(f'file{size}', b'x' * 5000, xattrs=xattrs)
        maker.symlink(f'link{size}', 'target', xattrs=xattrs)
        maker.symlink(f'long-link{size}', 't' * 900, xattrs=xattrs)
        maker.fifo(f'fifo{size}', xattrs=xattrs)
        maker.socket(f'socket{size}', xattrs=xattrs)
        maker.node(f'char{size}', stat.S_IFCHR, 1, 3, xattrs=xattrs)
        maker.node(f'block{size}', stat.S_IFBLK, 259, 70000, xattrs=xattrs)
        maker.node(f'whiteout{size}', stat.S_IFCHR, xattrs=xattrs)
    maker.file('namespaces', xattrs={'user.same': b'u', 'trusted.same': b't',
                                     'security.same': b's'})


@tree('acls')
def make_acls(maker):
    named = {1: [(USER, 1000, 7)], 6: [(USER, i * 65537, 6) for i in range(6)],
             12: [(USER, i, 5) for i in range(6)] + [(GROUP, i + 2**31, 4) for i in range(6)]}
    for count, entries in named.items():
        maker.file(f'file{count}', b'x', xattrs={ACCESS: acl(entries)})
        maker.directory(f'access{count}', xattrs={ACCESS: acl(entries)})
        maker.directory(f'both{count}', xattrs={ACCESS: acl(entries), DEFAULT: acl(entries[:3]),
                                                'user.beside': b'an attribute'})
    maker.file('many', xattrs={ACCESS: acl([(USER, i + 1, 5) for i in range(200)])})
    maker.file('other-none', xattrs={ACCESS: acl([(USER, 65534, 7)], other=0)})


@tree('xattrs-largest', privileged=True, only=('xfs',))
def make_largest(maker):
    maker.file('f', b'x', xattrs={'trusted.abc': pattern(1, 65536)})


@tree('xattrs-large', privileged=True, only=('xfs', 'erofs'))
def make_large(maker):
    """Beyond what ext4 holds."""
    for size in [4039, 4040, 4041, 8079, 8080, 8081, 20000, 65535]:
        maker.file(f'f{size}', b'x', xattrs={'trusted.abc': pattern(size, size)})
    maker.directory('directory', xattrs={'trusted.d': pattern(1, 9000)})
    maker.symlink('link', 'target', xattrs={'trusted.l': pattern(2, 9000)})
    maker.file('names', xattrs={'trusted.%s%02d' % ('n' * 240, i): b'%d' % i for i in range(60)})
    maker.file('many', xattrs={f'trusted.{i}': b'%d' % i for i in range(1000)})
    maker.file('remote', xattrs={f'trusted.{i}': pattern(i, 3500) for i in range(40)})
