#include "analyze/findings_md.h"

#include "analyze/failures.h"
#include "base/text.h"

#include <string.h>

static const char *
stage_words(enum stage stage)
{
	switch (stage) {
	case STAGE_ALONE: return "name, by itself";
	case STAGE_ACCOUNT: return "document, or all names together";
	case STAGE_REGION: return "names of regions";
	case STAGE_NAME: return "name";
	case STAGE_ANSWER: return "answer";
	case STAGE_TCP: return "connection";
	case STAGE_TLS: return "handshake";
	case STAGE_HTTP: return "request";
	}
	return "";
}

static void
put_block(struct wbuf *out, const char *title, const char *text)
{
	if (*text != '\0')
		wbuf_printf(out, "%s\n\n```sh\n%s\n```\n\n", title, text);
}

static void
put_finding(const struct finding_desc *desc, struct wbuf *out)
{
	struct arena *arena = arena_new();
	const char   *labels;

	wbuf_printf(out, "## %s\n\n", desc->code);
	wbuf_printf(out, "%s\n\n", desc->explain);
	wbuf_printf(out, "- severity: %s\n- whose fix: %s\n- seen in the: %s\n",
	    state_name(desc->severity), owner_name(desc->owner), stage_words(desc->stage));
	if (*desc->basis != '\0')
		wbuf_printf(out, "- basis: %s\n", desc->basis);
	labels = failure_labels(arena, (enum finding_code)(desc - finding_table));
	if (*labels != '\0')
		wbuf_printf(out, "- failure modes: %s\n", labels);
	wbuf_printf(out, "- sentence: `%s`\n\n", desc->sentence);
	arena_free(arena);
	put_block(out, "Fix:", desc->fix);
	put_block(out, "Fix when it holds for all names:", desc->fix_all);
}

static void
put_codes(const struct failure *failure, struct wbuf *out)
{
	for (size_t i = 0; failure->codes[i] != FINDING_COUNT; i++) {
		const char *code = finding_table[failure->codes[i]].code;

		wbuf_printf(out, "%s[%s](#", i > 0 ? ", " : "", code);
		for (const char *at = code; *at != '\0'; at++)
			wbuf_printf(out, "%c", text_lower(*at));
		wbuf_puts(out, ")");
	}
}

static void
put_failures(struct wbuf *out)
{
	wbuf_puts(out,
	    "## Failure modes\n\nWhat is known to go wrong, and what it shows as: first what "
	    "names it "
	    "when the documents are\ngiven, then what is left to say without them. D is name "
	    "resolution, N the path, A account and\napplication, P the prober. What is not in "
	    "the table is out of sight.\n\n"
	    "| | what is wrong | shows as |\n| --- | --- | --- |\n");
	for (const struct failure *failure = failure_table; failure->label != NULL; failure++) {
		wbuf_printf(out, "| %s | %s | ", failure->label, failure->words);
		put_codes(failure, out);
		wbuf_puts(out, " |\n");
	}
	wbuf_puts(out, "\n");
}

static void
put_unseen(struct wbuf *out)
{
	wbuf_puts(out, "## Out of sight\n\nWhat goes wrong and no finding tells, and why.\n\n");
	for (const struct unseen *unseen = unseen_table; unseen->label != NULL; unseen++)
		wbuf_printf(out, "- %s%s%s: %s.%s%s%s\n", unseen->label,
		    *unseen->label != '\0' ? ". " : "", unseen->what, unseen->why,
		    *unseen->hint != '\0' ? " What helps: " : "", unseen->hint,
		    *unseen->hint != '\0' ? "." : "");
}

void
findings_md(struct wbuf *out)
{
	wbuf_puts(out,
	    "# Findings\n\n"
	    "Generated from `analyze/findings.def` by `gen-docs findings`; do not edit.\n\n"
	    "Codes and numbers are stable. `ok` is told and is no fault; `unknown` says that "
	    "we "
	    "could not\nfind out, and never stands for a fault of the account. How many "
	    "findings "
	    "a set of\nobservations makes is written down at the head of `analyze/judge.c`.\n\n"
	    "| code | severity | whose fix | in short |\n| --- | --- | --- | --- |\n");
	for (unsigned i = 0; i < FINDING_COUNT; i++)
		wbuf_printf(out, "| %s | %s | %s | %s |\n", finding_table[i].code,
		    state_name(finding_table[i].severity), owner_name(finding_table[i].owner),
		    finding_table[i].words);
	wbuf_puts(out, "\n");
	for (unsigned i = 0; i < FINDING_COUNT; i++)
		put_finding(&finding_table[i], out);
	put_failures(out);
	put_unseen(out);
	/* One newline ends the file. */
	if (out->count > 1 && out->bytes[out->count - 2] == '\n')
		out->count--;
}

enum { EXPLAIN_WIDTH = 80 };

/* Breaks at blanks. */
static void
put_wrapped(struct wbuf *out, const char *text)
{
	while (*text != '\0') {
		size_t count = strlen(text);

		if (count > EXPLAIN_WIDTH) {
			count = EXPLAIN_WIDTH;
			while (count > 0 && text[count] != ' ')
				count--;
			if (count == 0)
				count = strcspn(text, " ");
		}
		wbuf_printf(out, "%.*s\n", (int)count, text);
		text += count;
		text += strspn(text, " ");
	}
}

static void
put_commands(struct wbuf *out, const char *title, const char *text)
{
	if (*text == '\0')
		return;
	wbuf_printf(out, "\n%s\n", title);
	while (*text != '\0') {
		int count = (int)strcspn(text, "\n");

		wbuf_printf(out, "    %.*s\n", count, text);
		text += count + (text[count] == '\n' ? 1 : 0);
	}
}

static void
put_labels(enum finding_code code, struct wbuf *out)
{
	struct arena *arena = arena_new();
	const char   *labels = failure_labels(arena, code);

	if (*labels != '\0')
		wbuf_printf(out, "Failure modes: %s\n", labels);
	arena_free(arena);
}

bool
findings_explain_failure(const char *label, struct wbuf *out)
{
	const struct failure *failure = failure_find(label);
	const struct unseen  *unseen = failure_unseen(label);

	if (failure != NULL) {
		wbuf_printf(
		    out, "Failure mode %s: %s\n\nShows as:\n", failure->label, failure->words);
		for (size_t i = 0; failure->codes[i] != FINDING_COUNT; i++)
			wbuf_printf(out, "    %-32s %s\n",
			    finding_table[failure->codes[i]].code,
			    finding_table[failure->codes[i]].words);
	}
	if (failure == NULL && unseen != NULL)
		wbuf_printf(out, "Failure mode %s: %s\n", unseen->label, unseen->what);
	if (unseen != NULL) {
		wbuf_printf(out, "\nOut of sight%s:\n", failure != NULL ? " in part" : "");
		put_wrapped(out, unseen->why);
	}
	if (unseen != NULL && *unseen->hint != '\0') {
		wbuf_puts(out, "\nWhat helps:\n");
		put_wrapped(out, unseen->hint);
	}
	return failure != NULL || unseen != NULL;
}

void
findings_explain(enum finding_code code, struct wbuf *out)
{
	const struct finding_desc *desc = &finding_table[code];

	wbuf_printf(
	    out, "%s (%s): %s\n\n", desc->code, state_name(desc->severity), desc->words);
	put_wrapped(out, desc->explain);
	wbuf_printf(out, "\nWhose fix: %s", owner_name(desc->owner));
	if (*desc->basis != '\0')
		wbuf_printf(out, "    Basis: %s", desc->basis);
	wbuf_puts(out, "\n");
	put_labels(code, out);
	put_commands(out, "Fix:", desc->fix);
	put_commands(out, "Fix when it holds for all names:", desc->fix_all);
}
