#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kata's own callers of image_builder.sh, with the link in its place: what `make image`,
build_image.sh and the targets of kata-deploy ask for, as they ask for it, and what has to come out.
With the argument initrd those of initrd_builder.sh.

Stand-ins are the root filesystem, and the two steps around the builder, written from what those do:
make is started in tools/osbuilder with its variables on the command line, and calls the builder by
its path in that tree; then the image, the root hash and a link go where Kata installs them."""
import dataclasses
import os
import re
import shutil
import stat
import subprocess
import sys

from harness.fsck import check_filesystem, extract
from harness.partitions import MIB, check_info_block, check_with_sfdisk, read_table
from harness.tap import Tap, check, check_equal
from harness.workspace import Workspace, need_root, need_tool

BUILDER = 'tools/osbuilder/image-builder/image_builder.sh'
INITRD_BUILDER = 'tools/osbuilder/initrd-builder/initrd_builder.sh'
MAKEFILE = """\
BUILDER := $(CURDIR)/image-builder/image_builder.sh
ROOTFS := $(ROOTFS_BUILD_DEST)/$(DISTRO)_rootfs
image: $(CURDIR)/kata-containers.img
$(CURDIR)/kata-containers.img:
\t$(BUILDER) -o $@ "$(ROOTFS)"
INITRD_BUILDER := $(CURDIR)/initrd-builder/initrd_builder.sh
initrd: $(CURDIR)/kata-containers-initrd.img
$(CURDIR)/kata-containers-initrd.img:
\t$(INITRD_BUILDER) -o $@ "$(ROOTFS)"
"""
LINE = re.compile(r'root_hash=([0-9a-f]{64}),salt=([0-9a-f]{64}),data_blocks=(\d+),'
                  r'data_block_size=4096,hash_block_size=4096\n')
# What runs the targets in a container gives these, empty when nobody sets them.
INHERITED = {'AGENT_INIT': 'no', 'MEASURED_ROOTFS': 'no', 'IMAGE_SIZE_ALIGNMENT_MB': '',
             'ARCH': 'x86_64', 'USER': 'kata-builder', 'DEBUG': ''}
EROFS = {'FS_TYPE': 'erofs', 'MEASURED_ROOTFS': 'yes', 'SKIP_DAX_HEADER': 'yes'}


@dataclasses.dataclass(frozen=True)
class Target:
    suffix: str  # of the image's name
    label: str  # of the root hash
    tree: str
    variables: dict
    kind: str = 'ext4'
    measured: bool = True
    dax: bool = True
    align: int = 128 * MIB


TARGETS = [
    Target('', 'base', 'systemd', {'MEASURED_ROOTFS': 'yes'}),
    Target('', '', 'systemd', {'ARCH': 's390x'}, measured=False),
    Target('', '', 'agent', {'AGENT_INIT': 'yes'}, measured=False),
    Target('confidential', 'confidential', 'systemd', {'MEASURED_ROOTFS': 'yes'}),
    Target('mariner', 'mariner', 'systemd', {'IMAGE_SIZE_ALIGNMENT_MB': '2'}, measured=False,
           align=2 * MIB),
    *(Target(name, name, 'nvrc', EROFS, kind='erofs', dax=False, align=MIB)
      for name in ('nvidia', 'nvidia-gpu', 'nvidia-gpu-confidential')),
    Target('nvidia-gpu-extension', 'nvidia-gpu-extension', 'extension',
           {**EROFS, 'SKIP_ROOTFS_CHECK': 'yes'}, kind='erofs', dax=False, align=MIB),
]
DEVKIT = Target('devkit-extension', 'devkit-extension', 'extension',
                {**EROFS, 'SKIP_ROOTFS_CHECK': 'yes'}, kind='erofs', dax=False, align=MIB)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)
    os.chmod(path, mode)


def make_tree(root, kind):
    write(f'{root}/usr/lib/numbers', '\n'.join(map(str, range(300000))))
    if kind == 'extension':
        return
    write(f'{root}/etc/hostname', 'kata\n')
    os.makedirs(f'{root}/sbin')
    if kind == 'agent':
        write(f'{root}/sbin/init', 'the agent', 0o755)
        write(f'{root}/usr/lib/systemd/systemd', 'systemd', 0o755)
        return
    write(f'{root}/usr/bin/kata-agent', 'the agent', 0o755)
    if kind == 'nvrc':
        write(f'{root}/bin/NVRC-x86_64-unknown-linux-musl', 'NVRC', 0o755)
        os.symlink('/bin/NVRC-x86_64-unknown-linux-musl', f'{root}/sbin/init')
    else:
        write(f'{root}/usr/lib/systemd/systemd', 'systemd', 0o755)
        os.symlink('/lib/systemd/systemd', f'{root}/sbin/init')


class Kata:
    """A stand-in for Kata's sources, where the builder is a link to kataimg."""

    def __init__(self, directory):
        self.directory = directory
        self.osbuilder = os.path.join(directory, 'tools/osbuilder')
        self.builder = os.path.join(directory, BUILDER)
        for builder in (self.builder, os.path.join(directory, INITRD_BUILDER)):
            os.makedirs(os.path.dirname(builder))
            os.symlink(os.environ['KATAIMG_TEST_PROGRAM'], builder)
        write(os.path.join(self.osbuilder, 'Makefile'), MAKEFILE)
        self.rootfs = os.path.join(directory, 'rootfs-image/ubuntu_rootfs')
        self.installed = os.path.join(directory, 'destdir//opt/kata/share/kata-containers/')
        os.makedirs(self.installed)

    def run(self, command, variables, cwd):
        modules = [item.split('=', 1)[1] for item in os.environ['KATAIMG_TEST_BACKENDS'].split()]
        environment = {'PATH': os.environ['PATH'], **INHERITED, **variables,
                       'KATAIMG_BACKEND_PATH': ':'.join(map(os.path.dirname, modules))}
        result = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True,
                                check=False)
        check_equal(result.returncode, 0, f'{command}: {result.stdout}{result.stderr}')
        return result.stdout + result.stderr

    def make(self, goal, label, variables):
        """As build_image.sh has it."""
        return self.run(
            ['make', goal, f'BUILD_VARIANT={label}', 'DISTRO=ubuntu', 'DEBUG=',
             'USE_DOCKER=1', 'OS_VERSION=noble',
             f'ROOTFS_BUILD_DEST={os.path.dirname(self.rootfs)}', 'AGENT_TARBALL=',
             'AGENT_POLICY=', 'COCO_GUEST_COMPONENTS_TARBALL=', 'PAUSE_IMAGE_TARBALL=',
             'GUEST_HOOKS_TARBALL='], variables, self.osbuilder)

    def make_image(self, target):
        said = self.make('image', target.label, target.variables)
        suffix = f'-{target.suffix}' if target.suffix else ''
        image = os.path.join(self.installed, f'kata-ubuntu-noble{suffix}.image')
        shutil.move(os.path.join(self.osbuilder, 'kata-containers.img'), image)
        line = os.path.join(self.osbuilder, f'root_hash_{target.label}.txt')
        if os.path.exists(line):
            shutil.copy(line, self.installed)
        os.symlink(os.path.basename(image), os.path.join(self.installed, f'kata-containers{suffix}.img'))
        return image, said

    def make_initrd(self, variables):
        self.make('initrd', '', variables)
        initrd = os.path.join(self.installed, 'kata-containers-initrd.img')
        shutil.move(os.path.join(self.osbuilder, 'kata-containers-initrd.img'), initrd)
        return initrd

    def make_devkit(self):
        """This target of kata-deploy calls the builder itself, from its own folder."""
        image = os.path.join(self.installed, 'kata-containers-devkit-extension.img')
        variables = {**DEVKIT.variables, 'USE_DOCKER': '1', 'BUILD_VARIANT': DEVKIT.label}
        return image, self.run([self.builder, '-o', image, self.rootfs], variables, self.directory)


def check_measured(image, partitions, target):
    line_path = os.path.join(os.path.dirname(image), f'root_hash_{target.label}.txt')
    check_equal(os.path.exists(line_path), target.measured, 'a root hash beside the image')
    check_equal(len(partitions), 2 if target.measured else 1, 'number of partitions')
    with open(image, 'rb') as file:
        file.seek(446)
        check_equal(file.read(1)[0], 0x80 if target.measured else 0, 'boot flag of partition 1')
    if not target.measured:
        return
    with open(line_path, encoding='ascii') as file:
        said = LINE.fullmatch(file.read())
    check(said, 'the line of the root hash')
    check_equal(int(said[3]) * 4096, partitions[0].size, 'measured bytes')
    data, hashes = (extract(image, part, f'{image}.{number}')
                    for number, part in enumerate(partitions))
    verdict = subprocess.run(
        [need_tool('veritysetup'), 'verify', data, hashes, said[1], '--no-superblock', '--format=1',
         '--hash=sha256', '--data-block-size=4096', '--hash-block-size=4096',
         f'--data-blocks={said[3]}', f'--salt={said[2]}'], capture_output=True, text=True, check=False)
    check_equal(verdict.returncode, 0, f'veritysetup: {verdict.stderr}')
    for path in (data, hashes):
        os.unlink(path)


def check_data(image, partition, said, tree):
    """EROFS without a DAX header is compressed."""
    path = extract(image, partition, f'{image}.erofs')
    shown = subprocess.run([need_tool('dump.erofs'), '--path=/usr/lib/numbers', path],
                           capture_output=True, text=True, check=False).stdout
    sizes = re.search(r'^Size: (\d+)\s+On-disk size: (\d+)', shown, re.M)
    check(sizes and int(sizes[1]) == os.path.getsize(f'{tree}/usr/lib/numbers') and
          int(sizes[2]) < int(sizes[1]) * 3 // 4, f'the file is not compressed: {shown}')
    check_equal(said.count('compressed with lz4hc'), 1, 'said of the compression')
    os.unlink(path)


def judge(kata, target, image, said):
    size = os.path.getsize(image)
    partitions = read_table(image, 0)
    check_equal(size % target.align, 0, f'{size} bytes modulo {target.align}')
    check_equal(partitions[0].start, 3 * MIB if target.dax else MIB, 'start of partition 1')
    check(size - sum(part.size for part in partitions) - partitions[0].start < 4096,
          'nothing lies behind the last partition')
    check_with_sfdisk(image, 0)
    if target.dax:
        check_info_block(image)
        check_with_sfdisk(image, 2 * MIB)
        check_equal(read_table(image, 2 * MIB), partitions, 'partitions seen from 2 MiB')
    else:
        with open(image, 'rb') as file:
            file.seek(4096)
            check_equal(file.read(4096).strip(b'\0'), b'', 'where the info block would be')
    check_filesystem(target.kind, image, partitions[0])
    check_measured(image, partitions, target)
    if target.kind == 'erofs':
        check_data(image, partitions[0], said, kata.rootfs)
    # The tree has 2 MB, and a journal 4 MiB.
    check(size <= max(target.align, 12 * MIB), f'{size} bytes are too many')
    check_equal(stat.S_IMODE(os.stat(image).st_mode), 0o644, 'mode')


def check_target(workspace, target):
    kata = Kata(workspace.directory('kata'))
    make_tree(kata.rootfs, target.tree)
    judge(kata, target, *kata.make_image(target))
    workspace.remove_directory(kata.directory)


def check_devkit(workspace):
    kata = Kata(workspace.directory('kata'))
    make_tree(kata.rootfs, DEVKIT.tree)
    judge(kata, DEVKIT, *kata.make_devkit())
    workspace.remove_directory(kata.directory)


def judge_initrd(kata, initrd, link):
    """One gzip member as of gzip -9n, whose cpio has the tree, and /init as the kernel's own start."""
    with open(initrd, 'rb') as file:
        check_equal(file.read(10).hex(), '1f8b0800000000000203', 'the header of gzip')
    check_equal(stat.S_IMODE(os.stat(initrd).st_mode), 0o644, 'mode')
    plain, out = f'{initrd}.cpio', os.path.join(kata.directory, 'unpacked')
    with open(plain, 'wb') as file:
        subprocess.run(['gzip', '-dc', initrd], stdout=file, check=True)
    os.mkdir(out)
    subprocess.run([need_tool('cpio'), '-idm', '--quiet', '--no-absolute-filenames', '-F', plain],
                   cwd=out, check=True)
    init = os.path.join(out, 'init')
    if link:
        check_equal(os.readlink(init), link, 'the link /init')
        os.unlink(init)
    # Each image gets an empty one, for systemd to fill.
    check_equal(os.path.getsize(os.path.join(out, 'etc/machine-id')), 0, 'the size of machine-id')
    os.unlink(os.path.join(out, 'etc/machine-id'))
    found = subprocess.run(['diff', '-r', '--no-dereference', kata.rootfs, out],
                           capture_output=True, text=True, check=False)
    check_equal((found.returncode, found.stdout), (0, ''), 'the tree and what cpio makes of it')


def check_initrd(workspace, tree, variables):
    kata = Kata(workspace.directory('kata'))
    make_tree(kata.rootfs, tree)
    judge_initrd(kata, kata.make_initrd(variables), '/sbin/init')
    check(not os.path.lexists(os.path.join(kata.rootfs, 'init')), 'the tree has got an /init')
    workspace.remove_directory(kata.directory)


def check_initrd_by_hand(workspace):
    """A relative path, every variable empty, and an /init that stays."""
    kata = Kata(workspace.directory('by hand, an initrd'))
    make_tree(kata.rootfs, 'agent')
    os.symlink('usr/lib/systemd/systemd', os.path.join(kata.rootfs, 'init'))
    variables = dict.fromkeys('INITRD_IMAGE AGENT_BIN AGENT_INIT USE_DOCKER DEBUG TMPDIR'.split(), '')
    builder = os.path.join(kata.directory, INITRD_BUILDER)
    kata.run([builder, os.path.relpath(kata.rootfs, kata.directory)], variables, kata.directory)
    judge_initrd(kata, os.path.join(kata.directory, 'kata-containers-initrd.img'), None)
    workspace.remove_directory(kata.directory)


def check_by_hand(workspace):
    """Relative paths, spaces, and every variable empty: still the defaults."""
    kata = Kata(workspace.directory('by hand, a copy'))
    root = os.path.join(kata.directory, 'a root', 'fs')
    make_tree(root, 'systemd')
    os.symlink('a root', os.path.join(kata.directory, 'link'))
    empty = ('IMAGE FS_TYPE ROOT_FREE_SPACE BLOCK_SIZE AGENT_BIN AGENT_INIT SKIP_ROOTFS_CHECK '
             'SKIP_DAX_HEADER MEASURED_ROOTFS BUILD_VARIANT IMAGE_SIZE_ALIGNMENT_MB SELINUX USER '
             'GROUP USE_DOCKER USE_PODMAN DOCKER_RUNTIME IMAGE_REGISTRY NSDAX_BIN DEBUG TMPDIR '
             'ARCH').split()
    variables = dict.fromkeys(empty, '')
    builder = os.path.relpath(kata.builder, kata.directory)
    kata.run([builder, 'link/fs/'], variables, kata.directory)
    kata.run([builder, '-oan image.img', './a root/fs'], variables, kata.directory)
    judge(kata, Target('', '', 'systemd', {}, measured=False),
          os.path.join(kata.directory, 'an image.img'), '')
    with open(os.path.join(kata.directory, 'kata-containers.img'), 'rb') as one, \
            open(os.path.join(kata.directory, 'an image.img'), 'rb') as other:
        check(one.read() == other.read(), 'two ways to the same tree give other bytes')
    workspace.remove_directory(kata.directory)


def check_owner(workspace):
    """The numbers that a container gets, and names."""
    need_root('to give an image away')
    kata = Kata(workspace.directory('owner'))
    make_tree(kata.rootfs, 'systemd')
    for user, group, expected in (('1234', '2345', (1234, 2345)), ('daemon', 'daemon', (1, 1)),
                                  ('kata-builder', '', (0, 0)), ('', '2345', (0, 0))):
        variables = {'USER': user, 'GROUP': group, 'MEASURED_ROOTFS': 'yes', 'BUILD_VARIANT': 'x',
                     'IMAGE_SIZE_ALIGNMENT_MB': '2'}
        kata.run([kata.builder, '-o', 'x.img', kata.rootfs], variables, kata.directory)
        for name in ('x.img', 'root_hash_x.txt'):
            found = os.stat(os.path.join(kata.directory, name))
            check_equal((found.st_uid, found.st_gid), expected, f'owner of {name}')
    workspace.remove_directory(kata.directory)


def test_initrds(tap, workspace):
    for tree, variables in (('systemd', {'AGENT_INIT': 'no'}), ('agent', {'AGENT_INIT': 'yes'}),
                            ('nvrc', {'AGENT_INIT': 'no'})):
        tap.case(f'make initrd: {tree}', check_initrd, workspace, tree, variables)
    tap.case('an initrd by hand', check_initrd_by_hand, workspace)


def test_images(tap, workspace):
    for target in TARGETS:
        name = ' '.join([target.suffix or 'base', *(f'{k}={v}' for k, v in target.variables.items())])
        tap.case(f'make image: {name}', check_target, workspace, target)
    tap.case('the devkit extension', check_devkit, workspace)
    tap.case('by hand', check_by_hand, workspace)
    tap.case('owner', check_owner, workspace)


def main():
    workspace = Workspace()  # first: it starts the program anew, in a namespace of its own
    tap = Tap()
    (test_initrds if sys.argv[1:] == ['initrd'] else test_images)(tap, workspace)
    tap.finish()


main()
