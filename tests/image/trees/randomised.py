# SPDX-License-Identifier: Apache-2.0
"""Trees by chance: the seed decides everything."""
import random
import stat

from trees import tree
from trees.maker import pattern

NS = 1_000_000_000
SEEDS = range(8)


def _name(chance, taken):
    while True:
        length = chance.choice([1, 3, 8, 12, 30, chance.randint(1, 255)])
        name = bytes(chance.choice([b for b in range(1, 256) if b != 47]) for _ in range(length))
        if name not in (b'.', b'..') and name not in taken:
            taken.add(name)
            return name


def _attributes(chance):
    attributes = {'uid': chance.choice([0, 1000, 65536, 2**32 - 2]),
                  'gid': chance.choice([0, 5, 70000]),
                  'mtime_ns': chance.randint(-2**31 * NS, 2**33 * NS)}
    xattrs = {f'trusted.{chance.randint(0, 30)}': pattern(i, chance.choice([0, 3, 30, 200, 900]))
              for i in range(chance.choice([0, 0, 0, 1, 3]))}
    return {**attributes, 'xattrs': xattrs}


def _make_file(maker, chance, path):
    mode = chance.randint(0, 0o7777)
    if chance.random() < 0.2:
        blocks = chance.randint(1, 2000)
        segments = [(chance.randrange(blocks) * 4096, chance.randint(1, 9000)) for _ in range(9)]
        maker.sparse(path, blocks * 4096 + chance.randint(0, 4095), segments, mode)
        maker.set_attributes(path, **_attributes(chance))
        return
    size = chance.choice([0, 10, 4096, 5000, chance.randint(0, 300_000), 2_200_000])
    maker.file(path, pattern(size, size), mode, **_attributes(chance))


def _make_entry(maker, chance, directories, files):
    directory, taken = chance.choice(directories)
    name = _name(chance, taken)
    path = directory + b'/' + name if directory else name
    kind = chance.choices(['file', 'directory', 'link', 'hardlink', 'device', 'fifo'],
                          [60, 12, 10, 8, 6, 4])[0]
    if kind == 'directory':
        maker.directory(path, chance.randint(0, 0o7777), **_attributes(chance))
        directories.append((path, set()))
    elif kind == 'link':
        maker.symlink(path, b't' * chance.choice([1, 30, 59, 60, 400, 1023]),
                      **_attributes(chance))
    elif kind == 'hardlink' and files:
        maker.link(chance.choice(files), path)
    elif kind == 'device':
        maker.node(path, chance.choice([stat.S_IFCHR, stat.S_IFBLK]), chance.randint(0, 511),
                   chance.randint(0, 262143), chance.randint(0, 0o7777), **_attributes(chance))
    elif kind == 'fifo':
        maker.fifo(path, **_attributes(chance))
    else:
        _make_file(maker, chance, path)
        files.append(path)


def _register(seed):
    @tree(f'random-{seed}', privileged=True, reduced=seed < 2)
    def make_random(maker):
        chance = random.Random(seed)
        directories, files = [(b'', set())], []
        for _ in range(chance.choice([20, 150, 700])):
            _make_entry(maker, chance, directories, files)


for _seed in SEEDS:
    _register(_seed)
