#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: test_writers.py KATAIMG: what the archivers of today write, and odd archives. Times are those
that were set, as far as a form has them; the rest is what the archiver itself extracts, or refused."""
import ctypes
import gzip
import io
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile

NEED_ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), '../need-root')
KATAIMG = os.path.abspath(sys.argv[1])
ROOT = subprocess.run([NEED_ROOT, 'archive and unpack device nodes'], check=False).returncode == 0
TIMES = {'old': -301234567890123456, 'now': 1600000000123456789, 'late': 5000000000700000000,
         'whole': 1500000000000000000}
failures = 0


def fail(name, text):
    global failures
    failures += 1
    print(f'FAIL: {name}: {text}')


def run(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, 'LC_ALL': 'C'}, **more)


def written(*command, **more):
    got = run(*command, **more)
    if got.returncode:
        fail(command, got.stderr.decode())
    return got.stdout


def tree(source, *options, data=None):
    return run(KATAIMG, 'tree', '--set', 'rootfs.check=no', *options, source, input=data)


def lines(text):
    """Entries without the root, which an archive need not have."""
    return [line for line in text.decode().splitlines() if line.startswith('./')]


def save(name, data):
    with open(name, 'wb') as out:
        out.write(data)
    return name


# ---- Times ----

def time_of(text, name):
    for line in lines(text):
        if line.startswith(f'./{name} '):
            return line.split('time=')[1].split()[0]
    return None


def expect_times(name, archive, names, unit):
    """The times as they were set, in whole units of nanoseconds, downwards."""
    got = tree('-', data=archive)
    for file in names:
        time = TIMES[file] // unit * unit
        wanted = f'{time // 10**9}.{time % 10**9:09d}'
        if time_of(got.stdout, file) != wanted:
            fail(name, f'{file}: {time_of(got.stdout, file)}, not {wanted} {got.stderr.decode()}')


def times():
    os.mkdir('times')
    for name, time in TIMES.items():
        save('times/' + name, b'x')
        os.utime('times/' + name, ns=(time, time))
    second, every, today = 10**9, list(TIMES), ['now', 'whole']
    for form, names, unit in (('pax', every, 1), ('gnu', every, second), ('ustar', today, second),
                              ('v7', today, second)):
        archive = written('tar', '-C', 'times', '-cf', '-', '--format=' + form, *names)
        expect_times('GNU tar ' + form, archive, names, unit)
    # bsdtar turns times before 1970 that are no whole seconds into others.
    for form, names, unit in (('pax', every[1:], 1), ('gnutar', today, second),
                              ('ustar', today, second), ('newc', today, second),
                              ('odc', today, second)):
        archive = written('bsdtar', '-C', 'times', '-cf', '-', '--format=' + form, *names)
        expect_times('bsdtar ' + form, archive, names, unit)
    expect_times('busybox tar', written('busybox', 'tar', '-C', 'times', '-cf', '-', *today),
                 today, second)
    for form in tarfile.PAX_FORMAT, tarfile.GNU_FORMAT:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode='w', format=form) as archive:
            archive.add('times/whole', 'whole')
            archive.add('times/now', 'now')
        expect_times(f'Python {form}', out.getvalue(), ['whole'], second)
        # Its times are floating.
        wanted = '1600000000.' + ('123456700' if form == tarfile.PAX_FORMAT else '000000000')
        if time_of(tree('-', data=out.getvalue()).stdout, 'now') != wanted:
            fail(f'Python {form}', f'not {wanted}')


# ---- cpio ----

def swapped(archive):
    """The old binary form as a machine of the other byte order writes it."""
    out, at = b'', 0
    while True:
        header = struct.unpack_from('<13H', archive, at)
        name, size = header[10], header[11] << 16 | header[12]
        end = at + 26 + name + name % 2 + size + size % 2
        out += struct.pack('>13H', *header) + archive[at + 26:end]
        if archive[at + 26:].startswith(b'TRAILER!!!\0'):
            return out + archive[end:]
        at = end


def cpios():
    """In all its forms it has what the directory has."""
    os.makedirs('cpio/sub')
    save('cpio/sub/file', b'content' * 1000)
    save('cpio/odd', b'x')
    os.symlink('sub/file', 'cpio/link')
    os.mkfifo('cpio/fifo')
    if ROOT:
        os.mknod('cpio/char', 0o20644, os.makedev(4, 70))
        os.mknod('cpio/block', 0o60644, os.makedev(8, 17))
    for path in ('odd', 'link', 'fifo', 'sub/file', 'sub', '.') + (('char', 'block') if ROOT else ()):
        os.utime('cpio/' + path, (1600000000, 1600000000), follow_symlinks=False)
    names = b'\0'.join([b'.', b'sub', b'sub/file', b'odd', b'link', b'fifo'] +
                       ([b'char', b'block'] if ROOT else [])) + b'\0'
    everything = lines(tree('cpio').stdout)
    for form in 'newc', 'crc', 'odc', 'bin', 'hpodc', 'hpbin':
        # HP-UX has devices in a form of its own.
        given = names.split(b'char')[0] if form.startswith('hp') else names
        wanted = [line for line in everything
                  if given == names or not line.startswith(('./char ', './block '))]
        archive = written('cpio', '-0', '-o', '-H', form, '--quiet', cwd='cpio', input=given)
        forms = {form: archive}
        if form == 'bin':
            forms['bin of the other byte order'] = swapped(archive)
        for name, data in forms.items():
            for source in (save('in.cpio', data), save('in.cpio.gz', gzip.compress(data))):
                got = tree(source)
                if lines(got.stdout) != wanted:
                    fail(f'cpio {name}', f'{got.stderr.decode()} {lines(got.stdout)} {wanted}')
    cut_cpios()


def cut_cpios():
    """Where it is cut is told of the forms that only libarchive reads."""
    for form in 'odc', 'bin':
        archive = written('cpio', '-0', '-o', '-H', form, '--quiet', cwd='cpio', input=b'odd\0link\0')
        whole = archive.index(b'link\0') - (76 if form == 'odc' else 26)
        refused(f'cpio {form} cut', archive[:whole + 7],
                f'in.tar: behind odd: at byte {whole - (form == "bin")}: ')


def hpux_devices():
    for form in 'hpodc', 'hpbin':
        if ROOT:
            archive = written('cpio', '-o', '-H', form, '--quiet', cwd='cpio', input=b'odd\nchar\n')
            for data in archive, gzip.compress(archive):
                refused(f'a device in {form}', data, 'a device in the form of HP-UX')


# ---- Odd ones ----

def tar(*members, form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=form) as archive:
        for name, kind, link, data in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size, info.mtime = kind, link, len(data), 1600000000
            info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def as_extracted(name, archive, *options, warning=''):
    save('in.tar', archive)
    shutil.rmtree('x', ignore_errors=True)
    os.mkdir('x')
    # gzip ends with 2 when it warns.
    subprocess.run(['tar', *options, '-xpf', 'in.tar', '-C', 'x'], stderr=subprocess.DEVNULL)
    got, wanted = (tree(source, '--set', 'tree.all-root=yes') for source in ('in.tar', 'x'))
    if got.returncode or lines(got.stdout) != lines(wanted.stdout):
        fail(name, f'{got.stderr.decode()} {lines(got.stdout)} {lines(wanted.stdout)}')
    said = got.stderr.decode()
    if warning not in said or bool(said) != bool(warning):
        fail(name, f'it says "{said}"')


def refused(name, archive, text):
    got = tree(save('in.tar', archive))
    if got.returncode != 1 or text not in got.stderr.decode():
        fail(name, f'{got.returncode}: {got.stderr.decode()}')


def as_cut(archive):
    """tar and Python say so as well."""
    if subprocess.run(['tar', '-tf', '-'], input=archive, capture_output=True).returncode != 2:
        fail('cut in the last block', 'tar takes it')
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            opened.getmembers()
        fail('cut in the last block', 'Python takes it')
    except tarfile.ReadError:
        pass


FILE, LINK, SYMLINK, FOLDER = (tarfile.REGTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE)


def odd():
    one, two = (tar((name, FILE, '', b'x')) for name in ('one', 'two'))
    folder = ('d', FOLDER, '', b'')
    for form in tarfile.PAX_FORMAT, tarfile.GNU_FORMAT:
        as_extracted('a member twice', tar(('a', FILE, '', b'1'), ('a', FILE, '', b'22'),
                                           form=form))
        as_extracted('a hard link to a symbolic one', tar(
            ('a', FILE, '', b'1'), ('s', SYMLINK, 'a', b''), ('h', LINK, 's', b''), form=form))
        as_extracted('a directory where a file was', tar(
            ('d', FILE, '', b'1'), folder, ('d/f', FILE, '', b'1'), form=form))
        as_extracted('a directory where a link was', tar(
            folder, ('l', SYMLINK, 'd', b''), ('l', FOLDER, '', b''), form=form))
        as_extracted('a / behind', tar(('f/', FILE, '', b''), ('g//', FOLDER, '', b''),
                                       ('h/.', FOLDER, '', b''), form=form))
        as_extracted('a / in front', tar(('/d', FOLDER, '', b''), ('/d/f', FILE, '', b'1'),
                                         ('h', LINK, '/d/f', b''), form=form),
                     warning="are taken as the image's")
        refused('a link before its file', tar(('l', LINK, 'a', b''), ('a', FILE, '', b''),
                                              form=form), 'l: a hard link to a, which is not there')
        for path in 'd/../x', '../x', '/../x', '..':
            refused(path, tar(folder, (path, FILE, '', b''), form=form), 'its path has a ".."')
        refused('a file where a full directory is', tar(
            folder, ('d/f', FILE, '', b''), ('d', FILE, '', b''), form=form),
            'd: it would replace a directory that is not empty')
        refused('through a link', tar(folder, ('l', SYMLINK, 'd', b''), ('l/f', FILE, '', b''),
                                      form=form), 'l on its way is a symbolic link')
    as_extracted('empty', tar())
    as_extracted('directories alone', tar(folder, ('d/e', FOLDER, '', b'')))
    left_out = 'what follows its end mark is left out'
    as_extracted('one behind another', one + two, warning=left_out)
    as_extracted('letters behind', one + b'letters' * 1000, warning=left_out)
    as_extracted('half an end mark', one[:1536])
    as_extracted('no end mark', one[:1024], warning='it has no end mark')
    as_extracted('two gzip members', gzip.compress(one) + gzip.compress(two), warning=left_out)
    behind = 'what follows its compressed data is left out'
    for kind in 'gzip', 'bzip2':
        packed = written(kind, '-c', input=one)
        for rest, warning in (b'letters' * 99, behind), (bytes(10000), ''), (packed, left_out):
            as_extracted(f'behind {kind}', packed + rest, warning=warning)
    # These programs make an error of it as well.
    for kind in 'xz', 'zstd':
        refused(f'behind {kind}', written(kind, '-c', input=one) + b'letters' * 99, 'in.tar: ')
    refused('half a header', one[:300], 'neither tar nor cpio')
    refused('a header alone', one[:512], "the archive ends before the file's data")
    for left in 513, 600, 1023:
        refused('cut in the last block', one[:left],
                f"one: at byte {left}: the archive ends within a block of 512 bytes: it is cut off")
        as_cut(one[:left])
    got = tree(save('in.zst', written('zstd', '-qc', input=gzip.compress(one))))
    if len(lines(got.stdout)) != 1:
        fail('gzip in zstd', got.stderr.decode())
    got = tree('-', data=b'#mtree\n. type=dir\n')
    if got.returncode != 1 or b'an mtree file, which is read by its name only' not in got.stderr:
        fail('mtree as standard input', got.stderr.decode())


def dumps():
    """GNU tar's incremental dumps, and archives of several volumes."""
    os.mkdir('inc')
    for name in 'ab':
        save('inc/' + name, b'x')
    command = ('tar', '--listed-incremental=snapshot', '-cf', '-', 'inc')
    whole = written(*command)
    as_extracted('an incremental dump', whole)
    as_extracted('an incremental dump', whole, '-G')
    os.unlink('inc/b')
    save('inc/c', b'y')
    as_extracted('the next dump', written(*command))
    save('big', b'x' * 30000)
    written('tar', '-cML', '20', '-f', '1.tar', '-f', '2.tar', 'big')
    for name, text in (('1.tar', 'cut off or damaged'), ('2.tar', 'archives of several volumes')):
        with open(name, 'rb') as file:
            refused('several volumes', file.read(), text)
    as_extracted('a label', written('tar', '-V', 'label', '-cf', '-', 'big'))


def labels():
    """A file's label is stored with a NUL behind it, by setfilecon(3) and so by tar -x --selinux."""
    label = 'system_u:object_r:etc_t:s0'
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo('f')
        info.mtime, info.pax_headers = 1600000000, {'RHT.security.selinux': label}
        info.uid, info.gid = os.geteuid(), os.getegid()
        archive.addfile(info)
    os.mkdir('labels')
    save('labels/f', b'')
    os.utime('labels/f', (1600000000, 1600000000))
    wanted = 'xattr.security.selinux=c3lzdGVtX3U6b2JqZWN0X3I6ZXRjX3Q6czAA'
    got = lines(tree(save('in.tar', out.getvalue())).stdout)
    if len(got) != 1 or wanted not in got[0].split():
        fail('a label', got)
    try:
        library = ctypes.CDLL('libselinux.so.1')
        done = library.setfilecon(b'labels/f', label.encode()) == 0
    except OSError:
        done = False
    if not done:
        print('not compared: setfilecon(3) sets no label here')
    elif lines(tree('labels').stdout) != got:
        fail('a label', f'{got} is not what setfilecon stores: {lines(tree("labels").stdout)}')


with tempfile.TemporaryDirectory(dir='.') as directory:
    os.chdir(directory)
    os.umask(0o022)
    times()
    cpios()
    hpux_devices()
    odd()
    dumps()
    labels()
    os.chdir('..')
sys.exit(1 if failures else 0)
