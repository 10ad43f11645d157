# SPDX-License-Identifier: Apache-2.0
"""What a farm asks: images a second and core, and how much memory and how many descriptors a build takes.

Images are many small ones at once, one pool. Memory is the peak of resident pages, as time(1) gives it.
Descriptors are the smallest RLIMIT_NOFILE under which a build succeeds, which a scheduler would give it.
"""
import concurrent.futures
import os
import pathlib
import resource
import shlex
import subprocess
import tempfile

import measure
import trees

FILESYSTEMS = ("ext4", "xfs", "erofs")
COUNTS = (1_000, 10_000, 100_000, 1_000_000)
MIB = 1 << 20
SETTINGS = ["-q", "--no-sync", "--set", "rootfs.check=no", "--set", "image.align=2M"]


def make_guest(root, number):
    """A small guest of its own: some programs, many small files."""
    for directory in range(10):
        path = root / f"etc/directory-{directory}"
        path.mkdir(parents=True)
        for file in range(20):
            (path / f"file-{file}").write_bytes(f"{number} {directory} {file}".encode() * 20)
    (root / "bin").mkdir()
    for file in range(4):
        (root / f"bin/program-{file}").write_bytes(bytes([number % 251, file]) * 200_000)


def make_bytes(root, mebibytes):
    """Files of a mebibyte."""
    for file in range(mebibytes):
        (root / f"file-{file:05}").write_bytes(bytes([file % 251]) * MIB)


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Pool:
    """So many at a time as there are processors."""

    def __init__(self, work, log):
        self.work = work
        self.log = log
        self.cores = len(os.sched_getaffinity(0))

    def run(self, name, commands, images=1):
        """Prints processor seconds an image, of which each command makes so many, and how many of them a core
        does in a second of its time."""
        before = processor_seconds()
        with concurrent.futures.ThreadPoolExecutor(self.cores) as pool:
            for done in pool.map(lambda command: subprocess.run(command, cwd=self.work, check=True,
                                                                stdout=self.log, stderr=self.log), commands):
                assert done.returncode == 0
        seconds = (processor_seconds() - before) / len(commands) / images
        print(f"{name:44}{seconds * 1000:9.1f}{1 / seconds:9.0f}", flush=True)


def write_set(path, filesystem, sources):
    """What builds all of them in one run."""
    images = [f"[image {number}]\nsource = {source}\noutput = {number}.img\n"
              for number, source in enumerate(sources)]
    path.write_text(f"[image]\nfilesystem = {filesystem}\nalign = 2M\n[rootfs]\ncheck = no\n" + "".join(images))


def time_images(program, work, count, log):
    """Distinct trees, one process an image, and one process for all."""
    sources = [trees.get(f"guest-{number}", work / "guests", lambda root, number=number: make_guest(root, number))
               for number in range(count)]
    pool = Pool(work, log)
    print(f"\n{count} images of {trees.describe(sources[0])} each, {pool.cores} at a time, in {work}\n"
          f"{'':44}{'ms':>9}{'a second':>9}", flush=True)
    for filesystem in FILESYSTEMS:
        base = [program, *SETTINGS, "-f", filesystem]
        pool.run(f"{filesystem}, one thread a process",
                 [[*base, "--threads", "1", "-o", f"{number}.img", source] for number, source in enumerate(sources)])
        pool.run(f"{filesystem}, threads as by default",
                 [[*base, "-o", f"{number}.img", source] for number, source in enumerate(sources)])
        write_set(work / "set.ini", filesystem, sources)
        pool.run(f"{filesystem}, one thread, all in one run (a set)",
                 [[program, "-q", "--no-sync", "--threads", "1", "-c", "set.ini"]], count)
    static = program.parent.parent / "static/core/kataimg"
    if static.exists():
        pool.run("ext4, one thread a process, static program",
                 [[static, *SETTINGS, "--threads", "1", "-o", f"{number}.img", source]
                  for number, source in enumerate(sources)])
    else:
        print(f"no static program in {static}: make static", flush=True)
    base = [program, *SETTINGS, "-f", "erofs", "--set", "verity.enabled=yes", "--threads", "1"]
    pool.run("erofs, measured, one thread a process",
             [[*base, "--set", f"verity.variant={number}", "-o", f"{number}.img", source]
              for number, source in enumerate(sources)])
    pool.run("key, one thread a process",
             [[program, "key", *SETTINGS[:1], *SETTINGS[2:], "--threads", "1", source] for source in sources])


def make_content(root):
    """Three large files and many small ones."""
    for file in range(3):
        with open(root / f"large-{file}", "wb") as out:
            for block in range(200):
                out.write(bytes([file, block]) * (MIB // 2))
    (root / "small").mkdir()
    for file in range(20_000):
        (root / f"small/{file:05}").write_bytes(bytes([file % 251]) * 2000)


def time_keys(program, work, log):
    """In turns, minima of five."""
    tree = trees.get("content", work / "trees", make_content)
    hashing = f"find {shlex.quote(str(tree))} -type f -print0 | xargs -0 "
    commands = {"kataimg key": [program, "key", "-q", "--set", "rootfs.check=no", tree],
                "kataimg key --threads 1": [program, "key", "-q", "--set", "rootfs.check=no", "--threads", "1", tree],
                "sha256sum of all files": ["sh", "-c", hashing + "sha256sum"],
                "openssl sha256 of all files": ["sh", "-c", hashing + "openssl sha256"]}
    runs = {name: [] for name in commands}
    for _ in range(5):
        for name, command in commands.items():
            runs[name].append(measure.run_once([*map(str, command)], log))
    print(f"\nof {trees.describe(tree)}\n{'':44}{'seconds':>9}{'cpu':>9}", flush=True)
    for name, done in runs.items():
        print(f"{name:44}{min(run.wall for run in done):9.2f}{min(run.cpu for run in done):9.2f}", flush=True)


# ---- What one build takes ----

def fits(command, work, descriptors):
    script = f"ulimit -n {descriptors}; exec {shlex.join(map(str, command))}"
    return subprocess.run(["bash", "-c", script], cwd=work, check=False, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


def fewest_descriptors(command, work):
    low, high = 3, 1024  # the first fails, the last does not
    assert fits(command, work, high), command
    while high - low > 1:
        middle = (low + high) // 2
        if fits(command, work, middle):
            high = middle
        else:
            low = middle
    return high


def command_of(program, filesystem, source, threads=4, more=()):
    return [str(program), *SETTINGS, "-f", filesystem, "--threads", str(threads), *more, "-o", "image", str(source)]


def print_memory(name, work, commands, log, end="\n"):
    cells = [measure.run_once(["env", "-C", str(work), *command], log) for command in commands]
    print(f"{name:30}" + "".join(f"{run.peak_mib:9.0f}" for run in cells), end=end, flush=True)


def print_head(title, more=""):
    print(f"\n{title}\n{'':30}" + "".join(f"{filesystem:>9}" for filesystem in FILESYSTEMS) + more, flush=True)


def compare_sizes(program, work, log):
    print_head("MiB of memory of one build with four threads")
    for count in COUNTS:
        tree = trees.get(f"entries-{count}", work / "trees", lambda root: trees.make_entries(root, count))
        print_memory(f"{count:,} entries, {count * 7 // MIB} MiB", work,
                  [command_of(program, filesystem, tree) for filesystem in FILESYSTEMS], log)
    for mebibytes in (64, 1024):
        tree = trees.get(f"bytes-{mebibytes}", work / "trees", lambda root: make_bytes(root, mebibytes))
        print_memory(f"{mebibytes:,} entries, {mebibytes:,} MiB", work,
                  [command_of(program, filesystem, tree) for filesystem in FILESYSTEMS], log)


def compare_forms(program, work, log):
    tree = trees.get("entries-10000", work / "trees", lambda root: trees.make_entries(root, 10_000))
    shell = f"cd {shlex.quote(str(work))} && tar -C {shlex.quote(str(tree))} -cf tree.tar . && zstd -qf tree.tar"
    subprocess.run(["sh", "-c", shell], check=True)
    print_head("the same, and descriptors, of ten thousand entries", f"{'descriptors':>12}")
    for name, source, threads, more in (
            ("one thread", tree, 1, ()), ("4 threads", tree, 4, ()), ("16 threads", tree, 16, ()),
            ("64 threads", tree, 64, ()), ("of a tar", "tree.tar", 4, ()),
            ("of a tar.zst", "tree.tar.zst", 4, ()),
            ("measured", tree, 4, ("--set", "verity.enabled=yes")),
            ("verify = readback", tree, 4, ("--set", "image.verify=readback"))):
        commands = [command_of(program, filesystem, source, threads, more) for filesystem in FILESYSTEMS]
        print_memory(name, work, commands, log, end="")
        print(f"{max(fewest_descriptors(command, work) for command in commands):12}", flush=True)


def compare(program, directory, count, log):
    with tempfile.TemporaryDirectory(dir=directory) as name:
        work = pathlib.Path(name)
        time_images(program, work, count, log)
        time_keys(program, work, log)
        compare_sizes(program, work, log)
        compare_forms(program, work, log)
