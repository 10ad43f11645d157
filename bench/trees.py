# SPDX-License-Identifier: Apache-2.0
"""The trees that are built from. Each is made once and kept."""
import os
import pathlib
import shutil
import subprocess


def make_debian(root):
    subprocess.run(["debootstrap", "bookworm", root], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(root / "var/cache/apt/archives", ignore_errors=True)


def make_small(root):
    """60,000 files of up to 8 KiB in 600 directories."""
    for directory in range(600):
        path = root / f"directory-{directory:03}"
        path.mkdir()
        for file in range(100):
            number = directory * 100 + file
            (path / f"file-{file:02}").write_bytes(bytes([number % 251]) * (number * 37 % 8192))


def make_names(root):
    """One directory of 40,000 names."""
    path = root / "names"
    path.mkdir()
    for number in range(40_000):
        (path / f"a-name-of-some-length-{number:06}").write_bytes(b"x")


def make_sparse(root):
    """Twenty files of 1 GiB that hold 64 KiB of data at every 16 MiB."""
    for number in range(20):
        with open(root / f"sparse-{number:02}", "wb") as file:
            for offset in range(0, 1 << 30, 16 << 20):
                file.seek(offset)
                file.write(b"d" * 65536)
            file.truncate(1 << 30)


def make_entries(root, count):
    """So many entries, directories included, most of them files of a few bytes."""
    for directory in range(max(1, count // 1000)):
        path = root / f"directory-{directory:04}"
        path.mkdir()
        for file in range(min(count, 1000) - 1):
            (path / f"file-{file:03}").write_bytes(b"content")


MAKERS = {
    "debian": make_debian,
    "small": make_small,
    "names": make_names,
    "sparse": make_sparse,
    "million": lambda root: make_entries(root, 1_000_000),
}


def get(name, trees, maker=None):
    """The directory of a tree, made when it is not there yet."""
    root = pathlib.Path(trees) / name
    done = root.with_name(name + ".done")
    if not done.exists():
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        (maker or MAKERS[name])(root)
        done.touch()
    return root


def describe(root):
    """Entries and MiB of data, for the table."""
    entries = blocks = 0
    for directory, directories, files in os.walk(root):
        entries += len(directories) + len(files)
        for name in files:
            blocks += os.lstat(os.path.join(directory, name)).st_blocks
    return f"{entries:,} entries, {blocks * 512 / 2**20:,.0f} MiB"
