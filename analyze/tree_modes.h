/* tree_modes: what signed requests, Direct mode and Gateway V2 showed, as branches of a tree. */
#ifndef ANALYZE_TREE_MODES_H
#define ANALYZE_TREE_MODES_H

#include "analyze/tree_draw.h"

/* Adds nothing for a measurement that has nothing of the kind. */
void tree_modes_add(struct arena *arena, struct node *root, const struct measurement *seen);

#endif
