# SPDX-License-Identifier: Apache-2.0
"""Where a test program works: a directory of its own that leaves nothing behind.

As root it is a tmpfs in a mount namespace of the program's own, so that every mount and, with it,
every loop device goes when the program ends, however it ends.
"""
import atexit
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from harness.tap import Skip

IN_NAMESPACE = 'KATAIMG_TEST_IN_NAMESPACE'
PLAIN_ID = 65534  # nobody, nogroup


NEED_ROOT = pathlib.Path(__file__).parents[2] / 'need-root'
# Runs a command in a mount namespace.
ISOLATE = pathlib.Path(__file__).resolve().parents[2] / 'in-namespace'


@functools.cache
def is_root():
    """The root of a user namespace is none."""
    return subprocess.run([NEED_ROOT, ''], stdout=subprocess.DEVNULL, check=False).returncode == 0


def is_reduced():
    """A slow build, with sanitizers: small trees only."""
    return os.environ.get('KATAIMG_TEST_REDUCED') == '1'


def need_root(why):
    if not is_root():
        raise Skip(f'{why} needs root')


def need_tool(tool):
    path = shutil.which(tool, path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')
    if not path:
        raise Skip(f'{tool} is not installed')
    return path


def enter_namespace():
    """Starts the program again in a mount namespace of its own, if it may have one."""
    if not is_root() or os.environ.get(IN_NAMESPACE):
        return
    os.environ[IN_NAMESPACE] = '1'
    os.execv(ISOLATE, [ISOLATE, sys.executable, *sys.argv])


def mount_tmpfs(path, options='mode=755'):
    subprocess.run(['mount', '-t', 'tmpfs', '-o', options, 'kataimg-test', path], check=True)


class Workspace:
    def __init__(self):
        enter_namespace()
        os.umask(0o022)
        self.path = tempfile.mkdtemp(prefix='kataimg-test-')
        atexit.register(self.remove)
        if is_root():
            mount_tmpfs(self.path, 'mode=755,size=80%')
        self.count = 0

    def directory(self, name='work', owner=None):
        """A new directory; owner: who else than the caller may write there."""
        self.count += 1
        path = os.path.join(self.path, f'{self.count}-{name}')
        os.mkdir(path)
        if owner is not None and is_root():
            os.chown(path, owner, owner)
        return path

    def remove_directory(self, path):
        subprocess.run(['chmod', '-R', 'u+rwX', path], check=False, stderr=subprocess.DEVNULL)
        # not shutil.rmtree: it recurses as deep as the tree is
        subprocess.run(['rm', '-rf', path], check=True)

    def remove(self):
        if is_root():
            subprocess.run(['umount', '--lazy', self.path], check=False)
            os.rmdir(self.path)
        else:
            self.remove_directory(self.path)
