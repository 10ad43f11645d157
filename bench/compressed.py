# SPDX-License-Identifier: Apache-2.0
"""How small a compressed EROFS is and what that costs, beside mkfs.erofs: bytes of the filesystem, seconds
of processor time and, in brackets, of the clock, one after the other in one run."""
import os
import subprocess
import tempfile
import time

HC = ("compress=lz4hc",)
ROWS = [
    ("lz4hc, 4K", HC, ("-zlz4hc,9",)),
    ("lz4hc, 64K", (*HC, "cluster-size=64K"), ("-zlz4hc,9", "-C65536")),
    ("lz4hc, 64K, inline", (*HC, "cluster-size=64K", "tail=inline"),
     ("-zlz4hc,9", "-C65536", "-Eztailpacking")),
    ("lz4hc, 64K, inline, tails", (*HC, "cluster-size=64K", "tail=inline", "fragments=tails"),
     ("-zlz4hc,9", "-C65536", "-Eztailpacking,fragments")),
    ("lz4hc, 64K, all", (*HC, "cluster-size=64K", "tail=inline", "fragments=all"),
     ("-zlz4hc,9", "-C65536", "-Eztailpacking,all-fragments")),
    ("lz4hc, 64K, all, dedupe", (*HC, "cluster-size=64K", "tail=inline", "fragments=all"),
     ("-zlz4hc,9", "-C65536", "-Eall-fragments,dedupe")),
    ("lz4hc 12, 1M, all", (*HC, "level=12", "cluster-size=1M", "tail=inline", "fragments=all"),
     ("-zlz4hc,12", "-C1048576", "-Eztailpacking,all-fragments")),
    ("zstd 9, 4K", ("compress=zstd",), ("-zzstd,9",)),
    ("zstd 9, 64K", ("compress=zstd", "cluster-size=64K"), ("-zzstd,9", "-C65536")),
]


def measure(argv, image):
    """Bytes, and seconds of both kinds; None, with a word why, when the tool cannot do it."""
    before, begun = os.times(), time.monotonic()
    result = subprocess.run(argv, check=False, capture_output=True, text=True, errors="replace")
    after, ended = os.times(), time.monotonic()
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines()
        return None, lines[-1] if lines else f"exit code {result.returncode}"
    seconds = (after.children_user + after.children_system
               - before.children_user - before.children_system)
    return (os.path.getsize(image), seconds, ended - begun), None


def cell(measured):
    if not measured[0]:
        return measured[1]
    return "{:,} in {:.1f} s ({:.1f})".format(*measured[0])


def ratio(ours, theirs):
    if not ours[0] or not theirs[0]:
        return "", ""
    return f"{ours[0][0] / theirs[0][0]:.4f}", f"{ours[0][1] / theirs[0][1]:.2f}"


def compare(command, tree, work, mkfs):
    """mkfs is the program's name or path. Times are compared by the processor's."""
    print("| | kataimg | mkfs.erofs | size | time |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(dir=work) as directory:
        image = os.path.join(directory, "image")
        for name, settings, options in ROWS:
            ours = measure([*command, "-q", "-f", "erofs", "-o", image, "--set=image.dax=no",
                            "--set=image.table=none", "--set=image.align=4K", "--set=rootfs.check=no",
                            *(f"--set=erofs.{setting}" for setting in settings), str(tree)], image)
            theirs = measure([mkfs, "--quiet", *options, image, str(tree)], image)
            print(f"| {name} | {cell(ours)} | {cell(theirs)} | "
                  + " | ".join(ratio(ours, theirs)) + " |", flush=True)
