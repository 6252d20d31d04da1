/* tree_draw: a tree of lines on a terminal: branches, ink, lines that break at blanks.
 *
 * Knows nothing of what the lines say.
 */
#ifndef ANALYZE_TREE_DRAW_H
#define ANALYZE_TREE_DRAW_H

#include "analyze/tree.h"
#include "base/arena.h"
#include "base/table.h"

struct node;

/* A line behind the others under a node (NULL: the root): before, then the word that carries the
 * ink, then the rest.  Texts are borrowed, and outlive the node (arena). */
struct node *tree_draw_add(struct arena *arena, struct node *under, const char *before,
    enum table_ink ink, const char *mark, const char *after);
/* The ink for how a stage ended. */
enum table_ink tree_draw_ink(unsigned outcome);
void tree_draw_print(struct arena *arena, const struct node *root, const struct tree_look *look,
    struct wbuf *out);

#endif
