# SPDX-License-Identifier: Apache-2.0
"""kataimg and what a user would take instead. Each tool is a shell script with the arguments TREE,
OUT and SIZE; the last, for tools that do not find it themselves, leaves them ample room."""
import dataclasses
import shlex

# The steps of Kata's image_builder.sh (2019), written anew: a trial to find the size, the image, and
# the header in front of a second copy. FORMAT and FINISH are what differs between filesystems.
SEED_STEPS = r"""
make_disk() {
    truncate -s "$2" "$1"
    printf 'start=%s, type=83\n' "$3" | sfdisk -q --label dos "$1"
}
attach() {
    device=$(losetup -f --show -o $((2048 * 512)) "$1")
}
work=$(mktemp -d)
make_disk "$2.trial" "$3" 2048
attach "$2.trial"
FORMAT
mount "$device" "$work"
df -BM --output=avail "$work" >/dev/null
umount "$work"
losetup -d "$device"
rm "$2.trial"

make_disk "$2" "$3" 2048
attach "$2"
FORMAT
mount "$device" "$work"
cp -a "$1/." "$work"
sync "$work"
umount "$work"
FINISH
losetup -d "$device"
rmdir "$work"

make_disk "$2.header" "$3" 6144
dd if="$2.header" of="$2.dax" bs=2M count=1
dd if="$2" of="$2.dax" oflag=append conv=notrunc
mv "$2.dax" "$2"
rm "$2.header"
sync "$2"
"""
SEED_FORMAT = {
    "ext4": 'mkfs.ext4 -q -F -b 4096 -m 3 "$device"',
    "xfs": 'mkfs.xfs -q -f -b size=4096 -m reflink=0 "$device"',
}
SEED_FINISH = {"ext4": 'fsck.ext4 -D -y "$device" || [ $? = 1 ]', "xfs": ""}

XFS_STEPS = r"""
work=$(mktemp -d)
truncate -s "$3" "$2"
mkfs.xfs -q -f -m reflink=0 "$2"
mount -o loop "$2" "$work"
cp -a "$1/." "$work"
umount "$work"
rmdir "$work"
"""


@dataclasses.dataclass
class Tool:
    name: str
    script: str
    needs_root: bool = False
    trees: tuple = ()  # only these; (): all


def kataimg(filesystem, command, name=None, options=""):
    script = (
        f"{shlex.join(command)} -q -f {filesystem} --set image.align=2M --set rootfs.check=no "
        f'{options} -o "$2" "$1"'
    )
    return Tool(name or f"kataimg {filesystem}", script)


def image_builder(filesystem):
    script = SEED_STEPS.replace("FORMAT", SEED_FORMAT[filesystem]).replace("FINISH", SEED_FINISH[filesystem])
    return Tool(f"image_builder.sh, {filesystem}", script, needs_root=True, trees=("debian",))


def all_tools(command, filesystems):
    """What to compare; the first is the reference."""
    tools = [kataimg(filesystem, command) for filesystem in filesystems]
    if "ext4" in filesystems:
        tools.append(kataimg("ext4", command, "kataimg ext4, bare", "--set image.table=none"))
    return tools + [
        Tool("mke2fs -d", 'truncate -s "$3" "$2"; mke2fs -q -F -t ext4 -b 4096 -i 4096 -d "$1" "$2"'),
        Tool("mkfs.erofs", 'mkfs.erofs -Enoinline_data "$2" "$1"', trees=("debian", "small", "names")),
        Tool("mkfs.xfs, mount, cp", XFS_STEPS, needs_root=True),
        image_builder("ext4"),
        image_builder("xfs"),
    ]
