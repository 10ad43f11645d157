#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-publish.py KATAIMG SHIM: each change of a name fails, and a kill comes before and after it.

An error leaves the old files and nothing else; a kill never leaves an image beside another one's root
hash, report or manifest, and the next build removes what it left.
"""
import re
import shutil
import sys

from faults import KILLED, NAME_CALLS, Bench, tree

OLD = {'k.img': b'old image', 'root_hash_.txt': b'old hash', 'report': b'old report',
       'manifest': b'old manifest'}
NAMES = sorted(OLD)


def read(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def start(directory, old):
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for name in OLD if old else {}:
        (directory / name).write_bytes(OLD[name])


def describe(files):
    return {name: 'old' if data == OLD.get(name) else 'new' for name, data in files.items()}


def check_untouched(bench, what, files, old):
    """As before, but for the report, which says that the build failed."""
    before = dict(OLD if old else {})
    if b'"error"' in files.get('report', b''):
        before['report'] = files['report']
    if files != before:
        bench.fail(f'{what}: {describe(files)}')


def check_not_mixed(bench, what, files):
    kinds = {kind for name, kind in describe(files).items() if name in OLD}
    if len(kinds) > 1:
        bench.fail(f'{what}: {describe(files)}')


def campaign(bench, arguments, directory, old, lacks):
    start(directory, old)
    for at in range(1, bench.count(arguments, NAME_CALLS, lacks) + 1):
        for how in ('fail', 'kill', 'kill-after'):
            what = f'call {at}, {how}, old files {old}, lacks {lacks!r}'
            start(directory, old)
            result = bench.run(arguments, NAME_CALLS, at, how, lacks)
            files = read(directory)
            if how != 'fail':
                check_not_mixed(bench, what, files)
                if result.returncode != KILLED:
                    bench.fail(f'{what}: exit {result.returncode}')
            elif result.returncode == 1:
                check_untouched(bench, what, files, old)
                if b'error: ' not in result.stderr:
                    bench.fail(f'{what}: no message')
            elif result.returncode != 0 or set(describe(files).values()) > {'new', 'old'}:
                bench.fail(f'{what}: exit {result.returncode}, {describe(files)}')
            again = bench.run(arguments, lacks=lacks)
            if again.returncode != 0 or sorted(read(directory)) != NAMES:
                bench.fail(f'{what}: the next build left {sorted(read(directory))}')


def campaign_twice(bench, arguments, directory, lacks):
    """The way back fails as well: whatever the error says is kept is no file that a build removes."""
    kept = 0
    start(directory, True)
    for at in range(1, bench.count(arguments, NAME_CALLS, lacks) + 1):
        start(directory, True)
        result = bench.run(arguments, NAME_CALLS, at, 'fail-twice', lacks)
        said = re.findall(rf'is kept as {directory}/([^ ,;\n]+)', result.stderr.decode())
        before = read(directory)
        check_not_mixed(bench, f'call {at}, fail-twice, lacks {lacks!r}', {
            name: data for name, data in before.items() if name != 'report'})
        again = bench.run(arguments, lacks=lacks)
        after = read(directory)
        kept += len(said)
        for name in said:
            if before.get(name) not in OLD.values() or after.get(name) != before[name]:
                bench.fail(f'call {at}, fail-twice, lacks {lacks!r}: {name}: {describe(before)}, '
                           f'then {describe(after)}')
        if again.returncode != 0 or set(after) != set(NAMES) | set(said):
            bench.fail(f'call {at}, fail-twice, lacks {lacks!r}: then {describe(after)}')
    return kept


def campaign_sync(bench, arguments, directory):
    """The content of each file is on the disk before it takes its name, and the names are afterwards."""
    start(directory, True)
    count = bench.count(arguments, 'sync')
    # The image before it is read back, all four files, and for each the directory: that what speaks of
    # others has gone, and that all have come.
    if count != 1 + len(NAMES) + len(NAMES) - 1 + len(NAMES):
        bench.fail(f'{count} syncs')
    for at in range(1, count + 1):
        start(directory, True)
        result = bench.run(arguments, 'sync', at, 'fail')
        if result.returncode != 1 or b'error: ' not in result.stderr:
            bench.fail(f'sync {at} of {count}: exit {result.returncode}')
        check_untouched(bench, f'sync {at} of {count}', read(directory), True)


def main():
    bench = Bench(*sys.argv[1:3])
    directory = bench.directory / 'out'
    arguments = ['-q', '-f', 'erofs', '-o', str(directory / 'k.img'), '--report',
                 str(directory / 'report'), '--manifest', str(directory / 'manifest'),
                 '--set', 'verity.enabled=yes', '--set', 'image.align=2M', '--set',
                 'rootfs.check=no', str(tree(bench.directory))]
    for lacks in ('', 'tmpfile', 'exchange', 'tmpfile,exchange'):
        for old in (True, False):
            campaign(bench, arguments, directory, old, lacks)
    campaign_sync(bench, arguments, directory)
    kept = sum(campaign_twice(bench, arguments, directory, lacks)
               for lacks in ('', 'tmpfile', 'exchange', 'tmpfile,exchange'))
    if kept == 0:
        bench.fail('no way back has failed')
    bench.end()


if __name__ == '__main__':
    main()
