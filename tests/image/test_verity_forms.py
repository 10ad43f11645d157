#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hash trees in every form, against veritysetup(8): it verifies each, dumps the superblock that was
written, makes the same bytes, and finds a changed one; so do inspect and attest. Signatures against
openssl(1)."""
import dataclasses
import base64
import filecmp
import hashlib
import json
import os
import re
import subprocess

from harness.damage import flip
from harness.partitions import SECTOR, Partition, read_table
from harness.program import Program
from harness.tap import Tap, check, check_equal
from harness.workspace import Workspace, is_reduced, need_tool
from trees.maker import Maker, pattern

MIB = 1 << 20
DISKS = ('ext4', 'xfs', 'erofs')

# The place of the tree, whether veritysetup finds a superblock, and what else is set.
FORMS = [
    ('partition', False, ['hash=sha512']),
    ('partition', True, ['superblock=yes']),
    ('partition', True, ['superblock=yes', 'data-block=1024', 'hash-block=512']),
    ('partition', True, ['TABLE=gpt']),
    ('partition', False, ['TABLE=gpt', 'superblock=no', 'hash=sha512']),
    ('append', True, ['place=append']),
    ('append', False, ['place=append', 'superblock=no', 'hash=sha512', 'salt=']),
    ('append', True, ['place=append', 'data-block=512', 'hash-block=2048', 'salt=00ff']),
    ('append', True, ['TABLE=none']),
    ('append', False, ['TABLE=none', 'superblock=no', 'hash-block=512']),
    ('file', False, ['place=file']),
    ('file', True, ['place=file', 'superblock=yes', 'hash=sha512']),
    ('file', True, ['TABLE=none', 'place=file', 'superblock=yes', 'hash-block=1024']),
]


def make_source(root):
    maker = Maker(root)
    maker.file('file', pattern(1, 300_001))
    maker.file('large', pattern(2, 3 * MIB))
    maker.finish()


def read_gpt(image):
    """As sfdisk reads it."""
    dump = subprocess.run([need_tool('sfdisk'), '--json', image], capture_output=True, check=True)
    table = json.loads(dump.stdout)['partitiontable']
    check_equal(table['label'], 'gpt', 'the label')
    return [Partition(entry['start'] * SECTOR, entry['size'] * SECTOR) for entry in table['partitions']]


@dataclasses.dataclass
class Place:
    """Bytes of a file, as a device that veritysetup is given."""
    path: str
    start: int
    size: int

    def copy(self, directory, name):
        target = os.path.join(directory, name)
        with open(self.path, 'rb') as whole, open(target, 'wb') as part:
            whole.seek(self.start)
            part.write(whole.read(self.size))
        return target


class Formed:
    """An image, and the devices that a guest has of it."""

    def __init__(self, program, backend, place, superblock, settings):
        self.program, self.place, self.superblock = program, place, superblock
        self.directory = program.workspace.directory('verity')
        self.source, self.image = (os.path.join(self.directory, name) for name in ('source', 'disk.raw'))
        os.mkdir(self.source)
        make_source(self.source)
        self.settings = ['verity.enabled=yes'] + [self.setting(word) for word in settings]
        self.backend = backend
        result = program.build_well(backend, self.source, self.image, settings=self.settings)
        self.said = result.report['verity']
        check_equal(self.said['place'], place, 'the place')
        check_equal(self.said['superblock_uuid'] is not None, superblock, 'a superblock')
        self.data, self.hashes = self.devices()

    @staticmethod
    def setting(word):
        return f'image.{word.lower()}' if word.startswith('TABLE=') else f'verity.{word}'

    def devices(self):
        """Where data and tree are, each as its device."""
        whole = Place(self.image, 0, os.path.getsize(self.image))
        if 'image.table=none' not in self.settings:
            partitions = read_gpt(self.image) if 'image.table=gpt' in self.settings else \
                read_table(self.image, 0)
            check_equal(len(partitions) > 1, self.place == 'partition', 'a second partition')
            whole = Place(self.image, partitions[0].start, partitions[0].size)
        if self.place == 'append':
            return whole, whole
        if self.place == 'partition':
            return whole, Place(self.image, partitions[1].start, partitions[1].size)
        path = os.path.join(self.directory, 'disk.verity')
        check_equal(self.said['tree_file'], path, 'the file of the tree')
        return whole, Place(path, 0, os.path.getsize(path))

    def area_offset(self):
        """Of the hash area, in its device."""
        block = self.said['hash_block_bytes']
        start = self.said['hash_start_block'] * block
        return start - max(block, 512) if self.superblock else start

    def options(self, formatting=False):
        said = self.said
        words = [f'--hash-offset={self.area_offset()}'] if self.area_offset() else []
        if self.superblock and formatting:
            words += [f'--uuid={said["superblock_uuid"]}']
        if not self.superblock:
            words += ['--no-superblock']
        if not self.superblock or formatting:
            words += ['--format=1', f'--hash={said["hash"]}', f'--data-blocks={said["data_blocks"]}',
                      f'--data-block-size={said["data_block_bytes"]}',
                      f'--hash-block-size={said["hash_block_bytes"]}', f'--salt={said["salt"] or "-"}']
        return words

    def veritysetup(self, action, *words):
        return subprocess.run([need_tool('veritysetup'), action, *words], capture_output=True, text=True,
                              check=False)

    def verifies(self):
        data = self.data.copy(self.directory, 'data')
        hashes = self.hashes.copy(self.directory, 'hashes') if self.hashes != self.data else data
        return self.veritysetup('verify', data, hashes, self.said['root_hash'],
                                *self.options()).returncode == 0

    def inspect(self, *words):
        return self.program.run(['inspect', self.image, '--root-hash', self.said['root_hash'], *words])

    def attest(self):
        words = ['attest', self.image, '-q']
        for setting in [*self.settings, 'image.align=2M', 'rootfs.check=no',
                        f'image.filesystem={self.backend}', f'image.source={self.source}']:
            words += ['--set', setting]
        return self.program.run(words)


def check_dump(formed):
    hashes = formed.hashes.copy(formed.directory, 'hashes')
    result = formed.veritysetup('dump', hashes, f'--hash-offset={formed.area_offset()}')
    check_equal(result.returncode, 0, f'veritysetup dump: {result.stderr}')
    dumped = dict(re.findall(r'(.*?):\s+(.*)\n', result.stdout))
    said = formed.said
    for name, value in [('UUID', said['superblock_uuid']), ('Hash type', '1'),
                        ('Data blocks', str(said['data_blocks'])),
                        ('Data block size', str(said['data_block_bytes'])),
                        ('Hash block size', str(said['hash_block_bytes'])),
                        ('Hash algorithm', said['hash']), ('Salt', said['salt'] or '-')]:
        check_equal(dumped[name].split(' ')[0], value, f'veritysetup dump: {name}')


def check_same_bytes(formed):
    """veritysetup makes the same tree, and nothing comes after it."""
    data = formed.data.copy(formed.directory, 'data')
    made = formed.hashes.copy(formed.directory, 'made')
    with open(made, 'r+b') as file:
        file.truncate(formed.area_offset())
        file.truncate(formed.hashes.size)
    hashes = made
    if formed.hashes == formed.data:
        data = made
    result = formed.veritysetup('format', data, hashes, *formed.options(formatting=True))
    check_equal(result.returncode, 0, f'veritysetup format: {result.stderr}')
    check(f'{formed.said["root_hash"]}\n' in result.stdout, f'another root hash: {result.stdout}')
    theirs = formed.hashes.copy(formed.directory, 'hashes')
    check(filecmp.cmp(made, theirs, shallow=False), 'another hash area')


def check_finds(formed, path, offset, what):
    flip(path, offset)
    check(not formed.verifies(), f'veritysetup does not see {what}')
    check_equal(formed.inspect().code, 1, f'inspect on {what}')
    check_equal(formed.attest().code, 1, f'attest on {what}')
    flip(path, offset)


def judge(program, backend, place, superblock, settings):
    formed = Formed(program, backend, place, superblock, settings)
    check(formed.verifies(), 'veritysetup verify refuses it')
    if superblock:
        check_dump(formed)
    check_same_bytes(formed)
    said = formed.inspect().expect(0).out
    check('yes: all ' in said, said)
    where = {'partition': 'hash tree in partition 2', 'append': 'hash tree behind the filesystem',
             'file': f'hash tree in {formed.hashes.path}'}[place]
    check(where in said, said)
    check('as in ' in formed.program.run(['inspect', formed.image]).expect(0).out, 'no file is named')
    formed.attest().expect(0)
    check_finds(formed, formed.image, formed.data.start + 5000, 'a changed byte of the filesystem')
    tree = formed.hashes.start + formed.said['hash_start_block'] * formed.said['hash_block_bytes']
    check_finds(formed, formed.hashes.path, tree + 3, 'a changed byte of the tree')
    if superblock:
        os.unlink(os.path.join(formed.directory, 'root_hash_.txt'))
        said = formed.inspect().expect(0).out
        check(f'superblock     veritysetup\'s, {formed.said["superblock_uuid"]}' in said, said)
        said = formed.program.run(['inspect', formed.image]).expect(0).out
        check('checked        no; kataimg inspect --root-hash FILE-OR-HASH' in said, said)


def what_a_file_end_hides(program):
    """Bytes behind the tree, and behind the digests of its block on top."""
    formed = Formed(program, 'ext4', 'file', True, ['place=file', 'superblock=yes', 'hash-block=512'])
    top = formed.said['hash_start_block'] * 512
    for offset, what in [(top + 511, ''), (formed.hashes.size - 1, ': what is behind it'),
                         (300, ': its superblock')]:
        flip(formed.hashes.path, offset)
        said = formed.attest().expect(1).out
        check_equal(said, f'the hash tree\'s file {formed.hashes.path}{what}\n', f'attest on byte {offset}')
        flip(formed.hashes.path, offset)
    os.truncate(formed.hashes.path, formed.hashes.size - 512)
    check_equal(formed.attest().expect(1).out,
                f'the hash tree\'s file {formed.hashes.path} has another size\n', 'attest')
    os.unlink(formed.hashes.path)
    check_equal(formed.attest().expect(1).out,
                f'the hash tree\'s file {formed.hashes.path} is not there\n', 'attest')
    program.run(['inspect', formed.image, '--root-hash', formed.said['root_hash']]).expect(
        1, 'not a sound image')


def files_go_with_their_image(program):
    """An image that is replaced takes its tree, its signature and its root hash with it."""
    key, certificate = make_key(program.workspace.directory('keys'), 'rsa')
    formed = Formed(program, 'ext4', 'file', False,
                    ['place=file', f'sign-key={key}', f'sign-certificate={certificate}'])
    beside = sorted(os.listdir(formed.directory))
    check_equal(beside, ['disk.raw', 'disk.roothash.p7s', 'disk.verity', 'root_hash_.txt', 'source'],
                'files')
    program.build_well('ext4', formed.source, formed.image)
    check_equal(sorted(os.listdir(formed.directory)), ['disk.raw', 'source'], 'files')


# ---- Signatures ----

def openssl(*words, **options):
    return subprocess.run([need_tool('openssl'), *words], capture_output=True, check=False, **options)


def make_key(directory, kind, *words):
    """A key and its certificate."""
    algorithm = {'rsa': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
                 'ec': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
                 'ed25519': ['-algorithm', 'ED25519'],
                 'pss': ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048']}[kind]
    key, certificate = os.path.join(directory, f'{kind}.key'), os.path.join(directory, f'{kind}.pem')
    made = openssl('genpkey', *algorithm, *words, '-out', key)
    check_equal(made.returncode, 0, f'openssl genpkey: {made.stderr}')
    made = openssl('req', '-x509', '-new', '-key', key, '-subj', '/CN=kataimg', '-days', '3650', '-out',
                   certificate, *(['-passin', 'pass:x'] if words else []))
    check_equal(made.returncode, 0, f'openssl req: {made.stderr}')
    return key, certificate


def verifies(signature, certificate, text):
    return openssl('cms', '-verify', '-binary', '-inform', 'DER', '-in', signature, '-content',
                   '/dev/stdin', '-certfile', certificate, '-nointern', '-CAfile', certificate,
                   '-purpose', 'any', input=text.encode()).returncode == 0


def a_signature_is_openssls(program, algorithm):
    keys = program.workspace.directory('keys')
    key, certificate = make_key(keys, 'rsa')
    signing = [f'sign-key={key}', f'sign-certificate={certificate}', f'hash={algorithm}']
    formed = Formed(program, 'ext4', 'append', True, ['place=append', *signing])
    path = os.path.join(formed.directory, 'disk.roothash.p7s')
    check_equal(formed.said['signature_file'], path, 'the signature\'s file')
    root = formed.said['root_hash']
    check(verifies(path, certificate, root), 'openssl cms -verify refuses it')
    check(not verifies(path, certificate, root[:-1] + '0') or root[-1] == '0', 'any root hash will do')
    check(not verifies(path, certificate, root + '\n'), 'a newline makes no difference')
    parsed = openssl('cms', '-cmsout', '-print', '-inform', 'DER', '-in', path).stdout.decode()
    for part in ['certificates:\n      <ABSENT>', 'signedAttrs:\n          <ABSENT>',
                 'eContent: <ABSENT>', 'algorithm: sha256 ']:
        check(part in parsed, f'{part!r} is not in {parsed}')
    theirs = os.path.join(keys, 'theirs')
    made = openssl('cms', '-sign', '-nocerts', '-noattr', '-binary', '-inkey', key, '-signer', certificate,
                   '-outform', 'der', '-out', theirs, input=root.encode())
    check_equal(made.returncode, 0, f'openssl cms: {made.stderr}')
    check(filecmp.cmp(theirs, path, shallow=False), 'openssl cms -sign makes other bytes')
    program.build('ext4', formed.source, f'{formed.directory}/over.raw',
                  settings=[*formed.settings, f'verity.signature-file={key}']).expect(
                      1, f'the signature {key} would replace what is read as [verity] sign-key')
    formed.attest().expect(0)
    unchecked = (f'note: there is a signature {path}; whether it is one of this root hash can be told with '
                 'its certificate alone, and was not checked\n')
    check(unchecked in inspect_text(formed, 0), 'inspect does not say that a signature is unchecked')
    flip(path, 200)
    check_equal(formed.attest().expect(1).out, f'the signature {path}\n', 'attest')
    another = os.path.join(formed.directory, 'again.raw')
    program.build_well('ext4', formed.source, another, settings=formed.settings)
    flip(path, 200)
    check(filecmp.cmp(os.path.join(formed.directory, 'again.roothash.p7s'), path, shallow=False),
          'the same key, another signature')
    with open(path, 'r+b') as file:
        file.truncate(201)
    check(f'note: {path} is named as the root hash\'s signature, but holds none: kernel and systemd '
          'refuse it\n' in inspect_text(formed, 0), 'inspect takes anything for a signature')


def inspect_text(formed, code):
    return formed.program.run(['inspect', formed.image]).expect(code).out


def check_labels(formed, partitions):
    """What inspect says of GUIDs and signature, without the root hash's file."""
    line = os.path.join(formed.directory, 'root_hash_.txt')
    os.rename(line, line + '.away')
    said = inspect_text(formed, 0)
    check(f'root hash      {formed.said["root_hash"]}\n  named by       the partitions\' GUIDs\n' in said, said)
    check('note: the signature in partition 3 names this root hash; whether it is right can be told with '
          'its certificate alone, and was not checked' in said, said)
    digit = partitions[2].start + len('{"rootHash":"')
    flip(formed.image, digit)
    said = inspect_text(formed, 1)
    check('contradiction: the signature in partition 3 is that of the root hash ' in said, said)
    flip(formed.image, digit)
    flip(formed.image, partitions[2].start)
    said = inspect_text(formed, 1)
    check('contradiction: partition 3 is one for a signature, but holds none: systemd refuses the image'
          in said, said)
    flip(formed.image, partitions[2].start)
    tree = formed.hashes.start + formed.said['hash_start_block'] * formed.said['hash_block_bytes']
    flip(formed.image, tree)
    said = inspect_text(formed, 1)
    check('note: the GUIDs of partitions 1 and 2 are not beginning and end of their root hash: systemd does '
          'not find them by it' in said, said)
    flip(formed.image, tree)
    os.rename(line + '.away', line)


def a_partition_has_the_signature(program):
    """The JSON of the Discoverable Partitions Specification; systemd finds all three partitions."""
    key, certificate = make_key(program.workspace.directory('keys'), 'rsa')
    formed = Formed(program, 'erofs', 'partition', True,
                    ['TABLE=gpt', f'sign-key={key}', f'sign-certificate={certificate}'])
    partitions = read_gpt(formed.image)
    check_equal(len(partitions), 3, 'partitions')
    with open(formed.image, 'rb') as image:
        image.seek(partitions[2].start)
        text = image.read(partitions[2].size).rstrip(b'\0')
    said = json.loads(text)
    check_equal(sorted(said), ['certificateFingerprint', 'rootHash', 'signature'], 'members')
    check_equal(said['rootHash'], formed.said['root_hash'], 'rootHash')
    der = openssl('x509', '-in', certificate, '-outform', 'DER').stdout
    check_equal(said['certificateFingerprint'], hashlib.sha256(der).hexdigest(), 'fingerprint')
    with open(formed.said['signature_file'], 'rb') as file:
        check_equal(base64.b64decode(said['signature']), file.read(), 'the signature')
    formed.attest().expect(0)
    check_labels(formed, partitions)
    flip(formed.image, partitions[2].start + 20)
    said = formed.attest().expect(1).out
    check_equal(said, f'byte {partitions[2].start}: the root hash\'s signature\n', 'attest')


def refuse_key(program, key, certificate, message, which='sign-key'):
    directory = program.workspace.directory('refused')
    source, image = os.path.join(directory, 'nowhere'), os.path.join(directory, 'image')
    os.mkdir(source)
    config = program.write_config(f'[image]\nsource={source}\n[verity]\nenabled=yes\nsign-key={key}\n'
                                  f'sign-certificate={certificate}\n', 'sign.ini')
    line, value = (5, key) if which == 'sign-key' else (6, certificate)
    result = program.run(['-c', config, '-q', '-o', image])
    check_equal(result.code, 2, result.err)
    check_equal(result.err, f'kataimg: error: {config}:{line}: [verity] {which} = {value}: {message}\n',
                'what is said')
    check_equal(os.listdir(directory), ['nowhere'], 'files')


def keys_that_are_refused(program):
    keys = program.workspace.directory('keys')
    rsa, certificate = make_key(keys, 'rsa')
    for kind, name in [('ec', 'EC'), ('ed25519', 'ED25519'), ('pss', 'RSA-PSS')]:
        key, its = make_key(keys, kind)
        refuse_key(program, key, its, f'{key} holds a key of the kind {name}: only RSA signs the same bytes '
                   'at each run, so that a build can be repeated')
    refuse_key(program, rsa, its, f'{its} is the certificate of another key than sign-key',
               'sign-certificate')
    refuse_key(program, certificate, certificate,
               f'{certificate} holds no private key in PEM')
    refuse_key(program, rsa, rsa, f'{rsa} holds no certificate in PEM', 'sign-certificate')
    for words in (['-aes-128-cbc', '-pass', 'pass:x'],):
        key, _ = make_key(program.workspace.directory('locked'), 'rsa', *words)
        refuse_key(program, key, certificate, f'{key} is encrypted, and nobody is asked for a passphrase: '
                   f'openssl pkey -in {key} -out FILE makes one without')
    traditional = os.path.join(keys, 'traditional')
    check_equal(openssl('rsa', '-in', rsa, '-traditional', '-aes128', '-passout', 'pass:x', '-out',
                        traditional).returncode, 0, 'openssl rsa')
    refuse_key(program, traditional, certificate, f'{traditional} is encrypted, and nobody is asked for a '
               f'passphrase: openssl pkey -in {traditional} -out FILE makes one without')


def main():
    program = Program(Workspace())
    tap = Tap()
    for backend in [name for name in program.backends if name in DISKS]:
        for place, superblock, settings in FORMS[3:4] if is_reduced() else FORMS:
            tap.case(f'{backend}: {place} {" ".join(settings)}', judge, program, backend, place,
                     superblock, settings)
    if 'ext4' in program.backends:
        tap.case('what the end of a file hides', what_a_file_end_hides, program)
        tap.case('files go with their image', files_go_with_their_image, program)
        for algorithm in ('sha256', 'sha512'):
            tap.case(f'signed: {algorithm}', a_signature_is_openssls, program, algorithm)
        tap.case('keys that are refused', keys_that_are_refused, program)
    if 'erofs' in program.backends:
        tap.case('a partition has the signature', a_partition_has_the_signature, program)
    tap.finish()


if __name__ == '__main__':
    main()
