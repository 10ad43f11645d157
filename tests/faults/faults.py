# SPDX-License-Identifier: Apache-2.0
"""Runs kataimg with one call that goes wrong, each in turn (shim.c)."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TIMEOUT = 60
NOT_INHERITED = ('LD_PRELOAD', 'MALLOC_PERTURB_', 'ASAN_OPTIONS')


class Bench:
    def __init__(self, program, shim):
        self.program, self.shim = program, shim
        shared_memory = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='kataimg-faults-',
                                                       dir=shared_memory))
        self.failures = 0

    def remove(self):
        shutil.rmtree(self.directory)

    def fail(self, text):
        self.failures += 1
        print('FAIL:', text)

    def run(self, arguments, kind='', at=0, how='fail', lacks=''):
        """Standard output goes to a file: a pipe's reader would have to be asked meanwhile."""
        environment = {name: value for name, value in os.environ.items()
                       if name not in NOT_INHERITED}
        environment.update(LD_PRELOAD=self.shim, FAULT_KIND=kind, FAULT_AT=str(at), FAULT_HOW=how,
                           FAULT_LACKS=lacks, FAULT_COUNT=str(self.directory / 'count'))
        return subprocess.run([self.program, *arguments], env=environment, timeout=TIMEOUT,
                              capture_output=True, check=False)

    def count(self, arguments, kind, lacks=''):
        """How many calls a run makes that ends well."""
        result = self.run(arguments, kind, lacks=lacks)
        if result.returncode != 0:
            sys.exit(f'{arguments}: {result.stderr.decode()}')
        count = int((self.directory / 'count').read_text(encoding='utf-8'))
        return count or sys.exit(f'{arguments}: no calls were counted')


def tree(directory):
    """A small one that has everything."""
    root = directory / 'tree'
    (root / 'etc/deep/er').mkdir(parents=True)
    (root / 'etc/deep/file').write_bytes(b'x' * 5000)
    (root / 'etc/deep/other').hardlink_to(root / 'etc/deep/file')
    (root / 'link').symlink_to('etc/deep')
    os.mkfifo(root / 'fifo')
    return root


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
