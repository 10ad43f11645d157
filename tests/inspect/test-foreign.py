#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kataimg inspect on images that others make: by sfdisk, mke2fs and mkfs.erofs, in the layouts of
image_builder.sh; and sfdisk's reading of the images that kataimg makes.

usage: test-foreign.py KATAIMG BACKEND-DIR...
"""

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

MIB = 1 << 20
TOOLS = ('sfdisk', 'mke2fs', 'debugfs', 'e2fsck', 'mkfs.erofs')


def check(condition, message):
    """Ends the test when something does not hold."""
    if not condition:
        print(f'FAILED: {message}')
        sys.exit(1)


def info_block():
    """The NVDIMM info block, written a second time from the table of its fields."""
    fields = struct.pack('<16s16s16sIHHQQIIII', b'NVDIMM_PFN_INFO', b'', b'', 0, 0, 2, 2 * MIB, 0,
                         1, 0, 0, 2 * MIB)
    block = fields.ljust(4088, b'\0')
    low = high = 0
    for (word,) in struct.iter_unpack('<I', block + bytes(8)):
        low = (low + word) & 0xffffffff
        high = (high + low) & 0xffffffff
    return block + struct.pack('<Q', high << 32 | low)


def sfdisk(path, script):
    """Makes a partition table as other tools do, with a signature of its own."""
    subprocess.run(['sfdisk', '--quiet', path], input=f'label: dos\n{script}\n', text=True,
                   check=True, capture_output=True)


def overwrite(path, offset, data):
    """Puts bytes into a file."""
    with open(path, 'r+b') as file:
        file.seek(offset)
        file.write(data)


def new_file(path, size):
    """A file of zeros."""
    with open(path, 'wb') as file:
        file.truncate(size)
    return path


def copy_in(path, offset, source):
    """Copies a whole file into another."""
    with open(source, 'rb') as file:
        overwrite(path, offset, file.read())


class Inspector:
    """The program under test, and where to make images."""

    def __init__(self, kataimg, backend_dirs, scratch):
        self.kataimg, self.scratch = kataimg, scratch
        self.options = [f'--backend-dir={directory}' for directory in backend_dirs]
        self.tree = os.path.join(scratch, 'tree')
        os.mkdir(self.tree)
        with open(f'{self.tree}/file', 'w', encoding='ascii') as file:
            file.write('content\n')

    def path(self, name):
        """A file of the scratch directory."""
        return os.path.join(self.scratch, name)

    def inspect(self, path):
        """Exit status, and what it said as JSON."""
        done = subprocess.run([self.kataimg, 'inspect', '--json', *self.options, path],
                              capture_output=True, text=True, check=False)
        return done.returncode, json.loads(done.stdout)

    def accept(self, path, fstype):
        """Must be right."""
        status, seen = self.inspect(path)
        check(status == 0 and not seen['contradictions'], f'{path}: {seen["contradictions"]}')
        check(seen['filesystem']['type'] == fstype, f'{path}: {seen["filesystem"]}')
        return seen

    def refuse(self, path, words):
        """Must be wrong, for this reason."""
        status, seen = self.inspect(path)
        check(status == 1 and any(words in sentence for sentence in seen['contradictions']),
              f'{path}: exit status {status}, {seen["contradictions"]}')

    def ext4(self, size):
        """A filesystem by mke2fs."""
        path = new_file(self.path('ext4'), size)
        subprocess.run(['mke2fs', '-q', '-F', '-t', 'ext4', '-b', '4096', '-d', self.tree, path],
                       check=True)
        return path

    def erofs(self):
        """A filesystem by mkfs.erofs."""
        path = self.path('erofs')
        subprocess.run(['mkfs.erofs', '--quiet', path, self.tree], check=True,
                       capture_output=True)
        return path

    def dax_image(self, name, size, filesystem):
        """As image_builder.sh: two tables that tools made one after the other, and the block."""
        image, inner = new_file(self.path(name), size), new_file(self.path('inner'), size - 2 * MIB)
        sfdisk(image, 'start=6144, type=83')
        sfdisk(inner, 'start=2048, type=83')
        with open(inner, 'rb') as table:
            overwrite(image, 2 * MIB, table.read(512))
        overwrite(image, 4096, info_block())
        copy_in(image, 3 * MIB, filesystem)
        return image


def inspect_foreign_images(inspector):
    """Every layout, right and wrong."""
    image = inspector.dax_image('dax.img', 128 * MIB, inspector.ext4(125 * MIB))
    seen = inspector.accept(image, 'ext4')
    check(seen['info_block']['checksum_right'], 'the checksum of our own reading differs')
    tables = seen['partition_tables']
    check(tables[0]['disk_signature'] != tables[1]['disk_signature'], 'the tables are too alike')

    wrong = shutil.copy(image, inspector.path('wrong.img'))
    overwrite(wrong, 3 * MIB, bytes(64 * MIB))
    inspector.refuse(wrong, 'no filesystem')
    os.truncate(wrong, 64 * MIB)
    inspector.refuse(wrong, 'the image at 67108864')

    image = inspector.dax_image('erofs.img', 8 * MIB, inspector.erofs())
    inspector.accept(image, 'erofs')
    os.truncate(image, 8 * MIB + 4096)
    inspector.refuse(image, 'no multiple of 2 MiB')

    image = new_file(inspector.path('seed.img'), 64 * MIB)  # the first script: to 1 MiB before the end
    sfdisk(image, f'start=2048, size={62 * MIB // 512}, type=83, bootable')
    copy_in(image, MIB, inspector.ext4(62 * MIB))
    inspector.accept(image, 'ext4')
    copy_in(image, MIB, inspector.ext4(63 * MIB))
    inspector.refuse(image, 'more blocks than there are')


def wrong_link_count(inspector):
    """Of a file of two names: as e2fsck calls it. No checker looks at that of an EROFS."""
    os.link(f'{inspector.tree}/file', f'{inspector.tree}/name')
    image = inspector.ext4(8 * MIB)
    inspector.accept(image, 'ext4')
    subprocess.run(['debugfs', '-w', '-R', 'set_inode_field file links_count 5', image],
                   check=True, capture_output=True)
    judged = subprocess.run(['e2fsck', '-fn', image], capture_output=True, text=True, check=False)
    number = subprocess.run(['debugfs', '-R', 'stat file', image], capture_output=True,
                            text=True, check=True).stdout.split()[1]
    check(judged.returncode == 4 and f'Inode {number} ref count is 5, should be 2' in judged.stdout,
          judged.stdout)
    inspector.refuse(image, f'ext4: inode {number} (file) says that it has 5 links, and has 2')

    image = inspector.path('erofs')
    subprocess.run(['mkfs.erofs', '-Enosbcrc,force-inode-extended', image, inspector.tree],
                   check=True, capture_output=True)
    inspector.accept(image, 'erofs')
    with open(image, 'rb') as file:
        whole = file.read()
    # an extended inode of a regular file: its mode, size and link count
    nid = next(nid for nid in range(36, len(whole) // 32) if whole[32 * nid] & 1
               and whole[32 * nid + 5] >> 4 == 8
               and whole[32 * nid + 8:32 * nid + 16] == struct.pack('<Q', 8))
    overwrite(image, 32 * nid + 44, b'\x03')
    inspector.refuse(image, f'erofs: inode {nid} (file) says that it has 3 links, and has 2')
    listed = subprocess.run([inspector.kataimg, 'ls', *inspector.options, image],
                            capture_output=True, text=True, check=False)
    check(listed.returncode == 0 and listed.stdout == 'file\nname\n' and
          f'warning: erofs: inode {nid} (file) says that it has 3 links' in listed.stderr,
          f'{listed}')


def table_by_sfdisk(path):
    """[(start, size, bootable)...] as sfdisk reads it."""
    dump = subprocess.run(['sfdisk', '--json', path], check=True, capture_output=True, text=True)
    return [(entry['start'], entry['size'], entry.get('bootable', False))
            for entry in json.loads(dump.stdout)['partitiontable']['partitions']]


def read_own_images(inspector):
    """sfdisk reads both tables of our images as inspect does, in all forms."""
    for name, sets in {'own': [], 'plain': ['image.dax=no'], 'measured': ['verity.enabled=yes'],
                       'fixed': ['image.size=40M']}.items():
        image = inspector.path(f'{name}.img')
        sets = [f'--set={setting}' for setting in ('rootfs.check=no', *sets)]
        subprocess.run([inspector.kataimg, '-q', *inspector.options, *sets, '-o', image,
                        inspector.tree], check=True)
        for table in inspector.accept(image, 'ext4')['partition_tables']:
            tail = inspector.path('tail')
            subprocess.run(['dd', f'if={image}', f'of={tail}', 'bs=1M', 'conv=sparse',
                            f'skip={table["offset_bytes"] // MIB}'], check=True, capture_output=True)
            shown = [(entry['start_lba'], entry['sectors'], entry['bootable'])
                     for entry in table['partitions']]
            check(table_by_sfdisk(tail) == shown, f'{name}: sfdisk sees {table_by_sfdisk(tail)}, '
                  f'inspect {shown}')


def main(kataimg, *backend_dirs):
    """The whole test."""
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    for tool in TOOLS:
        if not shutil.which(tool):
            print(f'SKIPPED: {tool} is not installed')
            sys.exit(77)
    with tempfile.TemporaryDirectory() as scratch:
        inspector = Inspector(os.path.abspath(kataimg), backend_dirs, scratch)
        inspect_foreign_images(inspector)
        wrong_link_count(inspector)
        read_own_images(inspector)


if __name__ == '__main__':
    main(*sys.argv[1:])
