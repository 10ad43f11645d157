#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""EROFS under its own options, and against mkfs.erofs."""
import os
import subprocess

import trees
from harness import judge, manifest
from harness.partitions import read_table
from harness.program import Program
from harness.tap import Tap, check, check_equal, skip_program
from harness.workspace import Workspace, is_reduced, is_root, need_root, need_tool
from trees.maker import make_tree

BACKEND = 'erofs'
CLUSTER_SIZES = ['4K', '8K', '12K', '32K', '64K', '1M']
VARIANTS = {
    'packed': ['erofs.data=packed'],
    'dedupe': ['erofs.dedupe=yes'],
    'dedupe-packed': ['erofs.dedupe=yes', 'erofs.data=packed'],
    **{f'lz4-{size}': ['erofs.compress=lz4', f'erofs.cluster-size={size}']
       for size in CLUSTER_SIZES},
    **{f'lz4hc-{size}': ['erofs.compress=lz4hc', 'erofs.level=3', f'erofs.cluster-size={size}']
       for size in CLUSTER_SIZES},
    **{f'inline-{size}': ['erofs.compress=lz4hc', 'erofs.level=1', 'erofs.tail=inline',
                          f'erofs.cluster-size={size}'] for size in ['4K', '64K']},
    **{f'fragments-{size}': ['erofs.compress=lz4', 'erofs.fragments=tails',
                             f'erofs.cluster-size={size}'] for size in ['4K', '64K']},
    'all-fragments': ['erofs.compress=lz4', 'erofs.fragments=all', 'erofs.cluster-size=64K'],
    'smallest': ['erofs.compress=lz4hc', 'erofs.fragments=all', 'erofs.cluster-size=1M',
                 'erofs.tail=inline', 'erofs.data=packed', 'erofs.dedupe=yes'],
    'everything': ['erofs.compress=lz4', 'erofs.cluster-size=16K', 'erofs.dedupe=yes',
                   'erofs.data=packed'],
}
TREES = ['erofs-compressible', 'erofs-tails', 'erofs-equal-files', 'sizes', 'sparse-segments',
         'random-1', 'random-2']
SEGMENTS = ['lz4-4K', 'all-fragments']
ZSTD = [[], ['erofs.level=1', 'erofs.cluster-size=64K', 'erofs.tail=inline'],
        ['erofs.level=3', 'erofs.cluster-size=1M', 'erofs.fragments=all'],
        ['erofs.level=1', 'erofs.cluster-size=16K', 'erofs.fragments=tails', 'erofs.dedupe=yes']]
LARGER_THAN_MKFS = {'packed': 1.0, 'lz4hc': 1.005}


class Source:
    """A tree on disk, with what must come out."""

    def __init__(self, program, name):
        tree = trees.get(name)
        self.path = os.path.join(program.workspace.directory('tree'), name)
        make_tree(tree, self.path)
        self.manifest = manifest.read_manifest(self.path)


def build(program, source, settings, *arguments):
    """Without DAX, which leaves the choice of layouts to the options."""
    image = os.path.join(program.workspace.directory('image'), 'image')
    result = program.build_well(BACKEND, source.path, image, *arguments,
                                settings=['image.dax=no', *settings])
    return image, result.report


def judge_variant(program, source, settings):
    image, report = build(program, source, settings)
    judge.judge(program, BACKEND, image, source.manifest, report, dax=False)
    os.unlink(image)


def has_zstd(program):
    """It is there where kataimg was built with libzstd."""
    return 'libzstd' in program.run(['backends', 'erofs']).expect(0).out


def kernel_reads_zstd():
    return tuple(int(part) for part in os.uname().release.split('.')[:2]) >= (6, 10)


def judge_zstd(program, source, settings):
    """fsck.erofs 1.5 does not know it: our own reader judges, and the kernel where it can."""
    image, report = build(program, source, ['erofs.compress=zstd', *settings])
    check_equal(report['filesystem']['min_kernel'], '6.10', 'oldest kernel')
    program.run(['diff', f'image:{image}', source.path]).expect(0)
    if kernel_reads_zstd():
        judge.judge_with_kernel(program, BACKEND, image, read_table(image, 0)[0], source.manifest,
                                report, False)
    os.unlink(image)


def judge_threads(program, source, settings):
    """The same bytes, whoever compresses what."""
    digests = []
    for threads in ['1', '2', '7']:
        image, _ = build(program, source, settings, '--threads', threads)
        digests.append(manifest.digest_file(image))
        os.unlink(image)
    check_equal(len(set(digests)), 1, 'different images')


def mkfs_bytes(program, source, *options):
    path = os.path.join(program.workspace.directory('mkfs'), 'image')
    subprocess.run([need_tool('mkfs.erofs'), *options, path, source.path], check=True,
                   capture_output=True)
    size = os.path.getsize(path)
    os.unlink(path)
    return size


def judge_size(program, source, kind, settings, *options):
    image, report = build(program, source, settings)
    ours, theirs = report['filesystem']['size_bytes'], mkfs_bytes(program, source, *options)
    os.unlink(image)
    check(ours <= theirs * LARGER_THAN_MKFS[kind],
          f'{ours} bytes, mkfs.erofs {" ".join(options)} takes {theirs}')


def judge_dedupe(program, source):
    """What is saved is said; the rest of a block that is shared weighs little."""
    reports = []
    for dedupe in ['no', 'yes']:
        image, report = build(program, source, [f'erofs.dedupe={dedupe}', 'erofs.data=packed'])
        reports.append(report['filesystem'])
        os.unlink(image)
    saved = reports[0]['size_bytes'] - reports[1]['size_bytes']
    said = int(reports[1]['facts']['deduplicated_bytes'])
    check(0 < said and abs(saved - said) < said / 100, f'said {said} bytes, saved {saved}')


def judge_refusals(program, source):
    for settings, said in [(['erofs.compress=lzma'], 'lzma'),
                           (['erofs.compress=lz4hc', 'erofs.level=13'],
                            'level = 13: lz4hc has levels up to 12'),
                           (['erofs.level=3'], 'level = 3: needs compress = lz4hc'),
                           (['erofs.compress=lz4', 'erofs.cluster-size=6K'], 'cluster-size'),
                           (['erofs.compress=lz4', 'erofs.cluster-size=2M'], 'cluster-size'),
                           (['erofs.map=*.so*'], 'map = *.so*: needs data = auto'),
                           (['erofs.data=auto', 'erofs.map= '], 'data = auto: needs map'),
                           (['erofs.tail=inline'], 'tail = inline: needs compress'),
                           (['erofs.fragments=all'],
                            'fragments = all: needs compress')]:
        image = os.path.join(program.workspace.directory('image'), 'image')
        result = program.build(BACKEND, source.path, image, settings=settings)
        check(result.code != 0 and said in result.err, f'{settings}: {result.describe()}')
        check(not os.path.exists(image), f'{settings}: an image was left')


def run_variants(tap, program, name, variants=VARIANTS):
    source = Source(program, name)
    for variant in variants:
        tap.case(f'{name}/{variant}', judge_variant, program, source, VARIANTS[variant])


def run_comparisons(tap, program, name):
    source = Source(program, name)
    tap.case(f'{name}: packed against mkfs.erofs', judge_size, program, source, 'packed',
             ['erofs.data=packed'])
    tap.case(f'{name}: lz4hc against mkfs.erofs', judge_size, program, source, 'lz4hc',
             ['erofs.data=packed', 'erofs.compress=lz4hc'], '-zlz4hc')
    tap.case(f'{name}: fragments against mkfs.erofs', judge_size, program, source, 'lz4hc',
             ['erofs.data=packed', 'erofs.compress=lz4hc', 'erofs.fragments=tails',
              'erofs.cluster-size=64K'], '-zlz4hc', '-C65536', '-Eztailpacking,fragments')


def main():
    program = Program(Workspace())
    if BACKEND not in program.backends:
        skip_program('the EROFS backend is not built')
    tap = Tap()
    for name in TREES[:3] if is_reduced() else TREES:
        if trees.get(name).privileged and not is_root():
            tap.case(name, need_root, 'make the tree')
            continue
        run_variants(tap, program, name)
    if not is_reduced():
        run_variants(tap, program, 'erofs-segments', SEGMENTS)
    source = Source(program, 'erofs-compressible')
    tap.case('threads', judge_threads, program, source, VARIANTS['everything'])
    tap.case('threads and fragments', judge_threads, program, source, VARIANTS['fragments-64K'])
    if has_zstd(program):
        for settings in ZSTD:
            tap.case(f'zstd {" ".join(settings)}', judge_zstd, program, source, settings)
    tap.case('refusals', judge_refusals, program, source)
    tap.case('dedupe', judge_dedupe, program, Source(program, 'erofs-equal-files'))
    for name in ['erofs-compressible', 'erofs-tails']:
        run_comparisons(tap, program, name)
    tap.finish()


if __name__ == '__main__':
    main()
