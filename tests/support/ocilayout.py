# SPDX-License-Identifier: Apache-2.0
"""OCI image layouts, made and changed by hand."""
import hashlib
import json
import pathlib

MEDIA = 'application/vnd.oci.image.'
TAG = 'org.opencontainers.image.ref.name'


def digest_of(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def path_of(layout, entry):
    """Where the blob is that an entry describes."""
    return pathlib.Path(layout) / 'blobs/sha256' / entry['digest'].removeprefix('sha256:')


def put(layout, data, media):
    """Keeps a blob, and describes it."""
    entry = {'mediaType': media, 'digest': digest_of(data), 'size': len(data)}
    path_of(layout, entry).parent.mkdir(parents=True, exist_ok=True)
    path_of(layout, entry).write_bytes(data)
    return entry


def put_json(layout, value, media):
    return put(layout, json.dumps(value).encode(), media)


def read(layout, entry):
    return json.loads(path_of(layout, entry).read_bytes())


def read_index(layout):
    return json.loads((pathlib.Path(layout) / 'index.json').read_bytes())


def find(layout, tag):
    """The index's entry of an image."""
    return next(entry for entry in read_index(layout)['manifests'] if entry['annotations'][TAG] == tag)


def write_index(layout, entries):
    for name, value in (('index.json', {'schemaVersion': 2, 'manifests': entries}),
                        ('oci-layout', {'imageLayoutVersion': '1.0.0'})):
        (pathlib.Path(layout) / name).write_text(json.dumps(value), encoding='utf-8')


def add(layout, tag, entry):
    """One more image."""
    write_index(layout, [*read_index(layout)['manifests'], {**entry, 'annotations': {TAG: tag}}])


def make(layout, tag, layers, config_media=MEDIA + 'config.v1+json', tells=True):
    """An image of layers, each of which is an archive, what is kept of it, and its media type; the manifest
    tells its own media type or does not. Gives the configuration, as other forms of images have it."""
    config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {}, 'rootfs': {
        'type': 'layers', 'diff_ids': [digest_of(plain) for plain, _, _ in layers]}}).encode()
    manifest = {'schemaVersion': 2, **({'mediaType': MEDIA + 'manifest.v1+json'} if tells else {}),
                'config': put(layout, config, config_media),
                'layers': [put(layout, kept, media) for _, kept, media in layers]}
    write_index(layout, [{**put_json(layout, manifest, MEDIA + 'manifest.v1+json'), 'annotations': {TAG: tag}}])
    return config
