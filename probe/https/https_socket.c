#include "probe/https/https_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static bool
bind_source(int fd, const struct addr *source, const struct addr *peer, struct err *err)
{
	struct sockaddr_storage storage;
	struct addr             from = *source;
	char                    text[ADDR_TEXT];
	unsigned                length;
	int                     yes = 1;

	if (source->family == 0)
		return true;
	addr_render(source, text, sizeof(text));
	if (source->family != peer->family)
		return err_set(
		    err, ERR_USAGE, "source address %s is of the other family", text);
	from.port = 0;
	length = addr_to_sockaddr(&from, &storage);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&storage, length) != 0)
		return err_errno(err, "source address %s", text);
	return true;
}

int
https_socket_open(const struct addr *peer, const struct addr *source, struct err *err)
{
	int fd = socket(peer->family == 6 ? AF_INET6 : AF_INET,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

	if (fd < 0) {
		err_errno(err, "no socket");
		return -1;
	}
	if (!bind_source(fd, source, peer, err)) {
		close(fd);
		return -1;
	}
	return fd;
}

enum https_tcp
https_socket_tcp(int fd)
{
	struct tcp_info info;
	socklen_t       length = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
		return HTTPS_TCP_UNKNOWN;
	switch (info.tcpi_state) {
	case TCP_CLOSE: return HTTPS_TCP_RESET;
	case TCP_CLOSE_WAIT:
	case TCP_LAST_ACK: return HTTPS_TCP_PEER_CLOSED;
	default: return HTTPS_TCP_STANDS;
	}
}
