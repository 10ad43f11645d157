# SPDX-License-Identifier: Apache-2.0
"""Trees of few entries: what a filesystem must hold at all."""
import stat

from trees import tree
from trees.acl import acl, DEFAULT, USER, GROUP
from trees.maker import pattern


@tree('empty')
def make_empty(maker):
    pass


@tree('one-byte')
def make_one_byte(maker):
    maker.file('f', b'x')


@tree('simple')
def make_simple(maker):
    for path in ['bin', 'dev', 'etc', 'usr', 'usr/bin', 'usr/lib', 'var', '.hidden', 'tmp']:
        maker.directory(path, mode=0o1777 if path == 'tmp' else 0o755)
    maker.file('.top', b'a dotfile of the root\n')
    maker.file('.hidden/.file', b'another\n')
    maker.file('bin/tool', pattern(1, 300_000), mode=0o755)
    maker.file('bin/set-user-id', pattern(2, 5000), mode=0o4755)
    maker.file('etc/machine-id')
    maker.file('etc/passwd', b'root:x:0:0:root:/root:/bin/sh\n')
    maker.file('usr/lib/library', pattern(3, 2_500_000))
    maker.symlink('lib', 'usr/lib')
    maker.symlink('usr/bin/tool', '../../bin/tool')
    maker.symlink('etc/mtab', '/proc/self/mounts')
    for i in range(40):
        maker.file(f'usr/lib/{i:03}', pattern(i, i * 977))


@tree('every-type')
def make_every_type(maker):
    maker.directory('directory')
    maker.file('file', b'content')
    maker.file('empty-file')
    maker.symlink('link', 'nowhere')
    maker.fifo('fifo')
    maker.socket('socket')
    maker.node('char', stat.S_IFCHR, 1, 3)
    maker.node('block', stat.S_IFBLK, 8, 1)


@tree('lost+found-empty')
def make_lost_found(maker):
    maker.directory('lost+found')
    maker.file('beside', b'1')


@tree('lost+found-populated', privileged=True)
def make_lost_found_populated(maker):
    maker.directory('lost+found', mode=0o700, uid=7, gid=8)
    maker.file('lost+found/#12', b'found')
    for i in range(300):
        maker.file(f'lost+found/{i:0200}')


@tree('root-attributes')
def make_root_attributes(maker):
    maker.file('f', b'1')
    maker.set_attributes('', mode=0o3775, uid=1000, gid=70000, mtime_ns=1_234_567_890_123_456_789,
                         xattrs={'user.root': b'of the root', DEFAULT: acl([(USER, 1000, 7),
                                                                           (GROUP, 5, 5)])})


@tree('root-closed', privileged=True)
def make_root_closed(maker):
    maker.file('f', b'1')
    maker.set_attributes('', mode=0, uid=2**32 - 2, gid=2**31, mtime_ns=-5_000_000_001,
                         xattrs={'trusted.root': bytes(range(256))})


@tree('duplicates')
def make_duplicates(maker):
    for i in range(30):
        maker.file(f'same-{i}', pattern(1, 10_000))
        maker.file(f'near-{i}', pattern(1, 9_999) + b'%c' % i)
        maker.file(f'big-{i}', pattern(2, 100_000))
    maker.file('huge-1', pattern(3, 3 << 20))
    maker.file('huge-2', pattern(3, 3 << 20))
