# SPDX-License-Identifier: Apache-2.0
"""POSIX ACLs in the form that setxattr(2) takes: acl(5), linux/posix_acl_xattr.h."""
import struct

ACCESS = 'system.posix_acl_access'
DEFAULT = 'system.posix_acl_default'
USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 1, 2, 4, 8, 16, 32
NO_ID = 0xffffffff


def acl(named, other=5):
    """named: (USER or GROUP, id, permissions). Everybody may read, so that tests can."""
    entries = [(USER_OBJ, NO_ID, 7), (GROUP_OBJ, NO_ID, 5), (MASK, NO_ID, 7), (OTHER, NO_ID, other)]
    entries += [(tag, identity, permissions) for tag, identity, permissions in named]
    entries.sort(key=lambda entry: (entry[0], entry[1]))
    return struct.pack('<I', 2) + b''.join(
        struct.pack('<HHI', tag, permissions, identity) for tag, identity, permissions in entries)
