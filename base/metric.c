#include "base/metric.h"

#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
metric_add(struct metric *metric, int64_t by)
{
	atomic_fetch_add_explicit(&metric->value, by, memory_order_relaxed);
}

void
metric_set(struct metric *metric, int64_t value)
{
	atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

/* Backslash and newline are escaped everywhere, the quote only inside label values. */
static void
put_escaped(struct wbuf *out, const char *text, bool quote)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			wbuf_puts(out, "\\\\");
		else if (*text == '\n')
			wbuf_puts(out, "\\n");
		else if (*text == '"' && quote)
			wbuf_puts(out, "\\\"");
		else
			wbuf_put(out, text, 1);
	}
}

void
metric_family(struct wbuf *out, const char *name, enum metric_type type, const char *help)
{
	assert(type != METRIC_COUNTER || text_ends_nocase(name, "_total"));
	wbuf_printf(out, "# HELP %s ", name);
	put_escaped(out, help, false);
	wbuf_printf(
	    out, "\n# TYPE %s %s\n", name, type == METRIC_COUNTER ? "counter" : "gauge");
}

/* The shortest decimal that reads back as the same number, with a point in every locale. */
static void
put_number(struct wbuf *out, double value)
{
	char text[40] = "";

	if (isnan(value) || isinf(value)) {
		wbuf_puts(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	for (char *at = text; *at != '\0'; at++) {
		if (strchr("0123456789+-e", *at) == NULL)
			*at = '.';
	}
	wbuf_puts(out, text);
}

static void
put_labels(struct wbuf *out, const char *const *labels)
{
	if (labels == NULL || labels[0] == NULL)
		return;
	wbuf_puts(out, "{");
	for (size_t i = 0; labels[i] != NULL; i += 2) {
		wbuf_printf(out, "%s%s=\"", i != 0 ? "," : "", labels[i]);
		put_escaped(out, labels[i + 1], true);
		wbuf_puts(out, "\"");
	}
	wbuf_puts(out, "}");
}

void
metric_sample(struct wbuf *out, const char *name, const char *const *labels, double value)
{
	wbuf_puts(out, name);
	put_labels(out, labels);
	wbuf_puts(out, " ");
	put_number(out, value);
	wbuf_puts(out, "\n");
}

void
metric_write(struct wbuf *out, const struct metric *metric)
{
	int64_t value = atomic_load_explicit(&metric->value, memory_order_relaxed);

	metric_family(out, metric->name, metric->type, metric->help);
	wbuf_printf(out, "%s %lld\n", metric->name, (long long)value);
}
