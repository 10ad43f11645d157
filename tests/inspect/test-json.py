#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reports and inspections are what docs/kataimg.schema.json says, whatever happens.

usage: test-json.py SCHEMA KATAIMG BACKEND-DIR...
"""

import json
import os
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print('SKIPPED: there is no python3-jsonschema')
    sys.exit(77)

from inspecting import Kataimg, check

MEASURED = ['-f', 'ext4', '--set=rootfs.check=no', '--set=image.align=2M', '--no-sync',
            '--set=verity.enabled=yes']


def close_objects(schema):
    """What is not described is wrong here, though programs are to pass over it."""
    if isinstance(schema, dict):
        if 'properties' in schema:
            schema.setdefault('additionalProperties', False)
        for member in schema.values():
            close_objects(member)
    elif isinstance(schema, list):
        for member in schema:
            close_objects(member)


class Judge:
    """The schema, and the program run in a directory of its own."""

    def __init__(self, schema, kataimg):
        with open(schema, encoding='utf-8') as file:
            self.schema = json.load(file)
        jsonschema.Draft7Validator.check_schema(self.schema)
        close_objects(self.schema)
        self.kataimg = kataimg

    def judge(self, text):
        """One document, as described."""
        said = json.loads(text)
        kind = self.schema['definitions'][said['kind']]
        jsonschema.validate(said, {**kind, 'definitions': self.schema['definitions']})
        return said

    def expect(self, code, *arguments):
        """Standard output is one document and nothing else."""
        done = self.kataimg.run(*arguments)
        check(done.returncode == code, f'{arguments}: {done.returncode}, not {code}: {done.stderr}')
        return self.judge(done.stdout), done.stderr.decode()

    def expect_file(self, code, *arguments, report='r.json'):
        """The report is in a file; nothing is on standard output."""
        done = self.kataimg.run(*arguments, '--report', report)
        check(done.returncode == code, f'{arguments}: {done.returncode}, not {code}: {done.stderr}')
        check(done.stdout == b'', f'{arguments}: {done.stdout}')
        with open(self.kataimg.path(report), encoding='utf-8') as file:
            return self.judge(file.read()), done.stderr.decode()


def good_builds(judge):
    """To a file and to standard output, for real and dry."""
    said, err = judge.expect_file(0, *MEASURED, '-o', 'a.img', 'tree')
    root = said['verity']['root_hash']
    check(said['result'] == 'built' and said['error'] is None, f'{said}')
    hash_file = said['verity']['hash_file']
    check(f'root hash {root}, in {hash_file}\n' in err, f'the root hash is not told: {err}')
    check('measure: 0.0 MiB' not in err, err)
    with open(hash_file, encoding='ascii') as file:
        check(file.read() == said['verity']['line'] + '\n', 'another line is in the file')
    inspected, _ = judge.expect(0, 'inspect', '--json', 'a.img')
    built = said['filesystem']
    check(all(inspected['filesystem'][key] == built[key] for key in built if key != 'facts'),
          f'{inspected["filesystem"]} is not {built}')
    check(said['identifiers']['filesystem_uuid'] == built['uuid'], f'{said["identifiers"]}')
    checked, _ = judge.expect(0, 'inspect', '--json', '--root-hash', root, 'a.img')
    check(checked['hash_tree']['right'], f'{checked}')
    said, err = judge.expect(0, *MEASURED, '--report', '-', '-o', 'b.img', 'tree')
    check(said['result'] == 'built' and os.path.exists(judge.kataimg.path('b.img')), f'{said}')
    said, err = judge.expect(0, *MEASURED, '--dry-run', '--report', '-', '-o', 'c.img', 'tree')
    check(said['result'] == 'planned' and said['verity'] is None and said['copy'] is None, f'{said}')
    check(said['geometry']['image_bytes'] > 0, f'{said}')
    os.symlink(judge.kataimg.program, judge.kataimg.path('image_builder.sh'))
    script = type(judge.kataimg)(judge.kataimg.path('image_builder.sh'), [], judge.kataimg.scratch)
    script.options = judge.kataimg.options
    done = script.run(*MEASURED, '--dry-run', '--report', '-', '-o', 'c.img', 'tree')
    check(judge.judge(done.stdout)['result'] == 'planned', f'{done}')


def failed_builds(judge):
    """Each stage fails; the report has the error, and takes an old one's place."""
    with open(judge.kataimg.path('no.tar'), 'wb') as file:
        file.write(b'no archive\n' * 1000)
    for code, name, reached, arguments in [
            (2, 'EINVAL', [], ['--set=image.nothing=1', 'tree']),
            (2, 'EINVAL', [], ['-f', 'nofs', 'tree']),
            (2, 'EINVAL', [], ['-o', 'missing/a.img', 'tree']),
            (2, 'EINVAL', [], ['-c', 'missing.ini']),
            (1, None, [], ['no.tar']),
            (1, None, ['backend', 'tree'], ['--set=image.size=2M', 'tree'])]:
        said, err = judge.expect_file(code, *MEASURED, *arguments)
        check(said['result'] == 'failed' and said['error']['exit_code'] == code, f'{said}')
        check(name is None or said['error']['errno'] == name, f'{said["error"]}')
        check(f'kataimg: error: {said["error"]["message"]}\n' in err,
              f'{said["error"]["message"]} is not in {err}')
        check(all(said[member] is not None for member in reached), f'{said}')
        check(said['verity'] is None and said['copy'] is None, f'{said}')
        said, _ = judge.expect(code, *MEASURED, *arguments, '--report', '-')
        check(said['result'] == 'failed', f'{said}')


def safe_places(judge):
    """A report of a failure replaces no image, no root hash's file, no source; why there is none is
    said, once."""
    kataimg = judge.kataimg
    for place, arguments in [('a.img', ['-o', 'a.img', 'tree']),
                             ('a.img', ['-o', 'a.img', '--set=image.nothing=1', 'tree']),
                             ('root_hash_.txt', ['-o', 'a.img', '-f', 'nofs', 'tree']),
                             ('tree/file', ['-o', 'x.img', 'tree']),
                             ('no.tar', ['-o', 'x.img', 'no.tar'])]:
        with open(kataimg.path(place), 'rb') as file:
            before = file.read()
        done = kataimg.run(*MEASURED, *arguments, '--report', place)
        check(done.returncode != 0 and b'report' in done.stderr, f'{place}: {done}')
        with open(kataimg.path(place), 'rb') as file:
            check(file.read() == before, f'{place} was replaced')
    done = kataimg.run(*MEASURED, '--set=image.nothing=1', 'tree', '--report', '/dev/full')
    check(done.returncode == 2 and b'no report of this: cannot write the report /dev/full: No space '
          b'left on device' in done.stderr, f'{done}')


def inspections(judge):
    """Of everything: damaged, foreign, of an odd name."""
    kataimg = judge.kataimg
    with open(kataimg.path('a.img'), 'rb') as file:
        image = bytearray(file.read())
    for offset in 446, 4096, 4096 + 60, 2 << 20, (3 << 20) + 1100, len(image) - 8000:
        other = bytearray(image)
        other[offset] ^= 0x55
        with open(kataimg.path('d.img'), 'wb') as file:
            file.write(other)
        done = kataimg.run('inspect', '--json', '--root-hash', 'root_hash_.txt', 'd.img')
        judge.judge(done.stdout)
    for name, data in [('empty', b''), ('odd\udcff\x1b\x7f\n\u009b"', b'QFI\xfb'),
                       ('cut', image[:5000])]:
        name = name.encode('utf-8', 'surrogateescape')
        with open(os.path.join(os.fsencode(kataimg.scratch), name), 'wb') as file:
            file.write(data)
        said, _ = judge.expect(1, 'inspect', '--json', name)
        check(said['verdict'] == 'unsound', f'{said}')


def differences(judge):
    """Of trees and of blocks; what fails gives no document."""
    kataimg = judge.kataimg
    os.mkdir(kataimg.path('other'))
    kataimg.write('other/\xff\n', b'x')
    said, _ = judge.expect(1, 'diff', '--json', 'tree', 'other')
    check(not said['equal'] and said['added'] == 1 and said['removed'] == 1, f'{said}')
    changes = {entry['path']: entry['change'] for entry in said['entries']}
    check(changes.pop('.', 'changed') == 'changed', f'{changes}')
    check(changes == {'file': 'removed', '\xff\n': 'added'}, f'{changes}')
    said, _ = judge.expect(0, 'diff', '--json', 'tree', 'tree')
    check(said['equal'] and said['entries'] == [] and said['blocks'] is None, f'{said}')
    kataimg.write('one', bytes(20_000))
    kataimg.write('two', bytes(9_000) + b'x' + bytes(10_999))
    said, _ = judge.expect(1, 'diff', '--blocks', '--json', 'one', 'two')
    check(said['blocks']['ranges'] == [{'offset_bytes': 8192, 'size_bytes': 4096}], f'{said}')
    done = kataimg.run('diff', '--json', 'tree', 'nothing')
    check(done.returncode == 2 and done.stdout == b'', f'{done}')


def several_images(judge):
    """One report of all, dry and of a failure too, and a manifest."""
    with open(judge.kataimg.path('set.ini'), 'w', encoding='ascii') as file:
        file.write('[image]\nsource = tree\nalign = 2M\n[rootfs]\ncheck = no\n[image one]\n'
                   '[verity one]\nenabled = yes\n[image two]\nextension = x\n')
    said, _ = judge.expect_file(0, '-c', 'set.ini', '--no-sync', '--manifest', 'm.json')
    check([image['name'] for image in said['images']] == ['one', 'two'], f'{said}')
    with open(judge.kataimg.path('m.json'), encoding='utf-8') as file:
        listed = judge.judge(file.read())['images']
    for image, built in zip(listed, said['images']):
        check(image['file'] == built['output'], f'{image}')
        check(image['size_bytes'] == built['geometry']['image_bytes'], f'{image}')
        check(image['partitions'] == built['geometry']['partitions'], f'{image}')
    check(listed[0]['verity']['root_hash'] == said['images'][0]['verity']['root_hash'], f'{listed}')
    in_layout = ['--set', 'image:one.output=oci:layout:t']
    said, _ = judge.expect_file(0, '-c', 'set.ini', '--no-sync', '--manifest', 'm.json', *in_layout)
    with open(judge.kataimg.path('m.json'), encoding='utf-8') as file:
        listed = judge.judge(file.read())['images']
    check([image['digest'] for image in listed] == [said['images'][0]['artifact']['digest'], None],
          f'{listed}')
    check(listed[0]['verity']['hash_file'] is None, f'{listed}')
    said, _ = judge.expect(0, '-c', 'set.ini', '--dry-run', '--report=-')
    check(said['result'] == 'planned' and len(said['images']) == 2, f'{said}')
    said, _ = judge.expect_file(2, '-c', 'set.ini', '--set', 'image:two.size=1')
    check(said['result'] == 'failed' and len(said['images']) == 2, f'{said}')


def main(schema, program, *backend_dirs):
    """The whole test."""
    with tempfile.TemporaryDirectory() as scratch:
        kataimg = Kataimg(program, backend_dirs, scratch)
        os.mkdir(kataimg.path('tree'))
        kataimg.write('tree/file', os.urandom(100_000))
        judge = Judge(schema, kataimg)
        good_builds(judge)
        failed_builds(judge)
        safe_places(judge)
        inspections(judge)
        differences(judge)
        several_images(judge)


if __name__ == '__main__':
    main(*sys.argv[1:])
