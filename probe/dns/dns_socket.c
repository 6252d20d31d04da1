#include "probe/dns/dns_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h>

enum { ERRORS_MAX = 16 };

static bool
bind_source(int fd, const struct addr *source, const struct addr *peer)
{
	struct sockaddr_storage name;
	struct addr             local = *source;

	if (source->family == 0)
		return true;
	if (source->family != peer->family) {
		errno = EAFNOSUPPORT;
		return false;
	}
	local.port = 0;
	return bind(fd, (struct sockaddr *)&name, addr_to_sockaddr(&local, &name)) == 0;
}

/* Without this option Linux keeps "host unreachable" and "network unreachable" from a UDP socket:
 * they count as passing troubles there [rfc1122 4.1.3.3]. */
static void
ask_for_icmp(int fd, const struct addr *peer)
{
	int on = 1;

	if (peer->family == 4)
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}

int
dns_socket_open_loose(const struct addr *source, const struct addr *peer)
{
	int fd = socket(peer->family == 4 ? AF_INET : AF_INET6,
	    SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int cause;

	if (fd == -1)
		return -1;
	ask_for_icmp(fd, peer);
	if (bind_source(fd, source, peer))
		return fd;
	cause = errno;
	close(fd);
	errno = cause;
	return -1;
}

int
dns_socket_open(int type, const struct addr *source, const struct addr *peer)
{
	struct sockaddr_storage name;
	unsigned                name_bytes = addr_to_sockaddr(peer, &name);
	int                     fd, cause;

	fd = socket(name.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (type == SOCK_DGRAM)
		ask_for_icmp(fd, peer);
	if (bind_source(fd, source, peer) &&
	    (connect(fd, (struct sockaddr *)&name, name_bytes) == 0 || errno == EINPROGRESS))
		return fd;
	cause = errno;
	close(fd);
	errno = cause;
	return -1;
}

bool
dns_socket_leave(int fd)
{
	static const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	return connect(fd, &nowhere, sizeof(nowhere)) == 0;
}

enum outcome
dns_socket_outcome(int cause)
{
	switch (cause) {
	case ECONNREFUSED: return OUTCOME_REFUSED;
	case ECONNRESET:
	case EPIPE: return OUTCOME_RESET;
	case ETIMEDOUT: return OUTCOME_TIMEOUT;
	case EHOSTUNREACH:
	case EHOSTDOWN:
	case ENETUNREACH:
	case ENETDOWN:
	case ENONET:      /* ICMP: host isolated */
	case ENOPROTOOPT: /* ICMP: protocol unreachable */
	case EPROTO:      /* ICMP: parameter problem */
	case EACCES:      /* a route that prohibits; ICMPv6: administratively prohibited */
	case EPERM: /* this machine's own packet filter */ return OUTCOME_UNREACHABLE;
	default: return OUTCOME_LOCAL;
	}
}

static bool
read_error(int fd, struct addr *router)
{
	union {
		struct cmsghdr head;
		uint8_t        room[512];
	} control;
	struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *part;

	router->family = 0;
	if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (part = CMSG_FIRSTHDR(&message); part != NULL; part = CMSG_NXTHDR(&message, part)) {
		struct sock_extended_err error;
		struct sockaddr_in6      offender = { 0 };
		size_t                   bytes = part->cmsg_len - CMSG_LEN(0);

		if (bytes < sizeof(error) + sizeof(struct sockaddr_in))
			continue;
		if (bytes > sizeof(error) + sizeof(offender))
			bytes = sizeof(error) + sizeof(offender);
		memcpy(&error, CMSG_DATA(part), sizeof(error));
		memcpy(&offender, CMSG_DATA(part) + sizeof(error), bytes - sizeof(error));
		if (error.ee_origin == SO_EE_ORIGIN_ICMP ||
		    error.ee_origin == SO_EE_ORIGIN_ICMP6)
			*router = addr_from_sockaddr((struct sockaddr *)&offender);
	}
	return true;
}

bool
dns_socket_blame(int fd, struct addr *router)
{
	struct addr one;

	router->family = 0;
	for (unsigned i = 0; i < ERRORS_MAX && read_error(fd, &one); i++) {
		if (router->family == 0)
			*router = one;
	}
	return router->family != 0;
}
