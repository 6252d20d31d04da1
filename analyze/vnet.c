#include "analyze/vnet.h"

#include "analyze/arm.h"
#include "base/text.h"

#include <string.h>

#define WANTED                                                                   \
	"/subscriptions/<id>/resourceGroups/<name>/providers/Microsoft.Network/" \
	"virtualNetworks/<name>, or that with /subnets/<name> behind it, wanted"

/* The words of an id that do not vary; NULL: a name. */
static const char *const pattern[] = { "subscriptions", NULL, "resourceGroups", NULL,
	"providers", "Microsoft.Network", "virtualNetworks", NULL, "subnets", NULL };

enum { PATTERN_COUNT = sizeof(pattern) / sizeof(pattern[0]), VNET_COUNT = PATTERN_COUNT - 2 };

/* Names may hold letters of any kind; what would spoil a line or a command may not. */
static bool
is_name(const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] == 0x7f)
			return false;
	}
	return count > 0;
}

static bool
is_word(const char *text, size_t count, const char *word)
{
	return strlen(word) == count && text_starts_nocase(text, word);
}

/* How many segments of the pattern the id has; 0: it does not follow it.  *vnet_bytes is the
 * length of the network's own id. */
static size_t
count_segments(const char *id, size_t *vnet_bytes)
{
	const char *at = id;
	size_t      count = 0;

	while (*at == '/') {
		size_t bytes = strcspn(at + 1, "/");

		if (count == PATTERN_COUNT ||
		    (pattern[count] != NULL ? !is_word(at + 1, bytes, pattern[count])
		                            : !is_name(at + 1, bytes)))
			return 0;
		at += 1 + bytes;
		if (++count == VNET_COUNT)
			*vnet_bytes = (size_t)(at - id);
	}
	return *at == '\0' ? count : 0;
}

bool
vnet_parse(struct vnet *vnet, struct arena *arena, const char *text, struct err *err)
{
	size_t count, bytes = 0;

	*vnet = (struct vnet){ "", "" };
	if (*text == '\0')
		return true;
	if (strlen(text) > ARM_TEXT_MAX)
		return err_set(err, ERR_USAGE, "longer than %d bytes", ARM_TEXT_MAX);
	count = count_segments(text, &bytes);
	if (count != VNET_COUNT && count != PATTERN_COUNT)
		return err_set(err, ERR_USAGE, "'%.200s': %s", text, WANTED);
	vnet->id = arena_strndup(arena, text, bytes);
	vnet->subnet = count == PATTERN_COUNT ? arena_strdup(arena, text) : "";
	return true;
}

bool
vnet_check(const char *text, struct err *err)
{
	struct arena *arena = arena_new();
	struct vnet   vnet;
	bool          good = vnet_parse(&vnet, arena, text, err);

	arena_free(arena);
	return good;
}

struct vnet
vnet_of(struct arena *arena, const char *id)
{
	struct vnet vnet;

	if (id == NULL || !vnet_parse(&vnet, arena, id, NULL))
		return (struct vnet){ "", "" };
	return vnet;
}

bool
vnet_is_same(const struct vnet *left, const struct vnet *right)
{
	return *left->id != '\0' && text_equal_nocase(left->id, right->id);
}

const char *
vnet_name(struct arena *arena, const struct vnet *vnet)
{
	if (*vnet->subnet == '\0')
		return arm_name(vnet->id);
	return arena_printf(arena, "%s/%s", arm_name(vnet->id), arm_name(vnet->subnet));
}
