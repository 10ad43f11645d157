#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The judges themselves: each must find what is wrong, and nothing in what is right."""
import os
import subprocess
import tempfile

from harness import extents, fsck, manifest, mount, partitions
from harness.damage import flip
from harness.tap import Failure, Tap, check, check_equal
from harness.workspace import Workspace, need_root, need_tool
from trees import get
from trees.maker import Maker, make_tree, pattern

MIB = 1 << 20
# Said in full: what mke2fs adds by default differs, and the kernel speaks of some of it.
EXT4_FEATURES = ('none,has_journal,ext_attr,dir_index,filetype,extent,64bit,flex_bg,sparse_super,'
                 'large_file,huge_file,dir_nlink,extra_isize,metadata_csum')


def must_fail(function, *arguments):
    try:
        function(*arguments)
    except Failure as failure:
        return str(failure)
    raise Failure(f'{function.__name__} finds nothing wrong')


def make_sample(maker):
    maker.directory('d')
    maker.file('d/file', pattern(1, 10_000), mtime_ns=1_500_000_000_123_456_789)
    maker.sparse('d/sparse', 64 * 4096, [(0, 4096), (8 * 4096, 4096)])
    maker.file('linked', b'1', xattrs={'user.a': b'1'})
    maker.link('linked', 'd/linked')
    maker.symlink('link', 'target', mtime_ns=1)


def rewrite_quietly(path, change):
    """Changes a file and gives it back its times."""
    status = os.stat(path)
    change(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def fill_hole(path):
    with open(path, 'r+b') as file:
        file.seek(20 * 4096)
        file.write(bytes(4096))


def set_time(path, ns):
    os.utime(path, ns=(ns, ns), follow_symlinks=False)


def split_link(path):
    parent = os.stat(os.path.dirname(path))
    subprocess.run(['cp', '-a', '--remove-destination', path, f'{path}.new'], check=True)
    os.rename(f'{path}.new', path)
    set_time(os.path.dirname(path), parent.st_mtime_ns)


# What is changed in one of two equal trees, and how the difference must be called.
CHANGES = [
    ('mode', 'd', lambda path: os.chmod(path, 0o700), ['d: mode is 0o700']),
    ('nanosecond', 'd/file', lambda path: set_time(path, 1_500_000_000_123_456_788),
     ['d/file: mtime_ns']),
    ('time of a link', 'link', lambda path: set_time(path, 0), ['link: mtime_ns']),
    ('content', 'd/file', lambda path: rewrite_quietly(path, lambda p: flip(p, 9_999)),
     ['d/file: digest']),
    ('hole', 'd/sparse', lambda path: rewrite_quietly(path, fill_hole), ['d/sparse: data lies']),
    ('size', 'd/sparse', lambda path: rewrite_quietly(path, lambda p: os.truncate(p, 262_145)),
     ['d/sparse: size', 'd/sparse: digest']),
    ('attribute', 'linked', lambda path: os.setxattr(path, 'user.a', b'2'),
     ["d/linked: attribute b'user.a'", "linked: attribute b'user.a'"]),
    ('further attribute', 'd', lambda path: os.setxattr(path, 'user.b', b''),
     ["d: has an attribute b'user.b'"]),
    ('hard link', 'd/linked', split_link,
     ['d/linked: nlink', 'linked: nlink', "linked: is a link of b'linked'"]),
]


def judge_change(workspace, path, change, expected):
    directory = workspace.directory('sample')
    roots = [os.path.join(directory, name) for name in 'ab']
    for root in roots:
        maker = Maker(root)
        make_sample(maker)
        maker.finish()
    source = manifest.read_manifest(roots[0])
    check_equal(manifest.compare(source, manifest.read_manifest(roots[1]), 4096), [], 'equal trees')
    change(os.path.join(roots[1], path))
    differences = manifest.compare(source, manifest.read_manifest(roots[1]), 4096)
    check_equal(len(differences), len(expected), f'differences {differences}')
    for sentence in expected:
        check(any(d.startswith(sentence) for d in differences), f'{sentence}: {differences}')


def judge_names(workspace):
    directory = workspace.directory('names')
    for name, entry in [('a', 'one'), ('b', 'two')]:
        maker = Maker(os.path.join(directory, name))
        maker.file(entry)
        maker.finish()
    differences = manifest.compare(manifest.read_manifest(f'{directory}/a'),
                                   manifest.read_manifest(f'{directory}/b'))
    check_equal(differences, ['one: missing', 'two: should not be there'], 'differences')


def make_ext4(workspace, tree_name, size='64M'):
    """An image of mke2fs -d, which loses nanoseconds and places files anywhere."""
    directory = workspace.directory('ext4')
    source = make_tree(get(tree_name), os.path.join(directory, 'tree'))
    image = os.path.join(directory, 'image')
    subprocess.run([need_tool('mke2fs'), '-q', '-t', 'ext4', '-O', EXT4_FEATURES, '-b', '4096',
                    '-d', source, image, size], check=True, capture_output=True)
    whole = partitions.Partition(0, os.path.getsize(image))
    return source, image, whole


def judge_checker(workspace):
    _, image, whole = make_ext4(workspace, 'simple')
    fsck.check_filesystem('ext4', image, whole)
    flip(image, 4096 + 8)  # in a group descriptor
    check('e2fsck' in must_fail(fsck.check_filesystem, 'ext4', image, whole), 'another complaint')


def judge_mounted(workspace):
    need_root('mounting')
    source, image, whole = make_ext4(workspace, 'times')
    point = workspace.directory('mount')
    with mount.mounted('ext4', image, whole, point) as root:
        differences = manifest.compare(manifest.read_manifest(source),
                                       manifest.read_manifest(root))
    check(any('mtime_ns' in line for line in differences), f'no lost nanoseconds: {differences}')
    check('lost+found: should not be there' in differences, f'{differences}')


def judge_read_only(workspace):
    need_root('mounting')
    _, image, whole = make_ext4(workspace, 'simple')
    with open(image, 'rb') as file:
        before = file.read()
    with mount.mounted('ext4', image, whole, workspace.directory('mount')) as root:
        try:
            os.mkdir(f'{root}/new')
        except OSError:
            pass
        else:
            raise Failure('the mount can be written')
        manifest.read_manifest(root)
    with open(image, 'rb') as file:
        check(file.read() == before, 'a mount changed the image')


def judge_placement(workspace):
    need_root('mounting')
    source, image, whole = make_ext4(workspace, 'alignment', '128M')
    expected = manifest.read_manifest(source)
    with mount.mounted('ext4', image, whole, workspace.directory('mount')) as root:
        complaint = must_fail(extents.check_huge_pages, expected, root, 0)
    check('cannot be mapped' in complaint, complaint)


def write_tables(path, second_start=2048):
    """The headers as sfdisk makes them: no info block."""
    with open(path, 'wb') as file:
        file.truncate(16 * MIB)
    for base, start in [(0, 6144), (2 * MIB, second_start)]:
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(path)) as view:
            view.truncate(16 * MIB - base)
            subprocess.run([need_tool('sfdisk'), '-q', view.name], check=True, text=True,
                           input=f'label: dos\nstart={start}, size=16384, type=83\n')
            with open(path, 'r+b') as image:
                image.seek(base)
                image.write(view.read(512))


def judge_partitions(workspace):
    path = os.path.join(workspace.directory('tables'), 'image')
    write_tables(path)
    check('info block' in must_fail(partitions.check_partitions, path), 'another complaint')
    block = bytearray(4096)
    block[:16] = partitions.INFO_SIGNATURE
    for offset, value, size in [(54, 2, 2), (56, 2 * MIB, 8), (72, 1, 4), (84, 2 * MIB, 4),
                                (4088, partitions.INFO_CHECKSUM, 8)]:
        block[offset:offset + size] = value.to_bytes(size, 'little')
    for second_start in [2048, 2056]:
        write_tables(path, second_start)
        with open(path, 'r+b') as image:
            image.seek(4096)
            image.write(block)
        if second_start == 2048:
            check_equal(partitions.check_partitions(path),
                        partitions.Partition(3 * MIB, 8 * MIB), 'the root partition')
        else:
            must_fail(partitions.check_partitions, path)


def judge_digest(workspace):
    """The same, hole or zeros; another for each byte, and for each byte more."""
    directory = workspace.directory('digest')
    sparse, written = os.path.join(directory, 'sparse'), os.path.join(directory, 'written')
    for path, content in [(sparse, b''), (written, bytes(5 * MIB))]:
        with open(path, 'wb') as file:
            file.write(content)
            file.truncate(5 * MIB)
            os.pwrite(file.fileno(), b'x', 3 * MIB + 5000)
    check(os.stat(sparse).st_blocks < os.stat(written).st_blocks, 'there is no hole')
    digests = [manifest.digest_file(sparse)]
    check_equal(manifest.digest_file(written), digests[0], 'digest of the zeros')
    for position in [0, 3 * MIB - 1, 5 * MIB - 1]:
        flip(sparse, position)
        digests.append(manifest.digest_file(sparse))
    os.truncate(sparse, 5 * MIB + 1)
    digests.append(manifest.digest_file(sparse))
    check_equal(len(set(digests)), len(digests), 'different digests')


def main():
    workspace = Workspace()
    tap = Tap()
    for name, path, change, expected in CHANGES:
        tap.case(f'compare: {name}', judge_change, workspace, path, change, expected)
    tap.case('compare: names', judge_names, workspace)
    tap.case('digest of a file', judge_digest, workspace)
    tap.case('checker finds a flipped bit', judge_checker, workspace)
    tap.case('tables that disagree, and no info block', judge_partitions, workspace)
    tap.case('comparison finds what mke2fs -d loses', judge_mounted, workspace)
    tap.case('mounts are read-only', judge_read_only, workspace)
    tap.case('huge pages: mke2fs -d does not align', judge_placement, workspace)
    tap.finish()


if __name__ == '__main__':
    main()
