/* fuzz_listen_head: the head of a request: what is taken has one end, one host and a plain path, and
 * is still taken with a header more that means nothing. */
#include "base/arena.h"
#include "base/text.h"
#include "collector/listen_head.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { LINES = 16 };

/* The first line is the target, behind a digit for the version; the others are headers, cut at their
 * first colon. */
static struct listen_head
cut_lines(char *text, struct listen_head_line lines[LINES + 1])
{
	struct listen_head head = {
		.target = text + 1, .minor = text[0] != '0', .lines = lines
	};
	char *at = strchr(text, '\n');

	while (at != NULL && head.count < LINES) {
		struct listen_head_line *line = &lines[head.count++];
		char                    *colon, *next;

		*at = '\0';
		line->name = at + 1;
		next = strchr(at + 1, '\n');
		if (next != NULL)
			*next = '\0';
		colon = strchr(at + 1, ':');
		line->value = colon != NULL ? colon + 1 : "";
		if (colon != NULL)
			*colon = '\0';
		at = next;
	}
	return head;
}

static unsigned
count_lines(const struct listen_head *head, const char *name)
{
	unsigned count = 0;

	for (size_t i = 0; i < head->count; i++)
		count += text_equal_nocase(head->lines[i].name, name);
	return count;
}

static void
check_taken(struct listen_head *head, struct listen_head_line *next)
{
	const char *why;

	if (head->target[0] != '/' || strstr(head->target, "%00") != NULL ||
	    strpbrk(head->target, " #\t\r") != NULL || strlen(head->target) > LISTEN_TARGET_MAX)
		abort();
	if (count_lines(head, "Content-Length") + count_lines(head, "Transfer-Encoding") > 1 ||
	    count_lines(head, "Host") > 1 || count_lines(head, "Authorization") > 1 ||
	    (head->minor > 0 && count_lines(head, "Host") != 1))
		abort();
	*next = (struct listen_head_line){ "X-Nothing", "1" };
	head->count++;
	if (listen_head_check(head, &why) != 0)
		abort();
	*next = (struct listen_head_line){ "Host", "again" };
	if (head->minor > 0 && listen_head_check(head, &why) != 400)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct listen_head_line lines[LINES + 1];
	struct listen_head      head;
	struct arena           *arena;
	const char             *why;
	unsigned                status;

	if (count < 2 || memchr(bytes, '\0', count) != NULL)
		return 0;
	arena = arena_new();
	head = cut_lines(arena_strndup(arena, (const char *)bytes, count), lines);
	status = listen_head_check(&head, &why);
	if ((status != 0 && status != 400 && status != 414) ||
	    (status == 0) != (why[0] == '\0'))
		abort();
	if (status == 0)
		check_taken(&head, &lines[head.count]);
	arena_free(arena);
	return 0;
}
