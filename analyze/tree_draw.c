#include "analyze/tree_draw.h"

#include "base/text.h"
#include "proto/outcome.h"

#include <string.h>

struct node {
	const char    *before, *mark, *after;
	enum table_ink ink;
	struct node   *first, *last, *next;
};

struct pen {
	struct arena           *arena; /* borrowed */
	const struct tree_look *look;
	struct wbuf            *out;
	unsigned                column; /* where the next character goes */
	enum table_ink          ink;    /* that is on */
	unsigned                blanks; /* that stand before it, unless the line breaks there */
	const struct branch_marks *marks;
};

static const struct branch_marks {
	const char *fork, *last, *pass, *none; /* three columns each */
} ascii_marks = { "|- ", "`- ", "|  ", "   " }, line_marks = { "├─ ", "└─ ", "│  ", "   " };

struct node *
tree_draw_add(struct arena *arena, struct node *under, const char *before, enum table_ink ink,
    const char *mark, const char *after)
{
	struct node *node = arena_alloc(arena, sizeof(*node));

	*node = (struct node){ .before = before, .mark = mark, .after = after, .ink = ink };
	if (under == NULL)
		return node;
	if (under->last != NULL)
		under->last->next = node;
	else
		under->first = node;
	under->last = node;
	return node;
}

enum table_ink
tree_draw_ink(unsigned outcome)
{
	switch (outcome) {
	case OUTCOME_OK: return TABLE_GREEN;
	case OUTCOME_NOT_RUN:
	case OUTCOME_AGENT_LATE:
	case OUTCOME_POLICY:
	case OUTCOME_LOCAL: return TABLE_GREY; /* says nothing of the peer */
	default: return TABLE_RED;
	}
}

/* What was on the wire is text from strangers: nothing of it may reach the terminal as a command
 * to it, and without UTF-8 nothing but ASCII. */
static char *
copy_clean(struct pen *pen, const char *text)
{
	char *copy = arena_strdup(pen->arena, text);

	text_clean(copy);
	for (char *at = copy; !pen->look->utf8 && *at != '\0'; at++) {
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	}
	return copy;
}

static unsigned
count_columns(const char *text, size_t count)
{
	unsigned columns = 0;

	for (size_t i = 0; i < count; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

static void
set_ink(struct pen *pen, enum table_ink ink)
{
	bool colour = pen->look->colour;

	if (pen->ink == ink)
		return;
	wbuf_puts(pen->out, table_ink_off(pen->ink, colour));
	wbuf_puts(pen->out, table_ink_on(ink, colour));
	pen->ink = ink;
}

/* What stands before a word: blanks, or the next line's lead when it does not fit; a comma may
 * follow it.  The branches stay without ink. */
static void
put_gap(struct pen *pen, const char *lead, unsigned columns)
{
	if (pen->blanks > 0 && pen->column + pen->blanks + columns >= pen->look->width) {
		set_ink(pen, TABLE_PLAIN);
		wbuf_printf(pen->out, "\n%s", lead);
		pen->column = count_columns(lead, strlen(lead));
	} else {
		wbuf_printf(pen->out, "%*s", (int)pen->blanks, "");
		pen->column += pen->blanks;
	}
	pen->blanks = 0;
}

static void
put_text(struct pen *pen, enum table_ink ink, const char *lead, const char *text)
{
	text = copy_clean(pen, text);
	while (*text != '\0') {
		size_t   blanks = strspn(text, " "), count = strcspn(text + blanks, " ");
		unsigned columns = count_columns(text + blanks, count);

		pen->blanks += (unsigned)blanks;
		text += blanks;
		if (count == 0)
			break;
		put_gap(pen, lead, columns);
		set_ink(pen, ink);
		wbuf_put(pen->out, text, count);
		pen->column += columns;
		text += count;
	}
	set_ink(pen, TABLE_PLAIN);
}

/* The lead is what stands left of the node's own branch. */
static void
put_node(struct pen *pen, const struct node *node, const char *lead, bool is_root)
{
	const struct branch_marks *marks = pen->marks;
	const char                *branch = node->next != NULL ? marks->fork : marks->last;
	const char                *below = node->next != NULL ? marks->pass : marks->none;
	const char *inner = is_root ? "" : arena_printf(pen->arena, "%s%s", lead, below);
	const char *folded = arena_printf(
	    pen->arena, "%s%s", inner, node->first != NULL ? marks->pass : marks->none);

	if (!is_root)
		wbuf_printf(pen->out, "%s%s", lead, branch);
	pen->column = count_columns(inner, strlen(inner));
	put_text(pen, TABLE_PLAIN, folded, node->before);
	put_text(pen, node->ink, folded, node->mark);
	put_text(pen, TABLE_PLAIN, folded, node->after);
	pen->blanks = 0;
	wbuf_puts(pen->out, "\n");
	for (const struct node *child = node->first; child != NULL; child = child->next)
		put_node(pen, child, inner, false);
}

void
tree_draw_print(struct arena *arena, const struct node *root, const struct tree_look *look,
    struct wbuf *out)
{
	struct pen pen = { .arena = arena,
		.look = look,
		.out = out,
		.marks = look->utf8 ? &line_marks : &ascii_marks };

	put_node(&pen, root, "", true);
}
