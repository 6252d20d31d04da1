#include "probe/https/https_multi.h"

#include "base/arena.h"
#include "base/clock.h"

#include <curl/curl.h>
#include <stdlib.h>

#define NEVER INT64_MAX

struct https_multi {
	CURLM       *curlm; /* owned */
	struct loop *loop;  /* borrowed; outlives us */
	/* libcurl moves its one timer with every step, nearly always to the same moment or a later
	 * one.  So the watch is left as it is unless it would come too late; one that comes too
	 * early is set again. */
	struct loop_watch timer;
	int64_t           wished_us, set_us; /* monotonic; NEVER: none */
	int               transfers;         /* added and not removed */
	bool              adding;            /* libcurl's wishes are looked at after */
	void (*on_done)(void *arg, void *easy, int code);
	void *arg;
};

/* A descriptor that libcurl waits for; lives from its first wish to CURL_POLL_REMOVE. */
struct sock {
	struct https_multi *multi; /* borrowed */
	struct loop_watch   watch;
	int                 fd;
};

static void
hand_out_done(struct https_multi *multi)
{
	CURLMsg *message;
	int      left;

	/* on_done() removes the handle, which ends the message: look at nothing of it after. */
	while ((message = curl_multi_info_read(multi->curlm, &left)) != NULL) {
		if (message->msg == CURLMSG_DONE)
			multi->on_done(
			    multi->arg, message->easy_handle, (int)message->data.result);
	}
}

static void
act(struct https_multi *multi, int fd, int what)
{
	int running;

	curl_multi_socket_action(multi->curlm, fd, what, &running);
	hand_out_done(multi);
}

static int64_t
now_us(void)
{
	return clock_mono_us(clock_system());
}

static void
set_timer(struct https_multi *multi, int64_t wait_us)
{
	multi->set_us = multi->wished_us;
	loop_watch_set(&multi->timer, -1, 0, wait_us > 0 ? wait_us : 0);
}

static void
on_timer(void *arg, unsigned what)
{
	struct https_multi *multi = arg;
	int64_t             early_us;

	multi->set_us = NEVER;
	if (multi->wished_us == NEVER)
		return;
	early_us = multi->wished_us - now_us();
	if (early_us > 0) {
		set_timer(multi, early_us);
		return;
	}
	multi->wished_us = NEVER;
	act(multi, CURL_SOCKET_TIMEOUT, 0);
}

static void
on_sock(void *arg, unsigned what)
{
	struct sock *sock = arg;
	int          seen = 0;

	seen |= what & LOOP_READ ? CURL_CSELECT_IN : 0;
	seen |= what & LOOP_WRITE ? CURL_CSELECT_OUT : 0;
	/* libcurl may say CURL_POLL_REMOVE meanwhile: look at nothing of `sock` after. */
	act(sock->multi, sock->fd, seen);
}

static struct sock *
new_sock(struct https_multi *multi, int fd)
{
	struct sock *sock = mem_alloc(sizeof(*sock));

	sock->multi = multi;
	sock->fd = fd;
	loop_watch_init(&sock->watch, multi->loop, on_sock, sock);
	curl_multi_assign(multi->curlm, fd, sock);
	return sock;
}

/* libcurl wishes to wait, or no more.  It may name a descriptor that it never named before
 * together with CURL_POLL_REMOVE. */
static int
on_socket_wish(CURL *easy, curl_socket_t fd, int wish, void *arg, void *assigned)
{
	struct https_multi *multi = arg;
	struct sock        *sock = assigned;
	unsigned            want = 0;

	if (wish == CURL_POLL_REMOVE) {
		if (sock != NULL)
			loop_watch_fini(&sock->watch);
		free(sock);
		curl_multi_assign(multi->curlm, fd, NULL);
		return 0;
	}
	if (sock == NULL)
		sock = new_sock(multi, fd);
	want |= wish & CURL_POLL_IN ? LOOP_READ : 0u;
	want |= wish & CURL_POLL_OUT ? LOOP_WRITE : 0u;
	loop_watch_keep(&sock->watch, fd, want);
	return 0;
}

/* Only sets the timer, also for 0: libcurl must not be called from inside its callback. */
static int
on_timer_wish(CURLM *curlm, long wait_ms, void *arg)
{
	struct https_multi *multi = arg;

	if (wait_ms < 0) {
		multi->wished_us = NEVER;
		return 0;
	}
	multi->wished_us = now_us() + wait_ms * US_PER_MS;
	if (multi->wished_us < multi->set_us && !multi->adding)
		set_timer(multi, wait_ms * US_PER_MS);
	return 0;
}

struct https_multi *
https_multi_new(struct loop *loop, void (*on_done)(void *arg, void *easy, int code), void *arg,
    struct err *err)
{
	struct https_multi *multi;
	CURLM              *curlm;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(err, ERR_SYSTEM, "libcurl does not start");
		return NULL;
	}
	curlm = curl_multi_init();
	if (curlm == NULL) {
		err_set(err, ERR_SYSTEM, "libcurl does not give a multi handle");
		curl_global_cleanup();
		return NULL;
	}
	multi = mem_alloc(sizeof(*multi));
	*multi = (struct https_multi){ .curlm = curlm,
		.loop = loop,
		.on_done = on_done,
		.arg = arg,
		.wished_us = NEVER,
		.set_us = NEVER };
	loop_watch_init(&multi->timer, loop, on_timer, multi);
	curl_multi_setopt(curlm, CURLMOPT_SOCKETFUNCTION, on_socket_wish);
	curl_multi_setopt(curlm, CURLMOPT_SOCKETDATA, multi);
	curl_multi_setopt(curlm, CURLMOPT_TIMERFUNCTION, on_timer_wish);
	curl_multi_setopt(curlm, CURLMOPT_TIMERDATA, multi);
	return multi;
}

void
https_multi_free(struct https_multi *multi)
{
	if (multi == NULL)
		return;
	curl_multi_cleanup(multi->curlm);
	loop_watch_fini(&multi->timer);
	free(multi);
	curl_global_cleanup();
}

void
https_multi_share(struct https_multi *multi, long connections)
{
	curl_multi_setopt(multi->curlm, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
}

void
https_multi_prepare(void *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Else removing it waits for a resolver that does not answer, up to half a minute. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "plprobe/" PLPROBE_VERSION);
}

/* The first step is made here and not by a timer of 0 ms, which would cost a round of the loop.
 * Whoever ended in it is handed out by the timer. */
void
https_multi_add(struct https_multi *multi, void *easy)
{
	int running = 0;

	multi->adding = true;
	multi->transfers++;
	curl_multi_add_handle(multi->curlm, easy);
	curl_multi_socket_action(multi->curlm, CURL_SOCKET_TIMEOUT, 0, &running);
	multi->adding = false;
	if (running < multi->transfers)
		multi->wished_us = now_us();
	if (multi->wished_us < multi->set_us)
		set_timer(multi, multi->wished_us - now_us());
}

void
https_multi_remove(struct https_multi *multi, void *easy)
{
	multi->transfers--;
	curl_multi_remove_handle(multi->curlm, easy);
}
