# SPDX-License-Identifier: Apache-2.0
"""Running kataimg, as root or as a plain user, with the backends that were built.

KATAIMG_TEST_PROGRAM is the program, KATAIMG_TEST_BACKENDS "NAME=FILE" for each backend, separated
by spaces.
"""
import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess

from harness.tap import Failure, check_equal
from harness.workspace import PLAIN_ID, is_root

TIMEOUT_SECONDS = 300
SANITIZER = r'(Address|Leak|UndefinedBehavior)Sanitizer|runtime error:'
COMMANDS = ('inspect', 'backends', 'attest', 'extract', 'tree', 'ls', 'cat', 'diff')
# What a build that goes well may say.
WARNINGS = [
    r'kataimg: warning: xfs: the filesystem of \d+ bytes is smaller than any of mkfs.xfs.*',
    r'kataimg: warning: / belongs to \d+:\d+, not to root: .*',
]


@dataclasses.dataclass
class Result:
    command: list
    code: int
    out: str
    err: str
    report: dict = None

    def expect(self, code, *messages):
        """The exit code, and every message in what the program said."""
        if self.code != code:
            raise Failure(f'exit code {self.code}, expected {code}: {self.describe()}')
        for message in messages:
            if message not in self.err:
                raise Failure(f'does not say {message!r}: {self.describe()}')
        return self

    def describe(self):
        return f'{" ".join(map(str, self.command))}\n{self.err[-3000:]}'


class Program:
    """The program and its backends, copied to where a plain user can run them."""

    def __init__(self, workspace):
        self.workspace = workspace
        directory = workspace.directory('program')
        self.path = shutil.copy(os.environ['KATAIMG_TEST_PROGRAM'], directory)
        self.backend_dir = os.path.join(directory, 'backends')
        self.backends = []
        self.config = self.write_config('')
        os.mkdir(self.backend_dir)
        for word in os.environ['KATAIMG_TEST_BACKENDS'].split():
            name, _, path = word.partition('=')
            shutil.copy(path, self.backend_dir)
            self.backends.append(name)

    def environment(self, **extra):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith('KATAIMG_') and name != 'SOURCE_DATE_EPOCH'}
        return {**kept, **extra}

    def command(self, arguments, plain=False):
        command = [self.path, '--backend-dir', self.backend_dir, *arguments]
        if arguments and arguments[0] in COMMANDS:
            command = [self.path, arguments[0], '--backend-dir', self.backend_dir, *arguments[1:]]
        if plain and is_root():
            command = ['setpriv', f'--reuid={PLAIN_ID}', f'--regid={PLAIN_ID}', '--clear-groups',
                       '--bounding-set=-all', '--no-new-privs', *command]
        return [os.fspath(word) for word in command]

    def start(self, arguments, plain=False, **options):
        """For what a test does to a running build; the caller waits."""
        environment = self.environment(**options.pop('environment', {}))
        return subprocess.Popen(self.command(arguments, plain), env=environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def run(self, arguments, plain=False, **options):
        process = self.start(arguments, plain, **options)
        try:
            out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Failure(f'still running after {TIMEOUT_SECONDS} s: {arguments}') from None
        result = Result(self.command(arguments, plain), process.returncode,
                        out.decode(errors='replace'), err.decode(errors='replace'))
        if re.search(SANITIZER, result.err):
            raise Failure(f'a sanitizer has found something: {result.describe()}')
        if result.code < 0:
            name = signal.Signals(-result.code).name
            raise Failure(f'killed by {name}: {result.describe()}')
        return result

    def write_config(self, text, name='build.ini'):
        path = os.path.join(self.workspace.directory('config'), name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def build(self, backend, source, image, *arguments, settings=(), plain=False, disk=True,
              **options):
        """Builds an image; settings are SECTION.KEY=VALUE. The report is there if it was made."""
        report = f'{os.fspath(image)}.json'
        words = ['-c', self.config, '-q', '--no-sync', '-f', backend, '-o', image,
                 '--report', report, '--set', 'rootfs.check=no']
        if disk:
            words += ['--set', 'image.align=2M']
        for setting in settings:
            words += ['--set', setting]
        result = self.run([*words, *arguments, source], plain, **options)
        if os.path.exists(report):
            with open(report, encoding='utf-8') as file:
                result.report = json.load(file)
            os.unlink(report)
        return result

    def build_well(self, *arguments, **options):
        result = self.build(*arguments, **options)
        result.expect(0)
        lines = [line for line in result.err.splitlines()
                 if not any(re.fullmatch(warning, line) for warning in WARNINGS)]
        check_equal(lines, [], 'what a quiet build says')
        return result
