#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An image appears when it is complete, or not at all; the old one stays until then."""
import os
import signal
import time

from harness import judge, manifest
from harness.program import Program
from harness.source import Sources
from harness.tap import Failure, Tap, check, check_equal
from harness.workspace import PLAIN_ID, Workspace, is_reduced, mount_tmpfs, need_root
from trees.maker import Maker, pattern

MIB = 1 << 20
OLD = b'the old image'
ATTEMPTS = 32


def slow_tree(maker, mebibytes=32 if is_reduced() else 256):
    """Takes a moment to copy."""
    for i in range(mebibytes // 4):
        maker.directory(f'd{i}')
        maker.file(f'd{i}/file', pattern(i, 4 * MIB))


class Bench:
    def __init__(self):
        self.program = Program(Workspace())
        self.sources = Sources(self.program.workspace)
        self.backend = self.program.backends[0]
        self.slow = None

    def slow_source(self):
        """One for all that leave it as it is."""
        self.slow = self.slow or self.new_slow_source()
        return self.slow

    def new_slow_source(self):
        source = os.path.join(self.program.workspace.directory('source'), 'tree')
        maker = Maker(source)
        slow_tree(maker)
        maker.finish()
        return source

    def old_image(self):
        """A directory with an old image, which only a complete build may replace."""
        image = os.path.join(self.program.workspace.directory('output'), 'image')
        with open(image, 'wb') as file:
            file.write(OLD)
        return image

    def start(self, source, image, backend=None):
        """A build that says which stage has ended."""
        return self.program.start(['-f', backend or self.backend, '-o', image, '--progress', 'json',
                                   '--set', 'rootfs.check=no', '--no-sync', source])


def check_untouched(image):
    check_equal(os.listdir(os.path.dirname(image)), ['image'], 'what is in the output directory')
    with open(image, 'rb') as file:
        check_equal(file.read(len(OLD) + 1), OLD, 'the old image')


def replaced(bench):
    """The good case: the new image is there, and nothing else."""
    image = bench.old_image()
    os.chmod(image, 0o640)
    bench.program.build_well(bench.backend, bench.sources.path('simple'), image)
    check_equal(os.listdir(os.path.dirname(image)), ['image'], 'what is in the output directory')
    bench.program.run(['inspect', image]).expect(0)


def wait_for_stage(process, stage):
    for line in process.stderr:
        if f'"stage":"{stage}"'.encode() in line:
            return True
    return False


def stopped_by(bench, number, backend, stage):
    """Attempts until a build was still running when the signal came."""
    source = bench.slow_source()
    image = bench.old_image()
    for _ in range(ATTEMPTS):
        process = bench.start(source, image, backend)
        check(wait_for_stage(process, stage), f'no stage {stage}')
        time.sleep(0.005)
        process.send_signal(number)
        said = process.communicate(timeout=60)[1].decode()
        if process.returncode != 0:
            break
        with open(image, 'wb') as file:
            file.write(OLD)
    else:
        raise Failure('every build had ended before the signal came')
    check_untouched(image)
    if number != signal.SIGKILL:
        check(process.returncode != 2 and 'interrupted' in said,
              f'exit code {process.returncode}: {said}')


def change_during_build(bench, change, message):
    """The source is changed after the scan: stopped there, changed, and let go."""
    source = bench.new_slow_source()
    image = bench.old_image()
    for _ in range(ATTEMPTS):
        process = bench.start(source, image)
        check(wait_for_stage(process, 'scan'), 'no stage scan')
        process.send_signal(signal.SIGSTOP)
        for directory in os.listdir(source):
            change(os.path.join(source, directory, 'file'))
        process.send_signal(signal.SIGCONT)
        said = process.communicate(timeout=60)[1].decode()
        if process.returncode != 0:
            break
        bench.program.workspace.remove_directory(source)
        source = bench.new_slow_source()
        with open(image, 'wb') as file:
            file.write(OLD)
    else:
        raise Failure('every build had copied the source before it changed')
    check_equal(process.returncode, 1, f'exit code ({said})')
    check_untouched(image)
    check('/file' in said and message in said, f'{message!r} is not in {said!r}')
    bench.program.workspace.remove_directory(source)


def write_in_place(path):
    with open(path, 'r+b') as file:
        file.write(b'other content')


def write_and_put_time_back(path):
    """Who writes can say when it was written; the change itself has a time that nobody sets."""
    before = os.stat(path)
    write_in_place(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def append(path):
    with open(path, 'ab') as file:
        file.write(b'more')


def replace_by_link(path):
    os.unlink(path)
    os.symlink('/etc/passwd', path)


CHANGES = {
    'shrinks': (lambda path: os.truncate(path, 5), 'shrank'),
    'grows': (append, 'grew'),
    'vanishes': (os.unlink, 'vanished'),
    'is written to': (write_in_place, 'was written'),
    'is written to and has its time put back': (write_and_put_time_back, 'got other attributes'),
    'becomes a symbolic link': (replace_by_link, ''),
}


def full_disk(bench, backend):
    """Every size of disk that is too small: at the start, in the middle, and nearly enough."""
    need_root('mounting a tmpfs')
    source = bench.sources.path('simple')
    for kibibytes in [4, 64, 1024, 2048, 3000]:
        point = bench.program.workspace.directory('disk')
        mount_tmpfs(point, f'size={kibibytes}k')
        image = os.path.join(point, 'image')
        result = bench.program.build(backend, source, image)
        result.expect(1, 'No space left on device')
        check_equal(os.listdir(point), [], f'what is left on a disk of {kibibytes} KiB')


def refused_output(bench, image, *messages, code=1, plain=False, source=None):
    source = source or bench.sources.path('simple')
    bench.program.run(['-f', bench.backend, '-o', image, '--set', 'rootfs.check=no', source],
                      plain=plain).expect(code, *messages)


def output_is_directory(bench):
    directory = bench.program.workspace.directory('output')
    refused_output(bench, directory, directory, 'is a directory')
    check_equal(os.listdir(directory), [], 'what is in the directory')


def output_in_source(bench):
    source = os.path.join(bench.program.workspace.directory('source'), 'tree')
    maker = Maker(source)
    maker.directory('d')
    maker.finish()
    before = manifest.read_manifest(source)
    refused_output(bench, os.path.join(source, 'd/image'), 'inside its own source', source=source)
    check_equal(manifest.compare(before, manifest.read_manifest(source)), [], 'changes of it')


def output_in_missing_directory(bench):
    directory = bench.program.workspace.directory('output')
    refused_output(bench, os.path.join(directory, 'none/image'), 'none/image',
                   'there is no directory', code=2)
    check_equal(os.listdir(directory), [], 'what is in the directory')


def output_in_closed_directory(bench):
    need_root('a plain user beside this one')
    directory = bench.program.workspace.directory('output')
    refused_output(bench, os.path.join(directory, 'image'), 'Permission denied', plain=True)
    check_equal(os.listdir(directory), [], 'what is in the directory')


def output_is_device(bench):
    refused_output(bench, '/dev/null', 'not a regular file')


def output_through_link(bench):
    """A symbolic link stays one; what it points to is replaced."""
    directory = bench.program.workspace.directory('output')
    os.symlink('behind', os.path.join(directory, 'image'))
    image = os.path.join(directory, 'image')
    with open(image, 'wb') as file:
        file.write(OLD)
    report = bench.program.build_well(bench.backend, bench.sources.path('simple'), image).report
    check_equal(sorted(os.listdir(directory)), ['behind', 'image'], 'what is in the directory')
    check(os.path.islink(image), 'the link was replaced')
    judge.judge(bench.program, bench.backend, image, bench.sources.expected('simple'), report)


def output_through_link_to_nothing(bench):
    """What it points to is made, over as many links as there are."""
    directory = bench.program.workspace.directory('output')
    os.mkdir(os.path.join(directory, 'd'))
    os.symlink('d/second', os.path.join(directory, 'first'))
    os.symlink(os.path.join(directory, 'd/image'), os.path.join(directory, 'd/second'))
    bench.program.build_well(bench.backend, bench.sources.path('one-byte'),
                             os.path.join(directory, 'first'))
    check_equal(sorted(os.listdir(directory)), ['d', 'first'], 'what is in the directory')
    check_equal(sorted(os.listdir(os.path.join(directory, 'd'))), ['image', 'second'],
                'what is in the directory below')
    check(not os.path.islink(os.path.join(directory, 'd/image')), 'the image is a link')
    os.symlink('nowhere/image', os.path.join(directory, 'astray'))
    refused_output(bench, os.path.join(directory, 'astray'), 'astray', 'to where no directory is',
                   code=2)


def mode_of_output(bench):
    """As umask says, like every new file, whatever names it had on the way."""
    directory = bench.program.workspace.directory('output')
    for umask in [0o022, 0o077, 0]:
        image = os.path.join(directory, f'image-{umask:o}')
        bench.program.build_well(bench.backend, bench.sources.path('one-byte'), image, umask=umask)
        check_equal(oct(os.stat(image).st_mode & 0o777), oct(0o666 & ~umask), 'mode of the image')


def plain_user_owns(bench):
    need_root('a plain user beside this one')
    directory = bench.program.workspace.directory('output', PLAIN_ID)
    image = os.path.join(directory, 'image')
    bench.program.build_well(bench.backend, bench.sources.path('simple'), image, plain=True)
    check_equal(os.stat(image).st_uid, PLAIN_ID, 'owner of the image')


def main():
    bench = Bench()
    tap = Tap()
    for case in (replaced, output_is_directory, output_in_source, output_in_missing_directory,
                 output_in_closed_directory, output_is_device, output_through_link,
                 output_through_link_to_nothing, mode_of_output, plain_user_owns):
        tap.case(case.__name__.replace('_', ' '), case, bench)
    for backend in bench.program.backends:
        tap.case(f'{backend}: full disk', full_disk, bench, backend)
        for number in [signal.SIGINT, signal.SIGTERM]:
            tap.case(f'{backend}: {number.name} while copying', stopped_by, bench, number, backend,
                     'write')
    for stage in ['scan', 'plan']:
        tap.case(f'SIGTERM after {stage}', stopped_by, bench, signal.SIGTERM, bench.backend, stage)
    tap.case('SIGKILL', stopped_by, bench, signal.SIGKILL, bench.backend, 'write')
    for name, (change, message) in CHANGES.items():
        tap.case(f'a file {name} during the build', change_during_build, bench, change, message)
    tap.finish()


if __name__ == '__main__':
    main()
