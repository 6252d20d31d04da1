#include "probe/dns/resolvers.h"

#include "base/arena.h"
#include "base/file.h"

#include <string.h>

enum { FILE_BYTES_MAX = 64 << 10, DNS_PORT = 53 };

static const char keyword[] = "nameserver";

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool
is_known(const struct addr *servers, size_t count, const struct addr *server)
{
	for (size_t i = 0; i < count; i++) {
		if (addr_equal(&servers[i], server) && servers[i].scope == server->scope)
			return true;
	}
	return false;
}

/* "nameserver", blanks, an address without port; what follows behind a blank does not count. */
static bool
parse_line(const char *line, size_t bytes, struct addr *server)
{
	const char *end = line + bytes, *stop;
	char        word[ADDR_TEXT];

	if (bytes < sizeof(keyword) || memcmp(line, keyword, sizeof(keyword) - 1) != 0 ||
	    !is_blank(line[sizeof(keyword) - 1]))
		return false;
	line += sizeof(keyword);
	while (line < end && is_blank(*line))
		line++;
	for (stop = line; stop < end && !is_blank(*stop);)
		stop++;
	if ((size_t)(stop - line) >= sizeof(word))
		return false;
	memcpy(word, line, (size_t)(stop - line));
	word[stop - line] = '\0';
	if (!addr_parse(server, word, 0, NULL) || server->port != 0)
		return false;
	server->port = DNS_PORT;
	return true;
}

size_t
resolvers_parse(const char *text, struct addr *servers, size_t room)
{
	size_t count = 0;

	while (*text != '\0' && count < room) {
		size_t      bytes = strcspn(text, "\n");
		struct addr server;

		if (parse_line(text, bytes, &server) && !is_known(servers, count, &server))
			servers[count++] = server;
		text += bytes + (text[bytes] == '\n');
	}
	return count;
}

/* 127.0.0.53, and 127.0.0.54 of newer systemd, are its stub and no server. */
static bool
is_stub(const struct addr *server)
{
	static const uint8_t stub[3] = { 127, 0, 0 };

	return server->family == 4 && memcmp(server->bytes, stub, sizeof(stub)) == 0 &&
	    (server->bytes[3] == 53 || server->bytes[3] == 54);
}

static bool
are_stubs(const struct addr *servers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_stub(&servers[i]))
			return false;
	}
	return true;
}

/* Adds the servers behind the stub, which stays: it is the one that applications ask. */
static size_t
look_behind(
    struct arena *arena, const char *stub_path, struct addr *servers, size_t room, size_t count)
{
	struct addr *behind = arena_array(arena, room, sizeof(*behind));
	size_t       bytes, found;
	char        *text = file_read(arena, stub_path, FILE_BYTES_MAX, &bytes, NULL);

	found = text != NULL ? resolvers_parse(text, behind, room) : 0;
	for (size_t i = 0; i < found && count < room; i++) {
		if (!is_known(servers, count, &behind[i]))
			servers[count++] = behind[i];
	}
	return count;
}

bool
resolvers_read_behind(const char *path, const char *stub_path, struct addr *servers,
    size_t room, size_t *count, struct err *err)
{
	struct arena *arena = arena_new();
	size_t        bytes;
	char         *text = file_read(arena, path, FILE_BYTES_MAX, &bytes, err);

	*count = text != NULL ? resolvers_parse(text, servers, room) : 0;
	if (text != NULL && *count == 0)
		err_set(err, ERR_PARSE, "%s: no line 'nameserver ADDRESS'", path);
	if (*count > 0 && are_stubs(servers, *count))
		*count = look_behind(arena, stub_path, servers, room, *count);
	arena_free(arena);
	return *count > 0;
}

bool
resolvers_read(
    const char *path, struct addr *servers, size_t room, size_t *count, struct err *err)
{
	return resolvers_read_behind(path, RESOLVERS_STUB_FILE, servers, room, count, err);
}
