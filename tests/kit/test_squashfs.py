#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of the installed kit, built and judged with that kit alone.

KATAIMG_TEST_BUILD is the build directory.
"""
import copy
import filecmp
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'image'))
# pylint: disable=wrong-import-position
from harness import judge, manifest, mount
from harness.partitions import check_partitions
from harness.program import Program
from harness.tap import Tap, check, check_equal
from harness.workspace import Workspace, is_reduced, need_root, need_tool
from kit import Kit, run
from trees import all_trees
from trees.acl import ACCESS, DEFAULT, GROUP_OBJ, MASK
from trees.maker import make_tree

SETTINGS = ['image.dax=no', 'tree.whole-seconds=yes']
COMPRESSORS = ['gzip', 'xz', 'lz4', 'lz4hc', 'zstd']
# Options of mksquashfs: its images are read, too.
FOREIGN = [
    [], ['-b', '4096'], ['-b', '1M', '-comp', 'xz', '-Xbcj', 'x86'],
    ['-comp', 'zstd', '-Xcompression-level', '3'], ['-comp', 'lz4', '-Xhc'], ['-no-fragments'],
    ['-always-use-fragments', '-no-duplicates'], ['-noI', '-noD', '-noF', '-noX'], ['-noD'],
    ['-no-xattrs', '-no-exports', '-no-sparse'],
]
ACLS = {ACCESS.encode(), DEFAULT.encode()}
TIMES = range(0, 1 << 32)


def refusals(expected):
    """What the filesystem has to say no to."""
    entries = expected.values()
    found = []
    if any(ACLS & entry.xattrs.keys() for entry in entries):
        found.append('cannot store POSIX ACLs')
    if any(entry.mtime_ns // 10**9 not in TIMES for entry in entries):
        found.append('cannot store this modification time')
    return found


def granted_to_group(acl):
    """What the access ACL, and not its mask, lets the owning group do."""
    granted = 7
    for tag, permissions, _ in struct.iter_unpack('<HHI', acl[4:]):
        if tag in (GROUP_OBJ, MASK):
            granted &= permissions
    return granted


def as_stored(expected):
    stored = copy.deepcopy(expected)
    for entry in stored.values():
        entry.mtime_ns -= entry.mtime_ns % 10**9
        if ACCESS.encode() in entry.xattrs:
            entry.mode &= ~0o070 | granted_to_group(entry.xattrs[ACCESS.encode()]) << 3
        for name in ACLS & entry.xattrs.keys():
            del entry.xattrs[name]
    return stored


class Test:
    def __init__(self):
        self.workspace = Workspace()
        self.kit = Kit(os.environ['KATAIMG_TEST_BUILD'], self.workspace.directory('kit'))
        self.work = self.workspace.directory('project')
        self.module = self.kit.build_backend(self.kit.example('backend-squashfs'), self.work)
        os.environ['KATAIMG_TEST_PROGRAM'] = self.kit.program
        os.environ['KATAIMG_TEST_BACKENDS'] = f'squashfs={self.module}'
        self.program = Program(self.workspace)

    def make(self, name):
        source = os.path.join(self.workspace.directory('tree'), name)
        make_tree(all_trees()[name], source)
        return source, manifest.read_manifest(source)

    def build(self, source, *settings):
        image = os.path.join(self.workspace.directory('image'), 'image')
        report = self.program.build_well('squashfs', source, image,
                                         settings=[*SETTINGS, *settings]).report
        return image, report['filesystem']

    def judge(self, image, described, expected):
        """The kernel's reading of every file, statfs, and unsquashfs' reading of the superblock."""
        partition = check_partitions(image, dax=False)
        judge.check_inspect(self.program, image, described)
        out = run('unsquashfs', '-s', '-o', str(partition.start), image)
        check(f'Number of inodes {described["inodes"]}' in out, out)
        need_root('mounting an image')
        self.read_back(image, as_stored(expected))
        point = self.workspace.directory('mount')
        with mount.mounted('squashfs', image, partition, point) as root:
            differences = manifest.compare(as_stored(expected), manifest.read_manifest(root))
            check_equal(differences[:15], [], 'differences from the source')
            check_equal(os.statvfs(root).f_files, described['inodes'], 'inodes by statfs')

    def read_back(self, image, expected):
        """What is extracted is what was stored."""
        target = os.path.join(self.workspace.directory('extracted'), 'target')
        self.program.run(['extract', '-C', target, image]).expect(0)
        differences = manifest.compare(expected, manifest.read_manifest(target), 1 << 20)
        check_equal(differences[:15], [], 'differences of what is extracted')
        self.workspace.remove_directory(os.path.dirname(target))

    def reads_what_mksquashfs_wrote(self, options):
        """unsquashfs is the judge."""
        need_root('a tree with owners')
        for name in ['sizes', 'random-1']:
            source, _ = self.make(name)
            work = self.workspace.directory('foreign')
            image, judged = os.path.join(work, 'image'), os.path.join(work, 'judged')
            run(need_tool('mksquashfs'), source, image, '-quiet', '-no-progress', *options)
            run('unsquashfs', '-quiet', '-no-progress', '-d', judged, image)
            self.read_back(image, manifest.read_manifest(judged))
            self.workspace.remove_directory(work)

    def there_and_back(self):
        """What was extracted builds the same image; `verify = readback` says so, too."""
        source, _ = self.make('sizes')
        first, _ = self.build(source, 'image.verify=readback')
        again, _ = self.build(f'image:{first}')
        check(filecmp.cmp(first, again, shallow=False), 'the second image differs')

    def refuses_damage_by_name(self):
        """Of the superblock, the inodes, and the file's block."""
        source = os.path.join(self.workspace.directory('tree'), 'damaged')
        os.mkdir(source)
        with open(os.path.join(source, 'file'), 'wb') as file:
            file.write(b'text' * 10000)
        image = os.path.join(self.workspace.directory('image'), 'image')
        run(need_tool('mksquashfs'), source, image, '-quiet', '-no-progress', '-noI', '-all-root')
        with open(image, 'rb') as file:
            sound = file.read()
        inodes, = struct.unpack_from('<Q', sound, 64)
        for place, put, command, said in [
                (4, b'\xff' * 4, 'ls', 'says that it has more inodes or fragments than'),
                (4, b'\1\0\0\0', 'ls', 'is more than the superblock counts'),
                (20, b'\3\0', 'ls', 'lzo: libsquashfs does not support it'),
                (inodes + 2 + 4, b'\7\0', 'ls', 'inode 1 has an owner that is none'),
                (100, b'\xff' * 4, 'cat', 'the block at byte 96 cannot be unpacked')]:
            with open(image, 'wb') as file:
                file.write(sound[:place] + put + sound[place + len(put):])
            arguments = [command, image] + ['file'] * (command == 'cat')
            self.program.run(arguments).expect(1, said)

    def keeps_the_contract(self):
        run(self.kit.check, self.module, 'compress=lz4')

    def tutorial_is_there(self):
        page = os.path.join(os.path.dirname(os.path.dirname(self.kit.example(''))),
                            'writing-a-backend.md')
        check(os.path.getsize(page) > 10000, page)

    def commands_of_the_man_page_work(self):
        """For a backend that has no DAX and a source that is no guest's root."""
        work = self.workspace.directory('by-hand')
        with open(self.kit.example('erofs-stub.c'), encoding='utf-8') as file:
            code = file.read().replace('"erofs-stub"', '"myfs"').replace('KATAIMG_CAP_DAX', '0')
        with open(os.path.join(work, 'myfs.c'), 'w', encoding='utf-8') as file:
            file.write('#include <kataimg/ondisk.h>\n' + code)
        os.mkdir(os.path.join(work, 'SOURCE'))
        run('sh', '-ec', f'cd {work}; {self.kit.commands_of_man_page()}',
            environment=self.kit.environment)
        check(os.path.getsize(os.path.join(work, 'myfs.img')) > 0, 'no image')

    def is_found_where_it_is_installed(self):
        directory = self.kit.install_backend(self.work)
        out = run(self.kit.program, 'backends', '--backend-dir', directory)
        names = [line.split()[0] for line in out.splitlines()]
        check('squashfs' in names and 'erofs-stub' not in names, out)

    def holds_tree(self, tree):
        source, expected = self.make(tree.name)
        refused = refusals(expected)
        settings = []
        if refused:
            image = os.path.join(self.workspace.directory('image'), 'image')
            result = self.program.build('squashfs', source, image, settings=SETTINGS)
            result.expect(1, *refused)
            settings = ['image.unsupported=drop']
        if refused in ([], ['cannot store POSIX ACLs']):
            image, described = self.build_dropping(source, settings)
            self.judge(image, described, expected)
        self.workspace.remove_directory(os.path.dirname(source))

    def build_dropping(self, source, settings):
        """As build; what is left out is said, which a quiet build does not do otherwise."""
        if not settings:
            return self.build(source)
        image = os.path.join(self.workspace.directory('image'), 'image')
        result = self.program.build('squashfs', source, image, settings=[*SETTINGS, *settings])
        result.expect(0, 'left out: squashfs cannot store POSIX ACLs')
        return image, result.report['filesystem']

    def refuses_nanoseconds_once(self):
        source, expected = self.make('sizes')
        for path in sorted(expected):
            os.utime(os.path.join(os.fsencode(source), path), ns=(5, 10**18 + 5),
                     follow_symlinks=False)
        image = os.path.join(self.workspace.directory('image'), 'image')
        said = self.program.build('squashfs', source, image,
                                  settings=['image.dax=no']).expect(1).err
        check(f'nanoseconds: . is one of {len({entry.inode for entry in expected.values()})}' in said,
              said)
        check_equal(said.count('nanoseconds'), 1, 'lines about nanoseconds')

    def compresses_by(self, compressor):
        source, expected = self.make('sizes')
        for block_size in ['4K', '1M']:
            image, described = self.build(source, f'squashfs.compress={compressor}',
                                          f'squashfs.block-size={block_size}')
            check(described['features'].split()[0] == compressor.removesuffix('hc'),
                  described['features'])
            self.judge(image, described, expected)

    def gives_the_same_bytes(self, compressor):
        source, _ = self.make('sizes')
        images = [self.build(source, f'squashfs.compress={compressor}')[0]]
        for threads in ['1', '1', '7']:
            image = os.path.join(self.workspace.directory('image'), 'image')
            self.program.build('squashfs', source, image, '--threads', threads,
                               settings=[*SETTINGS, f'squashfs.compress={compressor}']).expect(0)
            images.append(image)
        for image in images[1:]:
            check(filecmp.cmp(images[0], image, shallow=False), f'{image} differs')

    def refuses_levels_that_are_none(self):
        source, _ = self.make('sizes')
        image = os.path.join(self.workspace.directory('image'), 'image')
        for compressor, why in [('gzip', 'the levels of gzip are 1 to 9'),
                                ('lz4', 'lz4 has no levels')]:
            settings = [*SETTINGS, f'squashfs.compress={compressor}', 'squashfs.level=12']
            self.program.build('squashfs', source, image, settings=settings).expect(2, why)


def main():
    test, tap = Test(), Tap()
    tap.case('the tutorial is installed', test.tutorial_is_there)
    tap.case('the commands of the man page', test.commands_of_the_man_page_work)
    tap.case('found where it is installed', test.is_found_where_it_is_installed)
    tap.case('refuses nanoseconds once', test.refuses_nanoseconds_once)
    tap.case('refuses levels', test.refuses_levels_that_are_none)
    for compressor in COMPRESSORS:
        tap.case(f'compresses by {compressor}', test.compresses_by, compressor)
        tap.case(f'same bytes by {compressor}', test.gives_the_same_bytes, compressor)
    for options in FOREIGN:
        tap.case(f'reads mksquashfs {" ".join(options)}', test.reads_what_mksquashfs_wrote, options)
    tap.case('there and back', test.there_and_back)
    tap.case('refuses damage', test.refuses_damage_by_name)
    for tree in all_trees().values():
        if not tree.large and not tree.only and (tree.reduced or not is_reduced()):
            tap.case(f'tree {tree.name}', test.holds_tree, tree)
    tap.case('keeps the contract', test.keeps_the_contract)
    tap.finish()


if __name__ == '__main__':
    main()
