# SPDX-License-Identifier: Apache-2.0
"""Times, owners, modes and device numbers at their edges."""
import stat

from trees import tree

NS = 1_000_000_000
YEAR_2400 = 13_569_465_600
LAST_OF_EXT4 = 2**31 - 1 + 3 * 2**32


@tree('times')
def make_times(maker):
    seconds = [-2**31, -5, -1, 0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**33, YEAR_2400,
               LAST_OF_EXT4]
    for second in seconds:
        for nanosecond in [0, 1, 123_456_789, 999_999_999]:
            time = second * NS + nanosecond
            maker.file(f'file {time}', b'x', mtime_ns=time)
            maker.symlink(f'link {time}', 'target', mtime_ns=time)
            maker.directory(f'directory {time}', mtime_ns=time)
            maker.fifo(f'fifo {time}', mtime_ns=time)


@tree('ids')
def make_ids(maker):
    ids = [0, 1, 1000, 65533, 65534, 65535, 65536, 65537, 2**31 - 1, 2**31, 2**32 - 2]
    for number in ids:
        maker.file(f'user {number}', uid=number, gid=0)
        maker.file(f'group {number}', uid=0, gid=number)
        maker.symlink(f'link {number}', 'target', uid=number, gid=number)
        maker.directory(f'directory {number}', uid=number, gid=ids[-1] - number)


@tree('modes', privileged=True)
def make_modes(maker):
    maker.directory('files')
    maker.directory('directories')
    for mode in range(0o10000):
        maker.file(f'files/{mode:04o}', mode=mode)
    for mode in list(range(0o1000)) + [0o1777, 0o2755, 0o4711, 0o7000, 0o7777]:
        maker.directory(f'directories/{mode:04o}', mode=mode)


@tree('devices')
def make_devices(maker):
    numbers = [(0, 0), (0, 1), (1, 0), (1, 3), (8, 1), (255, 255), (256, 0), (0, 256), (255, 256),
               (256, 255), (259, 70000), (511, 262143), (511, 0), (0, 262143)]
    for major, minor in numbers:
        maker.node(f'char {major} {minor}', stat.S_IFCHR, major, minor)
        maker.node(f'block {major} {minor}', stat.S_IFBLK, major, minor, mode=0o4755, uid=70000)


@tree('devices-large-minors', only=('ext4', 'erofs'))
def make_large_minors(maker):
    for major, minor in [(0, 262144), (512, 0), (4095, 0), (4095, 1048575), (8, 1048575),
                         (259, 262144)]:
        maker.node(f'char {major} {minor}', stat.S_IFCHR, major, minor)
        maker.node(f'block {major} {minor}', stat.S_IFBLK, major, minor)
