# SPDX-License-Identifier: Apache-2.0
"""Names of any bytes and any length."""
from trees import tree

SINGLE = [bytes([i]) for i in range(1, 256) if bytes([i]) not in (b'/', b'.')]


@tree('names-every-byte')
def make_every_byte(maker):
    maker.directory('one')
    maker.directory('inside')
    maker.directory('directories')
    for name in SINGLE:
        maker.file(b'one/' + name, name)
        maker.file(b'inside/a' + name + b'z')
        maker.directory(b'directories/' + name)


@tree('names-long')
def make_long(maker):
    for name in [b'a' * 255, b'\xff' * 255, b'\n' * 255, ' ' * 255, ('ä' * 127) + 'x', '😀' * 63]:
        maker.file(name, b'content')
    for length in range(240, 256):
        maker.directory(b'd%d' % length)
        for i in range(12):
            maker.file(b'd%d/%c' % (length, 97 + i) + b'n' * (length - 1))
        maker.symlink(b'd%d/' % length + b'l' * length, b't' * length)
    maker.directory(b'D' * 255)
    maker.file(b'D' * 255 + b'/' + b'F' * 255, b'deep')


@tree('names-odd')
def make_odd(maker):
    names = [b'-', b'--', b'-rf', b'...', b'..a', b'.a', b' ', b'  ', b'trailing ', b' leading',
             b'new\nline', b'\n', b'tab\t', b'back\\slash', b'"quoted"', b"'", b'*', b'?', b'[a]',
             b'$HOME', b'`id`', b';', b'#', b'%s%n', b'\x01', b'\x7f', b'\xff\xfe', b'\xc3(',
             b'\xed\xa0\x80', 'e\u0301'.encode(), '\u00e9'.encode(), b'CON', b'a:b', b'lost+found ',
             b'.nfs000', b'.wh.file', b'.wh..wh..opq', b'~', b'A', b'a']
    for name in names:
        maker.file(name, name)
    maker.directory('directories')
    for name in names:
        maker.directory(b'directories/' + name)
        maker.symlink(b'directories/' + name + b'/' + name, name)


def _hash_variants(count):
    """Names of one XFS hash: in a group of four bytes, the hash cannot tell a byte's lowest bit
    from the next one's highest. 12 bytes make 512 of them.
    """
    for number in range(count):
        name = bytearray(b'abcdefghijkl')
        for bit, at in enumerate(at for at in range(12) if at % 4):
            if number >> bit & 1:
                name[at - 1] ^= 1
                name[at] ^= 0x80
        yield bytes(name)


@tree('names-one-hash')
def make_one_hash(maker):
    for count in [2, 10, 100, 400]:
        directory = b'%d' % count
        maker.directory(directory)
        for name in _hash_variants(count):
            maker.file(directory + b'/' + name)
        for i in range(count):
            maker.file(directory + b'/other-%d' % i)
