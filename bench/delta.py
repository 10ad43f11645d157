# SPDX-License-Identifier: Apache-2.0
"""How much of an image changes with its tree: chunks of 512 KiB that differ in place, as a store of
fixed blocks sees it, for a tree that is changed by little."""
import os
import pathlib
import subprocess
import tempfile

CHUNK_BYTES = 512 << 10
FILESYSTEMS = ("ext4", "xfs", "erofs")
IDENTITIES = {"derived": (), "identity": ("--set=image.identity=bench",)}


def build(command, tree, image, filesystem, settings):
    subprocess.run(command + ["-q", "-f", filesystem, "-o", image, "--set=image.align=2M",
                              "--set=rootfs.check=no", *settings, tree],
                   check=True, stderr=subprocess.DEVNULL)


def count_chunks(one, other):
    """Of the other: how many differ from what the first has there, and how many there are."""
    differ = count = 0
    with open(one, "rb") as before, open(other, "rb") as after:
        while chunk := after.read(CHUNK_BYTES):
            differ += chunk != before.read(CHUNK_BYTES)
            count += 1
    return differ, count


def middle_file(tree):
    """The file in the middle of all that are not empty, by path: a change there has neighbours."""
    files = sorted(path for path in tree.rglob("*")
                   if path.is_file() and not path.is_symlink() and path.stat().st_size > 0)
    return files[len(files) // 2]


def change_byte(path):
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    with open(path, "r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))
    os.utime(path, ns=times)


def change_mtime(path):
    seconds = int(path.stat().st_mtime) - 1000
    os.utime(path, (seconds, seconds))


def newest_mtime(path):
    """Later than all others: the image's build-time changes with it."""
    os.utime(path)


def add_file(path):
    """Small, and nothing else: its directory keeps its time."""
    times = path.parent.stat().st_atime_ns, path.parent.stat().st_mtime_ns
    new = path.with_name(path.name + "-newcomer")
    new.write_bytes(b"new\n")
    os.utime(new, ns=times)
    os.utime(path.parent, ns=times)


CHANGES = {
    "one byte": change_byte,
    "one mtime": change_mtime,
    "one mtime, the newest": newest_mtime,
    "one small file more": add_file,
}


def measure(command, trees, filesystem, settings, work):
    before, after = work / "before.img", work / "after.img"
    build(command, trees[0], before, filesystem, settings)
    build(command, trees[1], after, filesystem, settings)
    return count_chunks(before, after)


def compare(command, tree, directory, filesystems=None):
    filesystems = filesystems or FILESYSTEMS
    print(f"chunks of {CHUNK_BYTES >> 10} KiB that differ in place")
    print(f"{'':26}" + "".join(f"{f'{f}, {i}':>18}" for f in filesystems for i in IDENTITIES), flush=True)
    for name, change in CHANGES.items():
        with tempfile.TemporaryDirectory(dir=directory) as temporary:
            work = pathlib.Path(temporary)
            changed = work / "tree"
            subprocess.run(["cp", "-a", "--reflink=auto", tree, changed], check=True)
            change(middle_file(changed))
            print(f"{name:26}", end="")
            for filesystem in filesystems:
                for settings in IDENTITIES.values():
                    differ, count = measure(command, (tree, changed), filesystem, settings, work)
                    print(f"{f'{differ} of {count}':>18}", end="", flush=True)
            print()
