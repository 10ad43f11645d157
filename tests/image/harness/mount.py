# SPDX-License-Identifier: Apache-2.0
"""The kernel's own opinion: mounted read-only from a read-only loop device, never otherwise.

A filesystem whose writer is wrong can leave the kernel with a mount that nothing ends; read-only is
as far as a test on the host goes.
"""
import contextlib
import errno
import os
import re
import subprocess

from harness.tap import Failure, check
from harness.workspace import need_root, need_tool

# Mounting and unmounting say this much, and everything else is a complaint.
KERNEL_LINES = [r'EXT4-fs \(\w+\): (mounted filesystem|unmounting filesystem) .*',
                r'XFS \(\w+\): (Mounting V5 Filesystem|Ending clean mount|Unmounting Filesystem).*',
                r'erofs:? \(device \w+\): mounted with root inode.*',
                r'\w+: detected capacity change .*', r' ?\w+: p\d.*',
                r'XFS \(\w+\): EXPERIMENTAL .*large block.*',
                r'erofs:? \(device \w+\): EXPERIMENTAL compress.*']


class KernelLog:
    """What the kernel says about one device from now on."""

    def __init__(self):
        self.fd = os.open('/dev/kmsg', os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.fd, 0, os.SEEK_END)

    def _records(self):
        while True:
            try:
                yield os.read(self.fd, 8192).decode(errors='replace')
            except OSError as error:
                if error.errno == errno.EPIPE:  # overwritten before it was read
                    continue
                return

    def complaints(self, device):
        lines = [record.partition(';')[2].split('\n')[0] for record in self._records()]
        return [line for line in lines if re.search(rf'\b{device}\b', line)
                and not any(re.fullmatch(pattern, line) for pattern in KERNEL_LINES)]

    def close(self):
        os.close(self.fd)


def _run(*command):
    result = subprocess.run([need_tool(command[0]), *command[1:]], capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure(f'{" ".join(command)}: {result.stderr.strip()}')
    return result.stdout.strip()


def _attach(image, partition):
    device = _run('losetup', '--read-only', '--find', '--show', f'--offset={partition.start}',
                  f'--sizelimit={partition.size}', image)
    with open(f'/sys/block/{os.path.basename(device)}/ro', encoding='ascii') as file:
        check(file.read().strip() == '1', f'{device} is not read-only')
    return device


@contextlib.contextmanager
def mounted(kind, image, partition, point, options='ro'):
    """The mounted root; the kernel must have said nothing about it at the end."""
    need_root('mounting an image')
    log = KernelLog()
    device = _attach(image, partition)
    try:
        # once mounted, the device goes with the mount
        try:
            _run('mount', '-t', kind, '-o', options, device, point)
        finally:
            _run('losetup', '--detach', device)
        try:
            yield point
        finally:
            _run('umount', point)
        complaints = log.complaints(os.path.basename(device))
        check(not complaints, 'the kernel says: ' + '\n'.join(complaints))
    finally:
        log.close()
