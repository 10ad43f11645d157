#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Extraction with something in the way: users who may not, trees that mean harm, others who exchange
directories, files that are there, no room, a signal."""
import contextlib
import ctypes
import errno
import io
import os
import signal
import stat
import subprocess
import tempfile
import tarfile
import threading
import time

from harness import manifest
from harness.tap import Skip, Tap, check, check_equal
from harness.workspace import PLAIN_ID, is_root, mount_tmpfs, need_root
from test_archives import make_archive, without_sockets
from test_extract import Bench, expect_same
from trees.maker import Maker

AS_PLAIN = ['simple', 'names-odd', 'times', 'ids', 'modes', 'devices', 'xattrs', 'acls', 'sparse',
            'random-1']
# Of renameat2(2), which exchanges two names at once.
LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, RENAME_EXCHANGE = -100, 2
DIRECTORIES = 8  # that are exchanged for links


def _what_is_left(entry):
    """Of an entry that a plain user has extracted, as far as it can be as it was."""
    if entry.kind == stat.S_IFREG and entry.uid != PLAIN_ID:
        entry.mode &= ~stat.S_ISUID
    if entry.kind == stat.S_IFREG and entry.gid != PLAIN_ID:
        entry.mode &= ~stat.S_ISGID
    entry.uid = entry.gid = PLAIN_ID
    entry.xattrs = {name: value for name, value in entry.xattrs.items()
                    if name.startswith(b'system.') or name.startswith(b'user.')
                    and entry.kind in (stat.S_IFREG, stat.S_IFDIR)}


def as_plain_user(bench, tree):
    """All but what only root can do; one warning says what that was."""
    need_root('a tree with owners, to be extracted without')
    source = bench.sources.path(tree)
    without_sockets(source)
    archive = make_archive(source, bench.target())
    os.chmod(archive, 0o644)
    expected = manifest.read_manifest(source)
    for path in list(expected):
        entry = expected[path]
        _what_is_left(entry)
        # a character device 0:0 marks a removed file, and everybody may make one
        if stat.S_ISBLK(entry.kind) or stat.S_ISCHR(entry.kind) and entry.rdev:
            del expected[path]
    target, result = bench.extract(archive, plain=True)
    result.expect(0, 'this user, or this filesystem, may not have: ')
    check_equal(result.err.count('\n'), 1, f'lines of {result.err}')
    expect_same(expected, target)


def warning_counts(bench):
    need_root('what a plain user may not have')
    maker = Maker(os.path.join(bench.program.workspace.directory('tree'), 'tree'))
    maker.file('a', b'x', mode=0o6755, uid=1, gid=2)
    maker.file('b', b'x', xattrs={'trusted.x': b'1'}, uid=PLAIN_ID, gid=PLAIN_ID)
    maker.node('c', stat.S_IFCHR, 1, 3, uid=PLAIN_ID, gid=PLAIN_ID)
    maker.node('d', stat.S_IFBLK, 1, 3, uid=PLAIN_ID, gid=PLAIN_ID)
    maker.set_attributes('', uid=PLAIN_ID, gid=PLAIN_ID)
    maker.finish()
    archive = make_archive(maker.root, bench.target())
    os.chmod(archive, 0o644)
    _, result = bench.extract(archive, plain=True)
    result.expect(0, 'may not have: 1 owners (a), 2 devices (c), '
                  '1 extended attributes (b: trusted.x), 1 set-id bits (a)')


def owners_outside_the_namespace(bench):
    """Root of a user namespace that has no other number."""
    need_root('a namespace in which there is root alone')
    namespace = ['unshare', '--user', '--map-root-user']
    if subprocess.run([*namespace, 'true'], check=False, capture_output=True).returncode:
        raise Skip('this machine has no user namespaces, or this is a chroot')
    maker = Maker(os.path.join(bench.program.workspace.directory('tree'), 'tree'))
    maker.file('a', b'x', uid=5, gid=7)
    maker.file('b', b'x', uid=0, gid=7)
    maker.finish()
    archive = make_archive(maker.root, bench.target())
    os.chmod(archive, 0o644)
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run([*namespace, *bench.program.command(
            ['extract', archive, '-C', os.path.join(directory, 'target')])],
                              check=False, capture_output=True, text=True)
    check(done.returncode == 0 and done.stderr.endswith(
        'may not have: 2 owners (a: this user namespace does not have both user 5 and group 7)\n'),
          f'{done}')


def tar_of(members):
    """members: (name, type, linkname or content)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode='w', format=tarfile.PAX_FORMAT) as archive:
        for name, kind, value in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info.linkname = value
            else:
                info.size = len(value)
            archive.addfile(info, io.BytesIO(value if kind == tarfile.REGTYPE else b''))
    return stream.getvalue()


def hostile_links(bench):
    """Links that are there, or that the source has, lead nowhere out of the target."""
    outside = bench.program.workspace.directory('outside')
    for number, members in enumerate([
            [('d', tarfile.SYMTYPE, outside), ('e', tarfile.SYMTYPE, '..'),
             ('f', tarfile.SYMTYPE, outside + '/f')],
            [('d', tarfile.DIRTYPE, b''), ('d/x', tarfile.REGTYPE, b'new'),
             ('f', tarfile.REGTYPE, b'new')]]):
        archive = os.path.join(outside + '-tar', str(number))
        os.makedirs(os.path.dirname(archive), exist_ok=True)
        with open(archive, 'wb') as file:
            file.write(tar_of(members))
        if number == 0:
            target = bench.extract(archive)[0]
            check_equal(os.readlink(os.path.join(target, 'd')), outside, 'the link')
        else:
            bench.extract(archive, '--force', target=target)[1].expect(0)
    check_equal(os.listdir(outside), [], 'what came to be outside')
    check(os.path.isdir(os.path.join(target, 'd')) and not os.path.islink(os.path.join(target, 'd')),
          'the link to a directory is still there')
    with open(os.path.join(target, 'f'), 'rb') as file:
        check_equal(file.read(), b'new', 'the file in the place of a link')


def exchange_for_links(target, outside, stop):
    """As somebody does who may write in the target, while it is filled: whatever is a directory now is
    a link that leads out a moment later."""
    links = os.path.join(os.path.dirname(target), 'links')
    os.makedirs(links, exist_ok=True)
    while not stop.is_set():
        for number in range(DIRECTORIES):
            link, path = os.path.join(links, f'd{number}'), os.path.join(target, f'd{number}', 'in')
            with contextlib.suppress(FileExistsError):
                os.symlink(outside, link)
            LIBC.renameat2(AT_FDCWD, os.fsencode(link), AT_FDCWD, os.fsencode(path), RENAME_EXCHANGE)


def exchanged_directories(bench):
    """Nothing comes to be outside, whatever comes of the rest."""
    outside = bench.program.workspace.directory('outside')
    maker = Maker(os.path.join(bench.program.workspace.directory('tree'), 'tree'))
    for number in range(DIRECTORIES):
        maker.directories(f'd{number}/in/' + '/'.join('abcdefgh'))
        for file in range(40):
            maker.file(f'd{number}/in/{file}', b'x')
            maker.file(f'd{number}/in/a/b/c/d/e/f/g/h/{file}', b'x')
    maker.finish()
    os.chmod(outside, 0o751)
    before = os.stat(outside)
    codes = []
    while codes.count(1) < 5 and len(codes) < 100:
        target, stop = bench.target(), threading.Event()
        attacker = threading.Thread(target=exchange_for_links, args=(target, outside, stop))
        attacker.start()
        codes.append(bench.extract(maker.root, target=target)[1].code)
        stop.set()
        attacker.join()
        check_equal(os.listdir(outside), [], 'what came to be outside')
        after = os.stat(outside)
        check_equal((after.st_mode, after.st_uid, after.st_mtime_ns),
                    (before.st_mode, before.st_uid, before.st_mtime_ns), 'what was changed outside')
    check(1 in codes, 'no exchange was ever in the way')


def force_writes_no_other_file(bench):
    """A file that is replaced may have another name outside."""
    source = Maker(os.path.join(bench.program.workspace.directory('tree'), 'tree'))
    source.file('a', b'new')
    source.directory('d', mode=0o700)
    source.file('d/b', b'new')
    source.finish()
    target = Maker(bench.target())
    target.file('a', b'old')
    target.link('a', 'other')
    target.directory('d', mode=0o777, xattrs={'user.old': b'1'} if is_root() else None)
    target.file('d/kept', b'kept')
    _, result = bench.extract(source.root, target=target.root)
    result.expect(1, 'target is not empty: --force puts')
    bench.extract(source.root, '--force', target=target.root)[1].expect(0)
    for name, content in [('a', b'new'), ('other', b'old'), ('d/b', b'new'), ('d/kept', b'kept')]:
        with open(target.path(name), 'rb') as file:
            check_equal(file.read(), content, name)
    check_equal(stat.S_IMODE(os.stat(target.path('d')).st_mode), 0o700, 'the mode of d')
    check_equal(os.listxattr(target.path('d')), [], 'attributes of d')
    blocked = Maker(bench.target())
    blocked.directories('a/b')
    _, result = bench.extract(source.root, '--force', target=blocked.root)
    result.expect(1, 'cannot replace a: Is a directory', 'files and directories are left in')


def default_acls_are_not_inherited(bench):
    source = bench.sources.path('simple')
    target = bench.target()
    os.mkdir(target)
    subprocess.run(['setfacl', '-d', '-m', f'u:{os.getuid()}:rwx,g::rwx', target], check=True)
    bench.extract(source, target=target)[1].expect(0)
    expect_same(bench.sources.expected('simple'), target)


def some_paths(bench):
    maker = Maker(os.path.join(bench.program.workspace.directory('tree'), 'tree'))
    maker.directories('a/b/c')
    maker.file('a/b/c/file', b'1')
    maker.file('a/b/other', b'2')
    maker.link('a/b/other', 'first')
    maker.symlink('link', 'a')
    maker.directory('z', mode=0o700)
    maker.finish()
    target, result = bench.extract(maker.root, target=None)
    result.expect(0)

    def extract(*paths):
        target = bench.target()
        result = bench.program.run(['extract', '-C', target, maker.root, *paths])
        return target, result

    target, result = extract('/a/b/c/', 'z')
    result.expect(0)
    check_equal(sorted(manifest.read_manifest(target)),
                [b'', b'a', b'a/b', b'a/b/c', b'a/b/c/file', b'z'], 'what two paths give')
    check_equal(stat.S_IMODE(os.stat(os.path.join(target, 'z')).st_mode), 0o700, 'the mode of z')
    target, result = extract('a/b/other')
    result.expect(0)
    entries = manifest.read_manifest(target)
    check_equal(sorted(entries), [b'', b'a', b'a/b', b'a/b/other'], 'what a link gives')
    check_equal(entries[b'a/b/other'].nlink, 1, 'its links')
    extract('link/b')[1].expect(1, 'link/b: link is a symbolic link to a: name what it leads to')
    extract('a/nothing')[1].expect(1, 'a/nothing: No such file or directory')
    extract('a/b/other/x')[1].expect(1, 'a/b/other/x: Not a directory')
    extract('a/../z')[1].expect(1, 'a/../z: No such file or directory')


def no_room(bench):
    """What was made is told, and stays; of an archive nothing does."""
    need_root('mounting a filesystem')
    maker = Maker(os.path.join(bench.program.workspace.directory('tree'), 'tree'))
    maker.directory('a')
    maker.file('a/large', os.urandom(3 << 20))
    maker.finish()
    small = bench.program.workspace.directory('small')
    mount_tmpfs(small, 'size=1m')
    try:
        target = os.path.join(small, 'target')
        result = bench.program.run(['extract', '-C', target, maker.root])
        result.expect(1, 'cannot write a/large: ' + os.strerror(errno.ENOSPC),
                      f'; 3 of 3 files and directories are left in {target}, not all of them complete')
        check(os.path.exists(os.path.join(target, 'a/large')), 'what was made is gone')
        subprocess.run(['rm', '-r', target], check=True)
        result = bench.program.run(['extract', '-o', os.path.join(small, 'x.tar'), maker.root])
        result.expect(1, os.strerror(errno.ENOSPC))
        check_equal(os.listdir(small), [], 'what a failed archive leaves')
    finally:
        subprocess.run(['umount', small], check=True)


def interrupted(bench):
    maker = Maker(os.path.join(bench.program.workspace.directory('tree'), 'tree'))
    for number in range(8):
        maker.file(f'file{number}', bytes(16 << 20))
    maker.finish()
    target = bench.target()
    process = bench.program.start(['extract', '-C', target, '--threads', '1', maker.root])
    while not os.path.exists(os.path.join(target, 'file0')) and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    err = process.communicate()[1].decode()
    check_equal(process.returncode, 1, f'exit code; {err}')
    check('interrupted; ' in err and f'are left in {target}' in err, err)


def refusals(bench):
    source = bench.sources.path('simple')
    before = os.stat(source).st_mtime_ns
    inside = os.path.join(source, 'new')
    bench.extract(source, target=inside)[1].expect(1, f'{inside} lies in the source {source}')
    bench.extract(source, '--force', target=source)[1].expect(1, f'lies in the source {source}')
    check(not os.path.exists(inside), 'a directory in the source')
    check_equal(os.stat(source).st_mtime_ns, before, "the source's time")
    bench.extract(source, target='/nonexistent/x')[1].expect(
        1, 'cannot make the directory /nonexistent/x: ' + os.strerror(errno.ENOENT))
    bench.program.run(['extract', source]).expect(2, 'extract needs -C DIR or -o FILE')


def main():
    bench = Bench()
    tap = Tap()
    for name in AS_PLAIN:
        tap.case(f'{name}: as a plain user', as_plain_user, bench, name)
    tap.case('the warning of a plain user', warning_counts, bench)
    tap.case('owners that a namespace does not have', owners_outside_the_namespace, bench)
    tap.case('hostile links', hostile_links, bench)
    tap.case('directories exchanged for links', exchanged_directories, bench)
    tap.case('--force', force_writes_no_other_file, bench)
    tap.case('default ACLs of the target', default_acls_are_not_inherited, bench)
    tap.case('some paths', some_paths, bench)
    tap.case('no room', no_room, bench)
    tap.case('interrupted', interrupted, bench)
    tap.case('refusals', refusals, bench)
    tap.finish()


if __name__ == '__main__':
    main()
