# SPDX-License-Identifier: Apache-2.0
"""Initrds beside cpio(1) and a compressor, in turns, as in back.py; with the sizes of both."""
import pathlib
import shlex
import subprocess
import tempfile
import time

FIND = "(cd {tree} && find . -print0 | LC_ALL=C sort -z | cpio -0 -o -H newc --quiet)"
# name, form, level, what the archive goes through
PAIRS = (
    ("plain, cpio", "none", 0, "cat"),
    ("gzip 9, cpio | gzip -9", "gzip", 9, "gzip -9n"),
    ("gzip 9, cpio | pigz -9", "gzip", 9, "pigz -9n"),
    ("gzip 6, cpio | pigz", "gzip", 6, "pigz -n"),
    ("zstd 3, cpio | zstd -T0", "zstd", 3, "zstd -q -T0"),
    ("zstd 19, cpio | zstd -19 -T0", "zstd", 19, "zstd -q -19 -T0"),
)


def seconds(script, work):
    subprocess.run(["bash", "-euc", "rm -f ours theirs; sync -f ."], cwd=work, check=True)
    start = time.monotonic()
    subprocess.run(["bash", "-euc", "set -o pipefail\n" + script], cwd=work, check=True)
    return time.monotonic() - start


def compare(program, tree, work, times):
    """Prints a line a pair: the shortest run of each, their ratio, and the sizes in MiB."""
    print(f"\ninitrds, in {work}\n{'':32}{'kataimg':>9}{'other':>9}{'ratio':>8}{'MiB':>9}{'other':>9}")
    with tempfile.TemporaryDirectory(dir=work) as directory:
        directory = pathlib.Path(directory)
        for name, form, level, filter_ in PAIRS:
            words = [str(program), "-q", "--no-sync", "-c", "/dev/null", "-o", "ours", str(tree)]
            for setting in ("image.filesystem=cpio", f"image.compress={form}", "rootfs.check=no",
                            f"image.level={level}", "image.unsupported=drop",
                            "tree.whole-seconds=yes", "tree.holes=fill"):
                words += ["--set", setting]
            ours = shlex.join(words) + " 2>/dev/null"
            theirs = FIND.format(tree=shlex.quote(str(tree))) + f" | {filter_} > theirs"
            runs, sizes = [], None
            for _ in range(times):
                mine = seconds(ours, directory)
                mine_bytes = (directory / "ours").stat().st_size
                runs.append((mine, seconds(theirs, directory)))
                sizes = mine_bytes, (directory / "theirs").stat().st_size
            mine, other = (min(side) for side in zip(*runs))
            print(f"{name:32}{mine:9.3f}{other:9.3f}{mine / other:8.2f}"
                  f"{sizes[0] / (1 << 20):9.1f}{sizes[1] / (1 << 20):9.1f}", flush=True)
