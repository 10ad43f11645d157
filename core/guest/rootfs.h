/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a tree a root filesystem that a Kata guest starts from. */
#ifndef GUEST_ROOTFS_H
#define GUEST_ROOTFS_H

#include "core/tree/tree.h"

struct rootfs_rules {
	bool agent_init;       /* /sbin/init is the agent itself */
	const char *agent;     /* its name in /usr/bin, when it is not */
	const char *init_link; /* of an initrd: where the /init that was added leads; else NULL */
	bool initrd;           /* the tree is an initrd's: /init counts, and nothing else */
};

/*
 * There is an executable /sbin/init, or a symbolic link of that name. Without agent_init there is a
 * systemd in /usr/lib/systemd or /lib/systemd, or /sbin/init is a link with NVRC in its target.
 * With it /sbin/init leads to an executable file that is not systemd. Of an initrd only /init is
 * looked at, which is an executable or a link; one that was added leads to either. The error says
 * what is missing and what to do.
 */
int rootfs_check(const struct tree *tree, const struct rootfs_rules *rules, struct error *error);

/*
 * An empty /etc/machine-id, on which systemd mounts the guest's own: 0444, root's, with the time of
 * /etc; not when there is one, or no /etc. *added tells.
 */
int rootfs_add_machine_id(struct tree *tree, bool *added, struct error *error);

/* A symbolic link /init to target, where there is no /init: 0777, root's, with the time of /. */
int rootfs_add_init_link(struct tree *tree, const char *target, bool *added, struct error *error);

/*
 * What a guest may stumble over, but a build does not: a root directory that is not root's, a
 * machine-id that all guests would share, and, unless rules is NULL or the agent is the init
 * process, that there is no executable of the agent's name in /usr/bin. An error is one of reading.
 */
int rootfs_remark(const struct tree *tree, const struct rootfs_rules *rules, struct error *error);

#endif
