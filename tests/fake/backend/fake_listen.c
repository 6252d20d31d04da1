#include "tests/fake/backend/fake_listen.h"

#include "base/arena.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK_BYTES = 512 * 1024, BACKLOG = 512 };

const char *const fake_protocol_names[FAKE_PROTOCOLS] = { "gateway", "rntbd", "thin", "mongo",
	"cassandra", "gremlin", "table" };

struct listener {
	int                fd;
	struct addr        addr;
	enum fake_protocol protocol;
	bool               plain;
};

struct fake_listeners {
	struct listener *items; /* owned */
	size_t           count;
};

/* What a new thread gets. */
struct start {
	void (*serve)(struct fake_talk *talk);
	struct fake_talk *talk;
};

struct fake_listeners *
fake_listeners_new(void)
{
	struct rlimit files;

	/* Hundreds of listeners, and as many connections. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	return mem_alloc(sizeof(struct fake_listeners));
}

static struct addr
name_socket(int fd)
{
	struct sockaddr_storage storage;
	socklen_t               length = sizeof(storage);

	getsockname(fd, (struct sockaddr *)&storage, &length);
	return addr_from_sockaddr((struct sockaddr *)&storage);
}

bool
fake_listeners_add(struct fake_listeners *all, enum fake_protocol protocol, const char *text,
    bool plain, struct err *err)
{
	struct sockaddr_storage storage;
	struct listener new = { .protocol = protocol, .plain = plain };
	socklen_t length;
	int       yes = 1;

	if (!addr_parse_listen(&new.addr, text, 443, err))
		return err_in(err, "%s", text);
	length = addr_to_sockaddr(&new.addr, &storage);
	new.fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (new.fd < 0)
		return err_errno(err, "socket");
	setsockopt(new.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(new.fd, (struct sockaddr *)&storage, length) != 0 ||
	    listen(new.fd, BACKLOG) != 0)
		return err_errno(err, "%s", text);
	new.addr = name_socket(new.fd);
	all->items = mem_grow(all->items, all->count + 1, sizeof(*all->items));
	all->items[all->count++] = new;
	return true;
}

size_t
fake_listeners_count(const struct fake_listeners *all, enum fake_protocol protocol)
{
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++)
		count += all->items[i].protocol == protocol;
	return count;
}

uint16_t
fake_listeners_port(
    const struct fake_listeners *all, enum fake_protocol protocol, size_t number)
{
	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].protocol == protocol && number-- == 0)
			return all->items[i].addr.port;
	}
	return 0;
}

void
fake_listeners_print(const struct fake_listeners *all, FILE *out)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct listener *one = &all->items[i];
		char                   name[ADDR_TEXT];

		addr_render_port(&one->addr, name, sizeof(name));
		if (one->plain)
			fprintf(out, "listening %s\n", name);
		else
			fprintf(
			    out, "listening %s %s\n", fake_protocol_names[one->protocol], name);
	}
	fflush(out);
}

static void *
run_talk(void *arg)
{
	struct start *start = arg;

	start->serve(start->talk);
	fake_talk_free(start->talk);
	free(start);
	return NULL;
}

static void
start_talk(struct fake_talk *talk, void (*serve)(struct fake_talk *talk))
{
	struct start  *start = mem_alloc(sizeof(*start));
	pthread_attr_t attributes;
	pthread_t      thread;

	*start = (struct start){ serve, talk };
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, run_talk, start) != 0) {
		fake_talk_free(talk);
		free(start);
	}
	pthread_attr_destroy(&attributes);
}

static struct fake_talk *
take_connection(int listener)
{
	struct sockaddr_storage storage;
	socklen_t               length = sizeof(storage);
	struct timeval          idle = { .tv_sec = FAKE_IDLE_S };
	int                     yes = 1;
	struct fake_talk       *talk;
	int fd = accept4(listener, (struct sockaddr *)&storage, &length, SOCK_CLOEXEC);

	if (fd < 0)
		return NULL;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &idle, sizeof(idle));
	talk = mem_alloc(sizeof(*talk));
	talk->fd = fd;
	talk->peer = addr_from_sockaddr((struct sockaddr *)&storage);
	talk->local = name_socket(fd);
	talk->accepted_ms = fake_now_ms();
	return talk;
}

void
fake_listeners_run(
    struct fake_listeners *all, void (*const serve[FAKE_PROTOCOLS])(struct fake_talk *talk))
{
	struct pollfd *fds = mem_array(all->count, sizeof(*fds));

	for (size_t i = 0; i < all->count; i++)
		fds[i] = (struct pollfd){ .fd = all->items[i].fd, .events = POLLIN };
	for (;;) {
		if (poll(fds, all->count, -1) < 0) {
			if (errno == EINTR)
				continue;
			perror("poll");
			exit(2);
		}
		for (size_t i = 0; i < all->count; i++) {
			struct fake_talk *talk = fds[i].revents & POLLIN
			    ? take_connection(fds[i].fd)
			    : NULL;

			if (talk != NULL)
				start_talk(talk, serve[all->items[i].protocol]);
		}
	}
}
