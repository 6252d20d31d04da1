/* arm: reading members of a document of the Azure Resource Manager.
 *
 * REST puts a resource's members below `properties`, `az` mostly flattens them, and the shapes
 * change between versions: so a member is looked for in both places, and null counts as absent
 * [cosmos-account].  What a member means is its reader's matter.
 */
#ifndef ANALYZE_ARM_H
#define ANALYZE_ARM_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

struct json_t;

enum { ARM_TEXT_MAX = 512 };

/* What a reader of one document carries along. */
struct arm_reader {
	struct arena *arena;
	const char   *source; /* for errors: file or address */
	struct err   *err;
};

/* Where in the document we are, for errors: "value[1].locations[0]". */
struct arm_spot {
	const char          *path;
	const struct json_t *value;
};

/* "source: path.member: wanted"; returns false. */
bool arm_refuse(const struct arm_reader *in, const char *path, const char *member,
    const char *wanted) MUST_CHECK;

/* NULL when it is absent or null. */
const struct json_t *arm_member(const struct arm_spot *at, const char *member);

/* Each false with err when the member is there and of another type.
 * A text that is absent is "", made safe to print; an absent array or object has value NULL. */
bool arm_text(const struct arm_reader *in, const struct arm_spot *at, const char *member,
    const char **text) MUST_CHECK;
bool arm_array(const struct arm_reader *in, const struct arm_spot *at, const char *member,
    const struct json_t **array) MUST_CHECK;
bool arm_object(const struct arm_reader *in, const struct arm_spot *at, const char *member,
    struct arm_spot *below) MUST_CHECK;

/* "https://host[:port][/...]" of the member: host in lower case, "" when it is absent; port 443
 * where none is told. */
bool arm_endpoint(const struct arm_reader *in, const struct arm_spot *at, const char *member,
    const char **host, uint16_t *port) MUST_CHECK;

/* The element of an array member, or of an array that is the document itself (member ""). */
struct arm_spot arm_element(const struct arm_reader *in, const char *path, const char *member,
    size_t index, const struct json_t *value);

/* The resource's own name, behind the last '/' of its id. */
const char *arm_name(const char *id);
char       *arm_lower(struct arena *arena, const char *text, size_t count);
/* Letters, digits, '-' and '.', no empty label, at least one dot [rfc1034 3.5]. */
bool arm_is_host(const char *host);

#endif
