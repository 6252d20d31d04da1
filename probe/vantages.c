#include "probe/vantages.h"

#include "base/file.h"
#include "probe/dns/resolvers.h"

#include <string.h>

enum { RESOLVERS_MAX = MEASURE_VANTAGES_MAX - 1, TAG_BYTES_MAX = 256, DNS_PORT = 53 };

/* [azure-168-63-129-16] */
static const struct addr azure_server = {
	.family = 4, .bytes = { 168, 63, 129, 16 }, .port = DNS_PORT
};

/* The same for every virtual machine of Azure, in all clouds. */
static const char azure_tag[] = "7783-7084-3265-9085-8269-3286-77";

bool
vantages_on_azure(const char *asset_tag_path)
{
	struct arena *arena = arena_new();
	size_t        count;
	const char   *text = file_read(arena,
            asset_tag_path != NULL ? asset_tag_path : VANTAGES_AZURE_TAG, TAG_BYTES_MAX, &count,
	      NULL);
	bool          here = text != NULL && count >= sizeof(azure_tag) - 1 &&
	    memcmp(text, azure_tag, sizeof(azure_tag) - 1) == 0 &&
	    strspn(text + sizeof(azure_tag) - 1, " \r\n") == count - (sizeof(azure_tag) - 1);

	arena_free(arena);
	return here;
}

static bool
is_same(const struct addr *left, const struct addr *right)
{
	return addr_equal(left, right) && left->scope == right->scope &&
	    left->port == right->port;
}

static void
add(struct vantages *vantages, const struct addr *resolver, enum source source)
{
	for (size_t i = 0; i < vantages->count; i++) {
		if (is_same(&vantages->list[i].resolver, resolver))
			return;
	}
	if (vantages->count < MEASURE_VANTAGES_MAX)
		vantages->list[vantages->count++] = (struct measure_vantage){
			.resolver = *resolver, .source = source
		};
}

static const char *
conf_path(const struct vantages_ask *ask)
{
	return ask->resolv_conf != NULL ? ask->resolv_conf : RESOLVERS_SYSTEM_FILE;
}

static const char *
stub_path(const struct vantages_ask *ask)
{
	return ask->stub_conf != NULL ? ask->stub_conf : RESOLVERS_STUB_FILE;
}

bool
vantages_find(struct vantages *vantages, const struct vantages_ask *ask, struct err *err)
{
	struct addr found[RESOLVERS_MAX];
	size_t      count = 0;

	vantages->count = 0;
	for (size_t i = 0; i < ask->configured_count && i < RESOLVERS_MAX; i++)
		add(vantages, &ask->configured[i], SOURCE_CONFIGURED);
	if (ask->configured_count == 0 &&
	    !resolvers_read_behind(
	        conf_path(ask), stub_path(ask), found, RESOLVERS_MAX, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		add(vantages, &found[i], SOURCE_RESOLV_CONF);
	if (ask->azure_dns || (ask->configured_count == 0 && vantages_on_azure(ask->asset_tag)))
		add(vantages, &azure_server, SOURCE_AZURE);
	return true;
}

bool
vantages_equal(const struct vantages *left, const struct vantages *right)
{
	if (left->count != right->count)
		return false;
	for (size_t i = 0; i < left->count; i++) {
		if (!is_same(&left->list[i].resolver, &right->list[i].resolver) ||
		    left->list[i].source != right->list[i].source)
			return false;
	}
	return true;
}

const char *
vantages_render(const struct vantages *vantages, struct arena *arena)
{
	const char *text = "";
	char        one[ADDR_TEXT];

	for (size_t i = 0; i < vantages->count; i++) {
		const struct addr *resolver = &vantages->list[i].resolver;

		if (resolver->port == DNS_PORT)
			addr_render(resolver, one, sizeof(one));
		else
			addr_render_port(resolver, one, sizeof(one));
		text = arena_printf(arena, "%s%s%s", text, i > 0 ? " " : "", one);
	}
	return text;
}

/* The time of the last change of anything, which no program can turn back, goes with every write
 * and rename. */
static bool
is_same_file(const struct stat *left, const struct stat *right)
{
	return left->st_ino == right->st_ino && left->st_dev == right->st_dev &&
	    left->st_size == right->st_size && left->st_ctim.tv_sec == right->st_ctim.tv_sec &&
	    left->st_ctim.tv_nsec == right->st_ctim.tv_nsec;
}

bool
vantages_changed(struct vantages_watch *watch, const struct vantages_ask *ask)
{
	const char *paths[] = { conf_path(ask), stub_path(ask) };
	bool        changed = false;

	for (unsigned i = 0; i < 2; i++) {
		struct stat now;

		if (stat(paths[i], &now) != 0)
			memset(&now, 0, sizeof(now));
		changed |= !is_same_file(&now, &watch->seen[i]);
		watch->seen[i] = now;
	}
	return changed;
}
