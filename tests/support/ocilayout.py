# SPDX-License-Identifier: Apache-2.0
"""OCI image layouts, made by hand."""
import hashlib
import json
import pathlib

MEDIA = 'application/vnd.oci.image.'


def digest_of(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def put(layout, data, media):
    """Keeps a blob, and describes it."""
    folder = pathlib.Path(layout) / 'blobs/sha256'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / digest_of(data)[7:]).write_bytes(data)
    return {'mediaType': media, 'digest': digest_of(data), 'size': len(data)}


def make(layout, tag, layers, config_media=MEDIA + 'config.v1+json', tells=True):
    """An image of layers, each of which is an archive, what is kept of it, and its media type; the manifest
    tells its own media type or does not. Gives the configuration, as other forms of images have it."""
    config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {}, 'rootfs': {
        'type': 'layers', 'diff_ids': [digest_of(plain) for plain, _, _ in layers]}}).encode()
    manifest = {'schemaVersion': 2, **({'mediaType': MEDIA + 'manifest.v1+json'} if tells else {}),
                'config': put(layout, config, config_media),
                'layers': [put(layout, kept, media) for _, kept, media in layers]}
    index = {'schemaVersion': 2, 'manifests': [{
        **put(layout, json.dumps(manifest).encode(), MEDIA + 'manifest.v1+json'),
        'annotations': {'org.opencontainers.image.ref.name': tag}}]}
    for name, value in ('index.json', index), ('oci-layout', {'imageLayoutVersion': '1.0.0'}):
        (pathlib.Path(layout) / name).write_text(json.dumps(value), encoding='utf-8')
    return config
