# SPDX-License-Identifier: Apache-2.0
"""Archives and container images beside their decompression alone. All take turns, so that what else the
machine does slows all; the shortest run of each counts, of the wall clock and of the processors."""
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import tempfile

import measure

LAYERS = 8
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+zstd"


def shell(script, work):
    subprocess.run(["bash", "-euc", script], cwd=work, check=True, stdout=subprocess.DEVNULL)


def parts_of(tree):
    """The tree's files, as many bytes in each part, in the order of their names."""
    paths = sorted(os.path.relpath(os.path.join(directory, name), tree)
                   for directory, directories, files in os.walk(tree) for name in directories + files)
    sizes = [os.lstat(os.path.join(tree, path)).st_size + 1024 for path in paths]
    parts, done = [[] for _ in range(LAYERS)], 0
    for path, size in zip(paths, sizes):
        parts[min(LAYERS - 1, done * LAYERS // sum(sizes))].append(path)
        done += size
    return parts


class Layout:
    """An image layout of one image, written blob by blob."""

    def __init__(self, root):
        self.root = root
        self.blobs = root / "blobs/sha256"
        self.blobs.mkdir(parents=True)
        (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def add(self, data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        (self.blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    def add_json(self, value, media_type):
        return self.add(json.dumps({"schemaVersion": 2, **value}).encode(), media_type)


def make_layout(tree, work):
    layout = Layout(work / "layout")
    layers, diff_ids = [], []
    for part in parts_of(tree):
        (work / "names").write_bytes(b"\0".join(os.fsencode(path) for path in part))
        shell(f"tar -C {shlex.quote(str(tree))} --no-recursion -cf layer.tar --null -T $PWD/names\n"
              "zstd -qf layer.tar -o layer", work)
        diff_ids.append("sha256:" + hashlib.sha256((work / "layer.tar").read_bytes()).hexdigest())
        layers.append(layout.add((work / "layer").read_bytes(), LAYER))
    config = layout.add_json({"architecture": "amd64", "os": "linux",
                              "rootfs": {"type": "layers", "diff_ids": diff_ids}}, CONFIG)
    manifest = layout.add_json({"mediaType": MANIFEST, "config": config, "layers": layers}, MANIFEST)
    (layout.root / "index.json").write_text(json.dumps(
        {"schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest]}))
    return ["layout/blobs/sha256/" + layer["digest"][7:] for layer in layers]


class Bench:
    """What is timed, by name: the shortest runs so far."""

    def __init__(self, program, work, log):
        self.program = shlex.quote(str(program))
        self.work = work
        self.log = log
        self.scripts = {}
        self.best = {}

    def add(self, name, script):
        self.scripts[name] = script

    def add_build(self, name, source, options=""):
        self.add(name, f"{self.program} -q --no-sync -f ext4 --set image.align=2M --set rootfs.check=no "
                       f"{options} -o out {source}")

    def run(self, times):
        for _ in range(times):
            for name, script in self.scripts.items():
                run = measure.run_once(["bash", "-euc", f"cd {shlex.quote(str(self.work))}\n{script}"],
                                       self.log)
                (self.work / "out").unlink(missing_ok=True)
                best = self.best.get(name, run)
                self.best[name] = measure.Run(min(best.wall, run.wall), min(best.cpu, run.cpu),
                                              max(best.peak_mib, run.peak_mib))

    def show(self, ours, wall, cpu, goal):
        best = self.best[ours]
        print(f"{ours:24}{best.wall:9.3f}{best.cpu:9.3f}{best.peak_mib:8.0f}{wall:9.3f}{cpu:9.3f}"
              f"{best.wall / wall:8.2f}{goal:6.2f}", flush=True)

    def show_beside(self, ours, theirs, goal):
        self.show(ours, self.best[theirs].wall, self.best[theirs].cpu, goal)


def compare(program, tree, work, times, log):
    """Prints a line a source."""
    print(f"\narchives, in {work}\n{'':24}{'kataimg':>9}{'cpu':>9}{'MiB':>8}{'other':>9}{'cpu':>9}"
          f"{'ratio':>8}{'goal':>6}")
    with tempfile.TemporaryDirectory(dir=work) as directory:
        work = pathlib.Path(directory)
        shell(f"tar --sort=name -C {shlex.quote(str(tree))} -cf a.tar .\n"
              "zstd -q a.tar -o a.tar.zst\ngzip -k a.tar\n", work)
        layers = make_layout(tree, work)
        bench = Bench(program, work, log)
        bench.add("zstd -dc", "zstd -qdc a.tar.zst >/dev/null")
        bench.add("gzip -dc", "gzip -dc a.tar.gz >/dev/null")
        bench.add("layers", "zstd -qdc " + " ".join(layers) + " >/dev/null")
        bench.add("longest", f"zstd -qdc {max(layers, key=lambda path: (work / path).stat().st_size)}"
                             " >/dev/null")
        bench.add_build("directory", shlex.quote(str(tree)))
        bench.add_build(".tar", "a.tar")
        bench.add_build(".tar.zst", "a.tar.zst")
        bench.add_build(".tar.zst, --dry-run", "a.tar.zst", "--dry-run")
        bench.add_build(".tar.gz", "a.tar.gz")
        bench.add_build(f"oci, {LAYERS} layers", "oci:layout")
        bench.run(times)
        bench.show_beside(".tar", "directory", 1.13)
        bench.show_beside(".tar.zst", "zstd -dc", 1.15)
        bench.show_beside(".tar.zst, --dry-run", "zstd -dc", 1.15)
        bench.show_beside(".tar.gz", "gzip -dc", 0.6)
        longest, half = bench.best["longest"].wall, bench.best["layers"].wall / 2
        bench.show(f"oci, {LAYERS} layers", max(longest, half), bench.best["layers"].cpu, 1.2)
