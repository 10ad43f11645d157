#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# The guest's first process. With root= on the command line it mounts that as a guest of Kata does
# and goes there; else it runs /job.sh and hands /out back on the result disk.

. /lib.sh

fail()
{
	{
		dmesg | tail -n 20
		echo "GUEST FAILED: $*"
	} > /dev/console
	exit 1
}

# Says whether the kernel has found as many pmem devices as there are regions, of NVDIMMs or of
# virtio-pmem.
nvdimms_ready()
{
	[ "$(ls -d /sys/block/pmem* 2>/dev/null | wc -l)" = \
		"$(ls -d /sys/bus/nd/devices/region* 2>/dev/null | wc -l)" ]
}

# The kernel numbers pmem devices as it likes; nvdimm0 is the first that QEMU was given, which is
# the one at the lowest address.
name_nvdimms()
{
	number=0
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		nvdimms_ready && break
		sleep 0.5
	done
	for pmem in $(grep -H . /sys/block/pmem*/device/resource 2>/dev/null | sort -t : -k 2 |
		cut -d / -f 4); do
		for part in '' p1 p2; do
			ln -s "/dev/$pmem$part" "/dev/nvdimm$number$part"
		done
		number=$((number + 1))
	done
}

wait_for()
{
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -e "/dev/$1" ] && return
		sleep 0.5
	done
	fail "no /dev/$1 among" /dev/pmem* /dev/vd*
}

# mount_at DIRECTORY FSTYPE DEVICE OPTIONS: with exactly these options; shows what came of it.
mount_at()
{
	mkdir -p "$1"
	wait_for "$3"
	mount -t "$2" -o "$4" "/dev/$3" "$1" || fail "cannot mount $3 with $4"
	grep " $1 " /proc/mounts
}

# touch_pages FILE: maps it and reads every page; says how many huge pages the kernel mapped.
touch_pages()
{
	echo > $trace/trace
	faults=$(touch-pages "$1") || fail "cannot map $1"
	echo "$1 pmd $(grep -c 'dax_pmd_fault_done.*NOPAGE' $trace/trace) faults $faults"
}

go_to_root()
{
	for word in $(cat /proc/cmdline); do
		case $word in
		root=/dev/*) device=${word#root=/dev/} ;;
		rootflags=*) flags=${word#rootflags=} ;;
		rootfstype=*) type=${word#rootfstype=} ;;
		esac
	done
	mount_at /root "$type" "$device" "$flags,ro"
	mount -o move /dev /root/dev
	exec switch_root /root /sbin/init
}

finish()
{
	sync
	tar -c -f /dev/vda -C / out
	sync
	poweroff -f
}

/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tracefs tracefs /sys/kernel/tracing
mount -t tmpfs -o mode=755 tmpfs /out
trace=/sys/kernel/tracing
for module in /modules/*.ko; do
	insmod "$module" || echo "cannot load $module"
done
name_nvdimms
grep -q ' root=' /proc/cmdline && go_to_root
wait_for vda
(. /job.sh) && echo "GUEST DONE"
finish
