#include "probe/dns/dns_skim.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { FLAG_AA = 0x0400, FLAG_RCODE = 0x000f };
enum { TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_OPT = 41, CLASS_IN = 1 };
enum { PAYLOAD_LEAST = 512 }; /* less counts as this [rfc6891 6.2.3] */
enum { KNOWN_MAX = 4, LABEL_MAX = 63, POINTER = 0xc0, NAME_TEXT = 4 * DNS_NAME_BYTES + 1 };

/* The first pages of text are all that common answers touch. */
struct dns_skim {
	char               plain[256]; /* what stands for itself, in lower case; else 0 */
	struct dns_answer  answer;
	struct dns_alias   aliases[DNS_RECORDS_MAX];
	struct dns_address addresses[DNS_RECORDS_MAX];
	char               text[3 * DNS_RECORDS_MAX * NAME_TEXT]; /* an SOA has three names */
};

/* Where a name of the message begins, and its text: most names are a pointer to an earlier one. */
struct known {
	size_t      at;
	const char *text;
};

/* A parse under way. */
struct reader {
	struct dns_skim *skim; /* borrowed */
	uint16_t         type; /* asked for */
	const uint8_t   *bytes;
	size_t           count, at;
	char            *text; /* where the next name goes in skim->text */
	struct known     known[KNOWN_MAX];
	unsigned         known_count;
	struct err      *err;
};

struct skim_record {
	const char *owner;
	unsigned    type, class;
	uint32_t    ttl_s;     /* as it came */
	size_t      data, end; /* offsets */
};

enum section { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL, SECTION_COUNT };

static const char *const section_names[] = { "answer", "authority", "additional" };

static unsigned
read_u16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static uint32_t
read_u32(const uint8_t *at)
{
	return (uint32_t)read_u16(at) << 16 | read_u16(at + 2);
}

static void
put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

struct dns_skim *
dns_skim_new(void)
{
	struct dns_skim *skim = mem_alloc(sizeof(*skim));

	for (unsigned byte = 0; byte < sizeof(skim->plain); byte++) {
		char c = text_lower((char)byte);

		skim->plain[byte] = (char)(is_plain(c) ? c : 0);
	}
	return skim;
}

void
dns_skim_free(struct dns_skim *skim)
{
	free(skim);
}

bool
dns_skim_query(struct dns_query *query, const char *host, uint16_t type, struct err *err)
{
	uint8_t *label = query->bytes + DNS_HEAD_BYTES, *at = label + 1;
	uint8_t *last = label + DNS_NAME_BYTES - 1; /* where the root may stand at most */

	memset(query->bytes, 0, DNS_HEAD_BYTES);
	for (;; host++) {
		char c = text_lower(*host);

		if (at > last)
			return err_set(err, ERR_LIMIT, "the name is longer than 253 bytes");
		if (is_plain(c)) {
			*at++ = (uint8_t)c;
			continue;
		}
		if (c != '.' && c != '\0')
			return err_set(
			    err, ERR_PARSE, "byte 0x%02x stands in no host name", (uint8_t)c);
		if (at - label < 2 || at - label > LABEL_MAX + 1)
			return err_set(err, ERR_PARSE, "a label of %td bytes, 1 to 63 wanted",
			    at - label - 1);
		*label = (uint8_t)(at - label - 1);
		label = at++;
		if (c == '\0' || host[1] == '\0')
			break;
	}
	*label = 0;
	put_u16(label + 1, type);
	put_u16(label + 3, CLASS_IN);
	query->type = type;
	query->question_bytes = (size_t)(label + 5 - (query->bytes + DNS_HEAD_BYTES));
	query->bytes[2] = 1; /* recursion is desired [rfc1035 4.1.1] */
	query->bytes[5] = 1;
	dns_query_stamp(query, 0, false);
	return true;
}

void
dns_skim_shuffle(struct dns_query *query, const uint8_t *bits)
{
	uint8_t *at = query->bytes + DNS_HEAD_BYTES;

	for (size_t i = 0; i < query->question_bytes - 4; i++) {
		if (at[i] >= 'a' && at[i] <= 'z')
			at[i] ^= (uint8_t)((bits[i / 8] >> i % 8 & 1) << 5);
	}
}

/* A byte that does not stand for itself, as in a zone file [rfc4343 2.1]. */
static char *
write_odd(char *out, uint8_t byte)
{
	bool prints = byte > 0x20 && byte < 0x7f;

	if (!prints || byte == '.' || byte == '\\')
		*out++ = '\\';
	if (prints) {
		*out++ = (char)byte;
		return out;
	}
	*out++ = (char)('0' + byte / 100);
	*out++ = (char)('0' + byte / 10 % 10);
	*out++ = (char)('0' + byte % 10);
	return out;
}

static char *
write_label(const struct reader *in, char *out, size_t at, size_t count)
{
	const uint8_t *label = in->bytes + at;

	for (size_t i = 0; i < count; i++) {
		char c = in->skim->plain[label[i]];

		if (c != 0)
			*out++ = c;
		else
			out = write_odd(out, label[i]);
	}
	return out;
}

static const char *
refuse_name(struct reader *in, const char *why)
{
	err_set(in->err, ERR_PARSE, "a name at byte %zu: %s", in->at, why);
	return NULL;
}

/* The text of the name at `at` to out; NULL with in->err.  Each pointer has to point before the
 * place where the name, or the part of it that was read last, begins: so it ends.  *end is where
 * what follows the name stands. */
static char *
write_name(struct reader *in, char *out, size_t *end)
{
	size_t at = in->at, begin = in->at, name_bytes = 1;

	*end = 0;
	for (;;) {
		unsigned label;

		if (at >= in->count)
			goto cut;
		label = in->bytes[at];
		if (label == 0) {
			*end = *end != 0 ? *end : at + 1;
			return out;
		}
		if (label >= POINTER) {
			if (at + 2 > in->count)
				goto cut;
			*end = *end != 0 ? *end : at + 2;
			at = read_u16(in->bytes + at) & 0x3fff;
			if (at >= begin || at < DNS_HEAD_BYTES)
				break;
			begin = at;
			continue;
		}
		name_bytes += 1 + label;
		if (label > LABEL_MAX || name_bytes > DNS_NAME_BYTES) {
			refuse_name(in, "a label or name that is too long");
			return NULL;
		}
		if (at + 1 + label > in->count)
			goto cut;
		if (out != in->text)
			*out++ = '.';
		out = write_label(in, out, at + 1, label);
		at += 1 + label;
	}
	refuse_name(in, "a pointer that does not point back");
	return NULL;
cut:
	refuse_name(in, "cut short");
	return NULL;
}

static const char *
find_known(const struct reader *in)
{
	size_t at;

	if (in->at + 2 > in->count || in->bytes[in->at] < POINTER)
		return NULL;
	at = read_u16(in->bytes + in->at) & 0x3fff;
	for (unsigned i = 0; i < in->known_count; i++) {
		if (in->known[i].at == at)
			return in->known[i].text;
	}
	return NULL;
}

/* The name at in->at, which then stands behind it; NULL with in->err. */
static const char *
read_name(struct reader *in)
{
	const char *name = find_known(in);
	size_t      begin = in->at, end;
	char       *out;

	if (name != NULL) {
		in->at += 2;
		return name;
	}
	out = write_name(in, in->text, &end);
	if (out == NULL)
		return NULL;
	if (out == in->text)
		*out++ = '.';
	*out++ = '\0';
	name = in->text;
	if (in->bytes[begin] >= POINTER)
		begin = read_u16(in->bytes + begin) & 0x3fff;
	if (in->known_count < KNOWN_MAX)
		in->known[in->known_count++] = (struct known){ begin, name };
	in->text = out;
	in->at = end;
	return name;
}

/* A value with the top bit set counts as zero [rfc2181 8]. */
static uint32_t
clamp_ttl(uint32_t ttl_s)
{
	return ttl_s > INT32_MAX ? 0 : ttl_s;
}

static bool
refuse_data(const struct reader *in, const struct skim_record *record)
{
	return err_set(in->err, ERR_PARSE, "data of %zu bytes do not fit type %u",
	    record->end - record->data, record->type);
}

static bool
take_alias(struct reader *in, const struct skim_record *record)
{
	struct dns_answer *answer = &in->skim->answer;
	const char        *target;

	in->at = record->data;
	target = read_name(in);
	if (target == NULL)
		return false;
	if (in->at != record->end)
		return refuse_data(in, record);
	in->skim->aliases[answer->alias_count++] = (struct dns_alias){
		.owner = record->owner, .target = target, .ttl_s = clamp_ttl(record->ttl_s)
	};
	return true;
}

static bool
take_address(struct reader *in, const struct skim_record *record)
{
	struct dns_answer *answer = &in->skim->answer;
	size_t             bytes = record->end - record->data;

	if (bytes != (in->type == DNS_TYPE_A ? 4 : 16))
		return refuse_data(in, record);
	in->skim->addresses[answer->address_count++] = (struct dns_address){
		.owner = record->owner,
		.addr = addr_from_bytes(in->bytes + record->data, bytes, 0),
		.ttl_s = clamp_ttl(record->ttl_s),
	};
	return true;
}

/* Two names and five numbers, the last of which is the minimum [rfc1035 3.3.13]. */
static bool
take_soa(struct reader *in, const struct skim_record *record)
{
	struct dns_answer *answer = &in->skim->answer;
	uint32_t           least_s;

	in->at = record->data;
	if (read_name(in) == NULL || read_name(in) == NULL)
		return false;
	if (in->at + 20 != record->end)
		return refuse_data(in, record);
	if (answer->has_soa)
		return true;
	least_s = clamp_ttl(read_u32(in->bytes + in->at + 16));
	answer->has_soa = true;
	answer->soa = record->owner;
	answer->negative_ttl_s = clamp_ttl(record->ttl_s);
	if (least_s < answer->negative_ttl_s)
		answer->negative_ttl_s = least_s;
	return true;
}

static bool
take_record(struct reader *in, enum section section, const struct skim_record *record)
{
	struct dns_answer *answer = &in->skim->answer;

	if (section == SECTION_ADDITIONAL && record->type == TYPE_OPT && !answer->edns) {
		answer->edns = true;
		answer->udp_payload = record->class < PAYLOAD_LEAST ? PAYLOAD_LEAST
		                                                    : record->class;
		answer->rcode |= record->ttl_s >> 24 << 4; /* [rfc6891 6.1.3] */
	}
	if (record->class != CLASS_IN)
		return true;
	if (section == SECTION_ANSWER && record->type == TYPE_CNAME)
		return take_alias(in, record);
	if (section == SECTION_ANSWER && record->type == in->type)
		return take_address(in, record);
	if (section == SECTION_AUTHORITY && record->type == TYPE_SOA)
		return take_soa(in, record);
	return true;
}

static bool
read_record(struct reader *in, enum section section)
{
	struct skim_record record = { .owner = read_name(in) };
	const uint8_t     *fixed = in->bytes + in->at; /* [rfc1035 4.1.3] */

	if (record.owner == NULL)
		return false;
	if (in->count - in->at < 10)
		return err_set(in->err, ERR_PARSE, "cut short");
	record.type = read_u16(fixed);
	record.class = read_u16(fixed + 2);
	record.ttl_s = read_u32(fixed + 4);
	record.data = in->at + 10;
	record.end = record.data + read_u16(fixed + 8);
	if (record.end > in->count)
		return err_set(in->err, ERR_PARSE, "cut short");
	if (!take_record(in, section, &record))
		return false;
	in->at = record.end;
	return true;
}

static bool
read_section(struct reader *in, enum section section, unsigned records)
{
	for (unsigned i = 0; i < records; i++) {
		if (!read_record(in, section))
			return err_in(in->err, "%s record %u of %u", section_names[section],
			    i + 1, records);
	}
	return true;
}

const struct dns_answer *
dns_skim_parse(struct dns_skim *skim, const struct dns_query *query, const uint8_t *bytes,
    size_t count, struct err *err)
{
	unsigned      flags = read_u16(bytes + 2), counts[SECTION_COUNT], all = 0;
	struct reader in = { .skim = skim,
		.type = query->type,
		.bytes = bytes,
		.count = count,
		.at = DNS_HEAD_BYTES + query->question_bytes,
		.text = skim->text,
		.err = err };

	skim->answer = (struct dns_answer){ .rcode = flags & FLAG_RCODE,
		.authoritative = (flags & FLAG_AA) != 0,
		.aliases = skim->aliases,
		.addresses = skim->addresses,
		.nsid = "",
		.soa = "" };
	for (unsigned i = 0; i < SECTION_COUNT; i++)
		all += counts[i] = read_u16(bytes + 6 + 2 * i);
	if (all > DNS_RECORDS_MAX) {
		err_set(
		    err, ERR_LIMIT, "%u records, at most %d are taken", all, DNS_RECORDS_MAX);
		return NULL;
	}
	for (unsigned i = 0; i < SECTION_COUNT; i++) {
		if (!read_section(&in, (enum section)i, counts[i]))
			return NULL;
	}
	return &skim->answer;
}
