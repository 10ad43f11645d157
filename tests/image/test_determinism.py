#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same tree gives the same bytes, whoever builds it, where, when and how."""
import os

from harness import manifest
from harness.program import Program
from harness.source import Sources, copy_in_other_order
from harness.tap import Tap, check, check_equal
from harness.workspace import PLAIN_ID, Workspace, need_root, need_tool

TREES = ['simple', 'alignment', 'hardlinks', 'names-odd', 'xattrs-shared', 'sparse', 'duplicates']
SETTINGS = {'erofs': [(), ('erofs.compress=lz4', 'erofs.dedupe=yes')]}
# Where and how a build runs: options of Program.build.
CIRCUMSTANCES = {
    'again': {},
    'umask 077': {'umask': 0o077},
    'umask 0': {'umask': 0},
    'one thread': {'words': ['--threads', '1']},
    'seven threads': {'words': ['--threads', '7']},
    'time zone': {'environment': {'TZ': 'Asia/Kathmandu'}},
    'locale': {'environment': {'LC_ALL': 'C.UTF-8', 'LANG': 'tr_TR.UTF-8'}},
    'working directory': {'cwd': '/'},
    'environment of the user': {'environment': {'USER': 'somebody', 'HOME': '/nonexistent',
                                                'IMAGE': '/nonexistent/image', 'DEBUG': '1',
                                                'E2FSPROGS_FAKE_TIME': '12345'}},
}


class Builder:
    def __init__(self, program, sources):
        self.program = program
        self.sources = sources
        self.references = {}

    def image(self, backend, source, settings, words=(), owner=None, **circumstances):
        """The digest of an image made in a directory of its own."""
        directory = self.program.workspace.directory('image', owner)
        image = os.path.join(directory, 'image')
        self.program.build_well(backend, source, image, *words, settings=settings,
                                **circumstances)
        result = manifest.digest_file(image)
        self.program.workspace.remove_directory(directory)
        return result

    def reference(self, backend, tree, settings):
        key = backend, tree, settings
        if key not in self.references:
            self.references[key] = self.image(backend, self.sources.path(tree), settings)
        return self.references[key]

    def check_equal(self, backend, tree, settings, source=None, **circumstances):
        source = source or self.sources.path(tree)
        check_equal(self.image(backend, source, settings, **circumstances),
                    self.reference(backend, tree, settings), f'digest for the tree {tree}')


def other_user(builder, backend, settings):
    need_root('another user')
    for tree in TREES:
        if tree_fits(backend, tree):
            builder.check_equal(backend, tree, settings, plain=True, owner=PLAIN_ID)


def other_order(builder, backend, settings):
    need_root('a copy with owners and devices')
    directory = builder.program.workspace.directory('order')
    for tree in TREES:
        if tree_fits(backend, tree) and tree != 'hardlinks':  # tar takes no sockets
            copy = os.path.join(directory, tree)
            copy_in_other_order(builder.sources.path(tree), copy)
            builder.check_equal(backend, tree, settings, source=copy)


def other_temporary_directory(builder, backend, settings):
    directory = builder.program.workspace.directory('temporary')
    for tree in TREES[:2]:
        builder.check_equal(backend, tree, settings, environment={'TMPDIR': directory})
    check(not os.listdir(directory), 'something is left in TMPDIR')


def other_day(builder, backend, settings):
    library = need_tool('faketime')
    for days in ['-3000d', '+1000d']:
        for tree in TREES[:2]:
            # Of the clock only: newer ones move the times of some calls that ask of files.
            environment = {'LD_PRELOAD': faketime_library(library), 'FAKETIME': days,
                           'NO_FAKE_STAT': '1',
                           'ASAN_OPTIONS': 'verify_asan_link_order=0'}
            builder.check_equal(backend, tree, settings, environment=environment)


def faketime_library(tool):
    for directory, _, files in os.walk(os.path.join(os.path.dirname(tool), '../lib')):
        if 'libfaketime.so.1' in files:
            return os.path.join(directory, 'libfaketime.so.1')
    raise FileNotFoundError('libfaketime.so.1')


def other_circumstance(builder, backend, settings, circumstances):
    for tree in TREES[:2]:
        builder.check_equal(backend, tree, settings, **circumstances)


def other_content(builder, backend, settings):
    """The proof that the digests can differ."""
    source = builder.sources.path('simple')
    reference = builder.reference(backend, 'simple', settings)
    other = builder.image(backend, source, settings, words=['--set', 'image.build-time=1'])
    check(other != reference, 'another build time gives the same bytes')


def tree_fits(backend, tree):
    return backend != 'erofs-stub' or tree not in ('hardlinks', 'xattrs-shared', 'sparse')


def main():
    program = Program(Workspace())
    builder = Builder(program, Sources(program.workspace))
    tap = Tap()
    for backend in program.backends:
        for settings in SETTINGS.get(backend, [()]):
            name = f'{backend} {" ".join(settings)}'.strip()
            for case in (other_user, other_order, other_temporary_directory, other_day,
                         other_content):
                tap.case(f'{name}: {case.__name__.replace("_", " ")}', case, builder, backend,
                         settings)
            for circumstance, options in CIRCUMSTANCES.items():
                tap.case(f'{name}: {circumstance}', other_circumstance, builder, backend,
                         settings, options)
    tap.finish()


if __name__ == '__main__':
    main()
