#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: test_names.py KATAIMG: whatever names a source has, what is said of them is a readable
line that commands no terminal, and still says why."""
import gzip
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '../support'))
import ocilayout  # noqa: E402

NEED_ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), '../need-root')
if subprocess.run([NEED_ROOT, 'give directories away'], check=False).returncode != 0:
    sys.exit(77)
KATAIMG = os.path.abspath(sys.argv[1])
LINE_MAX = 3000
EVIL = '\x1b]0;x\x07\x1b[2J\r\x9b31m'
LONG = (EVIL + 'y') * 8000
failures = 0


def say(name, text, *arguments, env=None):
    """It says the text, in lines of a readable length, of characters alone."""
    global failures
    got = subprocess.run([KATAIMG, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         env={**os.environ, 'LC_ALL': 'C', **(env or {})})
    said = got.stderr.decode('utf-8', 'surrogateescape')
    wrong = None
    if re.search('[\x00-\x09\x0b-\x1f\x7f-\x9f\udc80-\udcff]', said):
        wrong = 'control characters'
    elif max(len(line) for line in said.split('\n')) > LINE_MAX:
        wrong = 'a line that nobody reads'
    elif text not in said:
        wrong = f'no "{text}"'
    if wrong:
        failures += 1
        print(f'FAIL: {name}: {wrong}: {said[:1000]!r}')


def tar(*members, format=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=format, errors='surrogateescape') as archive:
        for name, fields, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in fields.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def save(name, data):
    with open(name, 'wb') as out:
        out.write(data)
    return name


LINK = {'type': tarfile.LNKTYPE, 'linkname': LONG + 'none'}


def archives():
    for name, format in ('pax', tarfile.PAX_FORMAT), ('gnu', tarfile.GNU_FORMAT):
        whole = tar((LONG, LINK, b''), format=format)
        say(f'{name}: a link', 'which is not there', 'tree', save('in.tar', whole))
        whole = tar((LONG, {}, b'x' * 5000), format=format)
        say(f'{name}: cut', 'cut off or damaged', 'tree', save('in.tar', whole[:-12000]))
        say(f'{name}: behind', 'no member begins where one should', 'tree',
            save('in.tar', whole.rstrip(b'\0') + b'?' * 5120))
        whole = tar(('/' + LONG, {}, b''), format=format)
        say(f'{name}: a / in front', 'are taken as the image\'s', 'tree', save('in.tar', whole))
    say('an attribute', 'not in base64', 'tree', save('in.tar', tar(
        (EVIL, {'pax_headers': {'LIBARCHIVE.xattr.' + LONG: '\x1b'}}, b''))))
    say('an ACL', 'cannot be read', 'tree', save('in.tar', tar(
        (EVIL, {'pax_headers': {'SCHILY.acl.access': LONG}}, b''))))
    say('a character set', 'byte by byte', 'tree', save('in.tar', tar(
        (EVIL, {'pax_headers': {'hdrcharset': LONG}}, b''))))
    path = (LONG[:4000] + '\0').encode('utf-8')
    header = b'070702' + b'%08x' * 13 % (1, 0o100644, 0, 0, 1, 0, 3, 0, 0, 0, 0, len(path), 0)
    body = header + path
    body += bytes(-len(body) % 4) + b'abc\0'
    say('cpio', 'the sum of its data', 'tree', save('in.cpio', body))


def mtrees():
    # vis(3)'s backslash and octal digits, which are the way to such bytes in an mtree file.
    coded = ''.join(f'\\{byte:03o}' for byte in LONG[:4000].encode('utf-8'))
    for name, line, text in (
            ('a type', f'./{coded} type=odd', 'type'),
            ('a raw type', f'./x type={LONG}', 'type'),
            ('a keyword', f'./x type=file {"z" * 100000}=1', ''),
            ('a uid', f'./{coded} type=file uid=x', 'uid')):
        with open('in.mtree', 'w', encoding='utf-8', newline='\n') as out:
            out.write('#mtree\n. type=dir\n' + line + '\n')
        say(f'mtree: {name}', text, 'tree', 'in.mtree')


def directories():
    os.mkdir('deep')
    here = os.open('.', os.O_RDONLY)
    os.chdir('deep')
    for _ in range(20):
        os.mkdir(EVIL * 12)
        os.chdir(EVIL * 12)
    os.chown('.', 70000, 0)
    os.fchdir(here)
    say('a directory', 'has the uid 70000, which', 'tree', '--set', 'tree.uid-map=0:0:60000', 'deep')
    say('no source', 'No such file', 'tree', EVIL)
    say('a pattern', 'match', 'tree', '--set', f'tree.exclude=/{EVIL}', 'deep')
    subprocess.run(['rm', '-rf', 'deep'], check=False)


def layer(plain, media):
    ocilayout.make('oci', 'it', [(plain, gzip.compress(plain), media)])


def images():
    media = ocilayout.MEDIA + 'layer.v1.tar+gzip'
    layer(tar((LONG, LINK, b'')), media)
    say('a layer', 'which is not there', 'tree', 'oci:oci:it')
    say('a tag', '', 'tree', 'oci:oci:' + EVIL)
    layer(tar((EVIL, {'type': tarfile.CHRTYPE}, b'')), media)
    say('a device of overlayfs', 'hides nothing here', 'tree', 'oci:oci:it')
    layer(tar(('x', {}, b'')), LONG)
    say('a media type', '', 'tree', 'oci:oci:it')


with tempfile.TemporaryDirectory(dir='.') as directory:
    os.chdir(directory)
    archives()
    mtrees()
    directories()
    images()
    os.chdir('..')
sys.exit(1 if failures else 0)
