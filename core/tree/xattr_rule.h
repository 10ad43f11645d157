/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TREE_XATTR_RULE_H
#define TREE_XATTR_RULE_H

#include "kataimg/backend.h"

/*
 * Would Linux let a file of the type have an attribute of the name, on any filesystem of an image?
 * NULL: yes; else what it does not allow, for "cannot store WHAT". The rule is setxattr(2)'s, by
 * namespace: fs/xattr.c (xattr_permission) and fs/posix_acl.c (posix_acl_xattr_set).
 */
const char *tree_xattr_refusal(enum kataimg_type type, const char *name);

#endif
