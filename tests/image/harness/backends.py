# SPDX-License-Identifier: Apache-2.0
"""What the judges have to know of each backend."""
import dataclasses
import stat


@dataclasses.dataclass(frozen=True)
class Backend:
    kind: str                  # as mount(8) and the checkers call its filesystem
    mount_options: str = 'ro'
    hole_chunk: int = 4096     # what holes are cut to
    read_only: bool = False    # nothing can be free in it
    # what it leaves to others, and the reason that it must give
    cannot: dict = dataclasses.field(default_factory=dict)


BACKENDS = {
    'ext4': Backend('ext4'),
    # the same image, so the same UUID, may be mounted elsewhere on this machine
    'xfs': Backend('xfs', mount_options='ro,nouuid'),
    'erofs': Backend('erofs', hole_chunk=1 << 20, read_only=True),
    'erofs-stub': Backend('erofs', read_only=True,
                          cannot={'xattrs': 'cannot store extended attributes',
                                  'hardlinks': 'cannot store hard links',
                                  'holes': 'cannot store holes'}),
}


def _has_holes(entry):
    data_bytes = sum(end - start for start, end in entry.data)
    return entry.kind == stat.S_IFREG and data_bytes < entry.size


def traits(entries):
    """What a filesystem has to be able to do for this tree."""
    found = set()
    for entry in entries.values():
        found |= {name for name, present in [
            ('xattrs', entry.xattrs),
            ('hardlinks', entry.kind != stat.S_IFDIR and entry.names > 1),
            ('holes', _has_holes(entry))] if present}
    return found


def unsupported(backend, entries):
    """The reasons that this backend has to refuse the tree; none: it can store it."""
    cannot = BACKENDS[backend].cannot
    return [cannot[trait] for trait in sorted(traits(entries)) if trait in cannot]
