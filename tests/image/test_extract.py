#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is extracted from a source is the source, as a reader of its own sees both. Where something is
in the way: test_extract_hindered.py.

Usage: test_extract.py [TREE...]
"""
import filecmp
import os
import subprocess
import sys
import tempfile

from harness import manifest
from harness.program import Program
from harness.source import Sources
from harness.tap import Tap, check, check_equal
from harness.workspace import PLAIN_ID, Workspace, is_reduced, need_root, need_tool
from test_archives import make_archive, without_sockets
from trees import all_trees
from trees.maker import Maker

# What a tmpfs, on which all is made, cannot hold, or what takes long and says no more.
LEFT_OUT = {'symlinks-long', 'sparse-exabyte', 'xattrs-largest', 'file-of-300-mib'}
IN_TARS = ['simple', 'every-type', 'names-odd', 'times', 'devices', 'xattrs', 'acls',
           'sparse-segments', 'symlinks', 'random-1']
TO_TARS = ['empty', 'simple', 'names-odd', 'names-every-byte', 'names-long', 'times', 'ids', 'modes',
           'devices', 'xattrs', 'xattrs-sizes', 'acls', 'hardlinks', 'sizes', 'sparse',
           'sparse-segments', 'sparse-5-gib', 'symlinks', 'deep', 'random-1', 'random-3']
OF_IMAGES = ['simple', 'names-odd', 'xattrs', 'hardlinks', 'sparse-segments']
# Backends that coarsen holes to their chunks: the second round is the first one's bytes.
COARSENS_HOLES = {'erofs', 'erofs-stub'}
# bsdtar composes the letters of names, and has no number above that of int in an ACL.
CANNOT = {('names-odd', 'bsdtar'), ('acls', 'bsdtar')}
HOLE_CHUNK = 4096


class Bench:
    def __init__(self):
        self.program = Program(Workspace())
        self.sources = Sources(self.program.workspace)
        self.count = 0

    def target(self):
        return os.path.join(self.program.workspace.directory('out', PLAIN_ID), 'target')

    def extract(self, source, *arguments, target=None, plain=False, **options):
        target = target or self.target()
        result = self.program.run(['extract', '-C', target, *arguments, source], plain, **options)
        return target, result


def expect_same(expected, target, hole_chunk=HOLE_CHUNK):
    differences = manifest.compare(expected, manifest.read_manifest(target), hole_chunk)
    check(not differences, f'{len(differences)} differences: {differences[:5]}')


def from_directory(bench, tree):
    target, result = bench.extract(bench.sources.path(tree))
    result.expect(0)
    check_equal(result.err, '', 'what it says')
    expect_same(bench.sources.expected(tree), target)


def from_archive(bench, tree):
    need_root('a tree with owners')
    source = bench.sources.path(tree)
    without_sockets(source)
    archive = make_archive(source, bench.target())
    target, result = bench.extract(archive)
    result.expect(0)
    expect_same(manifest.read_manifest(source), target)


def from_image(bench, backend, tree):
    """An image, and diff's word on it; its own holes and lost+found are a backend's to keep."""
    source = bench.sources.path(tree)
    image = os.path.join(os.path.dirname(bench.target()), 'image')
    bench.program.build_well(backend, source, image)
    target, result = bench.extract(image)
    result.expect(0)
    check_equal(result.err, '', 'what it says')
    expect_same(bench.sources.expected(tree), target, hole_chunk=0)
    bench.program.run(['diff', image, source]).expect(0)
    bench.program.run(['diff', image, target]).expect(0)


def there_and_back(bench, backend, tree):
    """What was extracted builds the image again, and so does the image itself as a source."""
    need_root('a tree with owners')
    image, again = (os.path.join(os.path.dirname(bench.target()), name) for name in ('a', 'b'))
    source = bench.sources.path(tree)
    rounds = 2 if backend in COARSENS_HOLES else 1
    for _ in range(rounds):
        bench.program.build_well(backend, source, image)
        source = bench.extract(image)[0]
    bench.program.build_well(backend, source, again)
    check(filecmp.cmp(image, again, shallow=False), 'extracted, it builds another image')
    bench.program.build_well(backend, f'image:{image}', again)
    check(filecmp.cmp(image, again, shallow=False), 'as a source, it builds another image')


def archive_attributes(bench):
    """What is no ACL, though its name says so, stays what it is; a name that only kataimg reads back
    is told."""
    work = os.path.dirname(bench.target())
    text = ('. gid=0 mode=0755 time=1.0 type=dir uid=0\n'
            './f gid=0 mode=0644 size=0 time=1.0 type=file uid=0 '
            'xattr.system.posix_acl_access=YWJj xattr.user.\\303\\244=eA==\n')
    with open(f'{work}/odd.mtree', 'w', encoding='ascii') as out:
        out.write(f'#mtree\n{text}')
    bench.program.run(['extract', '-o', f'{work}/odd.tar', f'{work}/odd.mtree']).expect(
        0, 'the names of 1 extended attributes have %XX in the archive')
    trees = [bench.program.run(['tree', '--set', 'rootfs.check=no', f'{work}/odd.{end}']).expect(0).out
             for end in ('mtree', 'tar')]
    check('posix_acl_access=YWJj' in trees[0] and '\\303\\244=eA==' in trees[0], trees[0])
    check_equal(trees[1], trees[0], 'the tree of the archive')


def archive_holes(bench):
    """A file of an exabyte, which is a hole almost everywhere, is archived as what it is."""
    with tempfile.TemporaryDirectory(dir='/dev/shm') as work:
        os.mkdir(f'{work}/tree')
        with open(f'{work}/tree/large', 'wb') as out:
            out.write(b'begins')
            out.seek(1 << 50)
            out.write(b'goes on')
            out.truncate(1 << 60)
        bench.program.run(['extract', '-o', f'{work}/x.tar', f'{work}/tree']).expect(0)
        check(os.path.getsize(f'{work}/x.tar') < 1 << 20, 'holes were written')
        trees = [bench.program.run(['tree', '--set', 'rootfs.check=no', f'{work}/{name}']).expect(0).out
                 for name in ('tree', 'x.tar')]
        check_equal(trees[1], trees[0], 'the tree of the archive')
        done = subprocess.run([need_tool('tar'), '-xSf', f'{work}/x.tar', '-C', work], check=False)
        check_equal(done.returncode, 0, 'tar')
        with open(f'{work}/large', 'rb') as made:
            made.seek(1 << 50)
            check_equal(made.read(7), b'goes on', 'what is behind the hole')
        check_equal(os.path.getsize(f'{work}/large'), 1 << 60, 'the size')


# By whom a tar of ours is unpacked again.
JUDGES = {
    'tar': ['tar', '--extract', '--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner',
            '--preserve-permissions', '--delay-directory-restore', '--file'],
    'bsdtar': ['bsdtar', '-x', '-p', '--xattrs', '--acls', '--numeric-owner', '-f'],
}


def unpacked(bench, archive, judge):
    target = bench.target()
    os.mkdir(target)
    done = subprocess.run([need_tool(judge), *JUDGES[judge][1:], archive], cwd=target,
                          capture_output=True, text=True, errors='replace', check=False)
    check_equal(done.returncode, 0, f'{judge}: {done.stderr}')
    return target


def expect_unpacked(expected, target, judge):
    """bsdtar gives the directory that it unpacks to no time, and misreads fractions before 1970."""
    found = manifest.read_manifest(target)
    for path, entry in found.items() if judge == 'bsdtar' else []:
        meant = expected.get(path, entry).mtime_ns
        if path == b'' or meant < 0 and meant % 10**9:
            entry.mtime_ns = meant
    differences = manifest.compare(expected, found, HOLE_CHUNK)
    check(not differences, f'{len(differences)} differences: {differences[:5]}')


def to_archive(bench, tree, judge):
    """What a tar of ours is to others; what they cannot themselves is not looked at."""
    need_root('a tree with owners')
    source = bench.sources.path(tree)
    without_sockets(source)
    archive = os.path.join(os.path.dirname(bench.target()), 'x.tar')
    result = bench.program.run(['extract', '-o', archive, source]).expect(0)
    check_equal(result.err, '', 'what it says')
    expected = manifest.read_manifest(source)
    for entry in expected.values():
        # what libarchive cannot say
        if -10**9 < entry.mtime_ns < 0:
            entry.mtime_ns = -10**9
    expect_unpacked(expected, unpacked(bench, archive, judge), judge)
    target, result = bench.extract(archive)
    result.expect(0)
    expect_same(expected, target)


def archive_forms(bench):
    """The same bytes whatever the threads; a file that is there stays; sockets are named."""
    maker = Maker(os.path.join(bench.program.workspace.directory('tree'), 'tree'))
    maker.file('file', bytes(range(256)) * 9000)
    maker.directory('directory')
    maker.socket('directory/socket')
    maker.socket('socket')
    maker.symlink('link', 'file')
    maker.finish()
    source = maker.root.decode()
    work = os.path.dirname(bench.target())
    expected = manifest.read_manifest(source)
    del expected[b'directory/socket'], expected[b'socket']
    for end in ['tar', 'tar.gz', 'tgz', 'tar.zst', 'tar.xz']:
        archives = [os.path.join(work, f'{threads}.{end}') for threads in '14']
        for archive in archives:
            bench.program.run(['extract', '-o', archive, '--threads',
                               os.path.basename(archive)[0], source]).expect(
                0, 'tar has no sockets: 2 left out (directory/socket)')
        contents = [open(archive, 'rb').read() for archive in archives]
        check(contents[0] == contents[1], f'{end}: the bytes depend on the threads')
        expect_unpacked(expected, unpacked(bench, archives[0], 'bsdtar'), 'bsdtar')
    stream = bench.program.start(['extract', '-o', '-', source])
    with open(os.path.join(work, '1.tar'), 'rb') as file:
        check(stream.communicate()[0] == file.read(), 'standard output has another archive')
    again = ['extract', '-o', archive, source]
    bench.program.run(again).expect(1, f'{archive} is there already: --force replaces it')
    bench.program.run([*again, '--force']).expect(0)
    bench.program.run(['extract', '-o', f'{work}/a.zip', source]).expect(
        2, 'its name ends in none of .tar, .tar.gz, .tar.zst and .tar.xz')
    bench.program.run(['extract', '-o', f'{source}/a.tar', source]).expect(
        1, 'would lie inside its own source')
    bench.program.run(['extract', '-o', f'{work}/a.tar', '-C', work, source]).expect(
        2, 'extract needs -C DIR or -o FILE, and one of them')
    check(not os.path.exists(f'{work}/a.tar'), 'a refused archive is there')


def main():
    bench = Bench()
    tap = Tap()
    names = sys.argv[1:]
    for name, tree in all_trees().items():
        skipped = name in LEFT_OUT or tree.large or is_reduced() and not tree.reduced
        if name in names or not (names or skipped):
            tap.case(f'{name}: from the directory', from_directory, bench, name)
    if names:
        tap.finish()
        return
    for backend in bench.program.backends:
        for name in OF_IMAGES if backend != 'erofs-stub' else OF_IMAGES[:2]:
            tap.case(f'{name}: from an image of {backend}', from_image, bench, backend, name)
            tap.case(f'{name}: there and back by {backend}', there_and_back, bench, backend, name)
    for name in IN_TARS:
        tap.case(f'{name}: from an archive', from_archive, bench, name)
    for name in TO_TARS:
        for judge in JUDGES:
            if (name, judge) not in CANNOT:
                tap.case(f'{name}: to a tar for {judge}', to_archive, bench, name, judge)
    tap.case('forms of archives', archive_forms, bench)
    tap.case('attributes in archives', archive_attributes, bench)
    tap.case('holes in archives', archive_holes, bench)
    tap.finish()


if __name__ == '__main__':
    main()
