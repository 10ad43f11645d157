/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/negotiate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "lib/acl.h"

#define REASON_BYTES 512
#define PATH_BYTES 1024

int negotiate_job(const struct backend *backend, const struct kataimg_job *job, struct error *error)
{
	const struct kataimg_backend *table = &backend->table;
	uint64_t unknown = job->required & ~table->job_features;

	if ((job->required & KATAIMG_JOB_DAX) &&
	    (unknown & KATAIMG_JOB_DAX || !(table->capabilities & KATAIMG_CAP_DAX)))
		return error_usage(error, "%s cannot be mounted with dax: set dax = no",
				   table->name);
	if ((job->required & KATAIMG_JOB_FREE_SPACE) &&
	    (unknown & KATAIMG_JOB_FREE_SPACE || !(table->capabilities & KATAIMG_CAP_FREE_SPACE)))
		return error_usage(error,
				   "%s is read-only and has no free space: set free-space = 0",
				   table->name);
	if (unknown)
		return error_usage(error,
				   "the backend %s does not know what this job requires (bits "
				   "%#" PRIx64 "): use a newer one",
				   table->name, unknown);
	return 0;
}

struct negotiation {
	struct session *session;
	struct tree *tree;
	struct kataimg_limits limits;
	bool drop;
	uint64_t dropped;
	uint64_t refused;
	/* Where a filesystem has none, nearly every node has some: they are one offence. */
	uint64_t with_nanoseconds;
	const struct kataimg_node *first_with_nanoseconds;
	int ret;    /* of marking and listing */
	FILE *list; /* of what is refused, for the error */
};

static void drop(struct negotiation *n, const struct kataimg_node *node, enum tree_drop what,
		 uint32_t item)
{
	int ret = tree_mark(n->tree, node, what, item);

	if (ret < 0)
		n->ret = ret;
	n->dropped++;
}

/* One more line of the error. */
__attribute__((format(printf, 2, 3))) static void list(struct negotiation *n, const char *fmt, ...)
{
	autofree char *line = NULL;
	va_list args;

	va_start(args, fmt);
	line = text_vline(fmt, args);
	va_end(args);
	if (!line)
		n->ret = -ENOMEM;
	else
		fprintf(n->list, "%s%s", ftell(n->list) > 0 ? "\n" : "", line);
}

/* One thing that the backend cannot store; what and item tell which. The root cannot be left out.
 */
static void offend(struct negotiation *n, const struct kataimg_node *node, enum tree_drop what,
		   uint32_t item, const char *cannot, const char *has)
{
	const char *name = session_table(n->session)->name;
	char path[PATH_BYTES];

	tree_path(node, path, sizeof(path));
	if (n->drop && !(what == TREE_DROP_NODE && node->index == 0)) {
		log_warning("left out: %s cannot store %s: %s %s", name, cannot, path, has);
		drop(n, node, what, item);
	} else if (n->refused++ < NEGOTIATE_LISTED_MAX) {
		list(n, "%s cannot store %s: %s %s", name, cannot, path, has);
	}
}

static const struct {
	uint8_t type;
	uint64_t capability;
	const char *cannot, *has;
} type_rules[] = {
	{ KATAIMG_LNK, KATAIMG_CAP_SYMLINKS, "symbolic links", "is one" },
	{ KATAIMG_CHR, KATAIMG_CAP_DEVICES, "device nodes", "is one" },
	{ KATAIMG_BLK, KATAIMG_CAP_DEVICES, "device nodes", "is one" },
	{ KATAIMG_FIFO, KATAIMG_CAP_FIFOS, "fifos", "is one" },
	{ KATAIMG_SOCK, KATAIMG_CAP_SOCKETS, "sockets", "is one" },
};

static bool has_holes(const struct kataimg_node *node)
{
	uint64_t data = 0;

	for (uint32_t i = 0; i < node->segment_count; i++)
		data += node->segments[i].len;
	return data < node->size;
}

static void check_xattrs(struct negotiation *n, const struct kataimg_node *node)
{
	uint64_t can = session_table(n->session)->capabilities;
	char has[REASON_BYTES];

	for (uint32_t i = 0; i < node->xattr_count; i++) {
		snprintf(has, sizeof(has), "has %s", node->xattrs[i].name);
		if (!(can & KATAIMG_CAP_XATTRS))
			offend(n, node, TREE_DROP_XATTR, i, "extended attributes", has);
		else if (!(can & KATAIMG_CAP_ACLS) && acl_is_name(node->xattrs[i].name))
			offend(n, node, TREE_DROP_XATTR, i, "POSIX ACLs", has);
	}
}

static void check_nanoseconds(struct negotiation *n, const struct kataimg_node *node)
{
	if (session_table(n->session)->capabilities & KATAIMG_CAP_NANOSECONDS || !node->mtime_nsec)
		return;
	if (n->with_nanoseconds++ == 0)
		n->first_with_nanoseconds = node;
	else if (n->drop)
		drop(n, node, TREE_DROP_NANOSECONDS, 0);
}

static void offend_nanoseconds(struct negotiation *n)
{
	char has[REASON_BYTES];

	if (n->with_nanoseconds == 0)
		return;
	snprintf(has, sizeof(has),
		 "is one of %" PRIu64 " that have them (whole-seconds = yes cuts them)",
		 n->with_nanoseconds);
	offend(n, n->first_with_nanoseconds, TREE_DROP_NANOSECONDS, 0, "nanoseconds", has);
}

static void check_capabilities(struct negotiation *n, const struct kataimg_node *node)
{
	uint64_t can = session_table(n->session)->capabilities;
	char has[REASON_BYTES];

	for (size_t i = 0; i < sizeof(type_rules) / sizeof(type_rules[0]); i++)
		if (node->type == type_rules[i].type && !(can & type_rules[i].capability))
			offend(n, node, TREE_DROP_NODE, 0, type_rules[i].cannot, type_rules[i].has);
	if (!(can & KATAIMG_CAP_HARDLINKS) && node->type != KATAIMG_DIR && node->nlink > 1) {
		snprintf(has, sizeof(has), "has %" PRIu32 " names", node->nlink);
		offend(n, node, TREE_DROP_LINKS, 0, "hard links", has);
	}
	check_xattrs(n, node);
	check_nanoseconds(n, node);
	if (!(can & KATAIMG_CAP_SPARSE) && node->type == KATAIMG_REG && has_holes(node))
		offend(n, node, TREE_DROP_HOLES, 0, "holes", "is sparse (holes = fill fills it)");
}

struct limit_rule {
	uint64_t value, limit;
	const char *cannot, *unit;
};

static void check_rules(struct negotiation *n, const struct kataimg_node *node,
			const struct limit_rule *rules, size_t count)
{
	char cannot[REASON_BYTES], has[REASON_BYTES];

	for (size_t i = 0; i < count; i++) {
		if (rules[i].value <= rules[i].limit)
			continue;
		snprintf(cannot, sizeof(cannot), "%s above %" PRIu64, rules[i].cannot,
			 rules[i].limit);
		snprintf(has, sizeof(has), "has %" PRIu64 "%s", rules[i].value, rules[i].unit);
		offend(n, node, TREE_DROP_NODE, 0, cannot, has);
		return;
	}
}

static void check_times(struct negotiation *n, const struct kataimg_node *node)
{
	char has[REASON_BYTES];

	if (node->mtime_sec >= n->limits.mtime_min && node->mtime_sec <= n->limits.mtime_max)
		return;
	snprintf(has, sizeof(has),
		 "has %" PRId64 " seconds since 1970, it holds %" PRId64 " to %" PRId64,
		 node->mtime_sec, n->limits.mtime_min, n->limits.mtime_max);
	offend(n, node, TREE_DROP_NODE, 0, "this modification time", has);
}

static void check_node_limits(struct negotiation *n, const struct kataimg_node *node)
{
	const struct kataimg_limits *limits = &n->limits;
	bool dir = node->type == KATAIMG_DIR, link = node->type == KATAIMG_LNK;
	bool device = node->type == KATAIMG_CHR || node->type == KATAIMG_BLK;
	const struct limit_rule rules[] = {
		{ link ? node->size : 0, limits->symlink_bytes, "symbolic link targets", " bytes" },
		{ node->type == KATAIMG_REG ? node->size : 0, limits->file_bytes, "files",
		  " bytes" },
		{ device ? node->rdev_major : 0, limits->device_major, "device majors", "" },
		{ device ? node->rdev_minor : 0, limits->device_minor, "device minors", "" },
		{ node->uid, limits->id, "user ids", "" },
		{ node->gid, limits->id, "group ids", "" },
		{ dir ? 0 : node->nlink, limits->links, "link counts", " names" },
		{ dir ? node->nlink - 2 : 0, limits->subdirectories,
		  "subdirectories of one directory", " of them" },
		{ node->entry_count, limits->entries, "entries of one directory", " of them" },
	};

	check_rules(n, node, rules, sizeof(rules) / sizeof(rules[0]));
	check_times(n, node);
}

static void check_names(struct negotiation *n, const struct kataimg_node *node)
{
	for (uint32_t i = 0; i < node->entry_count; i++) {
		const struct kataimg_entry *entry = &node->entries[i];
		const struct limit_rule rule = { entry->name_len, n->limits.name_bytes, "names",
						 " bytes in its name" };

		check_rules(n, entry->node, &rule, 1);
	}
}

/* One size of one attribute against its limit. Returns whether it fits. */
static bool check_xattr_size(struct negotiation *n, const struct kataimg_node *node, uint32_t item,
			     const char *what, uint64_t size, uint64_t limit)
{
	char cannot[REASON_BYTES], has[REASON_BYTES];

	if (size <= limit)
		return true;
	snprintf(cannot, sizeof(cannot), "extended attributes with %s above %" PRIu64 " bytes",
		 what, limit);
	snprintf(has, sizeof(has), "has %s with %" PRIu64, node->xattrs[item].name, size);
	offend(n, node, TREE_DROP_XATTR, item, cannot, has);
	return false;
}

static void check_xattr_limits(struct negotiation *n, const struct kataimg_node *node)
{
	const struct kataimg_limits *limits = &n->limits;
	char cannot[REASON_BYTES], has[REASON_BYTES];
	uint64_t total = 0;

	for (uint32_t i = 0; i < node->xattr_count; i++) {
		const struct kataimg_xattr *xattr = &node->xattrs[i];

		if (check_xattr_size(n, node, i, "names", xattr->name_len,
				     limits->xattr_name_bytes) &&
		    check_xattr_size(n, node, i, "values", xattr->value_len,
				     limits->xattr_value_bytes))
			total += (uint64_t)xattr->name_len + xattr->value_len;
	}
	if (total <= limits->xattr_total_bytes)
		return;
	snprintf(cannot, sizeof(cannot), "more than %" PRIu64 " bytes of extended attributes",
		 limits->xattr_total_bytes);
	snprintf(has, sizeof(has), "has %" PRIu64, total);
	offend(n, node, TREE_DROP_XATTRS, 0, cannot, has);
}

static int check_backend(struct negotiation *n, const struct kataimg_node *node,
			 struct error *error)
{
	char reason[REASON_BYTES], has[REASON_BYTES + 2];
	int ret = session_check(n->session, node, reason, sizeof(reason), error);

	if (ret <= 0)
		return ret;
	snprintf(has, sizeof(has), "(%s)", *reason ? reason : "the backend does not say why");
	offend(n, node, ret == KATAIMG_CHECK_XATTRS ? TREE_DROP_XATTRS : TREE_DROP_NODE, 0,
	       ret == KATAIMG_CHECK_XATTRS ? "these extended attributes" : "this", has);
	return 0;
}

static int check_tree(struct negotiation *n, struct error *error)
{
	const struct kataimg_tree *tree = tree_public(n->tree);
	int ret = 0;

	if (tree->node_count > n->limits.nodes)
		return error_set(
			error, EFBIG,
			"%s cannot store more than %" PRIu64 " inodes: the tree has %" PRIu64,
			session_table(n->session)->name, n->limits.nodes, tree->node_count);
	for (uint64_t i = 0; ret == 0 && i < tree->node_count; i++) {
		const struct kataimg_node *node = tree->nodes[i];

		if (cancel_requested())
			return cancel_check(error);
		check_capabilities(n, node);
		check_node_limits(n, node);
		check_names(n, node);
		check_xattr_limits(n, node);
		ret = check_backend(n, node, error);
	}
	offend_nanoseconds(n);
	return ret;
}

static void end_list(struct negotiation *n)
{
	if (n->refused > NEGOTIATE_LISTED_MAX)
		list(n, "and %" PRIu64 " more", n->refused - NEGOTIATE_LISTED_MAX);
	fputs(" (unsupported = drop leaves out what cannot be stored)", n->list);
}

int negotiate_tree(struct session *session, struct tree *tree, bool drop, uint64_t *dropped,
		   struct error *error)
{
	struct negotiation n = { .session = session, .tree = tree, .drop = drop };
	autofree char *listed = NULL;
	size_t listed_size;
	int ret = session_limits(session, &n.limits, error);

	if (ret < 0)
		return ret;
	n.list = open_memstream(&listed, &listed_size);
	if (!n.list)
		return error_nomem(error);
	ret = check_tree(&n, error);
	end_list(&n);
	/* Out of memory, the stream may end well without a text. */
	if ((fclose(n.list) != 0 || !listed) && ret == 0)
		ret = error_nomem(error);
	if (ret < 0)
		return ret;
	if (n.ret < 0)
		return error_nomem(error);
	*dropped = n.dropped;
	return n.refused ? error_set_lines(error, EOPNOTSUPP, listed) : 0;
}
