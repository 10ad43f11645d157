# SPDX-License-Identifier: Apache-2.0
"""Source trees that several cases of a program share, and their copies."""
import os
import subprocess

from harness import manifest
from harness.tap import check, check_equal
from harness.walk import walk
from trees import get
from trees.maker import make_tree


class Sources:
    """Each named tree is made once and read once."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.made = {}

    def path(self, name):
        if name not in self.made:
            directory = self.workspace.directory('tree')
            path = make_tree(get(name), os.path.join(directory, name))
            self.made[name] = path, manifest.read_manifest(path)
        return self.made[name][0]

    def expected(self, name):
        self.path(name)
        return self.made[name][1]


def _archive(source, names):
    return subprocess.Popen(
        ['tar', '--directory', source, '--create', '--format=posix', '--xattrs', '--acls',
         '--sparse', '--no-recursion', '--null', '--files-from=-', '--file=-'],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE), b'\0'.join(names) + b'\0'


def copy_in_other_order(source, target):
    """The same tree, its entries made last to first, so that readdir gives them otherwise."""
    names = [b'./' + path for path, *_ in walk(source)] + [b'.']
    os.mkdir(target)
    reader, listed = _archive(source, names[::-1])
    writer = subprocess.Popen(['tar', '--directory', target, '--extract', '--xattrs', '--acls',
                               '--xattrs-include=*', '--preserve-permissions', '--numeric-owner',
                               '--delay-directory-restore', '--file=-'], stdin=reader.stdout)
    reader.stdout.close()
    reader.stdin.write(listed)
    reader.stdin.close()
    check_equal((reader.wait(), writer.wait()), (0, 0), 'exit codes of tar')
    differences = manifest.compare(manifest.read_manifest(source), manifest.read_manifest(target))
    check(not differences, f'the copy differs: {differences[:5]}')
    check(os.listdir(source) != os.listdir(target), 'readdir gives the same order')
    return target
