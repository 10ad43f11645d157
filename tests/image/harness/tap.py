# SPDX-License-Identifier: Apache-2.0
"""The Test Anything Protocol: one line a case, so that the build counts cases and not programs."""
import sys
import time
import traceback


class Failure(Exception):
    """A case went wrong; the message says what."""


class Skip(Exception):
    """A case cannot be run here; the message says why."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def check_equal(actual, expected, what):
    check(actual == expected, f'{what}: {actual!r}, expected {expected!r}')


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0
        print('TAP version 13', flush=True)

    def _line(self, verdict, name, directive=''):
        self.count += 1
        print(f'{verdict} {self.count} - {name}{directive}', flush=True)

    def note(self, text):
        for line in str(text).splitlines():
            print(f'# {line}', flush=True)

    def skip(self, name, reason):
        """Of a case that cannot even be prepared here."""
        self._line('ok', name, f' # SKIP {reason}')

    def case(self, name, function, *args):
        """Runs one case and reports it; True when it went well."""
        start = time.monotonic()
        try:
            function(*args)
        except Skip as reason:
            self.skip(name, reason)
            return False
        except Exception as error:
            self.failed += 1
            self._line('not ok', name)
            self.note(error if isinstance(error, Failure) else traceback.format_exc())
            return False
        self._line('ok', f'{name} ({time.monotonic() - start:.1f} s)')
        return True

    def finish(self):
        print(f'1..{self.count}', flush=True)
        sys.exit(1 if self.failed else 0)


def skip_program(reason):
    """The whole program cannot be run here."""
    print(f'TAP version 13\n1..0 # SKIP {reason}', flush=True)
    sys.exit(0)
