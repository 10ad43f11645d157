# SPDX-License-Identifier: Apache-2.0
"""Time against the number of entries, as a plot."""
import math
import shutil

import measure
import tools
import trees

COUNTS = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
COLOURS = {"ext4": "#1b6ca8", "xfs": "#c0392b", "erofs": "#2e8b57"}
WIDTH, HEIGHT, MARGIN = 640, 400, 60
MIN_SECONDS, MAX_SECONDS = 0.001, 100


def x_of(entries):
    low, high = math.log10(COUNTS[0]), math.log10(COUNTS[-1])
    return MARGIN + (math.log10(entries) - low) / (high - low) * (WIDTH - 2 * MARGIN)


def y_of(seconds):
    low, high = math.log10(MIN_SECONDS), math.log10(MAX_SECONDS)
    return HEIGHT - MARGIN - (math.log10(seconds) - low) / (high - low) * (HEIGHT - 2 * MARGIN)


def text(x, y, content, anchor="middle"):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{content}</text>'


def grid():
    for power in range(3, 7):
        x = x_of(10**power)
        yield f'<path d="M{x:.0f} {MARGIN}V{HEIGHT - MARGIN}"/>' + text(x, HEIGHT - 40, f"{10**power:,}")
    for power in range(-3, 3):
        y = y_of(10.0**power)
        yield f'<path d="M{MARGIN} {y:.0f}H{WIDTH - MARGIN}"/>' + text(MARGIN - 6, y + 4, f"{10.0**power:g} s", "end")


def curve(filesystem, points):
    path = " ".join(f"{x_of(entries):.1f},{y_of(seconds):.1f}" for entries, seconds in points)
    colour = COLOURS[filesystem]
    x, y = x_of(points[-1][0]), y_of(points[-1][1])
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    yield f'<g fill="{colour}" stroke="none">{text(x + 6, y + 4, filesystem, "start")}</g>'


def write_svg(path, curves):
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="12" stroke="#ddd">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white" stroke="none"/>',
        '<style>text { stroke: none }</style>',
        *grid(),
        text(WIDTH / 2, HEIGHT - 16, "entries of the tree"),
        text(WIDTH / 2, 30, "seconds for an image (warm cache)"),
    ]
    for filesystem, points in curves.items():
        lines += curve(filesystem, points)
    path.write_text("\n".join(lines + ["</svg>"]) + "\n", encoding="utf-8")


def plot(command, cache, path, log):
    curves = {filesystem: [] for filesystem in COLOURS}
    out = cache / "scale.img"
    for count in COUNTS:
        tree = trees.get(f"entries-{count}", cache / "trees", lambda root: trees.make_entries(root, count))
        for filesystem, points in curves.items():
            tool = tools.kataimg(filesystem, command)
            argv = ["bash", "-c", tool.script, "bash", str(tree), str(out)]
            run = measure.run_median(argv, lambda: out.unlink(missing_ok=True), 3, log)
            points.append((count, run.wall))
            print(f"{count:9,} entries, {filesystem:6}{run.wall:9.3f} s{run.peak_mib:8.0f} MiB", flush=True)
        if count > 100_000:
            shutil.rmtree(tree)
            tree.with_name(tree.name + ".done").unlink()
    out.unlink()
    write_svg(path, curves)
