# SPDX-License-Identifier: Apache-2.0
"""A tree on a disk of which nothing is in memory. It lies in an ext4 of its own, behind a loop device that
goes past the cache of the disk below, and that is made anew for each run: nobody else loses what is cached.
All take turns; the shortest run of each counts."""
import contextlib
import pathlib
import shlex
import subprocess
import tempfile
import time

import measure

MARGIN = 3  # times what the files have


def output(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def call(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def unmount(where):
    """Who looks at all mounts may be holding it for a moment."""
    for _ in range(50):
        if subprocess.run(["umount", str(where)], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return
        time.sleep(0.1)
    call("umount", str(where))


@contextlib.contextmanager
def mounted(image, where, *options):
    device = output("losetup", "--direct-io=on", "-f", "--show", str(image))
    try:
        call("mount", *options, device, str(where))
        try:
            yield where
        finally:
            unmount(where)
    finally:
        call("losetup", "-d", device)


def make_image(tree, image, where):
    mib = (int(output("du", "-sb", str(tree)).split()[0]) >> 20) + 256
    with open(image, "wb") as out:
        out.truncate((mib << 20) * MARGIN)
    call("mkfs.ext4", "-q", "-F", str(image))
    with mounted(image, where):
        call("cp", "-a", f"{tree}/.", str(where / "tree"))


def scripts(program, source, work):
    build = f"{shlex.quote(str(program))} -q --no-sync -f ext4 --set rootfs.check=no -o {work}/out"
    return {
        "kataimg": f"{build} {source}",
        "kataimg --threads 1": f"{build} --threads 1 {source}",
        "tar": f"tar -C {source} -cf - . | cat >/dev/null",
        "mksquashfs, uncompressed": f"mksquashfs {source} {work}/out -quiet -no-progress -noI -noD -noF -noX",
    }


def compare(program, tree, work, times, log):
    """Prints a line a tool. Root's, for the loop device."""
    print(f"\nnothing cached, {tree}, in {work}\n{'':26}{'seconds':>9}{'cpu':>9}{'times':>8}")
    with tempfile.TemporaryDirectory(dir=work) as directory:
        directory = pathlib.Path(directory)
        where = directory / "mounted"
        where.mkdir()
        make_image(tree, directory / "disk", where)
        best = {}
        for _ in range(times):
            for name, script in scripts(program, where / "tree", directory).items():
                with mounted(directory / "disk", where, "-o", "ro"):
                    run = measure.run_once(["bash", "-euc", script], log)
                (directory / "out").unlink(missing_ok=True)
                if name not in best or run.wall < best[name].wall:
                    best[name] = run
        for name, run in best.items():
            print(f"{name:26}{run.wall:9.2f}{run.cpu:9.2f}{run.wall / best['kataimg'].wall:8.2f}", flush=True)
