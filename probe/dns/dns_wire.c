#include "probe/dns/dns_wire.h"

#include "base/digest.h"
#include "base/rcur.h"
#include "base/text.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <string.h>

/* Bits of the header's second 16-bit word [rfc1035 4.1.1]. */
enum {
	FLAG_QR = 0x8000,
	FLAG_OPCODE = 0x7800,
	FLAG_AA = 0x0400,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	FLAG_RCODE = 0x000f
};

enum { OPTION_NSID = 3, OPTION_EDE = 15, LABEL_MAX = 63 };
enum { EDE_TEXT_BYTES = 200, NSID_BYTES = 128, PAYLOAD_LEAST = 512 };

static void
put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

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

bool
dns_query_build(struct dns_query *query, const char *name, uint16_t type, struct err *err)
{
	ldns_rdf *owner = ldns_dname_new_frm_str(name);
	uint8_t  *at = query->bytes + DNS_HEAD_BYTES;
	size_t    bytes;

	if (owner == NULL)
		return err_set(err, ERR_PARSE, "'%.80s' is not a domain name", name);
	bytes = ldns_rdf_size(owner);
	memset(query, 0, sizeof(*query));
	/* The bytes that count the labels are below 64 and stay as they are. */
	for (size_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)text_lower((char)ldns_rdf_data(owner)[i]);
	ldns_rdf_deep_free(owner);
	at += bytes;
	put_u16(at, type);
	put_u16(at + 2, LDNS_RR_CLASS_IN);
	query->type = type;
	query->question_bytes = bytes + 4;
	put_u16(query->bytes + 2, FLAG_RD);
	put_u16(query->bytes + 4, 1);
	put_u16(at + 5, LDNS_RR_TYPE_OPT); /* behind the root's name, which is one zero */
	put_u16(at + 7, DNS_PAYLOAD_BYTES);
	put_u16(at + 13, 4); /* bytes of options: the one that follows */
	put_u16(at + 15, OPTION_NSID);
	dns_query_stamp(query, 0, true);
	return true;
}

void
dns_query_stamp(struct dns_query *query, uint16_t id, bool edns)
{
	put_u16(query->bytes, id);
	put_u16(query->bytes + 10, edns ? 1 : 0);
	query->edns = edns;
	query->count = DNS_HEAD_BYTES + query->question_bytes + (edns ? DNS_OPT_BYTES : 0);
}

void
dns_query_shuffle(struct dns_query *query)
{
	uint8_t *at = query->bytes + DNS_HEAD_BYTES;
	uint8_t  bits[(DNS_NAME_BYTES + 7) / 8];
	size_t   name_bytes = query->question_bytes - 4;

	digest_random(bits, sizeof(bits));
	for (size_t i = 0; i < name_bytes; i++) {
		if (at[i] >= 'a' && at[i] <= 'z' && (bits[i / 8] >> i % 8 & 1) != 0)
			at[i] = (uint8_t)(at[i] - 'a' + 'A');
	}
}

/* One label as in a zone file: "\." and "\\", and "\ddd" for what is no printable ASCII
 * [rfc4343 2.1].  Returns the end of what it wrote: at most four characters a byte. */
static char *
write_label(char *out, const uint8_t *label, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char c = text_lower((char)label[i]);

		if (label[i] <= 0x20 || label[i] >= 0x7f) {
			*out++ = '\\';
			*out++ = (char)('0' + label[i] / 100);
			*out++ = (char)('0' + label[i] / 10 % 10);
			*out++ = (char)('0' + label[i] % 10);
			continue;
		}
		if (c == '.' || c == '\\')
			*out++ = '\\';
		*out++ = c;
	}
	return out;
}

/* An uncompressed name of at most count bytes; the root is ".". */
static const char *
render_name(struct arena *arena, const uint8_t *at, size_t count)
{
	char   text[4 * DNS_NAME_BYTES + 1];
	char  *out = text;
	size_t label;

	while (count > 0 && at[0] != 0 && at[0] <= LABEL_MAX && at[0] < count &&
	    (size_t)(out - text) + 4u * at[0] + 2 <= sizeof(text)) {
		label = at[0];
		if (out != text)
			*out++ = '.';
		out = write_label(out, at + 1, label);
		at += 1 + label;
		count -= 1 + label;
	}
	if (out == text)
		*out++ = '.';
	return arena_strndup(arena, text, (size_t)(out - text));
}

const char *
dns_query_name(const struct dns_query *query, struct arena *arena)
{
	return render_name(arena, query->bytes + DNS_HEAD_BYTES, query->question_bytes - 4);
}

static bool
is_bare(const uint8_t *bytes, size_t count, unsigned rcode)
{
	static const uint8_t no_records[8];

	return count == DNS_HEAD_BYTES &&
	    memcmp(bytes + 4, no_records, sizeof(no_records)) == 0 &&
	    (rcode == DNS_RCODE_FORMERR || rcode == DNS_RCODE_SERVFAIL ||
	        rcode == DNS_RCODE_NOTIMP || rcode == DNS_RCODE_REFUSED);
}

static enum dns_match
compare_question(const struct dns_query *query, const uint8_t *bytes)
{
	const uint8_t *asked = query->bytes + DNS_HEAD_BYTES;

	if (memcmp(bytes, asked, query->question_bytes) == 0)
		return DNS_MATCH_ANSWER;
	/* A length is below 64 and so no letter; type and class of ours are none either. */
	for (size_t i = 0; i < query->question_bytes; i++) {
		if (text_lower((char)bytes[i]) != text_lower((char)asked[i]))
			return DNS_MATCH_STRAY;
	}
	return DNS_MATCH_OTHER_CASE;
}

enum dns_match
dns_answer_match(const struct dns_query *query, const uint8_t *bytes, size_t count)
{
	unsigned flags, questions, rcode;

	if (count < DNS_HEAD_BYTES || memcmp(bytes, query->bytes, 2) != 0)
		return DNS_MATCH_STRAY;
	flags = read_u16(bytes + 2);
	questions = read_u16(bytes + 4);
	rcode = flags & FLAG_RCODE;
	if ((flags & FLAG_QR) == 0 || (flags & FLAG_OPCODE) != 0)
		return DNS_MATCH_STRAY;
	if (is_bare(bytes, count, rcode))
		return DNS_MATCH_BARE;
	if (questions != 1 || count < DNS_HEAD_BYTES + query->question_bytes)
		return DNS_MATCH_STRAY;
	return compare_question(query, bytes + DNS_HEAD_BYTES);
}

bool
dns_answer_is_truncated(const uint8_t *bytes)
{
	return (dns_answer_flags(bytes) & FLAG_TC) != 0;
}

unsigned
dns_answer_flags(const uint8_t *bytes)
{
	return read_u16(bytes + 2);
}

/* A parse under way. */
struct reader {
	struct dns_answer *answer;
	struct arena      *arena; /* borrowed */
	uint16_t           type;  /* asked for */
	const uint8_t     *bytes; /* borrowed */
	size_t             count, at;
};

/* A record as ldns read it, and where its data stand. */
struct wire_record {
	ldns_rr *rr; /* owned */
	unsigned type;
	size_t   data, data_bytes;
};

/* Where a name ends that ldns has found good: behind its zero or its first pointer. */
static size_t
skip_name(const uint8_t *bytes, size_t at)
{
	while (bytes[at] != 0 && bytes[at] <= LABEL_MAX)
		at += 1u + bytes[at];
	return at + (bytes[at] == 0 ? 1 : 2);
}

/* Field `index` of the record's data when it has exactly `want` bytes (0: any), else NULL.  A
 * record may come without any data: then ldns hands out records without fields. */
static const ldns_rdf *
find_field(const ldns_rr *record, size_t index, size_t want)
{
	const ldns_rdf *field;

	if (index >= ldns_rr_rd_count(record))
		return NULL;
	field = ldns_rr_rdf(record, index);
	if (field == NULL || (want != 0 && ldns_rdf_size(field) != want))
		return NULL;
	return field;
}

static const char *
render_field(struct arena *arena, const ldns_rdf *name)
{
	return render_name(arena, ldns_rdf_data(name), ldns_rdf_size(name));
}

/* A value with the top bit set counts as zero [rfc2181 8]. */
static uint32_t
clamp_ttl(uint32_t ttl_s)
{
	return ttl_s > INT32_MAX ? 0 : ttl_s;
}

static bool
take_answer_record(struct reader *in, const struct wire_record *record, struct err *err)
{
	struct dns_answer *answer = in->answer;
	uint32_t           ttl_s = clamp_ttl(ldns_rr_ttl(record->rr));
	const ldns_rdf    *field = find_field(record->rr, 0, 0);
	const char        *owner;

	if (record->type != LDNS_RR_TYPE_CNAME && record->type != in->type)
		return true; /* a DNAME comes with the CNAME made from it [rfc6672 3.1] */
	if (field == NULL)
		return err_set(err, ERR_PARSE, "data of %zu bytes do not fit type %u",
		    record->data_bytes, record->type);
	owner = render_field(in->arena, ldns_rr_owner(record->rr));
	if (record->type == LDNS_RR_TYPE_CNAME)
		answer->aliases[answer->alias_count++] = (struct dns_alias){ owner,
			render_field(in->arena, field), ttl_s };
	else
		answer->addresses[answer->address_count++] = (struct dns_address){ owner,
			addr_from_bytes(in->bytes + record->data, record->data_bytes, 0),
			ttl_s };
	return true;
}

static bool
take_authority_record(struct reader *in, const struct wire_record *record, struct err *err)
{
	const ldns_rdf *minimum = find_field(record->rr, 6, 4); /* [rfc1035 3.3.13] */
	uint32_t        ttl_s = clamp_ttl(ldns_rr_ttl(record->rr)), least_s;

	if (record->type != LDNS_RR_TYPE_SOA || in->answer->has_soa)
		return true;
	if (minimum == NULL)
		return err_set(err, ERR_PARSE, "data of %zu bytes do not fit type %u",
		    record->data_bytes, record->type);
	least_s = clamp_ttl(read_u32(ldns_rdf_data(minimum)));
	in->answer->has_soa = true;
	in->answer->soa = render_field(in->arena, ldns_rr_owner(record->rr));
	in->answer->negative_ttl_s = ttl_s < least_s ? ttl_s : least_s;
	return true;
}

static void
take_ede(struct reader *in, const uint8_t *value, size_t count)
{
	struct dns_answer *answer = in->answer;

	if (count < 2 || answer->ede_count == DNS_ERRORS_MAX)
		return;
	/* The text may have a NUL at its end [rfc8914 2]. */
	if (count > 2 && value[count - 1] == 0)
		count--;
	answer->ede[answer->ede_count++] = (struct ede){ .code = read_u16(value),
		.text = text_sane(in->arena, value + 2, count - 2, EDE_TEXT_BYTES) };
}

static bool
is_printable(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] < 0x20 || bytes[i] >= 0x7f)
			return false;
	}
	return true;
}

/* Its bytes mean what the operator of the server likes [rfc5001 2.4]; most put a name. */
static void
take_nsid(struct reader *in, const uint8_t *value, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	char              text[2 + 2 * NSID_BYTES + 1] = "0x", *out = text + 2;

	if (count == 0 || in->answer->nsid[0] != '\0')
		return;
	if (count > NSID_BYTES)
		count = NSID_BYTES;
	if (is_printable(value, count)) {
		in->answer->nsid = arena_strndup(in->arena, (const char *)value, count);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		*out++ = digits[value[i] >> 4];
		*out++ = digits[value[i] & 15];
	}
	*out = '\0';
	in->answer->nsid = arena_strdup(in->arena, text);
}

/* Options that overrun their record are not worth losing the answer for: reading ends there. */
static void
take_options(struct reader *in, struct rcur options)
{
	while (rcur_left(&options) >= 4) {
		unsigned       code = rcur_u16be(&options);
		size_t         count = rcur_u16be(&options);
		const uint8_t *value = rcur_bytes(&options, count);

		if (value == NULL)
			return;
		if (code == OPTION_EDE)
			take_ede(in, value, count);
		else if (code == OPTION_NSID)
			take_nsid(in, value, count);
	}
}

static void
take_opt(struct reader *in, const struct wire_record *record)
{
	if (in->answer->edns)
		return; /* there may be only one [rfc6891 6.1.1] */
	in->answer->edns = true;
	/* Less than 512 counts as 512 [rfc6891 6.2.3]. */
	in->answer->udp_payload = ldns_rr_get_class(record->rr);
	if (in->answer->udp_payload < PAYLOAD_LEAST)
		in->answer->udp_payload = PAYLOAD_LEAST;
	in->answer->rcode |= ldns_rr_ttl(record->rr) >> 24 << 4;
	take_options(in, rcur_of(in->bytes + record->data, record->data_bytes));
}

static bool
take_record(struct reader *in, ldns_pkt_section section, const struct wire_record *record,
    struct err *err)
{
	if (record->type == LDNS_RR_TYPE_OPT && section == LDNS_SECTION_ADDITIONAL)
		take_opt(in, record);
	if (ldns_rr_get_class(record->rr) != LDNS_RR_CLASS_IN)
		return true;
	switch (section) {
	case LDNS_SECTION_ANSWER: return take_answer_record(in, record, err);
	case LDNS_SECTION_AUTHORITY: return take_authority_record(in, record, err);
	default: return true;
	}
}

static bool
read_record(struct reader *in, ldns_pkt_section section, struct err *err)
{
	size_t             start = in->at;
	struct wire_record record = { 0 };
	ldns_status status = ldns_wire2rr(&record.rr, in->bytes, in->count, &in->at, section);
	bool        taken;

	if (status != LDNS_STATUS_OK)
		return err_set(err, ERR_PARSE, "%s", ldns_get_errorstr_by_id(status));
	/* Type, class, TTL and length stand between name and data [rfc1035 4.1.3]. */
	record.data = skip_name(in->bytes, start) + 10;
	record.data_bytes = read_u16(in->bytes + record.data - 2);
	record.type = ldns_rr_get_type(record.rr);
	/* ldns goes by what it reads, not by the length that is said [rfc9267 5]. */
	if (record.data + record.data_bytes != in->at)
		taken = err_set(err, ERR_PARSE, "data of %zu bytes do not fit type %u",
		    record.data_bytes, record.type);
	else
		taken = take_record(in, section, &record, err);
	ldns_rr_free(record.rr);
	return taken;
}

static bool
take_section(struct reader *in, ldns_pkt_section section, const char *name, unsigned records,
    struct err *err)
{
	for (unsigned i = 0; i < records; i++) {
		if (!read_record(in, section, err))
			return err_in(err, "%s record %u of %u", name, i + 1, records);
	}
	return true;
}

bool
dns_answer_parse(struct dns_answer *answer, struct arena *arena, const struct dns_query *query,
    const uint8_t *bytes, size_t count, struct err *err)
{
	unsigned      flags = read_u16(bytes + 2), answers = read_u16(bytes + 6);
	unsigned      authority = read_u16(bytes + 8), additional = read_u16(bytes + 10);
	struct reader in = { answer, arena, query->type, bytes, count,
		DNS_HEAD_BYTES + query->question_bytes };

	*answer = (struct dns_answer){ .rcode = flags & FLAG_RCODE,
		.authoritative = (flags & FLAG_AA) != 0,
		.nsid = "",
		.soa = "" };
	if (answers + authority + additional > DNS_RECORDS_MAX)
		return err_set(err, ERR_LIMIT, "%u records, at most %d are taken",
		    answers + authority + additional, DNS_RECORDS_MAX);
	answer->aliases = arena_array(arena, answers, sizeof(*answer->aliases));
	answer->addresses = arena_array(arena, answers, sizeof(*answer->addresses));
	return take_section(&in, LDNS_SECTION_ANSWER, "answer", answers, err) &&
	    take_section(&in, LDNS_SECTION_AUTHORITY, "authority", authority, err) &&
	    take_section(&in, LDNS_SECTION_ADDITIONAL, "additional", additional, err);
}
