# SPDX-License-Identifier: Apache-2.0
"""One program's run: seconds, processor seconds, peak memory."""
import dataclasses
import statistics
import subprocess
import tempfile
import time

# What takes longer than this is not run again.
LONG_SECONDS = 20


class RunFailed(Exception):
    """A program that did not do its work has no time."""


@dataclasses.dataclass
class Run:
    """What one run took, or the medians of several."""

    wall: float
    cpu: float
    peak_mib: float


def run_once(argv, log):
    """Runs argv; its children count as far as it waits for them. time(1) is in between, since a child
    of Python's begins with Python's peak memory."""
    with tempfile.NamedTemporaryFile("r") as figures:
        start = time.monotonic()
        command = ["time", "-f", "%U %S %M", "-o", figures.name] + argv
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
        wall = time.monotonic() - start
        if status.returncode != 0:
            raise RunFailed(f"exit status {status.returncode}, see {log.name}")
        user, system, peak_kib = figures.read().split()
    return Run(wall, float(user) + float(system), int(peak_kib) / 1024)


def run_median(argv, prepare, times, log):
    """The medians of so many runs, prepare() before each."""
    runs = []
    while len(runs) < times:
        prepare()
        runs.append(run_once(argv, log))
        if runs[0].wall > LONG_SECONDS:
            break
    return Run(
        statistics.median(run.wall for run in runs),
        statistics.median(run.cpu for run in runs),
        max(run.peak_mib for run in runs),
    )
