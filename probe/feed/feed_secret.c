#include "probe/feed/feed_secret.h"

#include "base/text.h"

#include <string.h>

static const char withheld[] = "(withheld: it quoted our credential)";

static void
decode_mark(char mark[FEED_SECRET_MARK + 1], const char *text)
{
	size_t count = 0;

	while (*text != '\0' && count < FEED_SECRET_MARK) {
		int high = text[0] == '%' ? text_hex(text[1]) : -1;
		int low = high >= 0 ? text_hex(text[2]) : -1;

		if (low >= 0) {
			mark[count++] = (char)(high << 4 | low);
			text += 3;
		} else {
			mark[count++] = *text++;
		}
	}
	mark[count] = '\0';
}

void
feed_secret_note(struct feed_secret *secret, const char *header)
{
	static const char *const names[] = { "sig%3d", "sig=" };

	const char *at = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && at == NULL; i++) {
		at = text_find_nocase(header, names[i]);
		at = at != NULL ? at + strlen(names[i]) : NULL;
	}
	if (at == NULL)
		at = header;
	strncpy(secret->marks[0], at, FEED_SECRET_MARK);
	secret->marks[0][FEED_SECRET_MARK] = '\0';
	decode_mark(secret->marks[1], at);
}

bool
feed_secret_is_in(const struct feed_secret *secret, const char *text)
{
	for (size_t i = 0; i < 2; i++) {
		if (text != NULL && secret->marks[i][0] != '\0' &&
		    text_find_nocase(text, secret->marks[i]) != NULL)
			return true;
	}
	return false;
}

static void
withhold_in(const struct feed_secret *secret, const struct message_desc *desc, void *message)
{
	for (size_t i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];
		const char **text = (const char **)(void *)((char *)message + field->at);

		if (field->type == FIELD_TEXT && feed_secret_is_in(secret, *text))
			*text = withheld;
	}
}

void
feed_secret_withhold(const struct feed_secret *secret, struct feed *feed)
{
	withhold_in(secret, &feed_desc, feed);
	for (size_t i = 0; i < feed->regions_count; i++)
		withhold_in(secret, &gateway_region_desc, &feed->regions[i]);
}

static bool
is_quoted_in(const struct feed_secret *secret, const struct feed_replica *replica)
{
	return feed_secret_is_in(secret, replica->uri.host) ||
	    feed_secret_is_in(secret, replica->uri.path) ||
	    feed_secret_is_in(secret, replica->partition);
}

size_t
feed_secret_drop(const struct feed_secret *secret, struct feed_found *found)
{
	size_t kept = 0, all = found->count;

	for (size_t i = 0; i < all; i++) {
		if (!is_quoted_in(secret, &found->replicas[i]))
			found->replicas[kept++] = found->replicas[i];
	}
	found->count = kept;
	return all - kept;
}
