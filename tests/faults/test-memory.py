#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-memory.py KATAIMG SHIM [--tried N] [--each] [--scenario NAME]: allocations fail, one at a time.

The result is the same, or there is none: exit code 1, a sentence, the old files and nothing else. Of
the places that allocate N are tried in each scenario, by their first call, spread over the run; 0: all.
With --each it is each allocation. Some libraries end the program when they get no memory, or wait for ever: then, too,
nothing may be left.
"""
import argparse
import sys

import scenarios
from faults import HANGS, LIBRARIES_END_IT, Bench, look, spread, tree

TRIED = 20


def judge(bench, scenario, what, before, result):
    files = look(scenario.directory)
    said = result.stderr.decode(errors='replace')
    what = f'{what}: exit {result.returncode}'
    if result.returncode == 0:
        if (files, result.stdout) != scenario.result[:2] or 'error: ' in said:
            bench.fail(f'{what}, and another result; {said}')
        return
    ended_by_library = (bench.waits_in_library() if result.returncode == HANGS else
                        result.returncode < 0 and bench.caller() in LIBRARIES_END_IT)
    if not ended_by_library and (result.returncode != scenario.trouble or 'rror' not in said or 'skipped a backend' in said):
        bench.fail(f'{what}; {said}')
    if files != before and not scenario.makes_directory:
        bench.fail(f'{what}, and there are {sorted(files)}')


def campaign(bench, scenario, given):
    scenario.begin()
    count, numbers = bench.places(scenario.arguments, 'memory')
    if count == 0:
        bench.fail(f'{scenario.name}: no allocations were counted')
    for at in spread(list(range(1, count + 1)) if given.each else numbers, given.tried):
        before = scenario.begin()
        result = bench.run(scenario.arguments, 'memory', at)
        judge(bench, scenario, f'{scenario.name}: allocation {at} of {count}', before, result)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('program')
    parser.add_argument('shim')
    parser.add_argument('--tried', type=int, default=TRIED)
    parser.add_argument('--each', action='store_true')
    parser.add_argument('--scenario')
    given = parser.parse_args()
    if given.each:
        given.tried = 0
    bench = Bench(given.program, given.shim)
    for scenario in scenarios.all_of(bench, tree(bench.directory)):
        if given.scenario in (None, scenario.name):
            campaign(bench, scenario, given)
    bench.end()


if __name__ == '__main__':
    sys.dont_write_bytecode = True
    main()
