#include "agent/versions.h"

#include "probe/thin/thin_dialog.h"

#include <dlfcn.h>
#include <stdio.h>

/* By name and not by header, so that this file is a door to none of them, and says what is loaded
 * and not what was compiled against. */
static const struct {
	const char *library, *function;
} libraries[] = {
	{ "libevent", "event_get_version" },
	{ "ldns", "ldns_version" },
	{ "libcurl", "curl_version" },
	{ "msgpack-c", "msgpack_version" },
	{ "jansson", "jansson_version_str" },
	{ "libyaml", "yaml_get_version_string" },
};

void
versions_print(void)
{
	void *ssl = dlsym(RTLD_DEFAULT, "OpenSSL_version");

	puts("plprobe " PLPROBE_VERSION);
	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		void *function = dlsym(RTLD_DEFAULT, libraries[i].function);

		if (function != NULL)
			printf("%-10s %s\n", libraries[i].library,
			    ((const char *(*)(void))function)());
	}
	/* Tells its version in a struct of its own: its door reads it. */
	printf("%-10s %s\n", "nghttp2", thin_dialog_library());
	if (ssl != NULL)
		printf("%-10s %s\n", "OpenSSL", ((const char *(*)(int))ssl)(0));
}
