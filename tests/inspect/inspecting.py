# SPDX-License-Identifier: Apache-2.0
"""What the tests of kataimg inspect share: running it, and checks."""

import json
import os
import subprocess
import sys

TIMEOUT_SECONDS = 60
MIB = 1 << 20


def check(condition, message):
    """Ends the test when something does not hold."""
    if not condition:
        print(f'FAILED: {message}')
        sys.exit(1)


class Kataimg:
    """The program, the backends' directories, and a directory for what is made."""

    def __init__(self, program, backend_dirs, scratch):
        self.program, self.scratch = os.path.abspath(program), scratch
        self.options = [f'--backend-dir={directory}' for directory in backend_dirs]

    def path(self, name):
        """A file of the scratch directory."""
        return os.path.join(self.scratch, name)

    def write(self, name, data=b'', size=0):
        """A file with these bytes, and zeros up to the size."""
        with open(self.path(name), 'wb') as file:
            file.write(data)
            file.truncate(max(size, len(data)))
        return name

    def run(self, *arguments, backends=True, **options):
        """In the scratch directory; no other backends than ours are looked for."""
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith('KATAIMG_')}
        return subprocess.run([self.program, *arguments, *(self.options if backends else [])],
                              cwd=self.scratch, capture_output=True, timeout=TIMEOUT_SECONDS,
                              check=False, env=environment, **options)

    def inspect(self, name, *arguments, code, backends=True):
        """Exit status as expected; the text on standard output, what stderr says, and the JSON."""
        done = self.run('inspect', name, *arguments, backends=backends)
        as_json = self.run('inspect', '--json', name, *arguments, backends=backends)
        out, err = done.stdout.decode(), done.stderr.decode()
        check(done.returncode == code, f'{name} {arguments}: {done.returncode}, not {code}: {out}{err}')
        check(as_json.returncode == code, f'{name} {arguments}: {as_json.returncode} with --json')
        return out, err, json.loads(as_json.stdout) if as_json.stdout else None


def flip(path, offset, mask=0x41):
    """Changes a byte."""
    with open(path, 'r+b') as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ mask]))
