#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-calls.py KATAIMG SHIM [--tried N] [--each] [--scenario NAME] [--kind KIND]: calls go wrong.

The result is the undisturbed one, or exit code not 0, a sentence, the old files and nothing else. Of
the places in the program that make calls of a kind N are tried in each scenario, by their first call,
spread over the run; 0: all. With --each it is each call.
"""
import argparse
import sys

import scenarios
from faults import Bench, tree
from judged import FAULTS, campaign, with_temporary_names

# Asked of terminals, and of filesystems that share extents: test-filesystems.py.
NEVER_MET = {'ioctl'}
# Where "cannot tell" has been taken for "is not there".
EACH_PLACE = (('erofs', 'stat'), ('artifact', 'stat'), ('image', 'directory'))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('program')
    parser.add_argument('shim')
    parser.add_argument('--tried', type=int, default=1)
    parser.add_argument('--each', action='store_true')
    parser.add_argument('--scenario')
    parser.add_argument('--kind')
    given = parser.parse_args()
    bench = Bench(given.program, given.shim)
    met = {}
    found = scenarios.all_of(bench, tree(bench.directory))
    for scenario in found:
        if given.scenario in (None, scenario.name):
            for kind in FAULTS if given.kind is None else [given.kind]:
                met[kind] = met.get(kind, 0) + campaign(bench, scenario, kind, given.tried, given.each)
        for name, kind in EACH_PLACE:
            if name == scenario.name and given.scenario in (None, name):
                with_temporary_names(bench, scenario, kind)
    print('calls:', ', '.join(f'{kind} {count}' for kind, count in met.items()))
    # Nothing but labelling maps files, by a library that not every build has.
    maps = 'labels' in [scenario.name for scenario in found]
    missing = {kind for kind, count in met.items() if not count} - NEVER_MET - (set() if maps else {'map'})
    if missing and not given.scenario:
        bench.fail(f'no calls of {sorted(missing)}')
    bench.end()


if __name__ == '__main__':
    sys.dont_write_bytecode = True
    main()
