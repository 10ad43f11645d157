#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GUID partition tables and bare filesystems: other tools read those of kataimg, and refuse them
damaged; kataimg reads those of others.

usage: test-tables.py KATAIMG BACKEND-DIR...
"""

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

from inspecting import MIB, Kataimg, check, flip

TOOLS = ('sfdisk', 'sgdisk', 'mke2fs', 'losetup', 'systemd-repart', 'systemd-dissect', 'blkid')
NEED_ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), '../need-root')
ROOT = '4f68bce3-e8cd-4db1-96e7-fbcaf984b709'
ESP = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b'
BITS = {'read-only': 60, 'grow': 59}


def tool(kataimg, *command, text=None):
    """In the scratch directory: whether it was content, and what it said."""
    done = subprocess.run(command, cwd=kataimg.scratch, capture_output=True, text=True, input=text,
                          timeout=60, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def build(kataimg, name, *settings):
    """An image of the tree."""
    done = kataimg.run('-q', '-o', name, *[f'--set={setting}' for setting in (
        'rootfs.check=no', 'image.arch=x86_64', *settings)], 'tree')
    check(done.returncode == 0, f'{name}: {done.stderr.decode()}')
    return name


def partitions(kataimg, name):
    """As sfdisk sees them."""
    _, said = tool(kataimg, 'sfdisk', '--json', name)
    return json.loads(said)['partitiontable']


def root_hash(kataimg):
    """Of the measured image that was built last."""
    with open(kataimg.path('root_hash_.txt'), encoding='ascii') as line:
        return line.read().split(',')[0].split('=')[1]


def digest(kataimg, name):
    """Of the whole file."""
    with open(kataimg.path(name), 'rb') as file:
        return hashlib.file_digest(file, 'sha256').digest()


def dissect(kataimg, name, *options):
    """What systemd makes of it, by designator; None: it refuses."""
    content, said = tool(kataimg, 'systemd-dissect', '--json=short', *options, name)
    return {row['designator']: row for row in json.loads(said)['mounts']} if content else None


def sgdisk_complains(kataimg, name):
    """What sgdisk says when it finds a fault; else None. It repairs some in memory, and goes on."""
    _, said = tool(kataimg, 'sgdisk', '-v', name)
    faulty = 'No problems found' not in said or 'invalid' in said or "CRCs don't match" in said
    return said if faulty else None


def accept(kataimg, name):
    """sfdisk and sgdisk find nothing wrong, nor does kataimg."""
    content, said = tool(kataimg, 'sfdisk', '--verify', name)
    check(content and 'No errors detected' in said, f'{name}: sfdisk says {said}')
    said = sgdisk_complains(kataimg, name)
    check(not said, f'{name}: sgdisk says {said}')
    kataimg.inspect(name, code=0)


def judge_gpt(kataimg):
    """A plain one, with everything given."""
    name = build(kataimg, 'plain.img', 'image.table=gpt', 'image.align=1M',
                 'gpt.disk-guid=11111111-2222-4333-8444-555555555555',
                 'gpt.root-guid=66666666-7777-4888-9999-AAAAAAAAAAAA', 'gpt.name=Grün_1.2')
    accept(kataimg, name)
    table = partitions(kataimg, name)
    (root,) = table['partitions']
    check(table['id'] == '11111111-2222-4333-8444-555555555555', table)
    check(root['uuid'] == '66666666-7777-4888-9999-AAAAAAAAAAAA' and root['name'] == 'Grün_1.2', root)
    check(root['type'].lower() == ROOT and root['attrs'] == f'GUID:{BITS["grow"]}', root)
    check(dissect(kataimg, name)['root']['growfs'] is True, 'systemd would not grow it')
    first = digest(kataimg, name)
    build(kataimg, name, 'image.table=gpt', 'image.align=1M',
          'gpt.disk-guid=11111111-2222-4333-8444-555555555555',
          'gpt.root-guid=66666666-7777-4888-9999-AAAAAAAAAAAA', 'gpt.name=Grün_1.2')
    check(first == digest(kataimg, name), 'it is another one the second time')
    for arch in 's390x', 'arm64', 'ppc64le', 'riscv64', '386', 'loong64':
        accept(kataimg, build(kataimg, 'arch.img', 'image.table=gpt', f'image.arch={arch}',
                              'gpt.read-only=yes'))
    (root,) = partitions(kataimg, 'arch.img')['partitions']
    check(root['attrs'] == f'GUID:{BITS["read-only"]}', root)


def judge_types(kataimg):
    """The types of every architecture that libfdisk knows as well are the same."""
    _, known = tool(kataimg, 'sfdisk', '--label', 'gpt', '-T')
    names = {}
    for line in known.lower().splitlines():
        if ' linux root (' in line:
            guid, _, name = line.partition(' ')
            names[guid] = name.strip()
    for arch, other in {'x86_64': 'x86-64', 'i686': 'x86', 'aarch64': 'arm-64', 'armv7l': 'arm',
                        's390x': 's390x', 's390': 's390', 'ppc64le': 'ppc64le', 'ppc64': 'ppc64',
                        'ppc': 'ppc', 'riscv64': 'risc-v-64', 'riscv32': 'risc-v-32',
                        'mipsel': 'mips-32 le', 'mips64el': 'mips-64 le', 'alpha': 'alpha',
                        'arc': 'arc', 'ia64': 'ia-64', 'loongarch64': 'loongarch-64',
                        'tilegx': 'tile-gx'}.items():
        build(kataimg, 'type.img', 'image.table=gpt', 'image.align=1M', f'image.arch={arch}',
              'verity.enabled=yes')
        root, verity = partitions(kataimg, 'type.img')['partitions']
        check(names.get(root['type'].lower()) == f'linux root ({other})', f'{arch}: {root}')
        check(verity['type'].lower() + f'  linux root verity ({other})' in known.lower(),
              f'{arch}: {verity}')


def judge_measured(kataimg):
    """systemd finds root and hash tree by the root hash alone, and repart has nothing to do."""
    name = build(kataimg, 'measured.img', 'image.table=gpt', 'image.align=1M', 'verity.enabled=yes')
    accept(kataimg, name)
    digits = root_hash(kataimg)
    root, verity = partitions(kataimg, name)['partitions']
    for guid, part in (root['uuid'], digits[:32]), (verity['uuid'], digits[-32:]):
        check(guid.replace('-', '').lower() == part, f'{guid} is not {part}')
    check(root['attrs'] == verity['attrs'] == f'GUID:{BITS["read-only"]}', root)
    out, _, _ = kataimg.inspect(name, code=0)
    check(any(line.replace(' ', '') == '|GPT|1:ext4|2:hashtree|GPTbackup|' for line in out.splitlines()),
          f'drawn as {out}')
    found = dissect(kataimg, name, f'--root-hash={digits}')
    check(found and found['root']['verity'] == 'yes', f'systemd does not protect it: {found}')
    os.mkdir(kataimg.path('definitions'))
    for number, kind in enumerate(('root', 'root-verity')):
        kataimg.write(f'definitions/{number}.conf', f'[Partition]\nType={kind}\nSizeMinBytes=4K\n'.encode())
    before = digest(kataimg, name)
    content, said = tool(kataimg, 'systemd-repart', '--definitions', kataimg.path('definitions'),
                         '--dry-run=no', kataimg.path(name))
    check(content and 'No changes.' in said, f'systemd-repart: {said}')
    check(before == digest(kataimg, name), 'systemd-repart changed it')
    tool(kataimg, 'sfdisk', '--part-uuid', name, '2', '66666666-7777-4888-9999-aaaaaaaaaaaa')
    found = dissect(kataimg, name, f'--root-hash={digits}')
    check(not found or found['root']['verity'] != 'yes', 'systemd takes another hash tree')
    tool(kataimg, 'sfdisk', '--part-type', name, '2', ESP)
    content, said = tool(kataimg, 'systemd-repart', '--definitions', kataimg.path('definitions'),
                         '--dry-run=no', kataimg.path(name))
    check('No changes.' not in said, f'systemd-repart takes another partition: {said}')


DAMAGE = [
    (512 + 16, "the GPT's header at its beginning has a wrong checksum: guests see no partition"),
    (512, "the GPT's header at its beginning is not there: guests see no partition"),
    (1024 + 40, "the GPT's header at its beginning belongs to other entries than are there"),
    (-512 + 72, "the GPT's backup header has a wrong checksum"),
    (-512, "the GPT's backup header is not there"),
    (-512 - 16384 + 32, "the GPT's backup header belongs to other entries than are there"),
]


def refuse_damage(kataimg):
    """Each flipped byte is a problem, to us and to sgdisk."""
    good = build(kataimg, 'good.img', 'image.table=gpt', 'image.align=1M')
    size = os.path.getsize(kataimg.path(good))
    for place, words in DAMAGE:
        shutil.copy(kataimg.path(good), kataimg.path('bad.img'))
        flip(kataimg.path('bad.img'), place % size)
        _, _, said = kataimg.inspect('bad.img', code=1)
        check(any(words in sentence for sentence in said['contradictions']),
              f'byte {place}: {said["contradictions"]}')
        check(sgdisk_complains(kataimg, 'bad.img'), f'byte {place}: sgdisk finds nothing')
    with open(kataimg.path(good), 'r+b') as file:
        file.truncate(size // 2)
    kataimg.inspect(good, code=1)
    content, _ = tool(kataimg, 'sfdisk', '--verify', good)
    check(not content or sgdisk_complains(kataimg, good), 'half an image is accepted')


def list_root(kataimg, name, expected):
    """What is in the root filesystem that is found."""
    done = kataimg.run('ls', name)
    check(done.stdout.decode().split() == expected, f'{name}: {done.stdout} {done.stderr}')


def read_foreign(kataimg):
    """The root type wins over what comes before it; sectors may have 4096 bytes."""
    for name, size, tree in ('esp', 4 * MIB, 'other'), ('inner', 16 * MIB, 'tree'):
        kataimg.write(name, b'', size)
        tool(kataimg, 'mke2fs', '-q', '-F', '-O', '^resize_inode', '-m', '0', '-d', tree, name)
    kataimg.write('sfdisk.img', b'', 32 * MIB)
    tool(kataimg, 'sfdisk', '-q', 'sfdisk.img', text=f'label: gpt\nstart=2048,size=8192,type={ESP}\n'
         f'start=10240,size=32768,type={ROOT}\n')
    kataimg.write('sgdisk.img', b'', 32 * MIB)
    tool(kataimg, 'sgdisk', '-n', '1:2048:+4M', '-t', f'1:{ESP}', '-n', '2:10240:+16M', '-t', '2:8304',
         'sgdisk.img')
    for name in 'sfdisk.img', 'sgdisk.img':
        for offset, inner in (1, 'esp'), (5, 'inner'):
            tool(kataimg, 'dd', f'if={inner}', f'of={name}', 'bs=1M', f'seek={offset}', 'conv=notrunc')
        list_root(kataimg, name, ['file'])
        _, _, said = kataimg.inspect(name, code=0)
        check(said['filesystem']['partition'] == 2 and said['partition_tables'][0]['kind'] == 'gpt', said)
        check(said['partition_tables'][0]['partitions'][1]['type_name'] == 'root-x86-64', said)
    kataimg.write('sectors.img', b'', 32 * MIB)
    loop = tool(kataimg, 'losetup', '-f', '--show', '-b', '4096', 'sectors.img')[1].strip()
    tool(kataimg, 'sfdisk', '-q', '--no-reread', loop, text=f'label: gpt\nstart=256,size=4096,type={ROOT}\n')
    tool(kataimg, 'losetup', '-d', loop)
    tool(kataimg, 'dd', 'if=inner', 'of=sectors.img', 'bs=1M', 'seek=1', 'conv=notrunc')
    list_root(kataimg, 'sectors.img', ['file'])
    _, _, said = kataimg.inspect('sectors.img', code=0)
    check(said['partition_tables'][0]['sector_bytes'] == 4096, said)
    os.mkdir(kataimg.path('made'))
    kataimg.write('made/1.conf', f'[Partition]\nType=root\nCopyBlocks={kataimg.path("inner")}\n'.encode())
    content, words = tool(kataimg, 'systemd-repart', '--empty=create', '--size=32M', '--dry-run=no',
                          '--definitions', kataimg.path('made'), kataimg.path('repart.img'))
    check(content, f'systemd-repart: {words}')
    list_root(kataimg, 'repart.img', ['file'])
    kataimg.inspect('repart.img', code=0)


def judge_bare(kataimg):
    """A bare filesystem is all of the image, behind the NVDIMM header as well."""
    name = build(kataimg, 'bare.img', 'image.table=none')
    check(os.path.getsize(kataimg.path(name)) % (2 * MIB) == 0, 'no multiple of 2 MiB')
    content, said = tool(kataimg, 'e2fsck', '-fn', name)
    check(content, f'e2fsck: {said}')
    _, said = tool(kataimg, 'blkid', '-p', name)
    check('TYPE="ext4"' in said and 'PTTYPE' not in said, f'blkid: {said}')
    list_root(kataimg, name, ['file'])
    flip(kataimg.path(name), 1024 + 104)
    kataimg.inspect(name, code=1)
    check(not tool(kataimg, 'e2fsck', '-fn', name)[0], 'e2fsck takes a damaged superblock')
    name = build(kataimg, 'namespace.img', 'image.table=none', 'image.dax=yes')
    _, _, said = kataimg.inspect(name, code=0)
    check(said['info_block'] and said['filesystem']['start_bytes'] == 2 * MIB, said)
    check(said['filesystem']['partition'] is None and not said['partition_tables'], said)
    list_root(kataimg, name, ['file'])
    with open(kataimg.path(name), 'rb') as file:
        head = file.read(4096)
    check(struct.unpack('<4096B', head) == (0,) * 4096, 'there is something in front of the info block')


def attest(kataimg):
    """Every shape is what its configuration builds, until a byte of its table is another."""
    for settings, place in (['image.table=gpt', 'verity.enabled=yes'], 512 + 60), \
            (['image.table=none', 'image.dax=yes'], 4096 + 60), (['image.table=none'], 1024 + 100):
        build(kataimg, 'attested.img', *settings)
        sets = [f'--set={setting}' for setting in (
            'rootfs.check=no', 'image.arch=x86_64', 'image.source=tree', *settings)]
        done = kataimg.run('attest', 'attested.img', *sets)
        check(done.returncode == 0, f'{settings}: {done.stdout}{done.stderr}')
        flip(kataimg.path('attested.img'), place)
        check(kataimg.run('attest', 'attested.img', *sets).returncode == 1, f'{settings}: accepted')


def bound_findings(kataimg):
    """A table of thousands of partitions in one place: a sentence for each, not for each pair."""
    count, last = 3000, 4 * MIB // 512 - 1
    entry = bytes(range(16)) + bytes([17] * 16) + struct.pack('<QQQ', 4100, 4200, 0) + bytes(72)

    def header(own, other):
        fields = [b'EFI PART', 0x10000, 92, 0, 0, own, other, 4096, 6000, bytes([34] * 16), 2, count,
                  128, zlib.crc32(entry * count)]
        packed = struct.pack('<8sIIIIQQQQ16sQIII', *fields)
        return packed[:16] + struct.pack('<I', zlib.crc32(packed)) + packed[20:]

    image = bytearray(4 * MIB)
    image[446:512] = struct.pack('<8xII48x2s', 1, last, b'\x55\xaa')
    image[450] = 0xee
    image[512:604] = header(1, last)
    image[1024:1024 + 128 * count] = entry * count
    image[last * 512:last * 512 + 92] = header(last, 1)
    kataimg.write('many.img', bytes(image))
    out, _, _ = kataimg.inspect('many.img', code=1)
    for said in 'have the same GUID', 'overlap':
        check(out.count(said) == count - 1, f'{out.count(said)} partitions {said}')
        check(f'partitions {count - 1} and {count} {said}' in out, f'the last ones do not {said}')


def main(program, *backend_dirs):
    """The whole test."""
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    missing = [name for name in TOOLS if not shutil.which(name)]
    if missing:
        print(f'SKIPPED: {missing[0]} is not installed')
        sys.exit(77)
    if subprocess.run([NEED_ROOT, 'have the loop devices that systemd-dissect needs'], check=False).returncode:
        sys.exit(77)
    if subprocess.run(['mountpoint', '-q', '/'], check=False).returncode:
        print('SKIPPED: in a chroot that is no mount point systemd-dissect finds no partitions')
        sys.exit(77)
    with tempfile.TemporaryDirectory() as scratch:
        kataimg = Kataimg(program, backend_dirs, scratch)
        for tree, name in ('tree', 'file'), ('other', 'wrong'):
            os.mkdir(kataimg.path(tree))
            kataimg.write(f'{tree}/{name}', b'content\n')
        for step in (judge_gpt, judge_types, judge_measured, refuse_damage, read_foreign, judge_bare,
                     attest, bound_findings):
            step(kataimg)


if __name__ == '__main__':
    main(*sys.argv[1:])
