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

/* Who may open the socket is who may read the store: there is no login to it. */
static char *
choose_url(CURL *curl, const struct collector_conf *conf, const char *path)
{
	char at[ADDR_TEXT];

	if (conf->page_guarded) {
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, conf->page_socket);
		return mem_printf("http://localhost%s", path);
	}
	addr_render_port(&conf->page_at, at, sizeof(at));
	return mem_printf("http://%s%s", at, path);
}

bool
bulletin_fetch(
    const struct collector_conf *conf, const char *path, struct wbuf *out, struct err *err)
{
	char    *url;
	CURL    *curl = curl_easy_init();
	CURLcode code;

	if (curl == NULL)
		abort();
	url = choose_url(curl, conf, path);
	set_options(curl, url, out);
	code = curl_easy_perform(curl);
	curl_easy_cleanup(curl);
	if (code != CURLE_OK)
		err_set(err, ERR_PEER, "%s: %s", conf->page_guarded ? conf->page_socket : url,
		    curl_easy_strerror(code));
	free(url);
	return code == CURLE_OK;
}

const char *
bulletin_library(void)
{
	return curl_version();
}
