#include "tests/fake/backend/fake_gateway.h"

#include "tests/fake/backend/fake_document.h"
#include "tests/fake/backend/fake_http.h"
#include "tests/fake/backend/fake_sign.h"

#include "base/arena.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct {
	struct ssl_ctx_st        *tls;
	const struct fake_answer *answer;
	const char               *argument;
} gateway;

/* What is at work for one connection. */
struct work {
	struct fake_talk   *talk;
	struct fake_request request;
	struct fake_target  target;
	struct fake_refusal refusal;
	int64_t             clock_s; /* of the account that is asked for */
};

void
fake_gateway_setup(
    struct ssl_ctx_st *tls, const struct fake_answer *answer, const char *argument)
{
	gateway.tls = tls;
	gateway.answer = answer;
	gateway.argument = argument;
}

static bool
is_header_true(const struct fake_request *request, const char *name)
{
	char value[FAKE_HEADER_MAX];

	return text_equal_nocase(fake_request_header(request, name, value), "true");
}

static bool
send_refusal(struct work *work)
{
	const struct fake_refusal *refusal = &work->refusal;
	const struct fake_reply    reply = { .status = refusal->status,
		   .substatus = refusal->substatus,
		   .code = refusal->code,
		   .clock_s = work->clock_s };

	fake_talk_log(work->talk, "answered %u/%u auth=%s", refusal->status, refusal->substatus,
	    refusal->by);
	return fake_reply_error(work->talk, &reply, refusal->message);
}

static bool
send_bad_path(struct work *work)
{
	const struct fake_reply reply = { .status = 400, .code = "BadRequest" };

	return fake_reply_error(work->talk, &reply, "Request url is invalid.");
}

static bool
send_document(struct work *work, const struct fake_account *account,
    const struct fake_document *document, const struct fake_asked *asked)
{
	struct fake_reply reply = { .status = document->status,
		.chunked = account->chunked,
		.body = document->body,
		.clock_s = account->clock_s };
	char              headers[600], next[64] = "", guid[FAKE_GUID];

	fake_talk_log(work->talk, "answered %u auth=%s%s%s", document->status, work->refusal.by,
	    asked->refresh ? " refresh" : "", asked->thin ? " thin" : "");
	if (document->status != 200) {
		reply.code = document->status == 404 ? "NotFound" : "BadRequest";
		return fake_reply_error(work->talk, &reply, document->body);
	}
	if (document->next != 0)
		snprintf(next, sizeof(next), "x-ms-continuation: %u\r\n", document->next);
	snprintf(headers, sizeof(headers),
	    "x-ms-activity-id: %s\r\nx-ms-request-charge: 1\r\nx-ms-session-token: 0:-1#1\r\n"
	    "x-ms-serviceversion: version=2.14.0.0\r\nx-ms-item-count: %u\r\n%s",
	    fake_guid(guid), document->item_count, next);
	/* The account document comes from the gateway itself, without the headers of a replica. */
	reply.headers = work->target.part_count == 0 && !work->target.addresses
	    ? "Cache-Control: no-store, no-cache\r\n"
	    : headers;
	return fake_reply_json(work->talk, &reply);
}

static bool
answer_authorized(struct work *work, const struct fake_account *account,
    const struct fake_view *view, const char *body)
{
	const struct fake_request *request = &work->request;
	struct fake_document       document;
	char                       continuation[FAKE_HEADER_MAX], most[FAKE_HEADER_MAX];
	unsigned                   wanted;
	bool                       sent;
	struct fake_asked          asked = {
		         .query = request->query,
		         .view = view != NULL ? view->name : "",
		         .continuation = fake_request_header(request, "x-ms-continuation", continuation),
		         .page = account->page,
		         .thin = is_header_true(request, "x-ms-cosmos-use-thinclient"),
		         .refresh = is_header_true(request, "x-ms-force-refresh"),
		         .plan = is_header_true(request, "x-ms-cosmos-is-query-plan-request"),
	};

	wanted = (unsigned)strtoul(
	    fake_request_header(request, "x-ms-max-item-count", most), NULL, 10);
	if (most[0] != '-' && wanted > 0 && (asked.page == 0 || wanted < asked.page))
		asked.page = wanted;
	fake_document_make(&document, account, &work->target, &asked);
	if (body != NULL) {
		free(document.body);
		document.status = 200;
		document.body = mem_strdup(body);
	}
	sent = send_document(work, account, &document, &asked);
	free(document.body);
	return sent;
}

static void
check_claims(struct work *work, const struct fake_account *account)
{
	char authorization[FAKE_HEADER_MAX], ms_date[FAKE_HEADER_MAX], date[FAKE_HEADER_MAX];
	char version[FAKE_HEADER_MAX];
	const struct fake_request *request = &work->request;
	const struct fake_claims   claims = {
		  .verb = request->verb,
		  .authorization = fake_request_header(request, "authorization", authorization),
		  .ms_date = fake_request_header(request, "x-ms-date", ms_date),
		  .date = fake_request_header(request, "date", date),
		  .version = fake_request_header(request, "x-ms-version", version),
		  .now_s = (int64_t)time(NULL) + account->clock_s,
	};

	fake_sign_check(&work->refusal, account, &work->target, &claims);
}

/* GET of anything; POST of queries only. */
static bool
is_servable(const struct work *work)
{
	const struct fake_target *target = &work->target;
	bool                      query = target->part_count == 5 && !target->addresses &&
	    strcmp(target->parts[4], "docs") == 0;

	return strcmp(work->request.verb, "GET") == 0 ||
	    (query && strcmp(work->request.verb, "POST") == 0);
}

static bool
is_signed(const struct work *work)
{
	char value[FAKE_HEADER_MAX];

	return *fake_request_header(&work->request, "authorization", value) != '\0';
}

/* False when that ends the connection. */
static bool
answer_instead(struct work *work, const char *name)
{
	const struct fake_answer *answer = fake_answer_find(name);

	fake_talk_log(work->talk, "answered %s auth=%s", name, work->refusal.by);
	if (answer->after_request == NULL)
		return fake_answer_send(work->talk, answer, NULL, work->clock_s);
	answer->after_request(work->talk);
	return false;
}

static bool
answer_by_account(struct work *work)
{
	char                       host[FAKE_HEADER_MAX];
	const struct fake_account *account = fake_accounts_find(
	    fake_request_header(&work->request, "host", host));
	const struct fake_view *view;
	const struct fake_step *step;

	if (!fake_target_parse(&work->target, work->request.path, work->request.query) ||
	    !work->target.known || !is_servable(work))
		return send_bad_path(work);
	/* The way of account A to account B: the private endpoint is not that account's. */
	if (account == NULL)
		return fake_answer_send(work->talk,
		    fake_answer_find(
		        is_signed(work) ? "forbidden-private-endpoint" : "unauthorized"),
		    NULL, 0);
	work->clock_s = account->clock_s;
	check_claims(work, account);
	if (work->refusal.status != 0)
		return send_refusal(work);
	view = fake_account_view(account, host, work->talk);
	step = fake_account_step(account, work->request.path);
	if (step != NULL)
		fake_sleep_ms(step->delay_ms);
	if (step != NULL && *step->answer != '\0')
		return answer_instead(work, step->answer);
	if (view != NULL && *view->answer != '\0')
		return answer_instead(work, view->answer);
	return answer_authorized(work, account, view, step != NULL ? step->body : NULL);
}

static bool
answer_request(struct work *work)
{
	char                       host[FAKE_HEADER_MAX];
	const struct fake_account *account = fake_accounts_find(
	    fake_request_header(&work->request, "host", host));

	if (gateway.answer->by_account)
		return answer_by_account(work);
	if (gateway.answer->code != NULL && strcmp(work->request.path, "/") != 0)
		return send_bad_path(work);
	return fake_answer_send(work->talk, gateway.answer, gateway.argument,
	    account != NULL ? account->clock_s : 0);
}

static void
talk_http(struct work *work)
{
	char connection[FAKE_HEADER_MAX];

	while (fake_request_hear(&work->request, work->talk)) {
		fake_talk_log(work->talk, "%.*s", (int)strcspn(work->request.bytes, "\r\n"),
		    work->request.bytes);
		if (gateway.answer->after_request != NULL) {
			gateway.answer->after_request(work->talk);
			return;
		}
		fake_request_header(&work->request, "connection", connection);
		if (!answer_request(work) || text_equal_nocase(connection, "close"))
			break;
	}
	fake_talk_end(work->talk);
}

void
fake_gateway_serve(struct fake_talk *talk)
{
	struct work *work;

	if (gateway.answer->before_tls != NULL) {
		gateway.answer->before_tls(talk);
		return;
	}
	if (!fake_talk_secure(talk, gateway.tls))
		return;
	if (gateway.answer->after_tls != NULL) {
		gateway.answer->after_tls(talk);
		return;
	}
	work = mem_alloc(sizeof(*work));
	work->talk = talk;
	talk_http(work);
	free(work);
}
