#include "agent/policy_file.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT(member) offsetof(struct policy_file, member)

enum { OTHERS_WRITE = 022 };

static bool
read_number(unsigned *number, const char *text, unsigned long most)
{
	char         *end;
	unsigned long value = strtoul(text, &end, 10);

	*number = (unsigned)value;
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && value <= most;
}

static bool
check_net(const char *text, struct err *err)
{
	struct net net;

	return net_parse(&net, text, err);
}

static bool
check_port(const char *text, struct err *err)
{
	unsigned port;

	if (!read_number(&port, text, UINT16_MAX) || port == 0)
		return err_set(err, ERR_PARSE, "'%s': a number from 1 to 65535 wanted", text);
	return true;
}

static bool
check_zone(const char *text, struct err *err)
{
	if (text[0] == '\0' || text[0] == '.' || strchr(text, '.') == NULL ||
	    strpbrk(text, "*/ ") != NULL || text[strlen(text) - 1] == '.')
		return err_set(err, ERR_PARSE,
		    "'%s': a suffix of names wanted, such as documents.azure.com", text);
	return true;
}

/* clang-format off */
const struct conf_row policy_file_rows[] = {
	{ "accounts", CONF_TEXTS, AT(accounts), 0, 1000, "",
	    .help = "patterns of account names that may be measured; empty: those of agent.yaml" },
	{ "zones", CONF_TEXTS, AT(zones), 0, 100, "",
	    .help = "suffixes of names that may be measured, documents.azure.com; empty: those of Azure's clouds and of agent.yaml",
	    .check = check_zone },
	{ "connect", CONF_TEXTS, AT(connect), 0, POLICY_NETS_MAX, "",
	    .help = "networks that may be connected to, 10.20.0.0/16; empty: any but the built-in ones",
	    .check = check_net },
	{ "public", CONF_BOOL, AT(public), .preset = "true",
	    .help = "connect to public addresses too; false: they are recorded, and left alone" },
	{ "outside", CONF_BOOL, AT(outside), .preset = "true",
	    .help = "ask the `outside_resolvers` of agent.yaml, and try the public addresses that they give; false: never" },
	{ "ports", CONF_TEXTS, AT(port_texts), 0, POLICY_PORTS_MAX, "",
	    .help = "ports of gateways that may be connected to; empty: those of agent.yaml",
	    .check = check_port },
	{ "direct", CONF_BOOL, AT(direct), .preset = "true",
	    .help = "measure Direct mode, at any port of an answered address; false: `ports` alone, held by the kernel too" },
	{ "names_per_minute", CONF_NUMBER, AT(names_per_minute), 1, 1000000, "6000",
	    .help = "measurements a minute; an assignment that asks for more is refused in part, and none begins before its turn" },
	{ "connect_rate", CONF_NUMBER, AT(connect_rate), 1, 10000, "200",
	    .help = "connections a second; what is beyond is refused" },
	{ "ports_per_address", CONF_NUMBER, AT(ports_per_address), 1, 4096, "512",
	    .help = "different ports of one address within an hour; what is beyond is refused" },
	{ 0 },
};
/* clang-format on */

static bool
settle(struct policy_file *file, struct err *err)
{
	file->net_count = file->connect.count;
	for (size_t i = 0; i < file->net_count; i++) {
		if (!net_parse(&file->nets[i], file->connect.texts[i], err))
			return err_in(err, "connect");
	}
	file->port_count = file->port_texts.count;
	for (size_t i = 0; i < file->port_count; i++)
		file->ports[i] = (uint16_t)strtoul(file->port_texts.texts[i], NULL, 10);
	return true;
}

static bool
is_roots(const char *path, struct err *err)
{
	struct stat seen;

	if (stat(path, &seen) != 0)
		return err_errno(err, "%s", path);
	if (seen.st_uid != 0)
		return err_set(err, ERR_USAGE,
		    "%s: belongs to user %u; a policy is only taken from root", path,
		    (unsigned)seen.st_uid);
	if ((seen.st_mode & OTHERS_WRITE) != 0 && (seen.st_mode & S_ISVTX) == 0)
		return err_set(err, ERR_USAGE,
		    "%s: mode %04o lets others write; a policy is only taken from root", path,
		    (unsigned)seen.st_mode & 07777);
	return true;
}

bool
policy_file_is_roots(const char *path, struct err *err)
{
	char *copy = mem_strdup(path);
	bool  is = is_roots(path, err) && is_roots(dirname(copy), err);

	free(copy);
	return is;
}

struct policy_file *
policy_file_read(struct arena *arena, const char *path, struct err *err)
{
	struct policy_file *file = arena_alloc(arena, sizeof(*file));
	bool                absent = path[0] == '\0' ||
	    (strcmp(path, POLICY_FILE) == 0 && access(path, F_OK) != 0 && errno == ENOENT);

	if (!absent && !policy_file_is_roots(path, err))
		return NULL;
	if (!conf_read(file, policy_file_rows, arena, absent ? NULL : path, NULL, err) ||
	    !settle(file, err))
		return NULL;
	return file;
}

struct policy_file *
policy_file_parse(struct arena *arena, const char *text, size_t count, struct err *err)
{
	struct policy_file *file = arena_alloc(arena, sizeof(*file));

	if (!conf_parse(file, policy_file_rows, arena, text, count, "policy", err) ||
	    !settle(file, err))
		return NULL;
	return file;
}
