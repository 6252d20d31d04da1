#include "collector/roster_line.h"

#include "collector/auth.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ID_MAX = 40 };

/* What stands behind the first word of each kind, a letter a word. */
static const struct {
	const char *name, *words;
} kinds[ROSTER_KINDS] = {
	[ROSTER_TOKEN] = { "token", "iandteur" },
	[ROSTER_CARD] = { "card", "iandtef" },
	[ROSTER_USED] = { "used", "it" },
	[ROSTER_REVOKE_AGENT] = { "revoke-agent", "at" },
	[ROSTER_REVOKE_CARD] = { "revoke-card", "it" },
	[ROSTER_REVOKE_TOKEN] = { "revoke-token", "it" },
};

static bool
is_id(const char *text)
{
	size_t count = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789");

	return count > 0 && count <= ID_MAX && text[count] == '\0';
}

static bool
read_number(int64_t *number, const char *text)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 10);
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

static bool
read_word(struct roster_line *line, char letter, const char *word)
{
	int64_t flag;

	switch (letter) {
	case 'i': line->id = word; return is_id(word);
	case 'f': line->from = word; return is_id(word);
	case 'd':
		return strlen(word) == DIGEST_HEX - 1 &&
		    digest_unhex(word, line->digest, DIGEST_BYTES);
	case 't': return read_number(&line->at_ms, word);
	case 'e': return read_number(&line->ends_ms, word);
	case 'u': return read_number(&line->uses, word);
	case 'r':
		if (!read_number(&flag, word) || flag > 1)
			return false;
		line->replace = flag == 1;
		return true;
	case 'a':
		line->agent = strcmp(word, "-") == 0 ? "" : word;
		return line->agent[0] == '\0' || auth_is_agent(word);
	case 'n':
		line->network = strcmp(word, "-") == 0 ? "" : word;
		return word[0] != '\0' && auth_is_network(word);
	default: return false;
	}
}

/* Only a token may be for any agent. */
static bool
has_agent(const struct roster_line *line)
{
	return line->agent[0] != '\0' || line->kind == ROSTER_TOKEN ||
	    strchr(kinds[line->kind].words, 'a') == NULL;
}

bool
roster_line_parse(struct roster_line *line, char *text, struct err *err)
{
	const char *name = strsep(&text, " "), *words;
	int         kind = 0;

	while (kind < ROSTER_KINDS && strcmp(kinds[kind].name, name) != 0)
		kind++;
	if (kind == ROSTER_KINDS)
		return err_set(err, ERR_PARSE, "a line of no kind that is known");
	*line = (struct roster_line){
		.kind = (enum roster_kind)kind, .id = "", .agent = "", .network = "", .from = ""
	};
	for (words = kinds[kind].words; *words != '\0' && text != NULL; words++) {
		if (!read_word(line, *words, strsep(&text, " ")))
			return err_set(err, ERR_PARSE, "word %d of '%s' is not one",
			    (int)(words - kinds[kind].words) + 2, name);
	}
	if (*words != '\0' || text != NULL)
		return err_set(err, ERR_PARSE, "'%s' has too %s words", name,
		    text != NULL ? "many" : "few");
	return has_agent(line) || err_set(err, ERR_PARSE, "'%s' without an agent", name);
}

static void
write_word(struct wbuf *out, const struct roster_line *line, char letter)
{
	char hex[DIGEST_HEX];

	wbuf_u8(out, ' ');
	switch (letter) {
	case 'i': wbuf_puts(out, line->id); break;
	case 'f': wbuf_puts(out, line->from); break;
	case 'd': wbuf_puts(out, digest_hex(line->digest, DIGEST_BYTES, hex)); break;
	case 't': wbuf_printf(out, "%" PRId64, line->at_ms); break;
	case 'e': wbuf_printf(out, "%" PRId64, line->ends_ms); break;
	case 'u': wbuf_printf(out, "%" PRId64, line->uses); break;
	case 'r': wbuf_puts(out, line->replace ? "1" : "0"); break;
	case 'a': wbuf_puts(out, line->agent[0] != '\0' ? line->agent : "-"); break;
	case 'n': wbuf_puts(out, line->network[0] != '\0' ? line->network : "-"); break;
	default: break;
	}
}

void
roster_line_write(struct wbuf *out, const struct roster_line *line)
{
	wbuf_puts(out, kinds[line->kind].name);
	for (const char *letter = kinds[line->kind].words; *letter != '\0'; letter++)
		write_word(out, line, *letter);
	wbuf_u8(out, '\n');
}
