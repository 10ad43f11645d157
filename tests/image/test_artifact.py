#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images in OCI image layouts, judged by the specification read anew, skopeo, umoci and tar."""
import hashlib
import json
import os
import random
import signal
import subprocess
import tarfile
import time

from artifacts import CONFIG, EMPTY, LAYER, REF_NAME, TITLE, TYPE, Bench, Layout
from harness.tap import Tap, check, check_equal
from harness.workspace import PLAIN_ID, need_root, need_tool

MIB = 1 << 20
KILLS = 60


def artifact(bench):
    """What guest-components publishes: the image and its root hash's file, by their names."""
    source, directory = bench.source(), bench.place()
    settings = ['verity.enabled=yes', 'verity.variant=coco-extension', 'image.arch=x86_64']
    image, beside = bench.plain_image(source, *settings)
    bench.build(source, f'oci:{directory}/l:v1', *settings).expect(0)
    check_equal(os.listdir(directory), ['l'], 'what is in the directory')
    layout = Layout(f'{directory}/l')
    manifest = layout.images('v1')['amd64']
    layout.check_clean()
    check_equal(manifest['artifactType'], TYPE, 'the artifactType')
    check_equal(manifest['config']['mediaType'], EMPTY, 'the type of the configuration')
    check_equal([(layer['mediaType'], layer['annotations'][TITLE]) for layer in manifest['layers']],
                [(LAYER, 'kata-containers-coco-extension.img'),
                 (LAYER, 'root_hash_coco-extension.txt')], 'the layers')
    check(manifest['blobs'][0] == image, 'the layer is the image')
    with open(os.path.join(beside, 'root_hash_coco-extension.txt'), 'rb') as file:
        line = file.read()
    check_equal(manifest['blobs'][1], line, 'the root hash')
    annotations = manifest['annotations']
    check_equal(annotations['io.katacontainers.image.verity-params'] + '\n', line.decode(), 'line')
    check(annotations['io.katacontainers.image.root-hash'] in line.decode(), 'the root hash')


def names(bench):
    """oci-name, oci-type and hash-file."""
    directory = bench.place()
    bench.build(bench.source(), f'oci:{directory}/l/:t', 'verity.enabled=yes',
                f'verity.hash-file={directory}/hash', 'image.oci-name=gpu.img',
                'image.oci-type=application/vnd.example.gpu').expect(0)
    check_equal(sorted(os.listdir(directory)), ['hash', 'l'], 'what is in the directory')
    (manifest,) = Layout(f'{directory}/l').images('t').values()
    check_equal(manifest['artifactType'], 'application/vnd.example.gpu', 'the artifactType')
    check_equal(manifest['layers'][0]['annotations'][TITLE], 'gpu.img', 'the name')
    with open(f'{directory}/hash', 'rb') as file:
        check_equal(file.read(), manifest['blobs'][1], 'the root hash')


def copies(bench):
    """skopeo takes it as it is, to a directory and to another layout; umoci's collector removes
    nothing."""
    skopeo, umoci = need_tool('skopeo'), need_tool('umoci')
    directory = bench.place()
    place = f'oci:{directory}/l:t'
    bench.build(bench.source(), place).expect(0)
    layout = Layout(f'{directory}/l')
    raw = subprocess.run([skopeo, 'inspect', '--raw', place], check=True, capture_output=True)
    check_equal(hashlib.sha256(raw.stdout).hexdigest(),
                layout.tags()['t']['digest'].split(':')[1], 'what skopeo prints')
    subprocess.run([skopeo, 'copy', '-q', place, f'dir:{directory}/d'], check=True)
    subprocess.run([skopeo, 'copy', '-q', '--all', place, f'oci:{directory}/c:t'], check=True)
    copy = Layout(f'{directory}/c')
    check_equal(copy.tags()['t']['digest'], layout.tags()['t']['digest'], 'the digest of the copy')
    copy.images('t')
    subprocess.run([umoci, 'gc', '--layout', f'{directory}/l'], check=True, capture_output=True)
    Layout(f'{directory}/l').check_clean()


def containerdisk(bench):
    """A container image with the image in /disk, for KubeVirt's user."""
    skopeo = need_tool('skopeo')
    source, directory = bench.source(), bench.place()
    settings = ['image.oci-form=containerdisk', 'image.oci-name=vm.img', 'image.arch=amd64']
    image, _ = bench.plain_image(source)
    bench.build(source, f'oci:{directory}/l:t', *settings).expect(0)
    layout = Layout(f'{directory}/l')
    manifest = layout.images('t')['amd64']
    layout.check_clean()
    check('artifactType' not in manifest, 'a container image has no artifactType')
    check_equal(manifest['config']['mediaType'], CONFIG, 'the type of the configuration')
    config = json.loads(layout.blob(manifest['config']))
    check_equal((config['architecture'], config['os']), ('amd64', 'linux'), 'the platform')
    check_equal(config['rootfs']['diff_ids'], [manifest['layers'][0]['digest']], 'the diff_ids')
    with tarfile.open(layout.file(manifest['layers'][0])) as tar:
        entries = [(entry.name, oct(entry.mode), entry.uid, entry.gid, entry.isdir())
                   for entry in tar]
        check(tar.extractfile('disk/vm.img').read() == image, 'the image in the tar')
    check_equal(entries, [('disk', '0o755', 107, 107, True),
                          ('disk/vm.img', '0o440', 107, 107, False)], 'the entries')
    said = subprocess.run([skopeo, 'inspect', '--override-arch', 'amd64', f'oci:{directory}/l:t'],
                          check=True, capture_output=True).stdout
    check_equal(json.loads(said)['Architecture'], 'amd64', 'what skopeo says')


def large_disk(bench):
    """From 8 GiB on a size is binary in a tar; what is zeros in the image takes no room in it."""
    directory = bench.place()
    bench.build(bench.source(), f'oci:{directory}/l:t', 'image.oci-form=containerdisk',
                'image.oci-name=vm.img', 'image.table=none', 'image.size=8G').expect(0)
    blobs = f'{directory}/l/blobs/sha256'
    path = max((f'{blobs}/{name}' for name in os.listdir(blobs)), key=os.path.getsize)
    listed = subprocess.run(['tar', '-tvf', path], check=True, capture_output=True).stdout.decode()
    check(' 8589934592 ' in listed.splitlines()[1], listed)
    check_equal(os.path.getsize(path), (8 << 30) + 2048, 'the size of the tar')
    check(os.stat(path).st_blocks * 512 < 1 << 30, 'the tar has no holes')


def compressed(bench):
    """A layer is one member of gzip or one frame of zstd, and says so."""
    source = bench.source()
    image, _ = bench.plain_image(source)
    for form, suffix, unpack in ('gzip', 'gz', ['gzip', '-dc']), ('zstd', 'zst', ['zstd', '-dc']):
        directory = bench.place()
        for tag in 'artifact', 'containerdisk':
            bench.build(source, f'oci:{directory}:{tag}', f'image.compress={form}',
                        f'image.oci-form={tag}').expect(0)
        layout = Layout(directory)
        layout.check_clean()
        (file,), (disk,) = [layout.images(tag).values() for tag in ('artifact', 'containerdisk')]
        check_equal((file['layers'][0]['mediaType'], file['layers'][0]['annotations'][TITLE]),
                    (f'application/{form}', f'kata-containers.img.{suffix}'), 'the layer')
        check_equal(disk['layers'][0]['mediaType'], f'{LAYER}+{form}', 'the layer of the other')
        plain = [subprocess.run(unpack, input=manifest['blobs'][0], check=True,
                                capture_output=True).stdout for manifest in (file, disk)]
        check(plain[0] == image, 'what the artifact unpacks to is the image')
        check_equal(json.loads(layout.blob(disk['config']))['rootfs']['diff_ids'],
                    ['sha256:' + hashlib.sha256(plain[1]).hexdigest()], 'the diff_ids')
        check(image in plain[1], 'the image in the tar')


def several_in_one_run(bench):
    """Images of one file share a layout and a tag; their report has the tag's digest."""
    directory, sources = bench.place(), [bench.source() for _ in range(3)]
    text = f'[image]\nalign = 2M\nfilesystem = {bench.backend}\noutput = oci:{directory}/l:t\n'
    text += '[rootfs]\ncheck = no\n'
    for i, arch in enumerate(['arm64', 'amd64', 'aarch64']):
        text += f'[image i{i}]\nsource = {sources[i]}\narch = {arch}\n'
    config = bench.program.write_config(text, 'same.ini')
    bench.program.run(['-c', config]).expect(
        2, f'{config}:4: [image] output = oci:{directory}/l:t: image i0 and image i2 would both be '
        'this image of one architecture: give one of them another tag or [image] arch')
    os.symlink(directory, f'{directory}.link')
    twice = bench.program.write_config(f'{text}output = oci:{directory}.link/l:t\n', 'twice.ini')
    bench.program.run(['-c', twice]).expect(
        2, f'the images i0 and i2 would both be oci:{directory}/l:t for one architecture')
    check_equal(os.listdir(directory), [], 'what is in the directory')
    config = bench.program.write_config(f'{text}output = oci:{directory}/l:u\n', 'set.ini')
    result = bench.program.run(['-c', config, '-q', '--no-sync', '--report', '-']).expect(0)
    layout = Layout(f'{directory}/l')
    layout.check_clean()
    check_equal(list(layout.images('t')), ['amd64', 'arm64'], 'the architectures of one tag')
    check_equal(list(layout.images('u')), ['arm64'], 'those of the other')
    check_equal([image['artifact']['digest'] for image in json.loads(result.out)['images']],
                [layout.tags()[tag]['digest'] for tag in 'ttu'], 'the digests in the report')


def architectures(bench):
    """They share a tag, whatever the order; the same one replaces itself, and its blobs go."""
    sources = [bench.source() for _ in range(3)]
    digests = []
    for order in ([0, 1], [1, 0]):
        directory = bench.place()
        for i in order:
            arch = ['x86_64', 's390x'][i]
            bench.build(sources[i], f'oci:{directory}:t', f'image.arch={arch}').expect(0)
        layout = Layout(directory)
        layout.check_clean()
        check_equal(list(layout.images('t')), ['amd64', 's390x'], 'the architectures')
        digests.append(layout.tags()['t']['digest'])
    check_equal(digests[0], digests[1], 'the digests of two orders')
    bench.build(sources[2], f'oci:{directory}:other', 'image.arch=s390x').expect(0)
    before = Layout(directory).images('t')
    bench.build(sources[2], f'oci:{directory}:t', 'image.arch=s390x').expect(0)
    layout = Layout(directory)
    layout.check_clean()
    after = layout.images('t')
    check_equal(after['amd64'], before['amd64'], 'the other architecture')
    check_equal(after['s390x'], layout.images('other')['s390x'], 'the replaced one')
    check_equal(list(layout.tags()), ['t', 'other'], 'the tags')


def beside_others(bench):
    """In a layout of skopeo and umoci their images stay; a tag of theirs that is named goes."""
    umoci, skopeo = need_tool('umoci'), need_tool('skopeo')
    directory = f'{bench.place()}/l'
    subprocess.run([umoci, 'init', '--layout', directory], check=True)
    for tag in 'kept', 'replaced':
        subprocess.run([umoci, 'new', '--image', f'{directory}:{tag}'], check=True)
    bench.build(bench.source(), f'oci:{directory}:replaced').expect(0)
    layout = Layout(directory)
    check_equal(sorted(layout.tags()), ['kept', 'replaced'], 'the tags')
    layout.images('replaced')
    said = subprocess.run([skopeo, 'inspect', f'oci:{directory}:kept'], check=True,
                          capture_output=True)
    check(json.loads(said.stdout), 'skopeo inspects the other image')


def shared_blobs(bench):
    """What another tag, or what says that it belongs to an image, refers to stays."""
    first, second = bench.source(), bench.source()
    directory = bench.place()
    bench.build(first, f'oci:{directory}:a').expect(0)
    bench.build(first, f'oci:{directory}:b').expect(0)
    bench.build(second, f'oci:{directory}:a').expect(0)
    layout = Layout(directory)
    layout.check_clean()
    check(layout.images('a') != layout.images('b'), 'two images')
    layout.index['manifests'].append({'mediaType': 'application/x-unknown', 'size': 1,
                                      'digest': 'sha256:' + '0' * 64, 'annotations': {REF_NAME: 'x'}})
    with open(os.path.join(directory, 'index.json'), 'w', encoding='ascii') as file:
        json.dump(layout.index, file)
    old = layout.images('b')
    bench.build(second, f'oci:{directory}:b').expect(0)
    for manifest in old.values():
        check(os.path.exists(layout.file(manifest['layers'][0])), 'in doubt blobs stay')


def deterministic(bench):
    """Two layouts of one tree are the same, file by file; a second build changes nothing."""
    source = bench.source()
    trees = []
    for _ in range(2):
        directory = bench.place()
        trees.append({})
        for _ in range(2):
            bench.build(source, f'oci:{directory}:t', 'verity.enabled=yes').expect(0)
        for parent, _, files in os.walk(directory):
            for name in files:
                with open(os.path.join(parent, name), 'rb') as file:
                    trees[-1][os.path.relpath(file.name, directory)] = file.read()
    check(trees[0] == trees[1], 'two layouts')


def nothing_is_left(bench):
    """A dry run and a build that fails make no layout, and leave one as it is."""
    source, directory = bench.source(), bench.place()
    bench.build(source, f'oci:{directory}/l:t', 'image.size=4096').expect(2)
    bench.program.run([*bench.words(source, f'oci:{directory}/l:t'), '--dry-run']).expect(0)
    check_equal(os.listdir(directory), [], 'what is in the directory')
    bench.build(source, f'oci:{directory}/l:t').expect(0)
    damaged = bench.place()
    bench.build(source, f'oci:{damaged}:t').expect(0)
    layout = Layout(damaged)
    os.unlink(layout.file(layout.tags()['t']))
    names = sorted(os.listdir(os.path.join(damaged, 'blobs', 'sha256')))
    bench.build(bench.source(), f'oci:{damaged}:t').expect(1, layout.tags()['t']['digest'])
    check_equal(sorted(os.listdir(os.path.join(damaged, 'blobs', 'sha256'))), names, 'the blobs')
    Layout(f'{directory}/l').check_clean()


def plain_user(bench):
    need_root('to become another user')
    directory = bench.program.workspace.directory('layouts', owner=PLAIN_ID)
    bench.build(bench.source(), f'oci:{directory}/l:t', plain=True).expect(0)
    Layout(f'{directory}/l').check_clean()


def refused(bench):
    """Before anything is read, with the line that it is about."""
    source, directory = bench.source(), bench.place()
    for output, text in [
            ('oci:a', 'oci: needs a tag: oci:DIR:TAG'),
            ('oci::t', 'oci: needs a directory: oci:DIR:TAG'),
            ('oci:l:-t', '"-t" is no tag: letters, digits, _ . -, at most 128'),
            ('oci:l:a:b', '"a:b" is no tag'),
            ('oci:l:' + 'x' * 129, 'is no tag'),
            ('oci-archive:f.tar:t', 'an image goes to a file or to oci:DIR:TAG, from where skopeo copy '
             'takes it elsewhere; a file of this name is ./oci-archive:f.tar:t'),
            ('docker://host/name', 'takes it elsewhere; a file of this name is ./docker://'),
            ('oci:missing/l:t', f'there is no directory {directory}/missing'),
            (f'oci:{source}:t', f'{source} is no OCI image layout, and not empty'),
            (f'oci:{source}/file:t', f'{source}/file is not a directory')]:
        config = os.path.join(directory, 'b.ini')
        with open(config, 'w', encoding='ascii') as file:
            file.write(f'[image]\nsource = nowhere.tar\n\noutput = {output}\n')
        result = bench.program.run(['-c', config], cwd=directory)
        result.expect(2, f'b.ini:4: [image] output = {output[:100]}', text)
    for setting, text in [
            ('image.oci-form=containerdisk', 'it needs [image] output = oci:DIR:TAG, not'),
            ('image.oci-name=a/b', 'not the name of a file'),
            ('image.oci-name=' + 'x' * 81, 'longer than 80 bytes'),
            ('image.oci-type=disk', 'no media type, as application/vnd.example.disk is one')]:
        bench.build(source, f'{directory}/image', setting).expect(2, text)
    bench.build(source, f'oci:{directory}/l:t', 'image.oci-form=containerdisk',
                'image.oci-type=a/b').expect(2, 'a containerdisk is a container image and has no type')
    # What else is made beside an image has no place there but one that is given.
    directory = bench.place()
    key, certificate = make_key(directory)
    signed = [f'verity.sign-key={key}', f'verity.sign-certificate={certificate}']
    for settings, text in [
            (['verity.place=file'], '[verity] place = file: nothing lies beside an image in '
                                    'oci:DIR:TAG: give [verity] tree-file, too'),
            (signed, f'[verity] sign-key = {key}: nothing lies beside an image in oci:DIR:TAG: '
                     'give [verity] signature-file, too')]:
        bench.build(source, f'oci:{directory}/l:t', 'verity.enabled=yes', *settings).expect(2, text)
    check(not os.path.exists(f'{directory}/l'), 'a refused layout')
    bench.build(source, f'oci:{directory}/l:t', 'verity.enabled=yes', 'verity.place=file', *signed,
                f'verity.tree-file={directory}/tree',
                f'verity.signature-file={directory}/signature').expect(0)
    check_equal(sorted(os.listdir(directory)), ['certificate', 'key', 'l', 'signature', 'tree'],
                'what is made')


def make_key(directory):
    key, certificate = f'{directory}/key', f'{directory}/certificate'
    subprocess.run([need_tool('openssl'), 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj',
                    '/CN=images', '-keyout', key, '-out', certificate],
                   capture_output=True, check=True)
    return key, certificate


def as_source(bench):
    """An artifact is no container image; it is said what to do, and that works."""
    source, directory = bench.source(), bench.place()
    bench.build(source, f'oci:{directory}:t').expect(0)
    (manifest,) = Layout(directory).images('t').values()
    digest = manifest['layers'][0]['digest'].split(':')[1]
    bench.build(f'oci:{directory}:t', f'{bench.place()}/image').expect(
        1, f'it is no container image, but an artifact ({TYPE}) of files',
        f"give the layout's file blobs/sha256/{digest}, unpacked if it is compressed, and as a "
        'source with image: in front')
    for words in (['inspect'], ['ls'], ['extract', '-o', '-'], ['diff', source],
                  ['attest', '-c', bench.program.config], ['tree']):
        bench.program.run([*words, f'oci:{directory}:t']).expect(
            2 if words[0] == 'diff' else 1,
            f'oci:{directory}:t: it is no container image, but an artifact',
            f"the layout's file blobs/sha256/{digest}")
    blob = f'{directory}/blobs/sha256/{digest}'
    bench.program.run(['inspect', blob]).expect(0)
    config = bench.program.write_config(
        f'[image]\nsource = {source}\noutput = oci:{directory}:t\nfilesystem = {bench.backend}\n'
        'align = 2M\n[rootfs]\ncheck = no\n', 'attested.ini')
    bench.program.run(['attest', blob, '-c', config]).expect(0)
    bench.build(f'image:{directory}/blobs/sha256/{digest}', f'oci:{directory}:again').expect(0)


def together(bench):
    """Builds into one directory that is not there yet: none is lost."""
    directory = bench.place()
    sources = [bench.source() for _ in range(9)]
    running = [bench.program.start(bench.words(source, f'oci:{directory}/l:t{i % 3}',
                                               f'image.arch=arch{i}'))
               for i, source in enumerate(sources)]
    for process in running:
        _, err = process.communicate(timeout=120)
        check(process.returncode == 0 and b'error' not in err, f'a build among others: {err}')
    layout = Layout(f'{directory}/l')
    layout.check_clean()
    for i in range(3):
        check_equal(list(layout.images(f't{i}')), [f'arch{i}', f'arch{i + 3}', f'arch{i + 6}'],
                    'the architectures')


def killed(bench):
    """At any moment there is no layout yet, or one whose every blob is right."""
    directory = bench.place()
    sources = [bench.source() for _ in range(3)]
    start = time.monotonic()
    bench.build(sources[0], f'oci:{bench.place()}/l:t').expect(0)
    needed = time.monotonic() - start
    moments = random.Random(1)
    for i in range(KILLS):
        process = bench.program.start(bench.words(sources[i % 3], f'oci:{directory}/l:t'))
        time.sleep(moments.random() * 1.2 * needed)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if os.path.exists(f'{directory}/l/index.json'):
            Layout(f'{directory}/l').images('t')
    bench.build(sources[0], f'oci:{directory}/l:t').expect(0)
    Layout(f'{directory}/l').images('t')


def main():
    bench, tap = Bench(), Tap()
    for case in (artifact, names, copies, containerdisk, large_disk, compressed,
                 several_in_one_run, architectures, beside_others, shared_blobs, deterministic,
                 nothing_is_left, plain_user, refused, as_source, together, killed):
        tap.case(case.__name__.replace('_', ' '), case, bench)
    tap.finish()


main()
