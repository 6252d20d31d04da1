/* verdict_table: the places of a verdict as tables for people: what each mode shows, in its terms.
 *
 * When more than one mode was measured, a summary of the modes stands first.
 */
#ifndef ANALYZE_VERDICT_TABLE_H
#define ANALYZE_VERDICT_TABLE_H

#include "analyze/verdict.h"
#include "base/table.h"

void verdict_table_print(
    const struct verdict *verdict, const struct verdict_look *look, struct wbuf *out);

enum table_ink verdict_table_ink(enum state state);

#endif
