#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-room.py KATAIMG SHIM [all]: filesystems of each size, until the result has room.

In a tmpfs of its own, in namespaces of its own, that holds nothing but the outputs; "all": each size in
pages of 4 KiB, else some. Then /dev/full, as standard output. Without namespaces for users: skipped.
"""
import os
import subprocess
import sys

import scenarios
from faults import Bench, look, spread, tree

PAGE = 4096
TRIED = 8
IN_NAMESPACE = 'KATAIMG_FAULTS_IN_NAMESPACE'


def enter_namespaces():
    if os.environ.get(IN_NAMESPACE):
        return
    os.environ[IN_NAMESPACE] = '1'
    isolate = os.path.join(os.path.dirname(os.path.realpath(__file__)), '../in-namespace')
    os.execv(isolate, [isolate, sys.executable, *sys.argv])


def with_room(scenario, pages):
    """What is there before: the old files, with nothing but so many pages left."""
    scenario.begin()
    old = sum(1 for path in scenario.directory.iterdir())
    subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={(pages + old) * PAGE}', 'kataimg-test',
                    scenario.directory], check=True)
    for name in scenario.old:
        (scenario.directory / name).write_text(f'old {name}', encoding='utf-8')
    return look(scenario.directory)


def run_with_room(bench, scenario, pages):
    """Whether it was enough."""
    before = with_room(scenario, pages)
    try:
        result = bench.run(scenario.arguments)
        files = look(scenario.directory)
    finally:
        subprocess.run(['umount', scenario.directory], check=True)
    what = f'{scenario.name}: {pages} pages: exit {result.returncode}; {result.stderr.decode()}'
    if result.returncode == 0:
        if files != scenario.result[0]:
            bench.fail(f'{what}; there are {files}')
        return True
    if result.returncode != 1 or b'error: ' not in result.stderr:
        bench.fail(what)
    if not scenario.makes_directory and files != before:
        bench.fail(f'{what}; there are {files}')
    return False


def least(bench, scenario):
    """The pages that are enough."""
    enough = 1
    while not run_with_room(bench, scenario, enough):
        enough *= 2
    low = enough // 2
    while enough - low > 1:
        middle = (low + enough) // 2
        low, enough = (low, middle) if run_with_room(bench, scenario, middle) else (middle, enough)
    return enough


def full_output(bench, arguments):
    with open('/dev/full', 'wb') as full:
        result = subprocess.run([bench.program, *arguments], stdout=full, check=False,
                                stderr=subprocess.PIPE)
    if result.returncode == 0 or b'error: ' not in result.stderr:
        bench.fail(f'{arguments} to /dev/full: {result}')


def main():
    enter_namespaces()
    bench = Bench(*sys.argv[1:3])
    every_one = sys.argv[3:] == ['all']
    for scenario in scenarios.all_of(bench, tree(bench.directory)):
        if scenario.result[1]:
            full_output(bench, scenario.arguments)
        if scenario.result[0]:
            enough = least(bench, scenario)
            for pages in spread(list(range(1, enough)), 0 if every_one else TRIED):
                if run_with_room(bench, scenario, pages):
                    bench.fail(f'{scenario.name}: {pages} pages are enough, and so are {enough}')
    bench.end()


if __name__ == '__main__':
    sys.dont_write_bytecode = True
    main()
