# SPDX-License-Identifier: Apache-2.0
"""OCI image layouts read by the specification, and builds into them."""
import hashlib
import json
import os

from harness.program import Program
from harness.source import Sources
from harness.tap import check_equal
from harness.workspace import Workspace
from trees.maker import Maker, pattern

INDEX = 'application/vnd.oci.image.index.v1+json'
MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
CONFIG = 'application/vnd.oci.image.config.v1+json'
EMPTY = 'application/vnd.oci.empty.v1+json'
LAYER = 'application/vnd.oci.image.layer.v1.tar'
TYPE = 'application/vnd.confidential-containers.coco-extension.disk'
TITLE = 'org.opencontainers.image.title'
REF_NAME = 'org.opencontainers.image.ref.name'


class Layout:
    """As a registry's client reads it: every descriptor is held against its blob."""

    def __init__(self, path):
        self.path = path
        self.used = set()
        with open(os.path.join(path, 'oci-layout'), encoding='ascii') as file:
            check_equal(json.load(file), {'imageLayoutVersion': '1.0.0'}, 'oci-layout')
        with open(os.path.join(path, 'index.json'), encoding='ascii') as file:
            self.index = json.load(file)

    def file(self, descriptor):
        return os.path.join(self.path, 'blobs', *descriptor['digest'].split(':'))

    def blob(self, descriptor):
        self.used.add(descriptor['digest'].split(':')[1])
        with open(self.file(descriptor), 'rb') as file:
            data = file.read()
        check_equal(len(data), descriptor['size'], 'the size of ' + descriptor['digest'])
        check_equal('sha256:' + hashlib.sha256(data).hexdigest(), descriptor['digest'], 'a digest')
        return data

    def tags(self):
        return {entry['annotations'][REF_NAME]: entry for entry in self.index['manifests']}

    def images(self, tag):
        """The manifests of a tag, by architecture."""
        entry = self.tags()[tag]
        check_equal(entry['mediaType'], INDEX, 'what a tag is')
        found = {}
        for member in json.loads(self.blob(entry))['manifests']:
            check_equal(member['mediaType'], MANIFEST, 'a member of the index')
            check_equal(member['platform']['os'], 'linux', 'its system')
            manifest = json.loads(self.blob(member))
            self.blob(manifest['config'])
            manifest['blobs'] = [self.blob(layer) for layer in manifest['layers']]
            found[member['platform']['architecture']] = manifest
        return found

    def check_clean(self):
        for tag in self.tags():
            self.images(tag)
        names = os.listdir(os.path.join(self.path, 'blobs', 'sha256'))
        check_equal(sorted(names), sorted(self.used), 'the blobs')
        check_equal(sorted(os.listdir(self.path)), ['blobs', 'index.json', 'oci-layout'], 'files')


class Bench:
    def __init__(self):
        self.program = Program(Workspace())
        self.backend = 'erofs' if 'erofs' in self.program.backends else self.program.backends[0]
        self.sources = Sources(self.program.workspace)
        self.count = 0

    def place(self):
        return self.program.workspace.directory('layouts')

    def source(self):
        """A small tree, each time another one."""
        self.count += 1
        path = os.path.join(self.program.workspace.directory('source'), 'tree')
        maker = Maker(path)
        maker.file('file', pattern(self.count, 3000))
        maker.finish()
        return path

    def words(self, source, output, *settings):
        words = ['-c', self.program.config, '-q', '--no-sync', '-f', self.backend, '-o', output]
        for setting in ['rootfs.check=no', 'image.align=2M', *settings]:
            words += ['--set', setting]
        return [*words, source]

    def build(self, source, output, *settings, **options):
        return self.program.run(self.words(source, output, *settings), **options)

    def plain_image(self, source, *settings):
        """The same image as a file, and its root hash's file."""
        directory = self.place()
        image = os.path.join(directory, 'image')
        self.build(source, image, *settings).expect(0)
        with open(image, 'rb') as file:
            return file.read(), directory
