#include "collector/bulletin.h"

#include <curl/curl.h>
#include <stdlib.h>

enum { ANSWER_MAX = 64 << 20 };

static size_t
on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
	struct wbuf *out = arg;

	if (out->count + size * count > ANSWER_MAX)
		return 0;
	wbuf_put(out, bytes, size * count);
	return size * count;
}

static void
set_options(CURL *curl, const char *url, struct wbuf *out)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 2000L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 30000L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
}

bool
bulletin_fetch(const struct addr *page, const char *path, struct wbuf *out, struct err *err)
{
	char     at[ADDR_TEXT], *url;
	CURL    *curl = curl_easy_init();
	CURLcode code;

	if (curl == NULL)
		abort();
	addr_render_port(page, at, sizeof(at));
	url = mem_printf("http://%s%s", at, path);
	set_options(curl, url, out);
	code = curl_easy_perform(curl);
	curl_easy_cleanup(curl);
	if (code != CURLE_OK)
		err_set(err, ERR_PEER, "%s: %s", url, curl_easy_strerror(code));
	free(url);
	return code == CURLE_OK;
}

const char *
bulletin_library(void)
{
	return curl_version();
}
