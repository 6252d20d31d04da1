#include "probe/conn_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/errqueue.h> /* wants struct timespec before it */

static bool
set_options(int fd, const struct addr *source)
{
	struct sockaddr_storage from;
	unsigned                count = addr_to_sockaddr(source, &from);
	int                     yes = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0)
		return false;
	if (source->family == 0)
		return true;
	/* The port is left to connect(), which knows the peer: else ports run out sooner.  A
	 * kernel without the option chooses it here. */
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
	return bind(fd, (struct sockaddr *)&from, count) == 0;
}

/* Whether the ICMPv6 message that ends the connection is kept.  A socket of version 4 knows no such
 * option and keeps it always. */
static void
keep_icmp(int fd, int yes)
{
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &yes, sizeof(yes));
}

int
conn_socket_open(const struct addr *peer, const struct addr *source, const char **what)
{
	int family = peer->family == 4 ? AF_INET : AF_INET6;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	*what = "socket";
	if (fd < 0)
		return -1;
	*what = "source address";
	if (source->family != 0 && source->family != peer->family) {
		close(fd);
		errno = EAFNOSUPPORT;
		return -1;
	}
	if (!set_options(fd, source)) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	keep_icmp(fd, 1);
	return fd;
}

void
conn_socket_stands(int fd)
{
	keep_icmp(fd, 0);
}

int
conn_socket_error(int fd)
{
	int       error = 0;
	socklen_t count = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &count) != 0)
		return errno;
	return error;
}

bool
conn_socket_is_writable(int fd)
{
	struct pollfd look = { .fd = fd, .events = POLLOUT };

	return poll(&look, 1, 0) == 1;
}

struct addr
conn_socket_local(int fd)
{
	struct sockaddr_storage from;
	socklen_t               count = sizeof(from);

	if (getsockname(fd, (struct sockaddr *)&from, &count) != 0)
		return (struct addr){ 0 };
	return addr_from_sockaddr((struct sockaddr *)&from);
}

/* EPIPE is what is left of a RST when SO_ERROR or recv() has told its ECONNRESET. */
ssize_t
conn_socket_send(int fd, const void *bytes, size_t count)
{
	ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0 && errno == EPIPE)
		errno = ECONNRESET;
	return sent;
}

ssize_t
conn_socket_receive(int fd, void *bytes, size_t room)
{
	return recv(fd, bytes, room, MSG_DONTWAIT);
}

enum outcome
conn_socket_outcome(int error)
{
	switch (error) {
	case ECONNREFUSED: return OUTCOME_REFUSED;
	case ECONNRESET: return OUTCOME_RESET;
	case ETIMEDOUT: return OUTCOME_TIMEOUT;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case ENONET:
	case ENOPROTOOPT: /* ICMP protocol unreachable */
	case EOPNOTSUPP:  /* ICMP source route failed */
	case EACCES:      /* ICMPv6 prohibited; a prohibit route; our own sandbox */
	case EPERM:       /* a firewall on this machine */
	case EINVAL: /* a blackhole route */ return OUTCOME_UNREACHABLE;
	default: return OUTCOME_LOCAL; /* no descriptor, no port, no such source */
	}
}

/* The reasons of type 3 [rfc1812 5.2.7.1] and, for version 6, of type 1 [rfc4443 3.1]. */
static const struct {
	uint8_t     origin, type, code;
	const char *words;
} icmp_words[] = {
	{ SO_EE_ORIGIN_ICMP, 3, 0, "network unreachable" },
	{ SO_EE_ORIGIN_ICMP, 3, 1, "host unreachable" },
	{ SO_EE_ORIGIN_ICMP, 3, 2, "protocol unreachable" },
	{ SO_EE_ORIGIN_ICMP, 3, 3, "port unreachable" },
	{ SO_EE_ORIGIN_ICMP, 3, 9, "network prohibited" },
	{ SO_EE_ORIGIN_ICMP, 3, 10, "host prohibited" },
	{ SO_EE_ORIGIN_ICMP, 3, 13, "administratively prohibited" },
	{ SO_EE_ORIGIN_ICMP6, 1, 0, "no route" },
	{ SO_EE_ORIGIN_ICMP6, 1, 1, "administratively prohibited" },
	{ SO_EE_ORIGIN_ICMP6, 1, 3, "address unreachable" },
	{ SO_EE_ORIGIN_ICMP6, 1, 4, "port unreachable" },
	{ SO_EE_ORIGIN_ICMP6, 1, 5, "source address failed policy" },
	{ SO_EE_ORIGIN_ICMP6, 1, 6, "reject route" },
};

static const char *
find_icmp_words(const struct sock_extended_err *cause)
{
	for (size_t i = 0; i < sizeof(icmp_words) / sizeof(icmp_words[0]); i++) {
		if (icmp_words[i].origin == cause->ee_origin &&
		    icmp_words[i].type == cause->ee_type &&
		    icmp_words[i].code == cause->ee_code)
			return icmp_words[i].words;
	}
	return "message";
}

union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6))];
};

/* The ICMP message that ended the connection; Linux keeps it since 5.17, even for a stream. */
static bool
read_icmp(int fd, struct sock_extended_err *cause, struct addr *sender)
{
	union control           control;
	struct sockaddr_storage from;
	struct cmsghdr         *head;
	char                    byte;
	struct iovec            data = { &byte, 1 };
	struct msghdr           message = { .msg_iov = &data,
		          .msg_iovlen = 1,
		          .msg_control = &control,
		          .msg_controllen = sizeof(control) };

	if (fd < 0 || recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	head = CMSG_FIRSTHDR(&message);
	if (head == NULL || head->cmsg_len < CMSG_LEN(sizeof(*cause)))
		return false;
	memcpy(cause, CMSG_DATA(head), sizeof(*cause));
	if (cause->ee_origin != SO_EE_ORIGIN_ICMP && cause->ee_origin != SO_EE_ORIGIN_ICMP6)
		return false;
	memset(&from, 0, sizeof(from));
	memcpy(
	    &from, CMSG_DATA(head) + sizeof(*cause), head->cmsg_len - CMSG_LEN(sizeof(*cause)));
	*sender = addr_from_sockaddr((struct sockaddr *)&from);
	return true;
}

const char *
conn_socket_cause(int fd, int error, const char *what, struct arena *arena)
{
	struct sock_extended_err cause;
	struct addr              sender;
	char                     text[ADDR_TEXT];

	if (!read_icmp(fd, &cause, &sender))
		return arena_printf(arena, "%s: %s", what, strerror(error));
	return arena_printf(arena, "%s: %s, by ICMP %s (%u/%u) from %s", what, strerror(error),
	    find_icmp_words(&cause), cause.ee_type, cause.ee_code,
	    addr_render(&sender, text, sizeof(text)));
}
