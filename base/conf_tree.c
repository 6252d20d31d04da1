#include "base/conf_tree.h"

#include <string.h>
#include <yaml.h>

struct builder {
	yaml_parser_t parser;
	struct arena *arena; /* borrowed */
	const char   *name;  /* borrowed */
	struct err   *err;   /* borrowed */
	size_t        node_count;
	unsigned      depth;
	struct conf_node
	    *open[CONF_TREE_DEPTH_MAX]; /* lists and maps around, outermost first */
	struct conf_node *last[CONF_TREE_DEPTH_MAX]; /* the newest child of each */
	struct conf_node *key[CONF_TREE_DEPTH_MAX];  /* a map's key that waits for its value */
	struct conf_node *root;
	unsigned          document_count;
	bool              over;
};

static bool
refuse(struct builder *builder, const yaml_mark_t *at, const char *why)
{
	return err_set(builder->err, ERR_PARSE, "%s:%zu:%zu: %s", builder->name, at->line + 1,
	    at->column + 1, why);
}

/* The parser's own complaint, in one line. */
static bool
refuse_syntax(struct builder *builder)
{
	const yaml_parser_t *parser = &builder->parser;
	const char          *why = parser->problem != NULL ? parser->problem : "not YAML";

	if (parser->error == YAML_READER_ERROR)
		return err_set(builder->err, ERR_PARSE, "%s: byte %zu: %s", builder->name,
		    parser->problem_offset, why);
	return refuse(builder, &parser->problem_mark, why);
}

static struct conf_node *
add_node(struct builder *builder, enum conf_node_kind kind, const yaml_event_t *event)
{
	struct conf_node *node = arena_alloc(builder->arena, sizeof(*node));

	node->kind = kind;
	node->text = "";
	node->line = (unsigned)event->start_mark.line + 1;
	node->column = (unsigned)event->start_mark.column + 1;
	return node;
}

/* Hangs the node where it belongs; a key waits beside its map. */
static bool
hang_node(struct builder *builder, struct conf_node *node, const yaml_event_t *event)
{
	unsigned          at = builder->depth - 1;
	struct conf_node *parent;

	if (++builder->node_count > CONF_TREE_NODES_MAX)
		return refuse(builder, &event->start_mark, "too many entries");
	if (builder->depth == 0) {
		builder->root = node;
		return true;
	}
	parent = builder->open[at];
	if (parent->kind == CONF_NODE_MAP && builder->key[at] == NULL) {
		if (node->kind != CONF_NODE_SCALAR)
			return refuse(builder, &event->start_mark, "a key must be a word");
		builder->key[at] = node;
		return true;
	}
	node->key = builder->key[at];
	builder->key[at] = NULL;
	if (builder->last[at] == NULL)
		parent->first = node;
	else
		builder->last[at]->next = node;
	builder->last[at] = node;
	parent->count++;
	return true;
}

static bool
take_start(struct builder *builder, const yaml_event_t *event, enum conf_node_kind kind,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct conf_node *node;

	if (anchor != NULL)
		return refuse(builder, &event->start_mark, "anchors are not taken");
	if (tag != NULL)
		return refuse(builder, &event->start_mark, "tags are not taken");
	if (kind != CONF_NODE_SCALAR && builder->depth == CONF_TREE_DEPTH_MAX)
		return refuse(builder, &event->start_mark, "nested too deeply");
	node = add_node(builder, kind, event);
	if (kind == CONF_NODE_SCALAR) {
		const char *text = (const char *)event->data.scalar.value;
		size_t      count = event->data.scalar.length;

		if (memchr(text, '\0', count) != NULL)
			return refuse(builder, &event->start_mark, "a NUL in the text");
		node->text = arena_strndup(builder->arena, text, count);
		node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	}
	if (!hang_node(builder, node, event))
		return false;
	if (kind != CONF_NODE_SCALAR) {
		builder->open[builder->depth] = node;
		builder->last[builder->depth] = NULL;
		builder->key[builder->depth++] = NULL;
	}
	return true;
}

static bool
take_event(struct builder *builder, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT: return true;
	case YAML_STREAM_END_EVENT: builder->over = true; return true;
	case YAML_DOCUMENT_START_EVENT:
		if (builder->document_count++ != 0)
			return refuse(builder, &event->start_mark,
			    "a second document in the file; one wanted");
		return true;
	case YAML_ALIAS_EVENT:
		return refuse(builder, &event->start_mark, "aliases are not taken");
	case YAML_SCALAR_EVENT:
		return take_start(builder, event, CONF_NODE_SCALAR, event->data.scalar.anchor,
		    event->data.scalar.tag);
	case YAML_SEQUENCE_START_EVENT:
		return take_start(builder, event, CONF_NODE_LIST,
		    event->data.sequence_start.anchor, event->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return take_start(builder, event, CONF_NODE_MAP,
		    event->data.mapping_start.anchor, event->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: builder->depth--; return true;
	}
	return true;
}

bool
conf_tree_parse(struct conf_node **root, struct arena *arena, const char *text, size_t count,
    const char *name, struct err *err)
{
	struct builder builder = { .arena = arena, .name = name, .err = err };
	bool           good = true;

	*root = NULL;
	if (count > CONF_TREE_BYTES_MAX)
		return err_set(
		    err, ERR_LIMIT, "%s: larger than %d bytes", name, (int)CONF_TREE_BYTES_MAX);
	if (yaml_parser_initialize(&builder.parser) == 0)
		return err_set(err, ERR_SYSTEM, "%s: cannot start the YAML parser", name);
	yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
	if (count >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
		text += 3;
		count -= 3;
	}
	yaml_parser_set_input_string(&builder.parser, (const unsigned char *)text, count);
	while (good && !builder.over) {
		yaml_event_t event;

		good = yaml_parser_parse(&builder.parser, &event) != 0
		    ? take_event(&builder, &event)
		    : refuse_syntax(&builder);
		if (builder.parser.error == YAML_NO_ERROR)
			yaml_event_delete(&event);
	}
	yaml_parser_delete(&builder.parser);
	*root = good ? builder.root : NULL;
	return good;
}
