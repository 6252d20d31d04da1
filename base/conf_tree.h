/* conf_tree: a YAML document as a tree in which everything knows its place.
 *
 * The door to libyaml.  A plain subset, so that a file means what it seems to mean: one document,
 * no aliases, no tags, keys are scalars; size, depth and number of nodes are bounded.
 */
#ifndef BASE_CONF_TREE_H
#define BASE_CONF_TREE_H

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>

enum { CONF_TREE_BYTES_MAX = 1 << 20, CONF_TREE_DEPTH_MAX = 8, CONF_TREE_NODES_MAX = 20000 };

enum conf_node_kind { CONF_NODE_SCALAR, CONF_NODE_LIST, CONF_NODE_MAP };

/* Lives in the arena, as all it points at. */
struct conf_node {
	enum conf_node_kind kind;
	unsigned            line, column; /* from 1 */
	const char         *text;         /* of a scalar; else "" */
	bool                plain;        /* a scalar without quotes */
	struct conf_node   *key;          /* of a map's member, else NULL */
	struct conf_node   *first,
	    *next;    /* children of a list or map; the next child of the same */
	size_t count; /* children */
};

/* false with "name:line:column: why"; *root is NULL for an empty document. */
bool conf_tree_parse(struct conf_node **root, struct arena *arena, const char *text,
    size_t count, const char *name, struct err *err) MUST_CHECK;

#endif
