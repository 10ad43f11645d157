#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: test_dialects.py KATAIMG: headers of all dialects of tar, made byte by byte. GNU tar says
what a member's content is, where it reads the form; what does not add up has to be refused."""
import base64
import gzip
import os
import struct
import subprocess
import sys
import tarfile
import tempfile

NEED_ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), '../need-root')
if subprocess.run([NEED_ROOT, 'unpack what belongs to others'], check=False).returncode != 0:
    sys.exit(77)
KATAIMG = os.path.abspath(sys.argv[1])
BLOCK = 512
failures = []


def pad(data):
    return data + bytes(-len(data) % BLOCK)


def header(name, size, kind=b'0', magic=tarfile.USTAR_FORMAT, **fields):
    """A header; fields: place -> bytes that are put there before the sum is made."""
    info = tarfile.TarInfo(name)
    info.size, info.type, info.mtime, info.uid, info.gid = size, kind, 1000, 5, 6
    block = bytearray(info.tobuf(magic)[-BLOCK:])
    for place, data in fields.items():
        at = int(place[1:])
        block[at:at + len(data)] = data
    block[148:156] = b' ' * 8
    block[148:156] = b'%06o\0 ' % sum(block)
    return bytes(block)


def pax(*records, kind=b'x'):
    body = b''
    for key, value in records:
        rest = b' ' + key + b'=' + value + b'\n'
        length = len(rest)
        while len(str(length)) + len(rest) != length:
            length = len(str(length)) + len(rest)
        body += str(length).encode() + rest
    return header('pax', len(body), kind) + pad(body)


def member(name, content, kind=b'0', **fields):
    return header(name, len(content), kind, **fields) + pad(content)


AFTER = member('after', b'the next one')
END = bytes(2 * BLOCK)


def run(*arguments):
    return subprocess.run([KATAIMG, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, 'LC_ALL': 'C'})


def fail(name, text):
    failures.append(name)
    print(f'FAIL: {name}: {text}')


def build(image, source, *options):
    return run('-q', '--no-sync', '-f', 'erofs', '--set', 'rootfs.check=no', '--set',
               'image.align=2M', '--set', 'tree.holes=detect', '--set', 'tree.all-root=yes', '-o',
               image, *options, source)


def write(archive):
    with open('in.tar', 'wb') as out:
        out.write(archive)


def the_same_packed(name, archive):
    """Of a compressed one no more than headers is unpacked; what is said of it is the same."""
    with open('in.tar.gz', 'wb') as out:
        out.write(gzip.compress(archive, 1))
    plain, packed = (run('tree', '--set', 'rootfs.check=no', source)
                     for source in ('in.tar', 'in.tar.gz'))
    if (plain.returncode, plain.stdout, plain.stderr) != (
            packed.returncode, packed.stdout, packed.stderr.replace(b'in.tar.gz', b'in.tar')):
        fail(name, f'compressed: {packed.stderr.decode()}, not {plain.stderr.decode()}')


def as_tar_has_it(name, archive):
    """The image is that of what GNU tar extracts."""
    write(archive)
    the_same_packed(name, archive)
    subprocess.run(['rm', '-rf', 'x'], check=True)
    os.mkdir('x')
    subprocess.run(['tar', '-xpf', 'in.tar', '-C', 'x'], check=True, stderr=subprocess.DEVNULL)
    os.chmod('x', 0o755)
    os.utime('x', (1000, 1000))
    got = build('got.img', 'in.tar', '--set', 'image.build-time=1000')
    want = build('want.img', 'x', '--set', 'image.build-time=1000')
    if got.returncode or want.returncode:
        fail(name, (got.stderr + want.stderr).decode())
    elif subprocess.run(['cmp', 'got.img', 'want.img']).returncode:
        fail(name, 'not what tar extracts')


def printed(name, archive, *texts, absent=None):
    """kataimg tree's line of the entry `f` has all the texts, and not the one that is absent."""
    write(archive)
    the_same_packed(name, archive)
    got = run('tree', '--set', 'rootfs.check=no', 'in.tar')
    lines = [line for line in got.stdout.decode().splitlines() if line.startswith('./f ')]
    if got.returncode or len(lines) != 1:
        fail(name, got.stderr.decode() or 'no such entry')
        return
    for text in texts:
        if text not in lines[0].split():
            fail(name, f'{text} is not in: {lines[0]}')
    if absent and absent in lines[0]:
        fail(name, f'{absent} is in: {lines[0]}')


def refused(name, archive, text):
    write(archive)
    the_same_packed(name, archive)
    got = run('tree', '--set', 'rootfs.check=no', 'in.tar')
    if got.returncode != 1:
        fail(name, f'exit code {got.returncode}')
    elif text not in got.stderr.decode():
        fail(name, f'"{text}" is not in: {got.stderr.decode()}')


DATA = [b'a' * 65536, b'b' * 4096, b'c' * 100]
PLACES = [0, 262144, 400000]
REAL = 400100
SPARSE = b''.join(DATA)
FULL = bytearray(REAL)
for place, data in zip(PLACES, DATA):
    FULL[place:place + len(data)] = data
FULL = bytes(FULL)
PAIRS = [(place, len(data)) for place, data in zip(PLACES, DATA)]


def map_01(pairs=PAIRS):
    return b','.join(b'%d,%d' % pair for pair in pairs)


def octal(number):
    return b'%011o\0' % number


def fields(pairs):
    return b''.join(octal(off) + octal(length) for off, length in pairs)


def old_gnu(pairs, content, real):
    """Type S: four pairs in the header, 21 in each block behind it."""
    rest = [pairs[4:][i:i + 21] for i in range(0, len(pairs[4:]), 21)]
    first = header('f', len(content), b'S', tarfile.GNU_FORMAT,
                   **{'_386': fields(pairs[:4]), '_482': b'\1' if rest else b'\0',
                      '_483': octal(real)})
    blocks = b''
    for i, part in enumerate(rest):
        more = b'\1' if i + 1 < len(rest) else b'\0'
        blocks += fields(part).ljust(504, b'\0') + more + bytes(7)
    return first + blocks + pad(content)


def star(pairs, content, real):
    block = fields(pairs).ljust(504, b'\0') + bytes(8)
    return header('f', len(content) + BLOCK, b'S', **{
        '_345': bytes(107), '_452': b'%011o ' % real, '_464': bytes(12),
        '_476': b'00000001750 ', '_488': b'00000001750 ', '_500': bytes(8), '_508': b'tar\0',
    }) + block + pad(content)


def sparse():
    size = b'%d' % REAL
    each = []
    for off, length in PAIRS:
        each += [(b'GNU.sparse.offset', b'%d' % off), (b'GNU.sparse.numbytes', b'%d' % length)]
    count = (b'GNU.sparse.numblocks', b'%d' % len(PAIRS))
    version_0 = [(b'GNU.sparse.size', size), count]
    version_1 = [(b'GNU.sparse.major', b'1'), (b'GNU.sparse.minor', b'0'),
                 (b'GNU.sparse.name', b'f'), (b'GNU.sparse.realsize', size)]
    front = pad(b'%d\n' % len(PAIRS) + b''.join(b'%d\n%d\n' % pair for pair in PAIRS))
    many = [(i * 8192, 4096) for i in range(100)]
    many_data = b''.join(bytes([65 + i % 26]) * 4096 for i in range(100))
    forms = {
        '0.0': pax(*version_0, *each) + member('f', SPARSE),
        '0.1': pax(*version_0, (b'GNU.sparse.map', map_01())) + member('f', SPARSE),
        '1.0': pax(*version_1) + member('GNUSparseFile.0/f', front + SPARSE),
        'old GNU': old_gnu(PAIRS, SPARSE, REAL),
        'old GNU with blocks': old_gnu(many, many_data, many[-1][0] + 4096),
        'star': star(PAIRS, SPARSE, REAL),
    }
    for name, form in forms.items():
        as_tar_has_it(name, form + AFTER + END)
    holes = b' 0 65536 262144 266240 400000 400100'
    as_tar_has_it('Solaris', pax((b'SUN.holesdata', holes)) + member('f', FULL) + AFTER + END)
    printed('Solaris, without the holes', pax((b'SUN.holesdata', holes)) + member('f', SPARSE) +
            AFTER + END, 'size=400100')
    one_hole = pax((b'SUN.holesdata', b' 400100')) + member('f', bytes(REAL))
    as_tar_has_it('Solaris, one hole', one_hole + AFTER + END)
    as_tar_has_it('one hole', pax((b'GNU.sparse.size', b'400100'), (b'GNU.sparse.numblocks', b'1'),
                                  (b'GNU.sparse.map', b'400100,0')) + member('f', b'') + AFTER +
                  END)

    unfit = 'the map of its holes does not fit its data'
    less, more = PAIRS[:2], PAIRS + [(400100, 512)]
    for name, pairs in (('less', less), ('more', more)):
        real = b'%d' % 500000
        refused(f'0.1 with {name}', pax((b'GNU.sparse.size', real),
                                        (b'GNU.sparse.map', map_01(pairs))) +
                member('f', SPARSE) + AFTER + END, unfit)
        refused(f'old GNU with {name}', old_gnu(pairs, SPARSE, 500000) + AFTER + END, unfit)
        refused(f'star with {name}', star(pairs, SPARSE, 500000) + AFTER + END, unfit)
        front = pad(b'%d\n' % len(pairs) + b''.join(b'%d\n%d\n' % pair for pair in pairs))
        refused(f'1.0 with {name}', pax(*version_1[:3], (b'GNU.sparse.realsize', real)) +
                member('f', front + SPARSE) + AFTER + END, unfit)
    refused('Solaris with less', pax((b'SUN.holesdata', b' 0 65536')) + member('f', FULL) + AFTER +
            END, unfit)
    refused('Solaris with data in a hole', pax((b'SUN.holesdata', holes)) +
            member('f', b'z' * REAL) + AFTER + END, 'it has data where its map says holes')
    backwards = [(262144, 4096), (0, 65536), (400000, 100)]
    refused('backwards', pax((b'GNU.sparse.size', size), (b'GNU.sparse.map', map_01(backwards))) +
            member('f', SPARSE) + AFTER + END, 'the map of its holes is not in order')
    refused('behind the file', pax((b'GNU.sparse.size', b'5'), (b'GNU.sparse.map', map_01())) +
            member('f', SPARSE) + AFTER + END, 'the map of its holes ends behind the file')
    refused('a future version', pax((b'GNU.sparse.major', b'2'), (b'GNU.sparse.minor', b'1')) +
            member('f', b'') + END, "GNU's format 2.1 is not known")
    refused('realsize alone', pax((b'SCHILY.realsize', b'9')) + member('f', b'x') + END,
            'is not that of its data')


def numbers():
    def f(**places):
        return header('f', 0, b'0', **places) + END

    printed('blanks', f(_108=b'    12 \0', _116=b' 12\0\0\0\0\0'), 'uid=10', 'gid=10')
    printed('no terminator', f(_108=b'00000012', _136=b'000000001750'), 'uid=10',
            'time=1000.000000000')
    printed('empty fields', f(_108=bytes(8), _116=b' ' * 8), 'uid=0', 'gid=0')
    printed('a NUL in front', f(_108=b'\0000012\0\0'), 'uid=10')
    printed('binary', f(_108=b'\x80\0\0\0\xee\x6b\x28\0'), 'uid=4000000000')
    printed('a binary time before 1970', f(_136=b'\xff' * 11 + b'\xfe'), 'time=-2.000000000')
    printed('12 digits of size', header('f', 0, _124=b'000000000005') + pad(b'hello') + END,
            'size=5')
    as_tar_has_it('v7', header('f', 5, b'\0', _257=bytes(255)) + pad(b'hello') +
                  header('d/', 0, b'\0', _257=bytes(255)) + END)
    as_tar_has_it('real size in a plain header',
                  header('f', 5, magic=tarfile.GNU_FORMAT, _483=b'04200\x0012130') +
                  pad(b'hello') + AFTER + END)
    as_tar_has_it("GNU tar's times are no prefix", header(
        'f', 5, magic=tarfile.GNU_FORMAT, _345=b'00000001750\00000000001750\0') + pad(b'hello') +
        END)
    as_tar_has_it("star's times are no prefix", header('dir/', 0, b'5') + header(
        'f', 5, _345=b'dir' + bytes(128) + b'00000001750 00000001750 ', _508=b'tar\0') +
        pad(b'hello') + END)
    as_tar_has_it('sizes without data', member('f', b'x') + header('d', 512, b'5') +
                  header('l', 512, b'1', _157=b'f') + header('s', 512, b'2', _157=b'f') + AFTER +
                  END)
    refused('no number', f(_108=b'12x\0\0\0\0\0'), 'f: at byte 0: its uid is no number')
    refused('a size of 96 bits', header('f', 0, _124=b'\x80\1' + bytes(10)) + END,
            'its size is beyond 64 bits')
    refused('a negative size', header('f', 0, _124=b'\xff' * 12) + END, 'its size is negative')
    refused('v7 device', header('f', 0, b'3', _257=bytes(255)) + END, 'has no numbers of devices')


def records():
    def f(*records):
        return pax(*records) + header('f', 0) + END

    owners = (b'uid', b'77'), (b'gid', b'88'), (b'mtime', b'5.5')
    every = pax(*owners, kind=b'g')
    printed('global', every + header('f', 0) + END, 'uid=77', 'gid=88', 'time=5.500000000')
    printed('own over global', every + f((b'uid', b'9'), (b'mtime', b'7')), 'uid=9', 'gid=88',
            'time=7.000000000')
    printed('empty over global', every + f((b'mtime', b''), (b'uid', b'')), 'uid=5',
            'time=1000.000000000')
    printed('two global ones', every + pax((b'uid', b'1'), kind=b'g') + header('f', 0) + END,
            'uid=1', 'gid=88')
    printed('the last of a key', f((b'uid', b'1'), (b'uid', b'2')), 'uid=2')
    printed('an empty time', f((b'mtime', b'')), 'time=1000.000000000')
    printed('before 1970', f((b'mtime', b'-0.25')), 'time=-1.750000000')
    printed('long fractions', f((b'mtime', b'-1.0000000001')), 'time=-2.999999999')
    printed('a huge time', f((b'mtime', b'9223372036854775807')),
            'time=9223372036854775807.000000000')
    as_tar_has_it('a global path', pax((b'path', b'other'), kind=b'g') + member('f', b'x') + END)
    refused('too huge a time', f((b'mtime', b'9223372036854775808')), 'beyond 64 bits')
    refused('no time', f((b'mtime', b'soon')), 'its mtime is no time')
    refused('a global size', pax((b'size', b'5'), kind=b'g') + header('f', 0) + END,
            'a global header gives size, which is for one member')
    refused('a NUL in a name', f((b'path', b'a\0b')), 'a NUL in its path')
    for bad in (b'0 a=b\n', b'99 a=b\n', b'7 a=b\n', b'6a=bc\n', b'6 abc\n', b'6 a=bc.',
                b'99999999999999999999 a=b\n', b'-6 a=b\n'):
        refused(f'a record {bad}', header('p', len(bad), b'x') + pad(bad) + header('f', 0) + END,
                'at byte 512: a record of its pax header cannot be read')
    refused('a header without a member', pax((b'uid', b'1')) + END,
            'the archive ends behind an extended header')
    refused('several volumes', header('f', 0, b'M') + END, 'archives of several volumes')
    refused('no base64', f((b'LIBARCHIVE.xattr.user.x', b'!!')), 'is not in base64')
    printed('labels', f((b'RHT.security.selinux', b'a:b:c:s0'), (b'SCHILY.xattr.user.a%3Db', b'x')),
            'xattr.security.selinux=YTpiOmM6czAA', 'xattr.user.a\\075b=eA==')
    # as bsdtar writes each attribute
    printed('twice', f((b'LIBARCHIVE.xattr.user.%C3%A4%20%25', b'eA'), (b'SCHILY.xattr.user.%C3%A4%20%25', b'x')),
            'xattr.user.\\303\\244\\040%=eA==', absent='%C3')
    printed('a byte', f((b'LIBARCHIVE.xattr.user.%09%0', b'eA')), 'xattr.user.\\011%0=eA==')


def compressed():
    """What is unpacked has a limit, and zeros take no place."""
    limit = ('--set', 'tree.unpack-limit=1M')
    for name, content, code in (('zeros', bytes(1 << 26), 0), ('letters', b'ab' * (1 << 20), 1)):
        with gzip.open('in.tar.gz', 'wb', 1) as out:
            out.write(member('f', content) + END)
        got = run('tree', '--set', 'rootfs.check=no', *limit, 'in.tar.gz')
        if got.returncode != code or (code and b'[tree] unpack-limit' not in got.stderr):
            fail(f'unpack-limit and {name}', got.stderr.decode())
    with gzip.open('in.tar.gz', 'wb', 1) as out:
        out.write(member('f', FULL) + AFTER + END + bytes(1 << 20))
    for image, source in (('got.img', 'in.tar.gz'), ('want.img', 'in.tar')):
        write(member('f', FULL) + AFTER + END)
        if build(image, source).returncode:
            fail('zeros between', source)
    if subprocess.run(['cmp', 'got.img', 'want.img']).returncode:
        fail('zeros between', 'the unpacked archive gives another image')


def foreign():
    for start, name in ((b'PK\3\4', 'a zip archive'), (b'7z\xbc\xaf\x27\x1c', 'a 7z archive'),
                        (b'!<arch>\n', 'an ar archive')):
        refused(name, start + b'x' * 1000, f'in.tar: {name}')


def acls():
    """As many entries as an attribute has room for: more would be work without end."""
    for users in 8187, 8188, 1 << 20:
        text = b','.join([b'user::rw-,group::r--,mask::rwx,other::r--',
                          *(b'user:%d:rwx' % number for number in range(users))])
        archive = pax((b'SCHILY.acl.access', text)) + member('f', b'') + END
        if users > 8187:
            refused(f'an ACL of {users}', archive, 'its ACL (SCHILY.acl.access) has more than 8191 entries')
            continue
        entries = [(1, 6, -1), *((2, 7, number) for number in range(users)), (4, 4, -1), (16, 7, -1), (32, 4, -1)]
        value = struct.pack('<I', 2) + b''.join(struct.pack('<HHi', *entry) for entry in entries)
        printed(f'an ACL of {users}', archive, 'xattr.system.posix_acl_access=' + base64.b64encode(value).decode())


def attributes():
    """What no kernel sets on a type of file is refused or dropped by its name, for every source."""
    write(pax((b'SCHILY.xattr.user.a', b'1')) + header('fifo', 0, b'6') +
          pax((b'SCHILY.acl.default', b'user::rwx,group::r-x,other::---')) + header('f', 0) +
          pax((b'SCHILY.xattr.system.posix_acl_access', b'x' * 28)) +
          header('l', 0, b'2', _157=b'f') +
          pax((b'SCHILY.acl.ace', b'owner@:rw:allow')) + header('g', 0) +
          pax((b'SCHILY.xattr.trusted.t', b'1')) + header('s', 0, b'2', _157=b'f') + END)
    texts = ('user attributes of what is neither file nor directory: fifo has user.a',
             'default ACLs of what is no directory: f has system.posix_acl_default',
             'ACLs of symbolic links: l has system.posix_acl_access',
             'of a namespace that Linux has not: g has system.nfs4_acl')
    for options, code in (((), 1), (('--set', 'image.unsupported=drop'), 0)):
        got = run('--no-sync', '-f', 'erofs', '--set', 'rootfs.check=no', '-o', 'got.img', *options,
                  'in.tar')
        said = got.stderr.decode()
        if got.returncode != code or 'trusted.t' in said or any(t not in said for t in texts):
            fail(f'attributes {options}', said)


def flags():
    write(pax((b'SCHILY.fflags', b'nodump')) + header('f', 0) +
          pax((b'SCHILY.fflags', b'uappnd')) + header('g', 0) + END)
    said = run('tree', '--set', 'rootfs.check=no', 'in.tar').stderr.decode()
    if 'warning: flags of files (chattr) are left out: f, 2 in all' not in said:
        fail('flags', said)


def sums():
    """newc with sums: one letter of the data is another one."""
    os.mkdir('tree')
    with open('tree/f', 'w') as out:
        out.write('hello')
    made = subprocess.run(['cpio', '-o', '-H', 'crc', '--quiet'], input=b'f\n', cwd='tree',
                          stdout=subprocess.PIPE, check=True).stdout
    # Plain, a backend for initrds reads it, which has its own words.
    for data, text in ((made, 'size=5'), (made.replace(b'hello', b'hallo'), 'the sum of its data')):
        with gzip.open('in.cpio.gz', 'wb') as out:
            out.write(data)
        got = run('tree', '--set', 'rootfs.check=no', 'in.cpio.gz')
        if text not in (got.stdout + got.stderr).decode():
            fail('sums', f'{text!r} is not in: {got.stderr.decode()}')


with tempfile.TemporaryDirectory(dir='.') as directory:
    os.chdir(directory)
    sparse()
    numbers()
    records()
    compressed()
    foreign()
    sums()
    acls()
    attributes()
    flags()
    os.chdir('..')
sys.exit(1 if failures else 0)
