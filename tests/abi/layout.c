/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each member of version 1 lies, on hosts of 64 bits and on i386: a change that moves one
 * breaks every backend in the field. What says its size may have grown since. Compiled, never run.
 */
#include <kataimg/backend.h>

#define WORD_SIZE(on64, on32) (sizeof(void *) == 8 ? (on64) : (on32))
#define SIZE(type, on64, on32)                                           \
	_Static_assert(sizeof(struct type) == WORD_SIZE((on64), (on32)), \
		       "the size of struct " #type)
#ifdef FROZEN
#define GROWING SIZE
#else
#define GROWING(type, on64, on32)                                        \
	_Static_assert(sizeof(struct type) >= WORD_SIZE((on64), (on32)), \
		       "the size of struct " #type)
#endif
#define AT(type, member, on64, on32)                                               \
	_Static_assert(offsetof(struct type, member) == WORD_SIZE((on64), (on32)), \
		       "the place of " #member " in struct " #type)

SIZE(kataimg_entry, 24, 16);
AT(kataimg_entry, name, 0, 0);
AT(kataimg_entry, node, 8, 4);
AT(kataimg_entry, name_len, 16, 8);
AT(kataimg_entry, reserved, 20, 12);

SIZE(kataimg_segment, 16, 16);
AT(kataimg_segment, file_off, 0, 0);
AT(kataimg_segment, len, 8, 8);

SIZE(kataimg_xattr, 24, 16);
AT(kataimg_xattr, name, 0, 0);
AT(kataimg_xattr, value, 8, 4);
AT(kataimg_xattr, name_len, 16, 8);
AT(kataimg_xattr, value_len, 20, 12);

SIZE(kataimg_node, 112, 88);
AT(kataimg_node, size, 0, 0);
AT(kataimg_node, mtime_sec, 8, 8);
AT(kataimg_node, mtime_nsec, 16, 16);
AT(kataimg_node, index, 20, 20);
AT(kataimg_node, uid, 24, 24);
AT(kataimg_node, gid, 28, 28);
AT(kataimg_node, mode, 32, 32);
AT(kataimg_node, type, 34, 34);
AT(kataimg_node, reserved, 35, 35);
AT(kataimg_node, nlink, 36, 36);
AT(kataimg_node, rdev_major, 40, 40);
AT(kataimg_node, rdev_minor, 44, 44);
AT(kataimg_node, name_len, 48, 48);
AT(kataimg_node, xattr_count, 52, 52);
AT(kataimg_node, entry_count, 56, 56);
AT(kataimg_node, segment_count, 60, 60);
AT(kataimg_node, name, 64, 64);
AT(kataimg_node, parent, 72, 68);
AT(kataimg_node, xattrs, 80, 72);
AT(kataimg_node, entries, 88, 76);
AT(kataimg_node, segments, 96, 80);
AT(kataimg_node, target, 104, 84);

GROWING(kataimg_tree, 24, 16);
AT(kataimg_tree, struct_size, 0, 0);
AT(kataimg_tree, nodes, 8, 4);
AT(kataimg_tree, node_count, 16, 8);

GROWING(kataimg_job, 96, 92);
AT(kataimg_job, struct_size, 0, 0);
AT(kataimg_job, required, 8, 4);
AT(kataimg_job, window_offset, 16, 12);
AT(kataimg_job, hugepage_bytes, 24, 20);
AT(kataimg_job, free_bytes, 32, 28);
AT(kataimg_job, free_inodes, 40, 36);
AT(kataimg_job, build_time, 48, 44);
AT(kataimg_job, threads, 56, 52);
AT(kataimg_job, sector_bytes, 60, 56);
AT(kataimg_job, seed, 64, 60);

GROWING(kataimg_option, 64, 44);
AT(kataimg_option, name, 0, 0);
AT(kataimg_option, default_value, 8, 4);
AT(kataimg_option, help, 16, 8);
AT(kataimg_option, since, 24, 12);
AT(kataimg_option, choices, 32, 16);
AT(kataimg_option, min, 40, 20);
AT(kataimg_option, max, 48, 28);
AT(kataimg_option, type, 56, 36);
AT(kataimg_option, reserved, 60, 40);

SIZE(kataimg_value, 24, 20);
AT(kataimg_value, string, 0, 0);
AT(kataimg_value, number, 8, 4);
AT(kataimg_value, is_set, 16, 12);
AT(kataimg_value, is_given, 20, 16);

GROWING(kataimg_limits, 128, 124);
AT(kataimg_limits, struct_size, 0, 0);
AT(kataimg_limits, name_bytes, 8, 4);
AT(kataimg_limits, symlink_bytes, 16, 12);
AT(kataimg_limits, xattr_name_bytes, 24, 20);
AT(kataimg_limits, xattr_value_bytes, 32, 28);
AT(kataimg_limits, xattr_total_bytes, 40, 36);
AT(kataimg_limits, mtime_min, 48, 44);
AT(kataimg_limits, mtime_max, 56, 52);
AT(kataimg_limits, device_major, 64, 60);
AT(kataimg_limits, device_minor, 72, 68);
AT(kataimg_limits, id, 80, 76);
AT(kataimg_limits, links, 88, 84);
AT(kataimg_limits, subdirectories, 96, 92);
AT(kataimg_limits, entries, 104, 100);
AT(kataimg_limits, file_bytes, 112, 108);
AT(kataimg_limits, nodes, 120, 116);
#ifndef FROZEN
AT(kataimg_limits, path_bytes, 128, 124);
AT(kataimg_limits, mtime_granularity_nsec, 136, 132);
#endif

GROWING(kataimg_plan, 24, 20);
AT(kataimg_plan, struct_size, 0, 0);
AT(kataimg_plan, bytes, 8, 4);
AT(kataimg_plan, granularity, 16, 12);

GROWING(kataimg_fs_info, 432, 428);
AT(kataimg_fs_info, struct_size, 0, 0);
AT(kataimg_fs_info, size_bytes, 8, 4);
AT(kataimg_fs_info, block_bytes, 16, 12);
AT(kataimg_fs_info, free_bytes, 24, 20);
AT(kataimg_fs_info, inodes, 32, 28);
AT(kataimg_fs_info, free_inodes, 40, 36);
AT(kataimg_fs_info, uuid, 48, 44);
AT(kataimg_fs_info, type, 64, 60);
AT(kataimg_fs_info, label, 96, 92);
AT(kataimg_fs_info, min_kernel, 160, 156);
AT(kataimg_fs_info, features, 176, 172);
#ifndef FROZEN
AT(kataimg_fs_info, flags, 432, 428);
#endif

GROWING(kataimg_host, 160, 80);
AT(kataimg_host, struct_size, 0, 0);
AT(kataimg_host, ctx, 8, 4);
AT(kataimg_host, log, 16, 8);
AT(kataimg_host, error, 24, 12);
AT(kataimg_host, fact, 32, 16);
AT(kataimg_host, write, 40, 20);
AT(kataimg_host, window_read, 48, 24);
AT(kataimg_host, place, 56, 28);
AT(kataimg_host, place_scratch, 64, 32);
AT(kataimg_host, source_read, 72, 36);
AT(kataimg_host, scratch_create, 80, 40);
AT(kataimg_host, scratch_write, 88, 44);
AT(kataimg_host, scratch_read, 96, 48);
AT(kataimg_host, derive, 104, 52);
AT(kataimg_host, uuid, 112, 56);
AT(kataimg_host, progress, 120, 60);
AT(kataimg_host, parallel, 128, 64);
AT(kataimg_host, cancelled, 136, 68);
AT(kataimg_host, run, 144, 72);
AT(kataimg_host, path, 152, 76);
#ifndef FROZEN
AT(kataimg_host, scratch_size, 160, 80);
AT(kataimg_host, check_max, 168, 84);
AT(kataimg_host, option_error, 176, 92);
#endif

GROWING(kataimg_backend, 160, 96);
AT(kataimg_backend, struct_size, 0, 0);
AT(kataimg_backend, abi_version, 8, 4);
AT(kataimg_backend, option_size, 12, 8);
AT(kataimg_backend, name, 16, 12);
AT(kataimg_backend, version, 24, 16);
AT(kataimg_backend, summary, 32, 20);
AT(kataimg_backend, capabilities, 40, 24);
AT(kataimg_backend, job_features, 48, 32);
AT(kataimg_backend, options, 56, 40);
AT(kataimg_backend, option_count, 64, 44);
AT(kataimg_backend, libraries, 72, 52);
AT(kataimg_backend, open, 80, 56);
AT(kataimg_backend, limits, 88, 60);
AT(kataimg_backend, check, 96, 64);
AT(kataimg_backend, plan, 104, 68);
AT(kataimg_backend, describe, 112, 72);
AT(kataimg_backend, write, 120, 76);
AT(kataimg_backend, verify, 128, 80);
AT(kataimg_backend, close, 136, 84);
AT(kataimg_backend, probe, 144, 88);
AT(kataimg_backend, walk, 152, 92);
