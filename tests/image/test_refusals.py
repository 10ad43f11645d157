#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What must fail: with the right exit code, a message that says why, and nothing left behind."""
import os
import stat

from harness import judge, manifest
from harness.program import Program
from harness.source import Sources
from harness.tap import Tap, check, check_equal
from harness.workspace import PLAIN_ID, Workspace, need_root
from trees.maker import Maker

FAILED, USAGE = 1, 2
LISTED_MAX = 20

# name: what build.ini says, and what the error says; {ini} is the file's path.
CONFIGURATIONS = {
    'unknown section': ('[imag]\nsource = tree\n', ['{ini}:2', 'unknown section [imag]']),
    'unknown section without keys': ('[image]\nsource = tree\n[imag] ; none\n',
                                     ['{ini}:3', 'unknown section [imag]']),
    'unknown key': ('[image]\nsource = tree\nfilesytem = ext4\n',
                    ['{ini}:3', 'unknown key', 'filesystem']),
    'key twice': ('[image]\nsource = tree\nalign = 2M\nalign = 4M\n', ['{ini}:4', 'line 3']),
    'no unit of that name': ('[image]\nsource = tree\nfree-space = 12Q\n', ['{ini}:3', '12Q']),
    'negative size': ('[image]\nsource = tree\nfree-space = -1\n', ['{ini}:3', '-1']),
    'size overflows': ('[image]\nsource = tree\nfree-space = 99999999999T\n', ['{ini}:3']),
    'number overflows': ('[image]\nsource = tree\nbuild-time = 18446744073709551616\n',
                         ['{ini}:3']),
    'not a yes or no': ('[image]\nsource = tree\ndax = maybe\n', ['{ini}:3', 'maybe']),
    'not a choice': ('[image]\nsource = tree\nunsupported = warn\n', ['{ini}:3', 'drop']),
    'align of 3000': ('[image]\nsource = tree\nalign = 3000\n', ['{ini}:3', '3000']),
    'align without huge pages': ('[image]\nsource = tree\nalign = 1M\n', ['{ini}:3', '2 MiB']),
    'size is no multiple': ('[image]\nsource = tree\nsize = 3M\n', ['{ini}:3', '2 MiB']),
    'no source': ('[image]\nalign = 2M\n', ['no source']),
    'not an INI file': ('[image\nsource = tree\n', ['{ini}:1']),
    'line without a value': ('[image]\nsource = tree\njust words\n', ['{ini}:3']),
    'backend that does not exist': ('[image]\nsource = tree\nfilesystem = ntfs\n', ['ntfs']),
    'bad name of a backend': ('[image]\nsource = tree\nfilesystem = Ext4\n', ['Ext4']),
    'free space of a read-only one': ('[image]\nsource = tree\nfilesystem = erofs\n'
                                      'free-space = 1M\n', ['erofs is read-only']),
    'unknown option of a backend': ('[image]\nsource = tree\nfilesystem = ext4\n'
                                    '[ext4]\nlable = x\n', ['{ini}:5', 'label']),
    'bad value of an option': ('[image]\nsource = tree\nfilesystem = ext4\n'
                               '[ext4]\nreserved-percent = 51\n', ['{ini}:5']),
    'label that is too long': ('[image]\nsource = tree\nfilesystem = xfs\n'
                               '[xfs]\nlabel = thirteen-char\n', ['{ini}:5']),
    'compression that no guest reads': ('[image]\nsource = tree\nfilesystem = erofs\n'
                                        '[erofs]\ncompress = lzma\n', ['{ini}:5', 'lz4']),
}


class Bench:
    def __init__(self):
        self.program = Program(Workspace())
        self.sources = Sources(self.program.workspace)

    def directory(self, plain=False):
        return self.program.workspace.directory('image', PLAIN_ID if plain else None)

    def refuse(self, backend, source, code, *messages, plain=False, settings=()):
        directory = self.directory(plain)
        image = os.path.join(directory, 'image')
        result = self.program.build(backend, source, image, plain=plain, settings=settings)
        result.expect(code, *messages)
        check_equal(os.listdir(directory), [], 'what a refused build leaves')
        return result


def bad_configuration(bench, text, messages):
    directory = bench.directory()
    Maker(os.path.join(directory, 'tree')).finish()
    path = os.path.join(directory, 'build.ini')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    result = bench.program.run(['-c', path, '--set', 'rootfs.check=no'], cwd=directory)
    result.expect(USAGE, *[message.replace('{ini}', path) for message in messages])
    check_equal(sorted(os.listdir(directory)), ['build.ini', 'tree'], 'files beside build.ini')


def bad_command_line(bench, arguments, messages):
    bench.program.run(arguments).expect(USAGE, *messages)


def missing_configuration(bench):
    path = os.path.join(bench.directory(), 'none.ini')
    bench.program.run(['-c', path]).expect(USAGE, path, 'No such file')


def missing_source(bench):
    path = os.path.join(bench.directory(), 'none')
    bench.refuse(bench.program.backends[0], path, FAILED, path, 'No such file')


def unreadable(bench, name, make):
    """A plain user is told what cannot be read, and no image is made without it."""
    need_root('a file that its reader does not own')
    source = os.path.join(bench.directory(), 'tree')
    maker = Maker(source)
    make(maker)
    maker.finish()
    for backend in bench.program.backends:
        bench.refuse(backend, source, FAILED, name, 'Permission denied', plain=True)


def make_closed_directory(maker):
    maker.directory('closed')
    maker.file('closed/inside')
    maker.set_attributes('closed', mode=0o700)


UNREADABLE = {
    'file': ('secret-file', lambda maker: maker.file('secret-file', b'1', mode=0o600)),
    'directory': ('closed', make_closed_directory),
}


def make_offenders(maker):
    maker.directory('d')
    for i in range(60):
        maker.symlink(f'd/link-{i:02}', b't' * 1024)
    maker.node('minor', stat.S_IFCHR, 8, 262144)
    maker.node('major', stat.S_IFBLK, 512, 0)
    maker.file('kept', b'stays')


def list_of_offenders(bench):
    """By name, up to a limit, and how many more there are."""
    need_root('device nodes')
    source = os.path.join(bench.directory(), 'tree')
    maker = Maker(source)
    make_offenders(maker)
    maker.finish()
    said = bench.refuse('xfs', source, FAILED, 'd/link-00 has 1024 bytes',
                        'symbolic link targets above 1023', 'and 42 more').err
    check_equal(said.count('xfs cannot store'), LISTED_MAX, 'offenders that are listed')


def drop_offenders(bench):
    """unsupported = drop: the rest is built, and each thing that is missing was named."""
    need_root('device nodes')
    directory = bench.directory()
    source, image = os.path.join(directory, 'tree'), os.path.join(directory, 'image')
    maker = Maker(source)
    make_offenders(maker)
    maker.finish()
    expected = manifest.read_manifest(source)
    result = bench.program.build('xfs', source, image, settings=['image.unsupported=drop'])
    result.expect(0)
    for path in [b'minor', b'major', *[b'd/link-%02d' % i for i in range(60)]]:
        check("left out: xfs cannot store" in result.err and f': {path.decode()} ' in result.err,
              f'{path} is not listed: {result.err[:500]}')
        del expected[path]
    check_equal(result.report['tree']['left_out'], 62, 'left_out in the report')
    judge.judge(bench.program, 'xfs', image, expected, result.report)


def drop_attributes(bench):
    directory = bench.directory()
    source, image = bench.sources.path('xattrs'), os.path.join(directory, 'image')
    result = bench.program.build('erofs-stub', source, image, settings=['image.unsupported=drop'])
    result.expect(0, 'one has user.a', 'directory has user.d')
    expected = manifest.read_manifest(source)
    count = 0
    for entry in expected.values():
        count += len(entry.xattrs)
        entry.xattrs.clear()
    check_equal(result.report['tree']['left_out'], count, 'left_out in the report')
    judge.judge(bench.program, 'erofs-stub', image, expected, result.report)


# name: (filesystem, tree, what the message says)
TOO_MUCH = {
    'xfs: link of 1024 bytes': ('xfs', 'symlinks-long', ['symbolic link targets above 1023']),
    'xfs: device major 512': ('xfs', 'devices-large-minors', ['device m', 'above']),
    'ext4: value of 20000 bytes': ('ext4', 'xattrs-large', ['f20000', 'f4041']),
    'ext4: 1 EiB': ('ext4', 'sparse-exabyte', ['hole', 'files above']),
    'erofs: value of 65536 bytes': ('erofs', 'xattrs-largest', ['above 65535']),
}


def too_much(bench, backend, tree, messages):
    need_root('this tree')
    bench.refuse(backend, bench.sources.path(tree), FAILED, *messages)


def times_of_compat(bench):
    bench.refuse('xfs', bench.sources.path('times'), FAILED, 'modification time',
                 settings=['xfs.profile=compat'])


def main():
    bench = Bench()
    tap = Tap()
    for name, (text, messages) in CONFIGURATIONS.items():
        tap.case(f'configuration: {name}', bad_configuration, bench, text, messages)
    for arguments, messages in [(['--nonsense'], ['--nonsense']), (['-c'], ['-c']),
                                (['--set', 'image'], ['SECTION.KEY=VALUE']),
                                (['--threads', '0', '.'], ['--threads']), (['a', 'b'], ['b']),
                                (['inspect'], ['IMAGE'])]:
        tap.case(f'command line: {" ".join(arguments)}', bad_command_line, bench, arguments,
                 messages)
    tap.case('configuration that does not exist', missing_configuration, bench)
    tap.case('source that does not exist', missing_source, bench)
    for kind, (name, make) in UNREADABLE.items():
        tap.case(f'unreadable {kind}', unreadable, bench, name, make)
    for name, (backend, tree, messages) in TOO_MUCH.items():
        if backend in bench.program.backends:
            tap.case(name, too_much, bench, backend, tree, messages)
    if 'xfs' in bench.program.backends:
        tap.case('a list of what xfs cannot store', list_of_offenders, bench)
        tap.case('drop what xfs cannot store', drop_offenders, bench)
        tap.case('xfs: times beyond compat', times_of_compat, bench)
    if 'erofs-stub' in bench.program.backends:
        tap.case('drop attributes', drop_attributes, bench)
    tap.finish()


if __name__ == '__main__':
    main()
