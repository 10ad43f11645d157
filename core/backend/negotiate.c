/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/negotiate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend/negotiate_private.h"
#include "core/base/cancel.h"
#include "core/base/text.h"
#include "core/base/textstream.h"
#include "core/tree/xattr_rule.h"
#include "lib/acl.h"

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

void negotiation_drop(struct negotiation *n, const struct kataimg_node *node, enum tree_drop what,
		      uint64_t item)
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
	if (line)
		fprintf(n->list, "%s%s", n->listed++ ? "\n" : "", line);
	else
		n->ret = -ENOMEM;
}

void negotiation_offend(struct negotiation *n, const struct kataimg_node *node, enum tree_drop what,
			uint64_t item, const char *cannot, const char *has)
{
	const char *name = session_table(n->session)->name;
	char path[PATH_BYTES];

	if (n->drop && !(what == TREE_DROP_NODE && node->index == 0)) {
		n->drop->left_out(n->drop->arg, name, node, cannot, has);
		negotiation_drop(n, node, what, item);
	} else if (n->refused++ < NEGOTIATE_LISTED_MAX) {
		list(n, "%s cannot store %s: %s %s", name, cannot,
		     tree_path(node, path, sizeof(path)), has);
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
		const char *refusal =
			tree_xattr_refusal((enum kataimg_type)node->type, node->xattrs[i].name);

		snprintf(has, sizeof(has), "has %s", node->xattrs[i].name);
		if (!(can & KATAIMG_CAP_XATTRS))
			negotiation_offend(n, node, TREE_DROP_XATTR, i, "extended attributes", has);
		else if (!(can & KATAIMG_CAP_ACLS) && acl_is_name(node->xattrs[i].name))
			negotiation_offend(n, node, TREE_DROP_XATTR, i, "POSIX ACLs", has);
		else if (refusal)
			negotiation_offend(n, node, TREE_DROP_XATTR, i, refusal, has);
	}
}

static void check_capabilities(struct negotiation *n, const struct kataimg_node *node)
{
	uint64_t can = session_table(n->session)->capabilities;
	char has[REASON_BYTES];

	for (size_t i = 0; i < sizeof(type_rules) / sizeof(type_rules[0]); i++)
		if (node->type == type_rules[i].type && !(can & type_rules[i].capability))
			negotiation_offend(n, node, TREE_DROP_NODE, 0, type_rules[i].cannot,
					   type_rules[i].has);
	if (!(can & KATAIMG_CAP_HARDLINKS) && node->type != KATAIMG_DIR && node->nlink > 1) {
		snprintf(has, sizeof(has), "has %" PRIu32 " names", node->nlink);
		negotiation_offend(n, node, TREE_DROP_LINKS, 0, "hard links", has);
	}
	check_xattrs(n, node);
	if (!(can & KATAIMG_CAP_SPARSE) && node->type == KATAIMG_REG && has_holes(node))
		negotiation_offend(n, node, TREE_DROP_HOLES, 0, "holes",
				   "is sparse (holes = fill fills it)");
}

/* What each answer of a backend's check leaves out. */
static const struct {
	enum tree_drop drop;
	const char *cannot;
} check_rules[] = {
	[KATAIMG_CHECK_NODE] = { TREE_DROP_NODE, "this" },
	[KATAIMG_CHECK_XATTRS] = { TREE_DROP_XATTRS, "these extended attributes" },
	[KATAIMG_CHECK_OWNER] = { TREE_DROP_OWNER, "this owner" },
	[KATAIMG_CHECK_MODE] = { TREE_DROP_MODE, "this mode" },
};

static int check_backend(struct negotiation *n, const struct kataimg_node *node,
			 struct error *error)
{
	char reason[REASON_BYTES], has[REASON_BYTES + 2];
	int ret = session_check(n->session, node, reason, sizeof(reason), error);
	enum tree_drop what;

	if (ret <= 0)
		return ret;
	/* If a backend refuses a node for attributes that have been left out already, the node
	 * itself goes: else it would be refused forever. */
	what = check_rules[ret].drop;
	if (!tree_can_drop(node, what))
		what = TREE_DROP_NODE;
	snprintf(has, sizeof(has), "(%s)", *reason ? reason : "the backend does not say why");
	negotiation_offend(n, node, what, 0, check_rules[ret].cannot, has);
	return 0;
}

static int check_tree(struct negotiation *n, struct error *error)
{
	const struct kataimg_tree *tree = tree_public(n->tree);
	int ret = negotiation_begin_paths(n, error);

	if (ret == 0 && tree->node_count > n->limits.nodes)
		return error_set(
			error, EFBIG,
			"%s cannot store more than %" PRIu64 " inodes: the tree has %" PRIu64,
			session_table(n->session)->name, n->limits.nodes, tree->node_count);
	for (uint64_t i = 0; ret == 0 && i < tree->node_count; i++) {
		const struct kataimg_node *node = tree->nodes[i];

		if (cancel_requested())
			return cancel_check(error);
		check_capabilities(n, node);
		negotiation_check_limits(n, node);
		ret = check_backend(n, node, error);
	}
	negotiation_end_times(n);
	return ret;
}

static void end_list(struct negotiation *n)
{
	if (n->refused > NEGOTIATE_LISTED_MAX)
		list(n, "and %" PRIu64 " more", n->refused - NEGOTIATE_LISTED_MAX);
	fputs(" (unsupported = drop leaves out what cannot be stored)", n->list);
}

int negotiate_tree(struct session *session, struct tree *tree, const struct negotiate_drop *drop,
		   uint64_t *dropped, struct error *error)
{
	struct negotiation n = { .session = session, .tree = tree, .drop = drop };
	struct text_stream list;
	autofree char *listed = NULL;
	int ret = session_limits(session, &n.limits, error);

	if (ret < 0)
		return ret;
	if (text_stream_open(&list) < 0)
		return error_nomem(error);
	n.list = list.out;
	ret = check_tree(&n, error);
	free(n.path_bytes);
	end_list(&n);
	if (text_stream_close(&list, &listed) < 0 && ret == 0)
		ret = error_nomem(error);
	if (ret < 0)
		return ret;
	if (n.ret < 0)
		return error_errno(error, -n.ret, "cannot note what %s cannot store",
				   session_table(session)->name);
	*dropped = n.dropped;
	return n.refused ? error_set_lines(error, EOPNOTSUPP, listed) : 0;
}
