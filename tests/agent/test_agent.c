/* The daemon as it is installed: the program, its two processes, and how they end. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "proto/decode.h"
#include "proto/encode.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_collector.h"
#include "tests/support/support_dir.h"
#include "tests/support/support_peer.h"

#include <libgen.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	char                    *dir, *config, *spool;
	char                    *log; /* file for its stderr; NULL: ours */
	struct support_certs    *certs;
	struct support_tls       tls;
	struct support_peer     *peer;
	struct support_collector collector;
	bool                     deaf;       /* the agent has a DNS server that never answers */
	bool                     own_resolv; /* its resolv.conf is ours */
	pid_t                    agent;
};

static const char *const stored[] = {
	"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{\"status\":\"stored\"}", NULL
};

static void
write_text(struct fixture *f, const char *name, const char *text)
{
	char      *path = mem_printf("%s/%s", f->dir, name);
	struct err err;

	if (!file_replace(path, text, strlen(text), 0600, &err))
		fail_msg("%s", err.text);
	free(path);
}

#define VNET \
	"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/vnet-a"

static void
write_settings(struct fixture *f, const char *more)
{
	struct addr addr = support_peer_addr(f->peer);
	char       *text = mem_printf(
	          "agent: vm-1\nnetwork: net\nvnet: " VNET
	          "\nstate_dir: state\ncollector: https://127.0.0.1:%u\n"
	                "collector_ca: ca.pem\ntoken_file: token\nresolvers: ['127.0.0.1:1']\n"
	                "interval: 1s\ntimeout: 500ms\nseal_age: 300ms\nsweep: false\n%s",
	          addr.port, more);

	write_text(f, "agent.yaml", text);
	free(text);
}

static void
write_config(struct fixture *f, const char *more)
{
	char *text = mem_printf("accounts: [{name: contoso}]\nlog_level: error\n%s", more);

	write_settings(f, text);
	free(text);
}

static void
write_pulling_config(struct fixture *f)
{
	write_settings(f, "log_level: error\nassignment_interval: 1s\n");
}

/* As an earlier agent has left it. */
static void
write_assignment(struct fixture *f)
{
	char       *path = mem_printf("%s/state", f->dir);
	struct err  err;
	struct wbuf out;

	assert_int_equal(mkdir(path, 0700), 0);
	free(path);
	path = mem_printf("%s/state/assignment", f->dir);
	wbuf_init(&out);
	encode_message(&assignment_desc,
	    &(struct assignment){ .v = PROTO_VERSION, .version = "v1" }, &out);
	if (!file_replace(path, out.bytes, out.count, 0600, &err))
		fail_msg("%s", err.text);
	wbuf_fini(&out);
	free(path);
}

static int
setup(void **state)
{
	static const char *const names[] = { "127.0.0.1", NULL };
	struct fixture          *f = mem_alloc(sizeof(*f));
	char                    *ca;

	f->dir = support_dir_new();
	f->config = mem_printf("%s/agent.yaml", f->dir);
	f->spool = mem_printf("%s/state/spool", f->dir);
	ca = mem_printf("%s/ca.pem", f->dir);
	f->certs = support_certs_new(
	    &(struct support_certs_plan){ .subject = "collector", .names = names });
	support_certs_write(f->certs, ca, NULL);
	free(ca);
	support_collector_init(&f->collector);
	f->collector.answers = stored;
	f->tls = (struct support_tls){
		.certs = f->certs, .talk = support_collector_talk, .arg = &f->collector
	};
	f->peer = support_peer_start(support_tls_serve, &f->tls);
	write_text(f, "token", "id.secret\n");
	write_config(f, "");
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	if (f->agent > 0) {
		kill(f->agent, SIGKILL);
		waitpid(f->agent, NULL, 0);
	}
	support_peer_stop(f->peer);
	support_collector_fini(&f->collector);
	support_certs_free(f->certs);
	support_dir_free(f->dir);
	free(f->config);
	free(f->log);
	free(f->spool);
	free(f);
	return 0;
}

/* A network of its own, where port 53 is bound by a socket that the agent inherits and nobody
 * reads; false when we may not. */
static bool
go_deaf(const struct fixture *f)
{
	struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(53) };
	struct ifreq       lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	char              *path = mem_printf("%s/resolv.conf", f->dir);
	int                fd;
	bool               done;

	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	done = unshare(CLONE_NEWNS | CLONE_NEWNET) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0 &&
	    (fd = socket(AF_INET, SOCK_DGRAM, 0)) >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0 &&
	    bind(fd, (struct sockaddr *)&server, sizeof(server)) == 0;
	free(path);
	return done;
}

/* Our resolv.conf in the place of the machine's; false when we may not. */
static bool
take_resolv(const struct fixture *f)
{
	char *path = mem_printf("%s/resolv.conf", f->dir);
	bool  done = unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0;

	free(path);
	return done;
}

static void
start_agent(struct fixture *f)
{
	char  self[4096] = "";
	char *program;

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	program = mem_printf("%s/../plprobe", dirname(self));
	f->agent = fork();
	assert_true(f->agent >= 0);
	if (f->agent == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (f->deaf && !go_deaf(f))
			_exit(97);
		if (f->own_resolv && !take_resolv(f))
			_exit(97);
		if (f->log != NULL && freopen(f->log, "w", stderr) == NULL)
			_exit(98);
		execl(program, "plprobe", "agent", "--config", f->config, (char *)NULL);
		_exit(99);
	}
	free(program);
}

/* The exit code; -1 when it has not ended in time. */
static int
wait_for_end(struct fixture *f, int64_t limit_ms)
{
	int64_t end_us = clock_mono_us(clock_system()) + limit_ms * US_PER_MS;
	int     status;

	while (clock_mono_us(clock_system()) < end_us) {
		if (waitpid(f->agent, &status, WNOHANG) == f->agent) {
			f->agent = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
		}
		usleep(5000);
	}
	return -1;
}

static bool
wait_for_requests(struct fixture *f, unsigned count, int64_t limit_ms)
{
	int64_t end_us = clock_mono_us(clock_system()) + limit_ms * US_PER_MS;

	while (support_collector_count(&f->collector) < count) {
		if (clock_mono_us(clock_system()) > end_us)
			return false;
		usleep(5000);
	}
	return true;
}

static pid_t
find_prober(const struct fixture *f)
{
	char  path[64];
	int   child = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)f->agent, (int)f->agent);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &child), 1);
	fclose(file);
	return child;
}

struct seen {
	unsigned measurements, vitals, gaps, batches;
};

/* What the collector has been sent, each batch once. */
static struct seen
count_records(struct fixture *f)
{
	struct seen   seen = { 0 };
	struct arena *arena = arena_new();
	unsigned      count = support_collector_count(&f->collector);

	for (unsigned i = 0; i < count; i++) {
		struct err    err;
		struct wbuf  *body = &f->collector.bodies[i];
		struct batch *batch = decode_message(
		    &batch_desc, arena, body->bytes, body->count, &err);

		if (batch == NULL)
			fail_msg("request %u: %s", i, err.text);
		assert_string_equal(batch->agent, "vm-1");
		seen.batches++;
		for (size_t j = 0; j < batch->records_count; j++) {
			seen.measurements += batch->records[j].measurement != NULL;
			if (batch->records[j].vitals != NULL)
				assert_string_equal(batch->records[j].vitals->vnet, VNET);
			seen.vitals += batch->records[j].vitals != NULL;
			seen.gaps += batch->records[j].gap != NULL;
		}
	}
	arena_free(arena);
	return seen;
}

/* Everything measured arrives; SIGTERM sends what is left and ends. */
static void
test_results_arrive_and_the_end_drains(void **state)
{
	struct fixture *f = *state;
	struct seen     seen;

	start_agent(f);
	assert_true(wait_for_requests(f, 3, 20000));
	kill(f->agent, SIGTERM);
	assert_int_equal(wait_for_end(f, 8000), 0);
	seen = count_records(f);
	assert_true(seen.measurements >= 1);
	assert_true(seen.vitals >= 1);
	assert_int_equal(seen.gaps, 0);
	assert_int_equal(support_dir_count(f->spool), 2); /* the lock and bad/ */
}

static void
test_prober_killed(void **state)
{
	struct fixture *f = *state;

	start_agent(f);
	assert_true(wait_for_requests(f, 1, 20000));
	kill(find_prober(f), SIGKILL);
	assert_int_equal(wait_for_end(f, 8000), 1);
}

/* kill -9 of the shipper: the prober ends, and the next agent sends what was spooled. */
static void
test_shipper_killed(void **state)
{
	struct fixture *f = *state;
	unsigned        before;
	pid_t           prober;

	start_agent(f);
	assert_true(wait_for_requests(f, 1, 20000));
	prober = find_prober(f);
	kill(f->agent, SIGKILL);
	assert_int_equal(wait_for_end(f, 2000), 128);
	for (int i = 0; i < 400 && kill(prober, 0) == 0; i++)
		usleep(5000);
	assert_int_equal(kill(prober, 0), -1);
	before = support_collector_count(&f->collector);
	start_agent(f);
	assert_true(wait_for_requests(f, before + 2, 20000));
	kill(f->agent, SIGTERM);
	assert_int_equal(wait_for_end(f, 8000), 0);
	assert_int_equal(count_records(f).gaps, 0);
	assert_int_equal(support_dir_count(f->spool), 2);
}

/* A bad file leaves the running configuration in force; a good one is taken. */
static void
test_reload(void **state)
{
	struct fixture *f = *state;

	start_agent(f);
	assert_true(wait_for_requests(f, 1, 20000));
	write_config(f, "intervall: 1s\n");
	kill(f->agent, SIGHUP);
	assert_true(wait_for_requests(f, support_collector_count(&f->collector) + 2, 20000));
	write_config(f, "in_flight: 8\n");
	kill(f->agent, SIGHUP);
	assert_true(wait_for_requests(f, support_collector_count(&f->collector) + 2, 20000));
	kill(f->agent, SIGTERM);
	assert_int_equal(wait_for_end(f, 8000), 0);
}

static void
run_with_log(struct fixture *f, const char *name)
{
	f->log = mem_printf("%s/%s", f->dir, name);
	start_agent(f);
}

static bool
wait_for_log(struct fixture *f, const char *wanted, int64_t limit_ms)
{
	int64_t end_us = clock_mono_us(clock_system()) + limit_ms * US_PER_MS;
	bool    found = false;

	while (!found && clock_mono_us(clock_system()) < end_us) {
		struct arena *arena = arena_new();
		size_t        count;
		char         *text = file_read(arena, f->log, 1 << 20, &count, NULL);

		found = text != NULL && strstr(text, wanted) != NULL;
		arena_free(arena);
		usleep(5000);
	}
	return found;
}

/* In both processes: an assignment is told by the prober, the reading by the shipper. */
static void
test_reload_takes_the_log_level(void **state)
{
	struct fixture *f = *state;

	run_with_log(f, "log");
	assert_true(wait_for_requests(f, 1, 20000));
	assert_false(wait_for_log(f, "level=info", 1));
	write_settings(f, "log_level: info\naccounts: [{name: contoso}]\n");
	kill(f->agent, SIGHUP);
	assert_true(wait_for_log(f, "read again", 10000));
	assert_true(wait_for_log(f, "who=prober", 10000));
	kill(f->agent, SIGTERM);
	assert_int_equal(wait_for_end(f, 8000), 0);
}

/* The tag of an assignment that was pulled is no tag of one that was made here. */
static void
test_tag_is_not_kept(void **state)
{
	struct fixture *f = *state;
	unsigned        before;
	bool            asked = false;

	write_assignment(f);
	write_pulling_config(f);
	start_agent(f);
	assert_true(wait_for_requests(f, 1, 20000));
	assert_non_null(strstr(f->collector.heads[0], "If-None-Match: \"v1\""));
	write_config(f, "");
	kill(f->agent, SIGHUP);
	assert_true(wait_for_requests(f, support_collector_count(&f->collector) + 2, 20000));
	before = support_collector_count(&f->collector);
	write_pulling_config(f);
	kill(f->agent, SIGHUP);
	while (!asked) {
		assert_true(wait_for_requests(f, before + 1, 20000));
		asked = strncmp(f->collector.heads[before], "GET ", 4) == 0;
		before++;
	}
	assert_null(strstr(f->collector.heads[before - 1], "If-None-Match"));
	kill(f->agent, SIGTERM);
	assert_int_equal(wait_for_end(f, 8000), 0);
}

/* Two agents cannot have one spool. */
static void
test_second_agent_is_refused(void **state)
{
	struct fixture *f = *state;
	pid_t           first;

	start_agent(f);
	assert_true(wait_for_requests(f, 1, 20000));
	first = f->agent;
	start_agent(f);
	assert_int_equal(wait_for_end(f, 8000), 1);
	f->agent = first;
	kill(f->agent, SIGTERM);
	assert_int_equal(wait_for_end(f, 8000), 0);
}

/* While the collector is away the agent spools, and ends in time when it is told to. */
static void
test_collector_away(void **state)
{
	struct fixture *f = *state;

	support_peer_stop(f->peer);
	f->peer = NULL;
	start_agent(f);
	sleep(3);
	kill(f->agent, SIGTERM);
	assert_int_equal(wait_for_end(f, 8000), 0);
	assert_true(support_dir_count(f->spool) > 2);
}

/* The resolver of libc waits half a minute for two such servers; we do not. */
static void
test_end_without_dns(void **state)
{
	struct fixture *f = *state;

	write_text(f, "resolv.conf", "nameserver 127.0.0.1\noptions timeout:10\n");
	write_text(f, "agent.yaml",
	    "agent: vm-1\nstate_dir: state\ncollector: https://collector.nowhere.test\n"
	    "token_file: token\nlog_level: error\nseal_age: 100ms\n");
	f->deaf = true;
	start_agent(f);
	if (wait_for_end(f, 2000) == 97)
		skip();
	kill(f->agent, SIGTERM);
	assert_int_equal(wait_for_end(f, 6000), 0);
}

/* In the place where the agent has it mounted. */
static void
rewrite_resolv(const struct fixture *f, const char *text)
{
	char *path = mem_printf("%s/resolv.conf", f->dir);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	free(path);
}

static bool
heard_of_resolvers(struct fixture *f, const char *wanted)
{
	struct arena *arena = arena_new();
	unsigned      count = support_collector_count(&f->collector);
	bool          heard = false;

	for (unsigned i = 0; i < count; i++) {
		struct wbuf  *body = &f->collector.bodies[i];
		struct batch *batch = decode_message(
		    &batch_desc, arena, body->bytes, body->count, NULL);

		for (size_t j = 0; batch != NULL && j < batch->records_count; j++) {
			const struct vitals *vitals = batch->records[j].vitals;

			heard |= vitals != NULL && strcmp(vitals->resolvers, wanted) == 0;
		}
	}
	arena_free(arena);
	return heard;
}

/* A changed resolv.conf is said at once, counts for the next measurement, and goes to the
 * collector. */
static void
test_resolvers_change(void **state)
{
	struct fixture *f = *state;
	struct addr     addr = support_peer_addr(f->peer);
	char           *text = mem_printf(
	              "agent: vm-1\nstate_dir: state\ncollector: https://127.0.0.1:%u\n"
	                        "collector_ca: ca.pem\ntoken_file: token\n"
	                        "accounts: [{name: contoso}]\n"
	                        "interval: 1s\ntimeout: 500ms\nseal_age: 300ms\nsweep: false\n",
	              addr.port);

	write_text(f, "agent.yaml", text);
	free(text);
	write_text(f, "resolv.conf", "nameserver 127.0.0.77\n");
	f->own_resolv = true;
	run_with_log(f, "log");
	if (wait_for_end(f, 300) == 97)
		skip();
	assert_true(wait_for_log(f, "resolvers are 127.0.0.77; before: none", 10000));
	assert_true(wait_for_requests(f, 1, 20000));
	rewrite_resolv(f, "nameserver 127.0.0.77\nnameserver 127.0.0.78\n");
	assert_true(
	    wait_for_log(f, "resolvers are 127.0.0.77 127.0.0.78; before: 127.0.0.77", 10000));
	for (unsigned i = 0; i < 1000 && !heard_of_resolvers(f, "127.0.0.77 127.0.0.78"); i++)
		usleep(10000);
	assert_true(heard_of_resolvers(f, "127.0.0.77 127.0.0.78"));
	/* What cannot be read changes nothing. */
	rewrite_resolv(f, "# nothing\n");
	assert_true(wait_for_log(f, "those known before go on", 10000));
	kill(f->agent, SIGTERM);
	assert_int_equal(wait_for_end(f, 8000), 0);
}

static void
run_plprobe(const struct fixture *f, const char *arguments, char *said, size_t room)
{
	char   self[4096] = "";
	char  *line;
	FILE  *pipe;
	size_t count;

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	line = mem_printf(
	    "%s/../plprobe %s --socket %s/agent.sock 2>&1", dirname(self), arguments, f->dir);
	pipe = popen(line, "r");
	assert_non_null(pipe);
	count = fread(said, 1, room - 1, pipe);
	said[count] = '\0';
	snprintf(said + count, room - count, "exit %d\n", WEXITSTATUS(pclose(pipe)));
	free(line);
}

static bool
wait_for_status(struct fixture *f, const char *wanted, char *said, size_t room)
{
	for (int i = 0; i < 400; i++) {
		run_plprobe(f, "status", said, room);
		if (strstr(said, wanted) != NULL)
			return true;
		usleep(25000);
	}
	return false;
}

/* While it runs, when it has been told to measure what it must not, and when it is down. */
static void
test_status(void **state)
{
	struct fixture *f = *state;
	char            said[8192];

	write_config(f, "status_socket: agent.sock\nports: [10255]\n");
	run_plprobe(f, "status", said, sizeof(said));
	assert_non_null(strstr(said, "no agent answers at"));
	assert_non_null(strstr(said, "exit 1\n"));
	start_agent(f);
	if (!wait_for_status(f, "batches stored", said, sizeof(said)) ||
	    !wait_for_status(f, "refused by the local policy", said, sizeof(said)))
		fail_msg("%s", said);
	assert_non_null(strstr(said, "agent       vm-1, network net\n"));
	assert_non_null(strstr(said, "port 443 is not one of 'ports'"));
	assert_non_null(strstr(said, "exit 0\n"));
	run_plprobe(f, "status -o json", said, sizeof(said));
	assert_non_null(strstr(said, "\"refused\": 1,"));
	kill(f->agent, SIGTERM);
	assert_int_equal(wait_for_end(f, 8000), 0);
	run_plprobe(f, "status", said, sizeof(said));
	assert_non_null(strstr(said, "exit 1\n"));
}

/* The process that measures finds its settings in what it is handed, and no secret anywhere. */
static void
test_prober_reads_no_secret(void **state)
{
	struct fixture *f = *state;

	write_config(f, "log_level: debug\n");
	write_settings(f, "accounts: [{name: contoso}]\nlog_level: debug\n");
	run_with_log(f, "log");
	assert_true(wait_for_requests(f, 1, 20000));
	assert_false(wait_for_log(f, "can read it", 100));
	if (wait_for_log(f, "no landlock", 100))
		skip();
	/* The same where it may read: the warning is alive. */
	kill(f->agent, SIGTERM);
	assert_int_equal(wait_for_end(f, 8000), 0);
	free(f->log);
	write_settings(f,
	    "accounts: [{name: contoso}]\naccess: [{account: contoso, key_file: "
	    "/etc/hosts}]\n");
	run_with_log(f, "log2");
	assert_true(wait_for_log(f, "key_file: /etc/hosts lies where", 10000));
}

/* A policy that anybody could have written is no policy; the agent does not start with it. */
static void
test_policy_of_others(void **state)
{
	struct fixture *f = *state;
	char           *path = mem_printf("%s/policy.yaml", f->dir);

	write_config(f, "policy: policy.yaml\n");
	write_text(f, "policy.yaml", "zones: [documents.azure.com]\n");
	assert_int_equal(chmod(path, 0666), 0);
	run_with_log(f, "log");
	assert_int_equal(wait_for_end(f, 8000), 1);
	assert_true(wait_for_log(f, "a policy is only taken from root", 1000));
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_results_arrive_and_the_end_drains, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prober_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shipper_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_reload_takes_the_log_level, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tag_is_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_second_agent_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_collector_away, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_without_dns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resolvers_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prober_reads_no_secret, setup, teardown),
		cmocka_unit_test_setup_teardown(test_policy_of_others, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
