/* generation: what a maxWireVersion of MongoDB is called among people.
 *
 * Only a name for a number: Azure Cosmos DB chooses its own, whatever server version the account
 * is set to, so it is never a claim about that.
 */
#ifndef ANALYZE_GENERATION_H
#define ANALYZE_GENERATION_H

#include <stddef.h>
#include <stdint.h>

enum { GENERATION_TEXT = 40 };

/* "6.1"; NULL for a number without a name [mongo-wire]. */
const char *generation_find(uint32_t wire);
/* "wire 18 (6.1 generation)", or "wire 18".  text holds at least GENERATION_TEXT bytes.  Returns
 * text. */
char *generation_render(uint32_t wire, char *text, size_t room);

#endif
