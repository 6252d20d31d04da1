#include "collector/password.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct digest_cost password_cost = { .log2_n = 15, .block = 8, .lanes = 3 };

static const struct digest_cost least = { .log2_n = 14, .block = 8, .lanes = 1 };
static const struct digest_cost most = { .log2_n = 17, .block = 16, .lanes = 16 };

bool
password_check(const char *text, struct err *err)
{
	size_t   count = strlen(text), width;
	uint32_t point;

	if (count < PASSWORD_LEAST || count > PASSWORD_MOST)
		return err_set(err, ERR_USAGE, "a password of %d to %d characters wanted",
		    PASSWORD_LEAST, PASSWORD_MOST);
	for (; count > 0; text += width, count -= width) {
		width = text_point(text, count, &point);
		if (width == 0 || point < 0x20 || (point >= 0x7f && point < 0xa0))
			return err_set(err, ERR_USAGE,
			    "the password holds a control character, or is not UTF-8");
	}
	return true;
}

static bool
hash(const struct password *password, const char *text, uint8_t digest[DIGEST_BYTES])
{
	return digest_scrypt(
	    text, password->salt, PASSWORD_SALT_BYTES, &password->cost, digest);
}

bool
password_make(struct password *password, const char *text, const struct digest_cost *cost,
    struct err *err)
{
	password->cost = *cost;
	digest_random(password->salt, sizeof(password->salt));
	return hash(password, text, password->digest) ||
	    err_set(err, ERR_SYSTEM, "no memory for the hash of a password");
}

/* A whole number, and the mark behind it. */
static bool
take_number(const char **text, unsigned *number, char mark)
{
	char         *end;
	unsigned long value;

	if (**text < '0' || **text > '9')
		return false;
	value = strtoul(*text, &end, 10);
	if (*end != mark || value > 1000)
		return false;
	*number = (unsigned)value;
	*text = end + 1;
	return true;
}

static bool
take_bytes(const char **text, uint8_t *bytes, size_t count)
{
	char   hex[DIGEST_HEX];
	size_t chars = 2 * count;

	if (strlen(*text) < chars)
		return false;
	memcpy(hex, *text, chars);
	hex[chars] = '\0';
	*text += chars;
	return digest_unhex(hex, bytes, count);
}

static bool
is_between(unsigned number, unsigned low, unsigned high)
{
	return number >= low && number <= high;
}

/* "scrypt:15:8:3:salt:digest" */
bool
password_parse(struct password *password, const char *text, struct err *err)
{
	static const char   kind[] = "scrypt:";
	struct digest_cost *cost = &password->cost;

	if (strncmp(text, kind, sizeof(kind) - 1) != 0)
		return err_set(err, ERR_PARSE, "no hash of a password: scrypt:... wanted");
	text += sizeof(kind) - 1;
	if (!take_number(&text, &cost->log2_n, ':') || !take_number(&text, &cost->block, ':') ||
	    !take_number(&text, &cost->lanes, ':') ||
	    !take_bytes(&text, password->salt, PASSWORD_SALT_BYTES) || *text++ != ':' ||
	    !take_bytes(&text, password->digest, DIGEST_BYTES) || *text != '\0')
		return err_set(err, ERR_PARSE, "a hash of a password that is malformed");
	if (!is_between(cost->log2_n, least.log2_n, most.log2_n) ||
	    !is_between(cost->block, least.block, most.block) ||
	    !is_between(cost->lanes, least.lanes, most.lanes))
		return err_set(err, ERR_LIMIT,
		    "a hash of a password with a cost of %u:%u:%u, wanted %u:%u:%u to "
		    "%u:%u:%u",
		    cost->log2_n, cost->block, cost->lanes, least.log2_n, least.block,
		    least.lanes, most.log2_n, most.block, most.lanes);
	return true;
}

char *
password_render(const struct password *password, char *text)
{
	char salt[2 * PASSWORD_SALT_BYTES + 1], digest[DIGEST_HEX];

	snprintf(text, PASSWORD_ROOM, "scrypt:%u:%u:%u:%s:%s", password->cost.log2_n,
	    password->cost.block, password->cost.lanes,
	    digest_hex(password->salt, PASSWORD_SALT_BYTES, salt),
	    digest_hex(password->digest, DIGEST_BYTES, digest));
	return text;
}

bool
password_is(const struct password *password, const char *text)
{
	uint8_t digest[DIGEST_BYTES];
	bool    equal;

	if (!hash(password, text, digest))
		return false;
	equal = digest_equal(digest, password->digest, DIGEST_BYTES);
	digest_wipe(digest, sizeof(digest));
	return equal;
}
