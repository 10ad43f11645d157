# SPDX-License-Identifier: Apache-2.0
"""The smallest ext4 for a tree: what kataimg plans beside the smallest in which mke2fs -d succeeds,
found by bisecting, with the same features and at least as many inodes."""
import json
import pathlib
import subprocess
import tempfile

BLOCK_BYTES = 4096
# How blocks of zeros are treated; mke2fs -d makes a hole of each.
HOLES = ("source", "detect", "blocks")


def plan(command, tree, holes):
    """kataimg's report of a dry run."""
    with tempfile.TemporaryDirectory() as directory:
        report = pathlib.Path(directory) / "report"
        subprocess.run(
            command + ["-q", "--dry-run", "-f", "ext4", "--report", report, "--set=image.align=2M",
                       "--set=rootfs.check=no", f"--set=tree.holes={holes}", tree],
            check=True, stdout=subprocess.DEVNULL)
        return json.loads(report.read_text(encoding="utf-8"))


def mke2fs_fits(tree, image, blocks, filesystem):
    """Does the tree fit into so many blocks?"""
    features = ",".join(["none"] + filesystem["features"].split())
    with open(image, "wb") as out:
        out.truncate(blocks * BLOCK_BYTES)
    command = ["mke2fs", "-q", "-F", "-t", "ext4", "-b", str(BLOCK_BYTES), "-O", features, "-I", "256",
               "-N", str(filesystem["inodes"]), "-m", "0", "-J", "size=4", "-d", tree, image, str(blocks)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def bisect(fits, low, high):
    """The smallest for which fits holds: it does at high, and not at low."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def compare(command, tree, work):
    print(f"smallest ext4 of {tree}, blocks of {BLOCK_BYTES}")
    for holes in HOLES:
        report = plan(command, tree, holes)
        blocks = report["geometry"]["plan_bytes"] // BLOCK_BYTES
        print(f"kataimg, holes = {holes:8}{blocks:9,}", flush=True)
    image = work / "smallest.img"
    found = bisect(lambda middle: mke2fs_fits(tree, image, middle, report["filesystem"]),
                   blocks * 3 // 4, blocks * 5 // 4)
    image.unlink()
    print(f"{'mke2fs -d':25}{found:9,}")
