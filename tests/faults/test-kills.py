#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-kills.py KATAIMG SHIM [ROUNDS]: kills at random, kills round each change of a name, and eight
builds to one output.

Each file is then its old or its new self, or is away, and no manifest is beside other images than its
own. The next build makes all right and removes what was left.
"""
import random
import subprocess
import sys
import time

import scenarios
from faults import KILLED, NAME_CALLS, Bench, look, tree

ROUNDS = 3
BUILDERS = 8
SEED = 15
LAST = ('manifest.json',)  # what speaks of all that is there


def judge(bench, what, scenario, before):
    files, new = look(scenario.directory), scenario.result[0]
    for name in new:
        if files.get(name) not in (None, before.get(name), new[name]):
            bench.fail(f'{what}: {name} is neither the old nor the new one')
    for name in set(LAST) & set(files):
        expected = new if files[name] == new.get(name) else before
        if any(files.get(other) != expected.get(other) for other in new):
            bench.fail(f'{what}: {name} is beside other files than its own')
    again = bench.run(scenario.arguments)
    if again.returncode != 0 or look(scenario.directory) != new:
        bench.fail(f'{what}: then a build ends with {again.returncode} and leaves '
                   f'{sorted(look(scenario.directory))}; {again.stderr.decode()}')


def kill_at_names(bench, scenario):
    scenario.begin()
    count = bench.count(scenario.arguments, NAME_CALLS)
    for at in range(1, count + 1):
        for how in ('kill', 'kill-after'):
            before = scenario.begin()
            what = f'{scenario.name}: {how} at {at} of {count}'
            result = bench.run(scenario.arguments, NAME_CALLS, at, how)
            if result.returncode != KILLED:
                bench.fail(f'{what}: exit {result.returncode}')
            judge(bench, what, scenario, before)


def kill_at_random(bench, scenario, rounds):
    """At moments of a run's time, a little beyond its end, too."""
    scenario.begin()
    start = time.monotonic()
    bench.run(scenario.arguments)
    longest = 1.2 * (time.monotonic() - start)
    for i in range(rounds):
        before = scenario.begin()
        with subprocess.Popen([bench.program, *scenario.arguments],
                              stderr=subprocess.DEVNULL) as process:
            time.sleep(random.uniform(0, longest))
            process.kill()
        judge(bench, f'{scenario.name}: random kill {i}', scenario, before)


def at_once(bench, scenario):
    """All end well, one after the other in publishing, and what is there is one of them."""
    scenario.begin()
    processes = [subprocess.Popen([bench.program, *scenario.arguments], stderr=subprocess.PIPE)
                 for _ in range(BUILDERS)]
    for process in processes:
        said = process.communicate(timeout=120)[1]
        if process.returncode != 0:
            bench.fail(f'{scenario.name}: of {BUILDERS} at once: {said.decode()}')
    if look(scenario.directory) != scenario.result[0]:
        bench.fail(f'{scenario.name}: {BUILDERS} at once left {look(scenario.directory)}')


def main():
    bench = Bench(*sys.argv[1:3])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else ROUNDS
    random.seed(SEED)
    for scenario in scenarios.all_of(bench, tree(bench.directory)):
        if scenario.old:
            kill_at_random(bench, scenario, rounds)
            at_once(bench, scenario)
        if scenario.name in ('configurations', 'sections', 'initrd-zstd', 'extract-tar') or \
                (scenario.old and rounds > ROUNDS):
            kill_at_names(bench, scenario)
    bench.end()


if __name__ == '__main__':
    sys.dont_write_bytecode = True
    main()
