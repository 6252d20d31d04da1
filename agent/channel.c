#include "agent/channel.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/rcur.h"
#include "base/wbuf.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Both at their largest, a head and a message, are what an honest peer makes us hold. */
enum { HEAD_BYTES = 5, READ_BYTES = 16384 };

struct channel {
	int                fd; /* owned */
	struct channel_ops ops;
	struct loop_watch  watch;
	struct wbuf        in, out;
	size_t             out_done; /* bytes of out that are written */
	bool               closed;
};

static void wait_for_more(struct channel *channel);

bool
channel_pair(int ends[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
		return err_errno(err, "socketpair");
	return true;
}

static void
close_channel(struct channel *channel, const char *why)
{
	channel->closed = true;
	loop_watch_stop(&channel->watch);
	channel->ops.on_closed(channel->ops.arg, why);
}

/* The length of the first message in `in` with its head; 0 while it is not whole. */
static size_t
measure_message(const struct channel *channel, const char **wrong)
{
	struct rcur in = rcur_of(channel->in.bytes, channel->in.count);
	uint8_t     type = rcur_u8(&in);
	uint32_t    count = rcur_u32be(&in);

	*wrong = NULL;
	if (!rcur_ok(&in))
		return 0;
	if (type >= CHANNEL_TYPES)
		*wrong = "message of unknown type";
	else if (count > CHANNEL_BYTES_MAX)
		*wrong = "message too long";
	return *wrong == NULL && rcur_left(&in) >= count ? HEAD_BYTES + count : 0;
}

/* What is dropped is wiped: it may be a header with a token. */
static void
drop_front(struct wbuf *buffer, size_t count)
{
	memmove(buffer->bytes, buffer->bytes + count, buffer->count - count);
	buffer->count -= count;
	digest_wipe(buffer->bytes + buffer->count, count);
	if (buffer->count == 0 && buffer->room > READ_BYTES * 4) {
		wbuf_fini(buffer); /* one large message must not be held for ever */
		wbuf_init(buffer);
	}
}

/* Hands on what is whole; false when the channel is closed. */
static bool
hand_on(struct channel *channel)
{
	const char *wrong;
	size_t      length;

	while (!channel->closed && (length = measure_message(channel, &wrong)) > 0) {
		channel->ops.on_message(channel->ops.arg,
		    (enum channel_type)channel->in.bytes[0], channel->in.bytes + HEAD_BYTES,
		    length - HEAD_BYTES);
		drop_front(&channel->in, length);
	}
	if (!channel->closed && wrong != NULL)
		close_channel(channel, wrong);
	return !channel->closed;
}

static bool
read_some(struct channel *channel)
{
	uint8_t bytes[READ_BYTES];
	ssize_t got = recv(channel->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got <= 0) {
		close_channel(channel, "");
		return false;
	}
	wbuf_put(&channel->in, bytes, (size_t)got);
	digest_wipe(bytes, (size_t)got);
	return hand_on(channel);
}

static bool
write_some(struct channel *channel)
{
	ssize_t done = send(channel->fd, channel->out.bytes + channel->out_done,
	    channel->out.count - channel->out_done, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (done < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	channel->out_done += done > 0 ? (size_t)done : 0;
	if (channel->out_done == channel->out.count) {
		drop_front(&channel->out, channel->out.count);
		channel->out_done = 0;
	}
	return true;
}

static void
on_event(void *arg, unsigned what)
{
	struct channel *channel = arg;

	if ((what & LOOP_READ) && !read_some(channel))
		return;
	if ((what & LOOP_WRITE) && !write_some(channel)) {
		close_channel(channel, "");
		return;
	}
	wait_for_more(channel);
}

static void
wait_for_more(struct channel *channel)
{
	unsigned want = LOOP_READ;

	want |= channel->out.count > 0 ? LOOP_WRITE : 0u;
	loop_watch_set(&channel->watch, channel->fd, want, -1);
}

struct channel *
channel_new(struct loop *loop, int fd, const struct channel_ops *ops)
{
	struct channel *channel = mem_alloc(sizeof(*channel));

	channel->fd = fd;
	channel->ops = *ops;
	wbuf_init(&channel->in);
	wbuf_init(&channel->out);
	loop_watch_init(&channel->watch, loop, on_event, channel);
	wait_for_more(channel);
	return channel;
}

void
channel_free(struct channel *channel)
{
	if (channel == NULL)
		return;
	loop_watch_fini(&channel->watch);
	wbuf_fini(&channel->in);
	wbuf_fini(&channel->out);
	close(channel->fd);
	free(channel);
}

bool
channel_send(struct channel *channel, enum channel_type type, const void *bytes, size_t count)
{
	assert(count <= CHANNEL_BYTES_MAX);
	if (channel->closed ||
	    channel->out.count - channel->out_done + HEAD_BYTES + count > CHANNEL_WAITING_MAX)
		return false;
	/* A peer that is always a little behind leaves `out` never empty. */
	if (channel->out_done > channel->out.count / 2) {
		drop_front(&channel->out, channel->out_done);
		channel->out_done = 0;
	}
	wbuf_u8(&channel->out, (uint8_t)type);
	wbuf_u32be(&channel->out, (uint32_t)count);
	wbuf_put(&channel->out, bytes, count);
	wait_for_more(channel);
	return true;
}

void
channel_drain(struct channel *channel, int64_t limit_ms)
{
	int64_t end_us = clock_mono_us(clock_system()) + limit_ms * US_PER_MS;

	while (!channel->closed && channel->out.count > 0) {
		struct pollfd wait = { .fd = channel->fd, .events = POLLOUT };
		int64_t       left_us = end_us - clock_mono_us(clock_system());

		if (left_us <= 0 || poll(&wait, 1, (int)(left_us / US_PER_MS) + 1) < 0 ||
		    !write_some(channel))
			return;
	}
}
