# SPDX-License-Identifier: Apache-2.0
"""A QEMU guest for boot tests: Debian's cloud kernel, an initramfs of busybox, disks of all kinds.

The kernel comes from Debian's package and is cached. KATAIMG_TEST_KERNEL is the file of another
one's package (linux-image-*.deb), KATAIMG_TEST_FILESYSTEMS those of its filesystems that are to be
tried: "ext4,xfs" before 5.16, where EROFS knows no dax. A run boots once, does what a shell script
says (init.sh has the functions it can use), and gives back the console and the files that the
script left in /out.
"""

import fcntl
import glob
import io
import lzma
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

MODULES = ('nfit', 'nd_pmem', 'virtio_pmem', 'virtio_pci', 'virtio_blk', 'dm_verity', 'sha512_generic',
           'xfs', 'erofs')
RESULT_BYTES = 64 << 20
HERE = os.path.dirname(os.path.abspath(__file__))


def has_root():
    """Files can be given away, and devices made: not by the root of a user namespace."""
    need_root = os.path.join(HERE, '../need-root')
    return subprocess.run([need_root, ''], stdout=subprocess.DEVNULL, check=False).returncode == 0


class Skip(Exception):
    """The test cannot run here, for this reason."""


def require_programs(*names):
    """Finds programs, those for administrators too."""
    path = os.environ['PATH'] + ':/usr/sbin:/sbin'
    for name in names:
        if not shutil.which(name, path=path):
            raise Skip(f'{name} is not installed')
    os.environ['PATH'] = path


def main(run, *args):
    """Ends a test program as meson wants it: 0, 1, or 77 for skipped."""
    try:
        run(*args)
    except Skip as reason:
        print(f'SKIPPED: {reason}')
        sys.exit(77)
    except AssertionError as failure:
        print(f'FAILED: {failure}')
        sys.exit(1)
    print('PASSED')


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def chosen_filesystems(built):
    """Those of the built filesystems ("ext4,xfs") that the kernel shall be tried with."""
    chosen = os.environ.get('KATAIMG_TEST_FILESYSTEMS', built).split(',')
    unknown = set(chosen) - set(built.split(','))
    check(not unknown, f'KATAIMG_TEST_FILESYSTEMS: {", ".join(sorted(unknown))} not in {built}')
    return chosen


# ---- The kernel ----

def _kernel_package():
    depends = subprocess.run(['apt-cache', 'depends', 'linux-image-cloud-amd64'],
                             capture_output=True, text=True, check=False).stdout
    found = re.search(r'Depends: (linux-image-\S+)', depends)
    if not found:
        raise Skip("apt does not know the package linux-image-cloud-amd64")
    return found.group(1)


def _unpack_kernel(package, directory):
    """What the package holds; Debian compresses modules from 6.12 on."""
    subprocess.run(['dpkg-deb', '-x', package, directory], check=True)
    for path in _module_paths(directory, '.ko.xz'):
        with lzma.open(path) as packed, open(path[:-len('.xz')], 'wb') as module:
            shutil.copyfileobj(packed, module)


def _download_kernel(directory):
    package = _kernel_package()
    result = subprocess.run(['apt-get', 'download', '-q', package], cwd=directory,
                            capture_output=True, text=True, check=False)
    packages = glob.glob(os.path.join(directory, '*.deb'))
    if result.returncode or not packages:
        raise Skip(f'cannot download {package}: {result.stderr.strip()}')
    _unpack_kernel(packages[0], directory)
    os.unlink(packages[0])


def _kernel(cache):
    """The directory with the kernel to boot."""
    package = os.environ.get('KATAIMG_TEST_KERNEL')
    if not package:
        return cached(cache, 'kernel', _download_kernel)
    check(os.path.isfile(package), f'KATAIMG_TEST_KERNEL: there is no file {package}')
    return cached(cache, os.path.basename(package),
                  lambda directory: _unpack_kernel(package, directory))


def cached(cache, name, make):
    """The directory cache/name, made once by make(directory), whoever comes first."""
    os.makedirs(cache, exist_ok=True)
    directory = os.path.join(cache, name)
    with open(os.path.join(cache, name + '.lock'), 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(directory):
            partial = tempfile.mkdtemp(dir=cache)
            try:
                make(partial)
                os.rename(partial, directory)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    return directory


def _module_paths(tree, suffix):
    """Below lib, or usr/lib from Debian 13 on."""
    return glob.glob(f'{tree}/**/lib/modules/*/kernel/**/*{suffix}', recursive=True)


def _module_files(tree):
    return {os.path.basename(path)[:-3].replace('-', '_'): path
            for path in _module_paths(tree, '.ko')}


def _modinfo(path, key):
    with open(path, 'rb') as module:
        values = re.findall(b'\0' + key + b'=([^\0]*)', module.read())
    return [name.replace('-', '_') for value in values
            for name in re.split('[, ]', value.decode().replace('pre: ', '')) if name]


def _in_load_order(files, wanted):
    """The wanted modules with all that they need, each after what it needs."""
    order = []

    def add(name):
        if name not in files or files[name] in order:
            return
        for needed in _modinfo(files[name], b'depends') + _modinfo(files[name], b'softdep'):
            add(needed)
        order.append(files[name])

    for name in wanted:
        add(name)
    return order


# ---- The initramfs ----

def _write_cpio(directory, path):
    names = subprocess.run(['find', '.', '-print0'], cwd=directory, capture_output=True, check=True)
    with open(path, 'wb') as out:
        subprocess.run(['cpio', '--quiet', '-0', '-o', '-H', 'newc'], cwd=directory,
                       input=names.stdout, stdout=out, check=True)


def _make_initramfs(kernel, helpers, script, path):
    with tempfile.TemporaryDirectory() as root:
        for name in ('bin', 'modules', 'proc', 'sys', 'dev', 'out', 'mnt', 'root'):
            os.mkdir(os.path.join(root, name))
        shutil.copy(shutil.which('busybox'), os.path.join(root, 'bin/busybox'))
        shutil.copy(os.path.join(HERE, 'lib.sh'), root)
        shutil.copy(os.path.join(HERE, 'init.sh'), os.path.join(root, 'init'))
        os.chmod(os.path.join(root, 'init'), 0o755)
        for helper in helpers:
            shutil.copy(helper, os.path.join(root, 'bin'))
        for number, module in enumerate(_in_load_order(_module_files(kernel), MODULES)):
            shutil.copy(module, f'{root}/modules/{number:02}-{os.path.basename(module)}')
        with open(os.path.join(root, 'job.sh'), 'w', encoding='utf-8') as job:
            job.write(script)
        _write_cpio(root, path)


# ---- A run ----

class Result:
    """What a boot left: the console's text, and the files of /out by name."""

    def __init__(self, console, files):
        self.console = console
        self.files = files


class Guest:
    """Disks to attach, then run()."""

    def __init__(self, cache, helpers=()):
        require_programs('qemu-system-x86_64', 'busybox', 'cpio', 'apt-get', 'dpkg-deb')
        self.kernel = _kernel(cache)
        self.cache = cache
        self.helpers = helpers
        self.nvdimms = []  # and virtio-pmem devices: files, and whether they are those
        self.disks = []

    def add_nvdimm(self, path):
        """A read-only NVDIMM as Kata's runtimes attach it; the guest's name of it."""
        self.nvdimms.append((path, False))
        return f'nvdimm{len(self.nvdimms) - 1}'

    def add_pmem(self, path):
        """A virtio-pmem device, as Firecracker and Cloud Hypervisor have it; its name is of the
        same row. QEMU's cannot be read-only."""
        self.nvdimms.append((path, True))
        return f'nvdimm{len(self.nvdimms) - 1}'

    def add_disk(self, path, writable=False):
        """A virtio-blk disk; the guest's name of it."""
        self.disks.append((path, writable))
        return f'vd{"abcdefghijklmnopqrstuvwxyz"[len(self.disks)]}'  # run() has vda itself

    def _nvdimm_args(self):
        for number, (path, virtio) in enumerate(self.nvdimms):
            yield from ('-object', f'memory-backend-file,id=mem{number},mem-path={path},'
                        f'size={os.path.getsize(path)},share=on,readonly={"off" if virtio else "on"}',
                        '-device', f'virtio-pmem-pci,memdev=mem{number}' if virtio else
                        f'nvdimm,memdev=mem{number},unarmed=on')

    @staticmethod
    def _disk_args(disks):
        for number, (path, writable) in enumerate(disks):
            yield from ('-drive', f'if=none,id=disk{number},format=raw,file={path},'
                        f'readonly={"off" if writable else "on"}',
                        '-device', f'virtio-blk-pci,drive=disk{number}')

    def _command(self, initrd, append, disks):
        memory = 512 + sum(os.path.getsize(path) for path, _ in self.nvdimms) // (1 << 20)
        return ['qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'max', '-machine', 'q35,nvdimm=on',
                '-m', f'512,slots={len(self.nvdimms) + 1},maxmem={memory + 1024}M',
                '-display', 'none', '-nodefaults', '-serial', 'stdio', '-no-reboot',
                '-kernel', glob.glob(f'{self.kernel}/boot/vmlinuz-*')[0], '-initrd', initrd,
                '-append', f'console=ttyS0 panic=-1 quiet loglevel=4 no_timer_check {append}',
                *self._nvdimm_args(), *self._disk_args(disks)]

    def run(self, script, timeout=300):
        """Boots, runs the script, and waits for the end."""
        with tempfile.TemporaryDirectory(dir=self.cache) as scratch:
            initrd, result = os.path.join(scratch, 'initrd'), os.path.join(scratch, 'result')
            _make_initramfs(self.kernel, self.helpers, script, initrd)
            with open(result, 'wb') as out:
                out.truncate(RESULT_BYTES)
            command = self._command(initrd, '', [(result, True)] + self.disks)
            console = _run_qemu(command, timeout)
            check('GUEST DONE' in console, 'the guest did not come to the end of its job')
            return Result(console, _read_result(result))

    def run_initrd(self, initrd, timeout=300):
        """Boots a whole initrd that the test has made; the console."""
        return _run_qemu(self._command(initrd, '', []), timeout)

    def run_root(self, append, timeout=300):
        """Boots into the root filesystem that the kernel's command line names; the console."""
        with tempfile.TemporaryDirectory(dir=self.cache) as scratch:
            initrd = os.path.join(scratch, 'initrd')
            _make_initramfs(self.kernel, (), '', initrd)
            return _run_qemu(self._command(initrd, append, self.disks), timeout)


def _run_qemu(command, timeout):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as late:
        print((late.output or b'').decode(errors='replace'))
        raise AssertionError(f'the guest did not end within {timeout} s') from late
    console = done.stdout.decode(errors='replace')
    print(console)
    check(done.returncode == 0, f'QEMU ended with {done.returncode}')
    return console


def _read_result(path):
    with open(path, 'rb') as result:
        data = result.read()
    if not data.strip(b'\0'):
        return {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {os.path.basename(member.name): archive.extractfile(member).read().decode()
                for member in archive if member.isfile()}
