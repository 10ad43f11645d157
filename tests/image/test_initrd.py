#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every awkward tree as an initrd, judged by cpio(1) and by what bsdtar extracts of it.

Usage: test_initrd.py [TREE...]
"""
import dataclasses
import os
import stat
import subprocess
import sys

from harness import manifest
from harness.program import Program
from harness.tap import Failure, Skip, Tap, check, check_equal
from harness.workspace import PLAIN_ID, Workspace, is_reduced, is_root, need_root
from trees import all_trees
from trees.maker import make_tree

SETTINGS = ['tree.whole-seconds=yes', 'tree.holes=fill', 'image.verify=readback']
NSEC = 1_000_000_000


def reasons(expected):
    """Why the form newc cannot hold the tree, in the words that the message must have."""
    found = set()
    for path, entry in expected.items():
        found |= {words for words, present in [
            ('extended attributes', entry.xattrs),
            ('paths above 4095', len(path) > 4095),
            ('files above 4294967295', entry.size > 0xffffffff),
            ('modification time', not 0 <= entry.mtime_ns // NSEC <= 0xffffffff),
            ('device majors above 4095', os.major(entry.rdev) > 0xfff),
            ('device minors above 1048575', os.minor(entry.rdev) > 0xfffff)] if present}
    return found


def in_whole_seconds(entries):
    return {path: dataclasses.replace(entry, mtime_ns=entry.mtime_ns // NSEC * NSEC)
            for path, entry in entries.items()}


def judge_listing(image, expected):
    """cpio(1) names every name, and no other."""
    with open(image, 'rb') as archive:
        done = subprocess.run(['cpio', '-t', '--quiet'], stdin=archive, capture_output=True,
                              check=False)
    check_equal((done.returncode, done.stderr), (0, b''), 'cpio -t')
    # a file of the trailer's name is another one with ./ in front
    listed = sorted(done.stdout.replace(b'./TRAILER', b'TRAILER').split(b'\n'))
    names = b'\n'.join([path or b'.' for path in expected] + [b'']).split(b'\n')
    check_equal(listed, sorted(names), 'names by cpio -t')


def judge_extracted(program, image, expected):
    """What bsdtar makes of it is the source, the root's own time aside."""
    out = program.workspace.directory('extracted')
    done = subprocess.run(['bsdtar', '-x', '-p', '-P', '--numeric-owner', '-f', image, '-C', out],
                          capture_output=True, env={**os.environ, 'LC_ALL': 'C'}, check=False)
    if done.returncode:
        raise Failure(f'bsdtar: {done.stderr[-2000:]}')
    actual = manifest.read_manifest(out)
    # bsdtar makes files of sockets, and takes names as a drive's unless there is a -P
    for path in [path for path, entry in expected.items() if stat.S_ISSOCK(entry.kind)]:
        del expected[path], actual[path]
    root = dataclasses.replace(expected[b''], mtime_ns=actual[b''].mtime_ns)
    differences = manifest.compare({**in_whole_seconds(expected), b'': root}, actual, 0)
    check(not differences, f'{len(differences)} differences: ' + '\n'.join(differences[:15]))
    program.workspace.remove_directory(out)


def judge_tree(program, tree, source, expected):
    work = program.workspace.directory('image', owner=None if tree.privileged else PLAIN_ID)
    image = os.path.join(work, 'initrd')
    refusals = reasons(expected)
    built = program.build('cpio', source, image, disk=False, settings=SETTINGS, plain=not tree.privileged)
    if refusals:
        said = built.expect(1).err
        check(any(f'cannot store {reason}' in said or reason in said for reason in refusals),
              f'{refusals} expected: {said}')
        check_equal(os.listdir(work), [], 'what a refused build leaves')
        settings = SETTINGS + ['image.unsupported=drop']
        built = program.build('cpio', source, image, disk=False, settings=settings,
                              plain=not tree.privileged)
        if 'modification time' in reasons({b'': expected[b'']}):
            built.expect(1, '. has ')  # a tree without its root is none
            return
        built.expect(0, 'left out')
    else:
        built.expect(0)
        judge_listing(image, expected)
        if is_root():
            judge_extracted(program, image, expected)
    program.run(['inspect', image]).expect(0)
    program.workspace.remove_directory(work)


def run_tree(tap, program, tree):
    directory = program.workspace.directory('tree')
    source = os.path.join(directory, tree.name)
    try:
        make_tree(tree, source)
    except Skip as reason:
        tap.skip(tree.name, reason)
    else:
        tap.case(tree.name, judge_tree, program, tree, source, manifest.read_manifest(source))
    program.workspace.remove_directory(directory)


def is_wanted(tree, names):
    if names:
        return tree.name in names
    return not tree.large and not tree.only and (is_root() or not tree.privileged) \
        and (tree.reduced or not is_reduced())


def main():
    program = Program(Workspace())
    tap = Tap()
    for tree in all_trees().values():
        if is_wanted(tree, sys.argv[1:]):
            run_tree(tap, program, tree)
    if not is_root():
        tap.case('what only root can extract', need_root, 'this')
    tap.finish()


if __name__ == '__main__':
    main()
