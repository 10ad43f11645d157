#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-memory.py KATAIMG SHIM [all]: allocations fail, one at a time.

The result is the same, or there is none, exit code 1 and one sentence. Of many allocations some are
tried, spread over the run; "all" tries each. Archives are left out: libarchive itself does not outlive
some of its own. Two libraries end the program when they get no memory, by assertions, abort() or
through NULL: then nothing may be left.
"""
import sys

from faults import Bench, digest, spread, tree

TRIED = 40
LIBRARIES_END_IT = ('libext2fs.so.2',)


def campaign(bench, name, arguments, output, every_one):
    """output: the file that is made; None: standard output."""
    count = bench.count(arguments, 'memory')
    done = bench.run(arguments)
    good, warnings = digest(output) if output else done.stdout, done.stderr.decode()
    for at in spread(count, 0 if every_one else TRIED):
        if output:
            output.unlink(missing_ok=True)
        result = bench.run(arguments, 'memory', at)
        made = digest(output) if output else result.stdout
        what = f'{name}: allocation {at} of {count}: exit {result.returncode}'
        said = result.stderr.decode(errors='replace')
        if result.returncode == 0:
            if made != good or said != warnings:
                bench.fail(f'{what}, and another result; {said}')
        elif result.returncode < 0 and bench.caller() in LIBRARIES_END_IT:
            if sorted(output.parent.iterdir()) != []:
                bench.fail(f'{what}, and there are {sorted(output.parent.iterdir())}')
        elif result.returncode != 1 or 'rror' not in said or 'skipped a backend' in said:
            bench.fail(f'{what}; {said}')
        elif output and sorted(output.parent.iterdir()) != []:
            bench.fail(f'{what}, and there are {sorted(output.parent.iterdir())}')


def main():
    bench = Bench(*sys.argv[1:3])
    every_one = sys.argv[3:] == ['all']
    directory = bench.directory / 'out'
    directory.mkdir()
    image = directory / 'k.img'
    source = tree(bench.directory)
    mtree = bench.directory / 'tree.mtree'
    common = ['-q', '--set', 'rootfs.check=no']
    mtree.write_bytes(bench.run(['tree', *common, str(source)]).stdout.replace(b'size=5000', b''))
    for backend in ('ext4', 'xfs', 'erofs'):
        campaign(bench, backend, [*common, '-f', backend, '-o', str(image), '--no-sync', '--set',
                                  'image.align=2M', str(source)], image, every_one)
    campaign(bench, 'tree', ['tree', *common, str(source)], None, every_one)
    ini = bench.directory / 'build.ini'
    ini.write_text(f'[image]\nsource={source}\n[rootfs]\ncheck=no\n[xfs]\nlabel=x\n',
                   encoding='utf-8')
    campaign(bench, 'sections', ['tree', '-c', str(ini)], None, every_one)
    bench.run([*common, '-f', 'ext4', '-o', str(image), '--no-sync', str(source)])
    for form in ((), ('--json',)):
        campaign(bench, 'inspect', ['inspect', *form, str(image)], None, every_one)
    campaign(bench, 'mtree', ['tree', *common, str(mtree)], None, every_one)
    bench.end()


if __name__ == '__main__':
    main()
