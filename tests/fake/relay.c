/* relay: a wire with a length.
 *
 * Makes one TUN device in each of two network namespaces and carries every packet from one to the
 * other, both ways, after a delay.  For machines whose kernel has no netem.  It loses nothing but
 * what overflows a queue, which it counts and tells at the end; it keeps the order.
 *
 *	relay --delay-us N --near NETNS,NAME --far NETNS,NAME
 *
 * NETNS is the path of a namespace (/proc/PID/ns/net).  "relaying" on stdout when both are there;
 * ends on SIGTERM or SIGINT.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { PACKET_MAX = 2048, QUEUE_MAX = 4096 };

#define NS_PER_S INT64_C(1000000000)

struct packet {
	int64_t due_ns; /* when it arrives, monotonic */
	size_t  count;
	char    bytes[PACKET_MAX];
};

/* One direction: packets that are on their way, oldest first. */
struct way {
	int            from, to;
	struct packet *packets; /* a ring of QUEUE_MAX */
	size_t         first, count;
	unsigned long  carried, lost;
};

static volatile sig_atomic_t told_to_end;

static void
on_signal(int number)
{
	told_to_end = 1;
}

static void
die(const char *what)
{
	fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Enters the namespace for good: a device belongs to the one in which it was made, and its
 * descriptor works from anywhere. */
static int
open_device(char *place)
{
	char        *comma = strchr(place, ',');
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int          netns, device;

	if (comma == NULL || strlen(comma + 1) >= sizeof(request.ifr_name) ||
	    comma[1] == '\0') {
		fprintf(stderr, "relay: %s: NETNS,NAME wanted\n", place);
		exit(2);
	}
	*comma = '\0';
	strcpy(request.ifr_name, comma + 1);
	netns = open(place, O_RDONLY | O_CLOEXEC);
	if (netns < 0 || setns(netns, CLONE_NEWNET) != 0)
		die(place);
	close(netns);
	device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (device < 0)
		die("/dev/net/tun");
	if (ioctl(device, TUNSETIFF, &request) != 0)
		die(request.ifr_name);
	return device;
}

/* Takes all packets that wait at the near end. */
static void
take_in(struct way *way, int64_t delay_ns)
{
	for (;;) {
		size_t         last = (way->first + way->count) % QUEUE_MAX;
		struct packet *packet = &way->packets[last];
		char           spill[PACKET_MAX];
		bool           full = way->count == QUEUE_MAX;
		ssize_t count = read(way->from, full ? spill : packet->bytes, PACKET_MAX);

		if (count <= 0)
			return;
		if (full) {
			way->lost++;
			continue;
		}
		packet->count = (size_t)count;
		packet->due_ns = now_ns() + delay_ns;
		way->count++;
	}
}

/* Hands over what is due. */
static void
hand_out(struct way *way)
{
	while (way->count > 0 && way->packets[way->first].due_ns <= now_ns()) {
		struct packet *packet = &way->packets[way->first];

		/* A device that is down refuses: the packet is lost, as on a cut wire. */
		if (write(way->to, packet->bytes, packet->count) == (ssize_t)packet->count)
			way->carried++;
		else
			way->lost++;
		way->first = (way->first + 1) % QUEUE_MAX;
		way->count--;
	}
}

static int64_t
first_due_ns(const struct way *way)
{
	return way->count > 0 ? way->packets[way->first].due_ns : INT64_MAX;
}

static void
wait_for_work(const struct way *out, const struct way *back, const sigset_t *signals)
{
	struct pollfd   polled[2] = { { .fd = out->from, .events = POLLIN },
		  { .fd = back->from, .events = POLLIN } };
	int64_t         due_ns = first_due_ns(out);
	struct timespec limit, *wait = NULL;

	if (first_due_ns(back) < due_ns)
		due_ns = first_due_ns(back);
	if (due_ns != INT64_MAX) {
		int64_t left_ns = due_ns - now_ns();

		if (left_ns < 0)
			left_ns = 0;
		limit.tv_sec = left_ns / NS_PER_S;
		limit.tv_nsec = left_ns % NS_PER_S;
		wait = &limit;
	}
	if (ppoll(polled, 2, wait, signals) < 0 && errno != EINTR)
		die("ppoll");
}

static void
carry(struct way *out, struct way *back, int64_t delay_ns, const sigset_t *signals)
{
	while (!told_to_end) {
		wait_for_work(out, back, signals);
		take_in(out, delay_ns);
		take_in(back, delay_ns);
		hand_out(out);
		hand_out(back);
	}
}

static struct packet *
new_packets(void)
{
	struct packet *packets = calloc(QUEUE_MAX, sizeof(*packets));

	if (packets == NULL)
		die("memory");
	return packets;
}

/* Signals are only let in while ppoll() waits, so that none is missed. */
static void
hold_signals(sigset_t *outside)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t         held;

	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGINT);
	sigprocmask(SIG_BLOCK, &held, outside);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

static void
usage(void)
{
	fputs("usage: relay --delay-us N --near NETNS,NAME --far NETNS,NAME\n", stderr);
	exit(2);
}

static int64_t
read_delay_ns(const char *text)
{
	char *end;
	long  delay_us = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || delay_us < 0 || delay_us > 10000000)
		usage();
	return (int64_t)delay_us * 1000;
}

int
main(int argc, char **argv)
{
	static const struct option known[] = { { "delay-us", required_argument, NULL, 'd' },
		{ "near", required_argument, NULL, 'n' },
		{ "far", required_argument, NULL, 'f' }, { NULL, 0, NULL, 0 } };
	char                      *near = NULL, *far = NULL;
	int64_t                    delay_ns = -1;
	struct way                 out = { 0 }, back = { 0 };
	sigset_t                   signals;

	for (int key; (key = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		switch (key) {
		case 'd': delay_ns = read_delay_ns(optarg); break;
		case 'n': near = optarg; break;
		case 'f': far = optarg; break;
		default: usage();
		}
	}
	if (delay_ns < 0 || near == NULL || far == NULL || optind != argc)
		usage();
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	hold_signals(&signals);
	out.from = back.to = open_device(near);
	out.to = back.from = open_device(far);
	out.packets = new_packets();
	back.packets = new_packets();
	puts("relaying");
	fflush(stdout);
	carry(&out, &back, delay_ns, &signals);
	printf("carried %lu and %lu packets, lost %lu and %lu\n", out.carried, back.carried,
	    out.lost, back.lost);
	free(out.packets);
	free(back.packets);
	return 0;
}
