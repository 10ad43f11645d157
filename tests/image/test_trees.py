#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every awkward tree in every filesystem: built, then judged.

Usage: test_trees.py [--large] [NAME...]
NAME is BACKEND/TREE, BACKEND or TREE: meson test -C build trees --test-args ext4/sparse
"""
import argparse
import os

from harness import judge, manifest
from harness.backends import BACKENDS, unsupported
from harness.program import Program
from harness.tap import Skip, Tap, check
from harness.workspace import PLAIN_ID, Workspace, is_reduced, is_root, need_root
from trees import all_trees
from trees.maker import make_tree


def judge_tree(program, backend, tree, source, expected):
    """A tree that the backend cannot hold must be refused with its reason, and leave nothing. Others
    are read back by the backend before the judges see them."""
    work = program.workspace.directory('image', owner=None if tree.privileged else PLAIN_ID)
    image = os.path.join(work, 'image')
    plain = not tree.privileged
    refusals = unsupported(backend, expected)
    if refusals:
        said = program.build(backend, source, image, plain=plain).expect(1).err
        check(any(reason in said for reason in refusals), f'{refusals} expected: {said}')
        check(os.listdir(work) == [], f'a refused build leaves {os.listdir(work)}')
    else:
        report = program.build_well(backend, source, image, plain=plain,
                                    settings=['image.verify=readback']).report
        judge.judge(program, backend, image, expected, report)
    program.workspace.remove_directory(work)


def wanted(tree, arguments):
    if tree.large != arguments.large and not arguments.names:
        return False
    return is_root() or not tree.privileged


def selected(backend, tree, names):
    return not names or {backend, tree.name, f'{backend}/{tree.name}'} & set(names)


def run_tree(tap, program, tree, names):
    backends = [backend for backend in program.backends if selected(backend, tree, names)
                and (not tree.only or BACKENDS[backend].kind in tree.only)]
    if not backends:
        return
    directory = program.workspace.directory('tree')
    source = os.path.join(directory, tree.name)
    try:
        make_tree(tree, source)
        expected = manifest.read_manifest(source)
    except Skip as reason:
        tap.skip(tree.name, reason)
    else:
        for backend in backends:
            tap.case(f'{backend}/{tree.name}', judge_tree, program, backend, tree, source, expected)
    program.workspace.remove_directory(directory)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--large', action='store_true')
    parser.add_argument('names', nargs='*')
    arguments = parser.parse_args()
    program = Program(Workspace())
    tap = Tap()
    for tree in all_trees().values():
        if wanted(tree, arguments) and (tree.reduced or not is_reduced()):
            run_tree(tap, program, tree, arguments.names)
    if not is_root():
        tap.case('mounting, and trees that only root can make', need_root, 'this')
    tap.finish()


if __name__ == '__main__':
    main()
