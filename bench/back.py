# SPDX-License-Identifier: Apache-2.0
"""The way back beside what a user would take instead. The two of a pair take turns, so that what
else the machine does slows both; the shortest run of each counts, and their ratio beside its goal."""
import contextlib
import dataclasses
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import time

MIB = 1 << 20
# What is compared is as large as that.
COMPARED_BYTES = 300 * MIB
# Where the partition of an image without an info block begins.
FILESYSTEM_OFF = MIB
FILESYSTEMS = ("ext4", "xfs", "erofs")


@dataclasses.dataclass
class Pair:
    """Shell commands that may make `out`, beside them and gone before each."""

    name: str
    ours: str
    theirs: str
    goal: float  # the most that our time may be of theirs


def shell(script, work):
    subprocess.run(["bash", "-euc", script], cwd=work, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


class Bench:
    """Images of one tree in a directory of its own."""

    def __init__(self, program, tree, work):
        self.program = shlex.quote(str(program))
        self.tree = shlex.quote(str(tree))
        self.work = pathlib.Path(work)

    def build(self, filesystem, source, out, options=""):
        return (f"{self.program} -q --no-sync -f {filesystem} --set image.align=2M "
                f"--set image.dax=no --set rootfs.check=no {options} -o {out} {source}")

    def make(self):
        for filesystem in FILESYSTEMS:
            shell(self.build(filesystem, self.tree, filesystem), self.work)
            # Others want the filesystem alone.
            shell(f"dd if={filesystem} of={filesystem}.bare bs={FILESYSTEM_OFF} skip=1", self.work)
        room = max(0, COMPARED_BYTES - (self.work / "ext4").stat().st_size) // MIB
        shell(self.build("ext4", self.tree, "a", f"--set image.free-space={room}M"), self.work)
        shutil.copyfile(self.work / "a", self.work / "b")
        (self.work / "build.ini").write_text(
            f"[image]\nsource = {self.tree}\noutput = out\nfilesystem = ext4\nalign = 2M\n"
            "dax = no\n[rootfs]\ncheck = no\n", encoding="utf-8")

    def pairs(self):
        extract = f"{self.program} extract"
        for filesystem in FILESYSTEMS:
            yield Pair(f"{filesystem} to a directory, cp -a", f"{extract} {filesystem} -C out",
                       f"cp -a {self.tree} out", 1.3)
        yield Pair("ext4 to a directory, debugfs rdump", f"{extract} ext4 -C out",
                   'mkdir out; debugfs -R "rdump / out" ext4.bare', 1)
        yield Pair("erofs to a directory, fsck.erofs", f"{extract} erofs -C out",
                   "fsck.erofs --extract=out erofs.bare", 1)
        for filesystem in FILESYSTEMS if os.geteuid() == 0 else ():
            yield Pair(f"{filesystem} to a tar, tar of a mount", f"{extract} {filesystem} -o out.tar",
                       f"tar --format=pax --xattrs -cf out.tar -C mount-{filesystem} .", 1)
        yield Pair("image: ext4 to erofs, directory to erofs", self.build("erofs", "image:ext4", "out"),
                   self.build("erofs", self.tree, "out"), 1.3)
        yield Pair("diff of 300 MiB, cmp", f"{self.program} diff a b", "cmp a b", 2)
        yield Pair("diff --blocks of 300 MiB, cmp", f"{self.program} diff --blocks a b", "cmp a b", 2)
        for filesystem in FILESYSTEMS:
            options = f"-c build.ini --set image.filesystem={filesystem}"
            yield Pair(f"attest of {filesystem}, build", f"{self.program} attest {filesystem} {options}",
                       f"{self.program} -q --no-sync {options}", 1.3)

    @contextlib.contextmanager
    def mounted(self):
        with contextlib.ExitStack() as stack:
            for filesystem in FILESYSTEMS if os.geteuid() == 0 else ():
                point = f"mount-{filesystem}"
                (self.work / point).mkdir()
                more = ",norecovery" if filesystem == "xfs" else ""
                shell(f"mount -o loop,ro{more} {filesystem}.bare {point}", self.work)
                stack.callback(shell, f"umount {point}", self.work)
            yield

    def seconds(self, script):
        shell("rm -rf out*; sync -f .", self.work)
        start = time.monotonic()
        shell(script, self.work)
        return time.monotonic() - start

    def compare(self, pair, times):
        runs = [(self.seconds(pair.ours), self.seconds(pair.theirs)) for _ in range(times)]
        ours, theirs = (min(side) for side in zip(*runs))
        over = "" if ours / theirs <= pair.goal else "  over the goal"
        print(f"{pair.name:44}{ours:9.3f}{theirs:9.3f}{ours / theirs:8.2f}{pair.goal:6.1f}{over}",
              flush=True)


def compare(program, tree, work, times):
    """Prints a line a pair."""
    print(f"\nthe way back, in {work}\n{'':44}{'kataimg':>9}{'other':>9}{'ratio':>8}{'goal':>6}")
    with tempfile.TemporaryDirectory(dir=work) as directory:
        bench = Bench(program, tree, directory)
        bench.make()
        with bench.mounted():
            for pair in bench.pairs():
                bench.compare(pair, times)
