#include "agent/pin.h"

#include "agent/enroll.h"
#include "probe/https/https_multi.h"

#include <curl/curl.h>
#include <string.h>

/* A handshake, and no request. */
static CURL *
make_easy(const char *url, int64_t limit_ms)
{
	CURL *easy = curl_easy_init();

	if (easy == NULL)
		return NULL;
	https_multi_prepare(easy);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)limit_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	return easy;
}

static const char *
find_pem(const struct curl_slist *lines)
{
	static const char name[] = "Cert:";

	for (; lines != NULL; lines = lines->next) {
		if (strncmp(lines->data, name, sizeof(name) - 1) == 0)
			return lines->data + sizeof(name) - 1;
	}
	return NULL;
}

static bool
search(struct pin_found *found, struct arena *arena, const struct curl_certinfo *chain,
    const char *pin)
{
	char key[ENROLL_PIN_ROOM];

	for (int i = 0; i < chain->num_of_certs; i++) {
		const char *pem = find_pem(chain->certinfo[i]);

		if (pem == NULL || !enroll_pin(key, &found->root, pem) || strcmp(key, pin) != 0)
			continue;
		found->pem = arena_printf(arena, "%s\n", pem);
		return true;
	}
	return false;
}

bool
pin_find(struct pin_found *found, struct arena *arena, const char *url, const char *pin,
    int64_t limit_ms, struct err *err)
{
	CURL                       *easy = make_easy(url, limit_ms);
	const struct curl_certinfo *chain = NULL;
	char                        trouble[CURL_ERROR_SIZE] = "";
	CURLcode                    code = CURLE_OUT_OF_MEMORY;
	bool                        done = false;

	if (easy != NULL) {
		/* Whoever it is may show what it has: it is told nothing. */
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
		curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
		curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, trouble);
		code = curl_easy_perform(easy);
	}
	if (code != CURLE_OK)
		err_set(err, ERR_PEER, "%s: not reached: %s", url,
		    trouble[0] != '\0' ? trouble : curl_easy_strerror(code));
	else if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK ||
	    !search(found, arena, chain, pin))
		err_set(err, ERR_PEER,
		    "%s: shows no certificate of the key that the token names; nothing was "
		    "sent. "
		    "Is it another collector, has its certificate changed since the token was "
		    "made, "
		    "or is somebody in between?",
		    url);
	else
		done = true;
	curl_easy_cleanup(easy);
	return done;
}

bool
pin_is_public(const char *url, int64_t limit_ms)
{
	CURL *easy = make_easy(url, limit_ms);
	bool  vouched = easy != NULL && curl_easy_perform(easy) == CURLE_OK;

	curl_easy_cleanup(easy);
	return vouched;
}
