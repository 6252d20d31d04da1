/* post_batch: an agent of one batch.  Reads the batch as JSON, with the names of fields.def, from
 * standard input, encodes it and posts it to a collector; prints the answer and its status.
 *
 * usage: post_batch URL CA_FILE TOKEN_FILE
 * v, epoch, seq and created_ms have presets (1, random, 1, now), as has started_ms (now). */
#include "base/arena.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "proto/encode.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void __attribute__((__noreturn__)) PRINTF_LIKE(1, 2) give_up(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\n", stderr);
	exit(1);
}

static void read_message(
    struct arena *arena, const struct message_desc *desc, const json_t *from, void *into);

static void
read_list(struct arena *arena, const struct field_desc *field, const json_t *from, char *into)
{
	size_t count = json_array_size(from), bytes = field->element->bytes;
	char  *items = arena_array(arena, count + 1, bytes);

	for (size_t i = 0; i < count; i++)
		read_message(arena, field->element, json_array_get(from, i), items + i * bytes);
	*(void **)(void *)(into + field->at) = items;
	*(size_t *)(void *)(into + field->count_at) = count;
}

static void
read_scalar(const struct field_desc *field, const json_t *from, char *into)
{
	void    *at = into + field->at;
	uint32_t word;

	switch (field->type) {
	case FIELD_BOOL: *(bool *)at = json_is_true(from); break;
	case FIELD_U64: *(uint64_t *)at = (uint64_t)json_integer_value(from); break;
	case FIELD_I64: *(int64_t *)at = json_integer_value(from); break;
	case FIELD_U32: *(uint32_t *)at = (uint32_t)json_integer_value(from); break;
	default:
		if (!json_is_string(from) ||
		    !field_word_parse(field->type, json_string_value(from), &word))
			give_up("%s: no such word", field->name);
		*(uint32_t *)at = word;
	}
}

static void
read_field(struct arena *arena, const struct field_desc *field, const json_t *from, char *into)
{
	void *sub;

	switch (field->type) {
	case FIELD_LIST: read_list(arena, field, from, into); break;
	case FIELD_SUB:
		sub = arena_alloc(arena, field->element->bytes);
		read_message(arena, field->element, from, sub);
		*(void **)(void *)(into + field->at) = sub;
		break;
	case FIELD_TEXT:
		*(const char **)(void *)(into + field->at) = arena_strdup(
		    arena, json_string_value(from));
		break;
	default: read_scalar(field, from, into);
	}
}

static void
read_message(
    struct arena *arena, const struct message_desc *desc, const json_t *from, void *into)
{
	const char *name;
	json_t     *value;

	json_object_foreach ((json_t *)from, name, value) {
		size_t at = 0;

		while (at < desc->field_count && strcmp(desc->fields[at].name, name) != 0)
			at++;
		if (at == desc->field_count)
			give_up("%s has no field %s", desc->name, name);
		read_field(arena, &desc->fields[at], value, into);
	}
}

static void
fill_presets(struct batch *batch)
{
	int64_t now_ms = clock_wall_ms(clock_system());

	if (batch->v == 0)
		batch->v = PROTO_VERSION;
	if (batch->epoch == 0)
		digest_random(&batch->epoch, sizeof(batch->epoch));
	if (batch->seq == 0)
		batch->seq = 1;
	if (batch->created_ms == 0)
		batch->created_ms = now_ms;
	for (size_t i = 0; i < batch->records_count; i++) {
		struct measurement *seen = batch->records[i].measurement;

		if (seen != NULL && seen->started_ms == 0)
			seen->started_ms = now_ms;
	}
}

static struct curl_slist *
make_headers(const char *token, const struct wbuf *body)
{
	struct curl_slist *headers = NULL;
	uint8_t            digest[DIGEST_BYTES];
	char               text[BASE64_ROOM(DIGEST_BYTES)], line[200];

	digest_sha256(body->bytes, body->count, digest);
	snprintf(line, sizeof(line),
	    "Content-Digest: sha-256=:%s:", base64_encode(digest, DIGEST_BYTES, text));
	headers = curl_slist_append(headers, line);
	snprintf(line, sizeof(line), "Authorization: Bearer %.*s", (int)strcspn(token, "\r\n"),
	    token);
	headers = curl_slist_append(headers, line);
	return curl_slist_append(headers, "Content-Type: application/vnd.msgpack");
}

static long
post(const char *url, const char *ca_file, struct curl_slist *headers, const struct wbuf *body)
{
	CURL    *curl = curl_easy_init();
	CURLcode code;
	long     status = 0;

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->bytes);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body->count);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 20000L);
	code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		give_up("%s: %s", url, curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	return status;
}

int
main(int argc, char **argv)
{
	struct arena      *arena = arena_new();
	struct batch       batch = { 0 };
	struct err         err;
	struct wbuf        body;
	struct curl_slist *headers;
	size_t             count;
	long               status;
	char              *text, *token;
	json_t            *from;

	if (argc != 4)
		give_up("usage: post_batch URL CA_FILE TOKEN_FILE");
	text = file_read(arena, "-", 16 << 20, &count, &err);
	from = text != NULL ? json_read(text, count, "standard input", &err) : NULL;
	token = file_read(arena, argv[3], 4096, &count, &err);
	if (from == NULL || token == NULL)
		give_up("%s", err.text);
	read_message(arena, &batch_desc, from, &batch);
	json_decref(from);
	fill_presets(&batch);
	wbuf_init(&body);
	encode_message(&batch_desc, &batch, &body);
	headers = make_headers(token, &body);
	status = post(argv[1], argv[2], headers, &body);
	printf("\n%ld\n", status);
	curl_slist_free_all(headers);
	wbuf_fini(&body);
	arena_free(arena);
	return status == 200 ? 0 : 1;
}
