#include "base/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What a service manager does: a datagram socket whose name is in the environment. */
static int  manager = -1;
static char folder[64], path[108];

static int
listen_at(const char *name, size_t count)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	memcpy(at.sun_path, name, count);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	return bind(manager, (struct sockaddr *)&at,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count));
}

static int
begin(void **state)
{
	strcpy(folder, "/tmp/test_notify.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/notify", folder);
	setenv("NOTIFY_SOCKET", path, 1);
	return listen_at(path, strlen(path));
}

static int
end(void **state)
{
	close(manager);
	unlink(path);
	unsetenv("NOTIFY_SOCKET");
	return rmdir(folder);
}

static const char *
get_datagram(void)
{
	static char text[300];
	ssize_t     count = recv(manager, text, sizeof(text) - 1, 0);

	text[count > 0 ? count : 0] = '\0';
	return text;
}

static void
test_words(void **state)
{
	long long us = 0;

	notify_ready("listening on 127.0.0.1:8643");
	assert_string_equal(get_datagram(), "READY=1\nSTATUS=listening on 127.0.0.1:8643\n");
	notify_ready(NULL);
	assert_int_equal(strncmp(get_datagram(), "READY=1\nSTATUS=", 15), 0);
	notify_stopping();
	assert_string_equal(get_datagram(), "STOPPING=1\n");
	notify_alive();
	assert_string_equal(get_datagram(), "WATCHDOG=1\n");
	notify_reloading();
	assert_int_equal(sscanf(get_datagram(), "RELOADING=1\nMONOTONIC_USEC=%lld\n", &us), 1);
	assert_true(us > 0);
}

static void
test_abstract_name(void **state)
{
	char name[64];

	close(manager);
	snprintf(name, sizeof(name), "@plprobe-test-%d", (int)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	name[0] = '\0';
	assert_int_equal(listen_at(name, 1 + strlen(name + 1)), 0);
	notify_alive();
	assert_string_equal(get_datagram(), "WATCHDOG=1\n");
}

/* No manager, or one that went away, changes nothing for us. */
static void
test_nobody_listens(void **state)
{
	char long_name[300];

	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	setenv("NOTIFY_SOCKET", long_name, 1);
	notify_ready("x");
	setenv("NOTIFY_SOCKET", "", 1);
	notify_ready("x");
	unsetenv("NOTIFY_SOCKET");
	notify_ready("x");
	setenv("NOTIFY_SOCKET", "/no/such/folder/socket", 1);
	notify_ready("x");
	assert_string_equal(get_datagram(), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_words, begin, end),
		cmocka_unit_test_setup_teardown(test_abstract_name, begin, end),
		cmocka_unit_test_setup_teardown(test_nobody_listens, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
