# SPDX-License-Identifier: Apache-2.0
"""Runs kataimg with calls that go wrong (shim.c)."""
import array
import atexit
import errno
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TIMEOUT = 20
HANGS = 99
# These end the program when some of their own allocations fail: by assertions, abort(), or through NULL.
LIBRARIES_END_IT = ('libext2fs.so.2', 'libarchive.so.13')
# OpenSSL 3.5 gets ready once, and reports what it lacks for that to what waits until it is ready.
LIBRARIES_WAIT = {'libcrypto.so.3': 'OPENSSL_init_crypto'}
KILLED = 137  # by shim.c
NOT_INHERITED = ('LD_PRELOAD', 'MALLOC_PERTURB_', 'ASAN_OPTIONS')
# What changes a directory or says that it is on the disk.
NAME_CALLS = 'rename,link,unlink,sync,mode'
NEED_ROOT = pathlib.Path(__file__).resolve().parents[1] / 'need-root'


def has_root():
    """Files can be given away: not by the root of a user namespace."""
    return subprocess.run([NEED_ROOT, ''], stdout=subprocess.DEVNULL, check=False).returncode == 0


class Bench:
    def __init__(self, program, shim):
        self.program, self.shim = program, shim
        shared_memory = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='kataimg-faults-',
                                                       dir=shared_memory))
        atexit.register(shutil.rmtree, self.directory)
        # tests/check/toyrun.c, of the same build
        self.run_backend = str(pathlib.Path(shim).resolve().parents[1] / 'check/kataimg-run-backend.so')
        self.failures = 0
        self.more = []  # words behind each command

    def fail(self, text):
        self.failures += 1
        print('FAIL:', text, flush=True)

    def end(self):
        sys.exit(self.failures > 0)

    def environment(self, kind='', at=0, how='fail', lacks='', number=errno.EIO, stacks=''):
        environment = {name: value for name, value in os.environ.items()
                       if name not in NOT_INHERITED}
        environment.update(LD_PRELOAD=self.shim, FAULT_KIND=kind, FAULT_AT=str(at), FAULT_HOW=how,
                           FAULT_ERRNO=str(number), FAULT_LACKS=lacks, FAULT_STACKS=stacks,
                           FAULT_COUNT=str(self.directory / 'count'),
                           FAULT_TRACE=str(self.directory / 'trace'))
        return environment

    def run(self, arguments, *fault, **more):
        """fault, more: those of environment()."""
        command = [self.program, *arguments, *self.more]
        try:
            return subprocess.run(command, env=self.environment(*fault, **more), timeout=TIMEOUT,
                                  capture_output=True, check=False)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, HANGS, b'', b'it does not end')

    def counted(self):
        """The calls of the last run, however it has ended."""
        return int.from_bytes((self.directory / 'count').read_bytes(), sys.byteorder)

    def caller(self):
        """The file whose call went wrong."""
        for line in (self.directory / 'trace').read_text(encoding='utf-8').splitlines():
            name = line.split('(')[0]
            if 'faults-shim' not in name:
                return os.path.basename(name)
        return ''

    def waits_in_library(self):
        """Was the call that went wrong made by a library in a function where it then waits for itself?"""
        function = LIBRARIES_WAIT.get(self.caller())
        return bool(function) and function in (self.directory / 'trace').read_text(encoding='utf-8')

    def places(self, arguments, kind):
        """How many calls a run makes, and of each way to get to one, the first."""
        stacks = self.directory / 'stacks'
        stacks.unlink(missing_ok=True)
        self.run(arguments, kind, stacks=str(stacks))
        found = array.array('Q', stacks.read_bytes())[:self.counted()]
        first = {}
        for at, stack in enumerate(found, 1):
            first.setdefault(stack, at)
        return self.counted(), list(first.values())

    def count(self, arguments, kind, lacks=''):
        """How many calls a run makes that ends well."""
        result = self.run(arguments, kind, lacks=lacks)
        if result.returncode != 0:
            sys.exit(f'{arguments}: {result.stderr.decode()}')
        return self.counted() or sys.exit(f'{arguments}: no calls were counted')


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


def look(directory):
    """All that is there, by name: digests of files, targets of links, else the kind."""
    found = {}
    for path in sorted(directory.rglob('*')):
        name = str(path.relative_to(directory))
        if path.is_symlink():
            found[name] = f'-> {os.readlink(path)}'
        else:
            found[name] = digest(path) if path.is_file() else 'other'
    return found


def spread(numbers, tried):
    """So many of them, the first and the last among them; tried 0: all."""
    if tried == 0 or len(numbers) <= tried:
        return numbers
    return [numbers[i * (len(numbers) - 1) // max(1, tried - 1)] for i in range(tried)]
