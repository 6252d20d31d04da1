/* bench_memory: what the agent costs in memory, both of its processes together.
 *
 * 20 names (an account in 19 regions) are measured in full, over real DNS, TLS and HTTP, and
 * uploads are tried, so that every library has been used.  The measure is the proportional set
 * size of the kernel [proc-smaps]: shared pages are divided among those that share them.  Fails
 * beyond 12 MiB.  Since that is less where other programs use the same libraries, it also says
 * what it would be on a machine where nobody else does.
 */
#include "base/arena.h"
#include "base/file.h"
#include "base/wbuf.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_child.h"
#include "tests/support/support_dir.h"
#include "tests/support/support_dns.h"

#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REGIONS = 19, LIMIT_KB = 12 * 1024, SETTLE_S = 14 };

struct world {
	char                 *dir;
	struct support_certs *certs;
	struct support_dns   *dns;
	struct support_child *gateway;
	uint16_t              port;
};

static void
write_text(const struct world *world, const char *name, const char *text)
{
	char      *path = mem_printf("%s/%s", world->dir, name);
	struct err err;

	if (!file_replace(path, text, strlen(text), 0600, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(99);
	}
	free(path);
}

static void
write_document(const struct world *world)
{
	struct wbuf out;

	wbuf_init(&out);
	wbuf_printf(&out,
	    "{\"name\": \"contoso\", \"documentEndpoint\": "
	    "\"https://contoso.documents.azure.com:%u/\", \"locations\": [",
	    world->port);
	for (unsigned i = 0; i < REGIONS; i++)
		wbuf_printf(&out,
		    "%s{\"locationName\": \"Region %u\", \"failoverPriority\": %u, "
		    "\"provisioningState\": \"Succeeded\", \"documentEndpoint\": "
		    "\"https://contoso-region%u.documents.azure.com:%u/\"}",
		    i > 0 ? "," : "", i, i, i, world->port);
	wbuf_puts(&out, "]}");
	write_text(world, "contoso.json", wbuf_text(&out));
	wbuf_fini(&out);
}

static void
write_configuration(const struct world *world)
{
	char *text = mem_printf("agent: bench\nnetwork: bench\nstate_dir: state\n"
	                        "collector: https://127.0.0.1:%u\ncollector_ca: ca.pem\n"
	                        "token_file: token\nca_file: ca.pem\nallow_loopback: true\n"
	                        "ports: [%u]\nresolvers: ['127.0.0.1:%u']\nsweep: false\n"
	                        "interval: 4s\ntimeout: 3s\nseal_age: 2s\nlog_level: error\n"
	                        "accounts: [{document: contoso.json}]\n",
	    world->port, world->port, support_dns_port(world->dns));

	write_text(world, "agent.yaml", text);
	write_text(world, "token", "id.secret\n");
	free(text);
}

static void
start_gateway(struct world *world)
{
	static const char *const names[] = { "*.documents.azure.com", "127.0.0.1", NULL };
	char                    *cert = mem_printf("%s/ca.pem", world->dir);
	char                    *key = mem_printf("%s/key.pem", world->dir);
	const char *args[] = { "--listen", "127.0.0.1:0", "--cert", cert, "--key", key, NULL };

	world->certs = support_certs_new(
	    &(struct support_certs_plan){ .subject = "gateway", .names = names });
	support_certs_write(world->certs, cert, key);
	world->gateway = support_child_start("fake_backend", args, 1);
	world->port = support_child_addr(world->gateway, 0).port;
	free(cert);
	free(key);
}

static void
start_dns(struct world *world)
{
	static const char soa[] = "@ 60 IN SOA ns. host. 1 60 60 60 60\n@ 60 IN NS ns.\n";
	const struct support_dns_zone zones[] = {
		{ "documents.azure.com",
		    "@ 60 IN SOA ns. host. 1 60 60 60 60\n@ 60 IN NS ns.\n"
		    "* 60 IN CNAME contoso.privatelink\n"
		    "contoso.privatelink 60 IN A 127.0.0.1\n" },
		{ "spare.test", soa },
	};

	world->dns = support_dns_nsd(zones, 2);
}

static pid_t
start_agent(const struct world *world)
{
	char  self[4096] = "";
	char *config = mem_printf("%s/agent.yaml", world->dir);
	char *program;
	pid_t child;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		exit(99);
	program = mem_printf("%s/../plprobe", dirname(self));
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execl(program, "plprobe", "agent", "--config", config, (char *)NULL);
		perror(program);
		_exit(99);
	}
	free(program);
	free(config);
	return child;
}

/* 0 when it cannot be read. */
static unsigned long
read_pss_kb(pid_t pid)
{
	char          path[64], line[256];
	unsigned long kb = 0;
	FILE         *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	file = fopen(path, "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "Pss: %lu kB", &kb) == 1)
			break;
	}
	if (file != NULL)
		fclose(file);
	return kb;
}

/* Mapped files, and how much of each is resident. */
struct files {
	struct {
		char          path[256];
		unsigned long kb;
	} rows[128];
	size_t        count;
	unsigned long anonymous_kb; /* proportional */
};

static unsigned long *
find_row(struct files *files, const char *path)
{
	for (size_t i = 0; i < files->count; i++) {
		if (strcmp(files->rows[i].path, path) == 0)
			return &files->rows[i].kb;
	}
	if (files->count == sizeof(files->rows) / sizeof(files->rows[0]))
		return NULL;
	snprintf(files->rows[files->count].path, sizeof(files->rows[0].path), "%s", path);
	return &files->rows[files->count++].kb;
}

/* From each mapping: resident pages that are the file's own, and those that are not. */
static void
read_files(pid_t pid, struct files *files)
{
	char           path[64], line[512], name[256] = "";
	unsigned long  kb, rss_kb = 0, anonymous_kb = 0, pss_kb = 0;
	unsigned long *row;
	FILE          *file;

	*files = (struct files){ 0 };
	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	file = fopen(path, "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "%*x-%*x %*s %*x %*s %*u %255s", name) == 1)
			continue;
		if (sscanf(line, "%*x-%*x %*s %*x %*s %lu", &kb) == 1)
			name[0] = '\0';
		else if (sscanf(line, "Rss: %lu", &kb) == 1)
			rss_kb = kb;
		else if (sscanf(line, "Pss: %lu", &kb) == 1)
			pss_kb = kb;
		else if (sscanf(line, "Anonymous: %lu", &kb) == 1)
			anonymous_kb = kb;
		else if (strncmp(line, "VmFlags:", 8) == 0) {
			row = name[0] == '/' ? find_row(files, name) : NULL;
			if (row != NULL) {
				*row += rss_kb - anonymous_kb;
				files->anonymous_kb += anonymous_kb < pss_kb ? anonymous_kb
				                                             : pss_kb;
			} else {
				files->anonymous_kb += pss_kb;
			}
		}
	}
	if (file != NULL)
		fclose(file);
}

/* Anonymous memory of both, and of each file as much as the one that has more of it. */
static unsigned long
read_alone_kb(pid_t left, pid_t right)
{
	static struct files one, other;
	unsigned long       sum_kb;

	read_files(left, &one);
	read_files(right, &other);
	sum_kb = one.anonymous_kb + other.anonymous_kb;
	for (size_t i = 0; i < one.count; i++) {
		unsigned long *row = find_row(&other, one.rows[i].path);

		if (row != NULL && *row < one.rows[i].kb)
			*row = one.rows[i].kb;
	}
	for (size_t i = 0; i < other.count; i++)
		sum_kb += other.rows[i].kb;
	return sum_kb;
}

static pid_t
find_child(pid_t pid)
{
	char  path[64];
	int   child = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%d", &child) != 1)
		child = 0;
	fclose(file);
	return child;
}

static int
judge(pid_t shipper, pid_t prober)
{
	unsigned long shipper_kb = read_pss_kb(shipper), prober_kb = read_pss_kb(prober);
	unsigned long both_kb = shipper_kb + prober_kb;

	if (shipper_kb == 0 || prober_kb == 0) {
		fprintf(
		    stderr, "the agent does not run, or its smaps_rollup may not be read\n");
		return 1;
	}
	printf(
	    "agent with %d names: prober %lu kB, shipper %lu kB, together %.2f MiB of %d MiB "
	    "(PSS): %.2f\n",
	    REGIONS + 1, prober_kb, shipper_kb, (double)both_kb / 1024, LIMIT_KB / 1024,
	    (double)both_kb / LIMIT_KB);
	printf("where no other program has these libraries mapped: about %.2f MiB\n",
	    (double)read_alone_kb(shipper, prober) / 1024);
	return both_kb > LIMIT_KB;
}

int
main(void)
{
	struct world world = { .dir = support_dir_new() };
	pid_t        agent;
	int          code;

	start_gateway(&world);
	start_dns(&world);
	write_document(&world);
	write_configuration(&world);
	agent = start_agent(&world);
	sleep(SETTLE_S);
	code = judge(agent, find_child(agent));
	kill(agent, SIGTERM);
	waitpid(agent, NULL, 0);
	support_child_stop(world.gateway);
	support_dns_free(world.dns);
	support_certs_free(world.certs);
	support_dir_free(world.dir);
	return code;
}
