#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Options of the image and of the backends: each on the trees that it concerns, then judged."""
import dataclasses
import os

from harness import judge
from harness.backends import unsupported
from harness.program import Program
from harness.source import Sources
from harness.tap import Tap, check, check_equal
from harness.workspace import Workspace, is_reduced

# (backend, settings, trees)
VARIANTS = [
    ('ext4', ['ext4.journal=no'], ['simple', 'sparse', 'alignment']),
    ('ext4', ['ext4.inodes=100000', 'ext4.reserved-percent=20', 'ext4.label=sixteen--letters'],
     ['simple', 'empty']),
    # one inode more than two groups hold
    ('ext4', ['ext4.inodes=65537', 'ext4.reserved-percent=0', 'ext4.journal=no'],
     ['simple', 'xattrs-sizes']),
    ('ext4', ['ext4.uuid=01234567-89ab-cdef-0123-456789abcdef'], ['xattrs', 'directory-of-1000']),
    ('xfs', ['xfs.profile=compat'], ['simple', 'sparse-segments', 'xattrs', 'alignment']),
    ('xfs', ['xfs.agcount=4'], ['simple', 'alignment', 'directory-of-1000']),
    ('xfs', ['xfs.agcount=17'], ['directories-small', 'sizes']),
    ('xfs', ['xfs.log-size=64M', 'xfs.label=twelve--char'], ['simple']),
    ('erofs', ['erofs.data=packed'], ['simple', 'sizes', 'sparse', 'xattrs-sizes', 'symlinks-many',
                                      'directories-one-block', 'xattrs-everywhere', 'empty']),
    ('erofs', ['erofs.compress=lz4'], ['compressible', 'sizes', 'sparse', 'duplicates']),
    ('erofs', ['erofs.compress=lz4hc'],
     ['compressible', 'alignment', 'sparse-segments', 'hardlinks']),
    ('erofs', ['erofs.compress=lz4hc', 'erofs.cluster-size=64K', 'erofs.level=12'],
     ['compressible', 'sizes', 'duplicates', 'sparse-5-gib']),
    ('erofs', ['erofs.compress=lz4', 'erofs.data=packed', 'erofs.dedupe=yes'],
     ['compressible', 'duplicates']),
    ('erofs', ['erofs.compress=lz4hc', 'erofs.level=3', 'erofs.tail=inline'],
     ['compressible', 'sizes', 'xattrs-sizes', 'duplicates', 'hardlinks']),
    ('erofs', ['erofs.compress=lz4', 'erofs.fragments=tails', 'erofs.dedupe=yes'],
     ['compressible', 'sizes', 'sparse', 'duplicates', 'hardlinks', 'xattrs-sizes']),
    ('erofs', ['erofs.compress=lz4hc', 'erofs.fragments=all', 'erofs.cluster-size=1M',
               'erofs.level=1', 'erofs.tail=inline'],
     ['compressible', 'sizes', 'sparse', 'alignment', 'empty', 'xattrs-everywhere']),
    ('erofs', ['erofs.data=auto', 'erofs.map=*[02468] usr/**', 'erofs.compress=lz4',
               'erofs.fragments=tails', 'erofs.dedupe=yes'],
     ['compressible', 'sizes', 'sparse', 'duplicates', 'alignment']),
    ('erofs', ['erofs.dedupe=yes'], ['duplicates', 'simple', 'sparse-segments']),
    ('erofs', ['erofs.label=fifteen-letters'], ['simple']),
]
FOR_ALL = [
    (['image.dax=no'], ['simple', 'alignment']),
    (['image.hugepages=no'], ['simple', 'alignment']),
    (['image.align=128M'], ['simple']),
    (['tree.holes=fill'], ['simple', 'sparse']),
    (['tree.holes=detect'], ['simple', 'sparse']),
    (['tree.holes=blocks'], ['simple', 'sparse']),
]
# Files that are compressed, packed or shared need not lie where a huge page could map them.
NOT_MAPPED = ('erofs.compress', 'erofs.dedupe', 'erofs.data=packed', 'image.dax=no',
              'image.hugepages=no')


def with_holes(expected, setting):
    """What the option makes of the source's holes; detect and blocks are judged by content alone."""
    if setting == 'tree.holes=fill':
        return {path: dataclasses.replace(entry, data=((0, -(-entry.size // 4096) * 4096),))
                if entry.data or entry.digest and entry.size else entry
                for path, entry in expected.items()}
    return expected


def judge_variant(program, sources, backend, settings, tree):
    image = os.path.join(program.workspace.directory('image'), 'image')
    expected = sources.expected(tree)
    if unsupported(backend, expected) and settings != ['tree.holes=fill']:
        program.build(backend, sources.path(tree), image, settings=settings).expect(1)
        return
    report = program.build_well(backend, sources.path(tree), image, settings=settings).report
    for setting in settings:
        key, _, value = setting.partition('=')
        if key.endswith('.label'):
            check_equal(report['filesystem']['label'], value, 'label')
    huge_pages = not any(word in setting for word in NOT_MAPPED for setting in settings)
    holes = not any(word in s for s in settings
                    for word in ('tree.holes=detect', 'tree.holes=blocks', 'compress', 'dedupe'))
    judge.judge(program, backend, image, with_holes(expected, settings[0]), report,
                dax='image.dax=no' not in settings, huge_pages=huge_pages, holes=holes)
    program.workspace.remove_directory(os.path.dirname(image))


def judge_savings(program, sources, setting, tree):
    """An option that promises a smaller image makes one."""
    sizes = []
    for settings in [[], [setting]]:
        image = os.path.join(program.workspace.directory('image'), 'image')
        report = program.build_well('erofs', sources.path(tree), image, settings=settings).report
        sizes.append(report['geometry']['plan_bytes'])
        program.workspace.remove_directory(os.path.dirname(image))
    check(sizes[1] < sizes[0], f'{setting}: {sizes[1]} bytes, without it {sizes[0]}')


def variants(backends):
    for backend, settings, trees in VARIANTS:
        if backend in backends:
            yield backend, settings, trees
    for backend in backends:
        for settings, trees in FOR_ALL:
            yield backend, settings, trees


def main():
    program = Program(Workspace())
    sources = Sources(program.workspace)
    tap = Tap()
    for backend, settings, trees in variants(program.backends):
        for tree in trees[:1] if is_reduced() else trees:
            tap.case(f'{backend}/{tree}: {" ".join(settings)}', judge_variant, program, sources,
                     backend, settings, tree)
    if 'erofs' in program.backends:
        for setting, tree in [('erofs.compress=lz4', 'compressible'),
                              ('erofs.dedupe=yes', 'duplicates'), ('erofs.data=packed', 'sizes')]:
            tap.case(f'{setting} saves room', judge_savings, program, sources, setting, tree)
    tap.finish()


if __name__ == '__main__':
    main()
