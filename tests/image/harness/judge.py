# SPDX-License-Identifier: Apache-2.0
"""All judges over one image."""
import dataclasses
import json
import os

from harness import extents, fsck, manifest, mount
from harness.backends import BACKENDS
from harness.partitions import check_partitions
from harness.tap import Failure, check, check_equal
from harness.workspace import is_root

XFS_ACLS = {b'trusted.SGI_ACL_FILE', b'trusted.SGI_ACL_DEFAULT'}
# Mounted for writing, XFS keeps a twentieth of the blocks for itself, and some for its btrees;
# mounted read-only it does not.
XFS_KEPT_BLOCKS = 8192
XFS_BTREE_BLOCKS = 64
XFS_BTREE_SHARE = 500


def with_lost_found(backend, expected, report):
    """An ext4 that will be written to gets a lost+found."""
    if backend != 'ext4' or b'lost+found' in expected:
        return expected
    root = expected[b'']
    added = dataclasses.replace(root, mode=0o700, uid=0, gid=0, nlink=2, xattrs={},
                                mtime_ns=report['identifiers']['build_time'] * 1_000_000_000,
                                first=b'lost+found', subdirectories=0)
    return {**expected, b'lost+found': added,
            b'': dataclasses.replace(root, subdirectories=root.subdirectories + 1)}


def read_mounted(kind, root):
    actual = manifest.read_manifest(root)
    if kind == 'xfs':
        # root sees the lists behind the ACLs as attributes, too
        for entry in actual.values():
            for name in XFS_ACLS & entry.xattrs.keys():
                del entry.xattrs[name]
    return actual


def compare_with_source(backend, expected, root, holes):
    actual = read_mounted(BACKENDS[backend].kind, root)
    differences = manifest.compare(expected, actual, BACKENDS[backend].hole_chunk if holes else 0)
    if differences:
        raise Failure(f'{len(differences)} differences from the source:\n'
                      + '\n'.join(differences[:15]))


def check_free_bytes(backend, space, described):
    free = space.f_bavail * space.f_frsize
    if backend != 'xfs':
        check_equal(free, described['free_bytes'], 'free bytes by statfs')
        return
    blocks = described['size_bytes'] // described['block_bytes']
    kept = min(blocks // 20, XFS_KEPT_BLOCKS) + blocks // XFS_BTREE_SHARE + XFS_BTREE_BLOCKS
    most = described['free_bytes'] + kept * described['block_bytes']
    check(described['free_bytes'] <= free <= most,
          f'free bytes by statfs: {free}, expected {described["free_bytes"]} to {most}')


def check_statfs(backend, root, described):
    """What describe foretold is what a user sees."""
    space = os.statvfs(root)
    check_free_bytes(backend, space, described)
    if backend == 'xfs':
        # it makes inodes out of what is free
        check(space.f_ffree >= described['free_inodes'], 'fewer free inodes than described')
    elif not BACKENDS[backend].read_only:
        check_equal(space.f_ffree, described['free_inodes'], 'free inodes by statfs')
        check_equal(space.f_files, described['inodes'], 'inodes by statfs')


def check_inspect(program, image, described):
    result = program.run(['inspect', '--json', image]).expect(0)
    said = json.loads(result.out)
    check_equal(said['contradictions'], [], 'contradictions that inspect finds')
    check(said['filesystem'], 'inspect finds no filesystem')
    for name in ['type', 'size_bytes', 'block_bytes', 'free_bytes', 'inodes', 'free_inodes',
                 'label']:
        check_equal(said['filesystem'][name], described[name], f'{name} by inspect')


def judge_mounted(backend, image, partition, expected, described, point, huge_pages, holes):
    about = BACKENDS[backend]
    with mount.mounted(about.kind, image, partition, point, about.mount_options) as root:
        compare_with_source(backend, expected, root, holes)
        check_statfs(backend, root, described)
        if huge_pages:
            extents.check_huge_pages(expected, root, partition.start)


def judge_with_kernel(program, backend, image, partition, expected, report, huge_pages, holes=True):
    if not is_root():
        return
    point = program.workspace.directory('mount')
    judge_mounted(backend, image, partition, expected, report['filesystem'], point, huge_pages,
                  holes)
    os.rmdir(point)


def judge(program, backend, image, expected, report, dax=True, huge_pages=True, holes=True):
    """expected: the manifest of the source; report: the build's own. The kernel judges for root."""
    partition = check_partitions(image, dax)
    fsck.check_filesystem(BACKENDS[backend].kind, image, partition)
    check_inspect(program, image, report['filesystem'])
    judge_with_kernel(program, backend, image, partition, expected, report, dax and huge_pages,
                      holes)
