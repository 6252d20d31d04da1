#include "tests/support/support_dns.h"

#include "base/arena.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/wbuf.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_TRIES = 200, READY_WAIT_MS = 50 };

/* Below those that the kernel gives to whoever names none: every question of every test that runs
 * beside us takes one of them. */
enum { PORT_LEAST = 10240, PORT_COUNT = 20000 };

struct support_dns {
	char     folder[64]; /* removed at the end */
	pid_t    pid;        /* leads a process group of its own */
	uint16_t port;
};

static void
die(const char *what, const char *detail)
{
	fprintf(stderr, "support_dns: %s: %s\n", what, detail);
	exit(99);
}

static int
bind_port(int type, uint16_t *port)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(*port) };
	socklen_t          bytes = sizeof(name);
	int                fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)&name, sizeof(name)) != 0) {
		close(fd);
		return -1;
	}
	getsockname(fd, (struct sockaddr *)&name, &bytes);
	*port = ntohs(name.sin_port);
	return fd;
}

uint16_t
support_dns_free_port(void)
{
	for (;;) {
		uint16_t port;
		int      udp, tcp;

		digest_random(&port, sizeof(port));
		port = (uint16_t)(PORT_LEAST + port % PORT_COUNT);
		udp = bind_port(SOCK_DGRAM, &port);
		tcp = bind_port(SOCK_STREAM, &port);
		if (udp != -1)
			close(udp);
		if (tcp != -1)
			close(tcp);
		if (udp == -1 || tcp == -1)
			continue;
		return port;
	}
}

static struct support_dns *
make_server(uint16_t port)
{
	struct support_dns *server = mem_alloc(sizeof(*server));

	strcpy(server->folder, "/tmp/plprobe-dns-XXXXXX");
	if (mkdtemp(server->folder) == NULL)
		die(server->folder, strerror(errno));
	server->port = port;
	return server;
}

static void
write_file(const struct support_dns *server, const char *name, const char *text)
{
	char       path[300];
	struct err err;

	snprintf(path, sizeof(path), "%s/%s", server->folder, name);
	if (!file_replace(path, text, strlen(text), 0644, &err))
		die(path, err.text);
}

/* Any answer to a question for the root's name servers will do. */
static bool
answers(uint16_t port)
{
	static const uint8_t question[17] = { 0x12, 0x34, 0, 0, 0, 1, [14] = 2, [16] = 1 };
	struct sockaddr_in   name = { .sin_family = AF_INET, .sin_port = htons(port) };
	uint8_t              answer[512];
	struct pollfd        wait = { .events = POLLIN };
	bool                 heard = false;

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	wait.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (connect(wait.fd, (struct sockaddr *)&name, sizeof(name)) == 0 &&
	    send(wait.fd, question, sizeof(question), 0) > 0 &&
	    poll(&wait, 1, READY_WAIT_MS) == 1)
		heard = recv(wait.fd, answer, sizeof(answer), 0) > 0;
	if (!heard)
		poll(NULL, 0, READY_WAIT_MS / 2);
	close(wait.fd);
	return heard;
}

static void
run(struct support_dns *server, const char *program, char *const *argv)
{
	char log[100];

	snprintf(log, sizeof(log), "%s/log", server->folder);
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* what the leader leaves behind is ours to bury */
	server->pid = fork();
	if (server->pid == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (freopen(log, "w", stderr) != NULL && freopen(log, "a", stdout) != NULL)
			execvp(program, argv);
		_exit(127);
	}
	setpgid(server->pid, server->pid);
	for (unsigned i = 0; i < READY_TRIES; i++) {
		if (answers(server->port))
			return;
		if (waitpid(server->pid, NULL, WNOHANG) == server->pid)
			break;
	}
	fprintf(stderr, "support_dns: %s does not answer, its words are in %s\n", program, log);
	kill(-server->pid, SIGKILL);
	exit(99);
}

struct support_dns *
support_dns_nsd(const struct support_dns_zone *zones, size_t count)
{
	return support_dns_nsd_at(support_dns_free_port(), zones, count);
}

struct support_dns *
support_dns_nsd_at(uint16_t port, const struct support_dns_zone *zones, size_t count)
{
	struct support_dns *server = make_server(port);
	struct wbuf         conf;
	char                path[100];

	wbuf_init(&conf);
	wbuf_printf(&conf,
	    "server:\n ip-address: 127.0.0.1@%u\n ip-address: ::1@%u\n server-count: 1\n"
	    " username: \"\"\n zonesdir: \"%s\"\n database: \"\"\n pidfile: \"\"\n"
	    " xfrdfile: \"\"\n zonelistfile: \"%s/zones\"\n xfrdir: \"%s\"\n"
	    " rrl-ratelimit: 0\nremote-control:\n control-enable: no\n",
	    server->port, server->port, server->folder, server->folder, server->folder);
	for (size_t i = 0; i < count; i++) {
		wbuf_printf(&conf, "zone:\n name: \"%s\"\n zonefile: \"%s.zone\"\n",
		    zones[i].name, zones[i].name);
		snprintf(path, sizeof(path), "%s.zone", zones[i].name);
		if (zones[i].text != NULL)
			write_file(server, path, zones[i].text);
	}
	write_file(server, "nsd.conf", wbuf_text(&conf));
	wbuf_fini(&conf);
	snprintf(path, sizeof(path), "%s/nsd.conf", server->folder);
	run(server, "/usr/sbin/nsd",
	    (char *[]){ (char *)"nsd", (char *)"-d", (char *)"-c", path, NULL });
	return server;
}

struct support_dns *
support_dns_unbound(const char *options)
{
	struct support_dns *server = make_server(support_dns_free_port());
	struct wbuf         conf;
	char                path[100];

	wbuf_init(&conf);
	wbuf_printf(&conf,
	    "server:\n interface: 127.0.0.1@%u\n interface: ::1@%u\n username: \"\"\n"
	    " chroot: \"\"\n directory: \"%s\"\n pidfile: \"\"\n use-syslog: no\n"
	    " do-daemonize: no\n module-config: \"iterator\"\n do-not-query-localhost: no\n"
	    "%s",
	    server->port, server->port, server->folder, options);
	write_file(server, "unbound.conf", wbuf_text(&conf));
	wbuf_fini(&conf);
	snprintf(path, sizeof(path), "%s/unbound.conf", server->folder);
	run(server, "/usr/sbin/unbound",
	    (char *[]){ (char *)"unbound", (char *)"-d", (char *)"-c", path, NULL });
	return server;
}

static void
remove_folder(const char *folder)
{
	DIR           *dir = opendir(folder);
	struct dirent *entry;
	char           path[400];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.' && unlink(path) != 0 && errno == EISDIR)
			remove_folder(path);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(folder);
}

void
support_dns_free(struct support_dns *server)
{
	if (server == NULL)
		return;
	kill(-server->pid, SIGCONT);
	kill(server->pid, SIGTERM); /* the leader ends its own processes */
	for (unsigned i = 0; i < READY_TRIES && kill(-server->pid, 0) == 0; i++) {
		while (waitpid(-server->pid, NULL, WNOHANG) > 0)
			continue;
		poll(NULL, 0, 5);
	}
	kill(-server->pid, SIGKILL);
	while (waitpid(-server->pid, NULL, 0) > 0)
		continue;
	remove_folder(server->folder);
	free(server);
}

uint16_t
support_dns_port(const struct support_dns *server)
{
	return server->port;
}

void
support_dns_pause(const struct support_dns *server)
{
	kill(-server->pid, SIGSTOP);
}

void
support_dns_resume(const struct support_dns *server)
{
	kill(-server->pid, SIGCONT);
}
