# SPDX-License-Identifier: Apache-2.0
"""Six images of one source in one run beside six runs of one image each, by the turns of back.py."""
import pathlib
import shlex
import tempfile

import back

# Of each backend two, as a product has them: with and without a hash tree.
IMAGES = [(filesystem, measured) for filesystem in ("ext4", "xfs", "erofs") for measured in ("no", "yes")]
# The most that one run may take of the sum of the others.
GOAL = 0.9


def lines(number, section):
    filesystem, measured = IMAGES[number]
    return (f"[image{section}]\noutput = out{number}\nfilesystem = {filesystem}\n"
            f"[verity{section}]\nenabled = {measured}\n"
            f"hash-file = out{number}.txt\n")


def write(work, name, text, source):
    (work / name).write_text(f"[image]\nsource = {source}\nalign = 2M\n[rootfs]\ncheck = no\n" + text,
                             encoding="utf-8")


def pairs(program, work, source, kind):
    program = shlex.quote(str(program))
    write(work, "set.ini", "".join(lines(number, f" i{number}") for number in range(len(IMAGES))), source)
    for number in range(len(IMAGES)):
        write(work, f"{number}.ini", lines(number, ""), source)
    singles = "; ".join(f"{program} -q --no-sync -c {number}.ini" for number in range(len(IMAGES)))
    yield back.Pair(f"six of a {kind}, six runs", f"{program} -q --no-sync -c set.ini", singles, GOAL)


def compare(program, tree, directory, times):
    """Prints a line a source."""
    with tempfile.TemporaryDirectory(dir=directory) as name:
        work = pathlib.Path(name)
        back.shell(f"tar -C {shlex.quote(str(tree))} -czf tree.tar.gz .", work)
        bench = back.Bench(program, tree, work)
        print(f"\na set of six images, in {directory}\n{'':44}{'one run':>9}{'six':>9}{'ratio':>8}{'goal':>6}")
        for source, kind in ((tree, "directory"), (work / "tree.tar.gz", "tar.gz")):
            for pair in pairs(program, work, source, kind):
                bench.compare(pair, times)
