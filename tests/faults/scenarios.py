# SPDX-License-Identifier: Apache-2.0
"""What kataimg is run for while calls go wrong: each kind of source, of output, and of command."""
import os
import subprocess

from faults import look

# For tests/check/toyrun.c.
os.environ['TOY_SCRIPT'] = 'cat >&3'

PLAIN = ['-q', '--set', 'rootfs.check=no', '--set', 'image.align=2M']
VERITY = ['--set', 'verity.enabled=yes']


class Scenario:
    """A command, the directory it writes below, and what is there before: old names, each a file.

    trouble: its exit code when memory is out.
    """

    def __init__(self, name, directory, arguments, old=(), makes_directory=False, trouble=1):
        self.name, self.directory, self.arguments = name, directory, arguments
        self.old, self.makes_directory = old, makes_directory
        self.trouble = trouble
        self.result = None

    def begin(self):
        """Things are as before any run."""
        subprocess.run(['rm', '-rf', self.directory], check=True)
        self.directory.mkdir()
        for name in self.old:
            (self.directory / name).write_text(f'old {name}', encoding='utf-8')
        return look(self.directory)


def builds(out, tree):
    image = ['-o', str(out / 'k.img')]
    for backend in ('ext4', 'xfs', 'erofs'):
        yield Scenario(backend, out, [*PLAIN, '-f', backend, *image, tree], ('k.img',))
    yield Scenario('verity', out, [*PLAIN, *VERITY, '-f', 'erofs', *image, '--set',
                                   'verity.place=file', tree],
                   ('k.img', 'k.img.verity', 'root_hash_.txt'))
    for form in ('gzip', 'zstd'):
        yield Scenario(f'initrd-{form}', out, ['-q', '--set', 'rootfs.check=no', '-f', 'cpio', '--set',
                                               'tree.whole-seconds=yes', '--set',
                                               f'image.compress={form}', *image, tree], ('k.img',))


def with_others(bench, out, tree):
    """By a library that maps what it reads, if there is one, and by a program."""
    contexts = bench.directory / 'file_contexts'
    contexts.write_text('/.*\tsystem_u:object_r:default_t:s0\n', encoding='ascii')
    subprocess.run(['sefcontext_compile', '-o', f'{contexts}.bin', contexts], check=True)
    labels = ['--set', f'selinux.file-contexts={contexts}.bin']
    if b'without libselinux' not in bench.run(['tree', *PLAIN[:3], *labels, tree]).stderr:
        yield Scenario('labels', out, [*PLAIN, *labels, '-f', 'ext4', '-o', str(out / 'k.img'), tree],
                       ('k.img',))
    yield Scenario('program', out, ['-q', '--set', 'rootfs.check=no', '-f', bench.run_backend, '-o',
                                    str(out / 'k.img'), tree], ('k.img',))


def artifact(out, tree):
    """Into a layout that is not there: an error leaves none."""
    yield Scenario('artifact', out, [*PLAIN, '-f', 'erofs', '-o', f'oci:{out}/layout:new', tree])


def sets(directory, out, tree):
    """Two files of one image each, and one file with two."""
    for name in ('one', 'two'):
        (directory / f'{name}.ini').write_text(
            f'[image]\nsource={tree}\noutput={out}/{name}.img\nfilesystem=erofs\nalign=2M\n'
            '[rootfs]\ncheck=no\n', encoding='utf-8')
    (directory / 'both.ini').write_text(
        f'[image]\nsource={tree}\nalign=2M\n[rootfs]\ncheck=no\n[verity]\nenabled=yes\n'
        f'[image one]\noutput={out}/one.img\nfilesystem=erofs\n'
        f'[image two]\noutput={out}/two.img\nfilesystem=ext4\n', encoding='utf-8')
    yield Scenario('configurations', out, ['-q', '-c', str(directory / 'one.ini'), '-c',
                                           str(directory / 'two.ini'), '--manifest',
                                           str(out / 'manifest.json')],
                   ('one.img', 'two.img', 'manifest.json'))
    yield Scenario('sections', out, ['-q', '-c', str(directory / 'both.ini'), '--toml',
                                     str(out / 'kata.toml')],
                   ('one.img', 'two.img', 'root_hash_one.txt', 'root_hash_two.txt', 'kata.toml'))


def sources(directory, out, tree):
    tar, packed = directory / 'tree.tar', directory / 'tree.tar.gz'
    subprocess.run(['tar', '-C', tree, '-cf', tar, '.'], check=True)
    subprocess.run(['tar', '-C', tree, '-czf', packed, '.'], check=True)
    for name, source in (('tar', tar), ('tar.gz', packed), ('image', f'image:{directory}/k.img')):
        yield Scenario(name, out, [*PLAIN, '-f', 'erofs', '-o', str(out / 'k.img'), str(source)],
                       ('k.img',))


def readers(directory, out, tree):
    """directory: has k.img, an image of the tree."""
    image = str(directory / 'k.img')
    yield Scenario('extract-directory', out, ['extract', '-q', image, '-C', str(out / 'new')],
                   makes_directory=True)
    for end in ('tar', 'tar.zst'):
        yield Scenario(f'extract-{end}', out, ['extract', '-q', '--force', image, '-o',
                                                str(out / f'new.{end}')],
                       (f'new.{end}',))
    yield Scenario('tree', out, ['tree', '-q', '--hash', 'sha256', '--set', 'rootfs.check=no', tree])
    mtree = directory / 'tree.mtree'
    mtree.write_text('#mtree\n. type=dir mode=0755\n./a type=file mode=0644 nlink=1\n'
                     './b\\040c type=link link=a\n', encoding='utf-8')
    yield Scenario('mtree', out, ['tree', '-q', '--set', 'rootfs.check=no', str(mtree)])
    ini = directory / 'keys.ini'
    ini.write_text(f'[image]\nsource={tree}\n[rootfs]\ncheck=no\n[xfs]\nlabel=x\n', encoding='utf-8')
    yield Scenario('keys', out, ['tree', '-c', str(ini)])
    yield Scenario('inspect', out, ['inspect', image])
    yield Scenario('inspect-json', out, ['inspect', '--json', image])
    yield Scenario('ls', out, ['ls', '-lR', image])
    yield Scenario('cat', out, ['cat', image, 'etc/deep/file'])
    yield Scenario('diff', out, ['diff', image, image], trouble=2)
    yield Scenario('attest', out, ['attest', '-q', image, '-c', str(directory / 'k.ini')])
    yield Scenario('key', out, ['key', '-q', '-c', str(directory / 'k.ini')])
    yield Scenario('key-text', out, ['key', '-q', '--text', '--set', 'image.output=oci:x:y', '--set',
                                     'image.compress=gzip', '-c', str(directory / 'k.ini')])


def all_of(bench, tree):
    """All scenarios, once a run of each was seen to end well, in a list."""
    directory, out, tree = bench.directory, bench.directory / 'out', str(tree)
    (directory / 'k.ini').write_text(
        f'[image]\nsource={tree}\noutput={directory}/k.img\nfilesystem=ext4\nalign=2M\n'
        '[rootfs]\ncheck=no\n', encoding='utf-8')
    made = bench.run(['-q', '-c', str(directory / 'k.ini')])
    if made.returncode != 0:
        raise SystemExit(made.stderr.decode())
    found = [*builds(out, tree), *with_others(bench, out, tree), *artifact(out, tree), *sets(directory, out, tree), *sources(directory, out, tree),
             *readers(directory, out, tree)]
    for scenario in found:
        scenario.begin()
        done = bench.run(scenario.arguments)
        if done.returncode != 0:
            raise SystemExit(f'{scenario.name}: {done.stderr.decode()}')
        scenario.result = (look(scenario.directory), done.stdout, done.stderr)
    return found
