#include "analyze/ede.h"

const char *
ede_name(unsigned code)
{
	static const char *const names[] = { "other error", "unsupported DNSKEY algorithm",
		"unsupported DS digest type", "stale answer", "forged answer",
		"DNSSEC indeterminate", "DNSSEC bogus", "signature expired",
		"signature not yet valid", "DNSKEY missing", "RRSIGs missing",
		"no zone key bit set", "NSEC missing", "cached error", "not ready", "blocked",
		"censored", "filtered", "prohibited", "stale NXDOMAIN answer",
		"not authoritative", "not supported", "no reachable authority", "network error",
		"invalid data" };

	return code < sizeof(names) / sizeof(names[0]) ? names[code] : "";
}

const char *
ede_describe(struct arena *arena, const struct dns *dns)
{
	const char *text = "";

	for (size_t i = 0; i < dns->ede_count; i++) {
		const struct ede *ede = &dns->ede[i];
		const char       *name = ede_name(ede->code);

		text = arena_printf(
		    arena, "%s; EDE %u%s%s", text, ede->code, *name != '\0' ? " " : "", name);
		if (ede->text != NULL && *ede->text != '\0')
			text = arena_printf(arena, "%s: \"%s\"", text, ede->text);
	}
	return text;
}
