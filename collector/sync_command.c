#include "collector/sync_command.h"

#include "base/conf_unit.h"
#include "base/text.h"
#include "collector/command.h"
#include "collector/sync.h"
#include "collector/sync_cloud.h"
#include "collector/sync_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
say_word(void *arg, const char *account, const char *words)
{
	printf("%s: %s\n", account, words);
}

static const char *
or_preset(const char *text, const char *preset)
{
	return text != NULL && *text != '\0' ? text : preset;
}

/* "https://host", without the '/' at its end. */
static bool
take_url(struct arena *arena, const char *name, const char **url, struct err *err)
{
	size_t count = strlen(*url);

	while (count > 0 && (*url)[count - 1] == '/')
		count--;
	*url = arena_strndup(arena, *url, count);
	if (text_starts_nocase(*url, "https://") && count > strlen("https://"))
		return true;
	return err_set(err, ERR_USAGE, "--%s=%s: https://HOST wanted", name, *url);
}

/* Where: a cloud of the table, but for what is said of another. */
static bool
choose_cloud(struct arena *arena, const struct sync_words *words, struct sync_options *options,
    struct err *err)
{
	const struct sync_cloud *cloud = sync_cloud_find(
	    or_preset(words->cloud, "AzureCloud"), err);

	if (cloud == NULL)
		return false;
	options->resource_manager = or_preset(words->resource_manager, cloud->resource_manager);
	options->token.authority = or_preset(
	    words->authority, or_preset(getenv("AZURE_AUTHORITY_HOST"), cloud->authority));
	options->token.audience = or_preset(
	    words->audience, or_preset(words->resource_manager, cloud->audience));
	return take_url(arena, "resource-manager", &options->resource_manager, err) &&
	    take_url(arena, "authority", &options->token.authority, err);
}

/* By whose token: what is said, else a workload identity where the environment has one, else the
 * identity of this machine. */
static bool
choose_identity(
    const struct sync_words *words, struct sync_token_source *token, struct err *err)
{
	const char *assertion = getenv("AZURE_FEDERATED_TOKEN_FILE");

	token->imds_url = or_preset(words->imds, SYNC_IMDS_URL);
	token->client_id = or_preset(words->client_id, "");
	token->tenant = or_preset(getenv("AZURE_TENANT_ID"), "");
	token->identity = SYNC_BY_MANAGED;
	if (words->token_file != NULL && words->managed)
		return err_set(
		    err, ERR_USAGE, "--token-file and --managed-identity: one of them wanted");
	if (words->token_file != NULL) {
		token->identity = SYNC_BY_FILE;
		token->file = words->token_file;
	} else if (!words->managed && assertion != NULL && *assertion != '\0') {
		token->identity = SYNC_BY_WORKLOAD;
		token->file = assertion;
		token->client_id = or_preset(getenv("AZURE_CLIENT_ID"), "");
		if (*token->client_id == '\0' || *token->tenant == '\0')
			return err_set(err, ERR_USAGE,
			    "AZURE_FEDERATED_TOKEN_FILE is set: AZURE_CLIENT_ID and "
			    "AZURE_TENANT_ID wanted too");
	}
	return true;
}

static bool
choose_accounts(const struct sync_words *words, struct sync_options *options, struct err *err)
{
	options->subscription = or_preset(words->subscription, "");
	options->group = or_preset(words->group, "");
	options->accounts = words->accounts;
	options->account_count = words->account_count;
	if (words->account_count == 0 && *options->subscription == '\0')
		return err_set(err, ERR_USAGE,
		    "which accounts? their resource ids, --subscription, or the setting `sync` "
		    "wanted");
	for (size_t i = 0; i < words->account_count && *options->subscription == '\0'; i++) {
		if (words->accounts[i][0] != '/')
			return err_set(err, ERR_USAGE,
			    "%s: which one? its resource id (az cosmosdb show -n %s -g GROUP "
			    "--query id), or --subscription with it, or the setting `sync` "
			    "wanted",
			    words->accounts[i], words->accounts[i]);
	}
	if (*options->group != '\0' && *options->subscription == '\0')
		return err_set(
		    err, ERR_USAGE, "--resource-group: --subscription wanted with it");
	if (strspn(options->subscription, "0123456789abcdefABCDEF-") !=
	    strlen(options->subscription))
		return err_set(err, ERR_USAGE, "--subscription=%s: its id wanted, not its name",
		    options->subscription);
	return true;
}

static bool
choose_all(struct arena *arena, const struct sync_words *words,
    const struct collector_conf *conf, struct sync_options *options, struct err *err)
{
	options->accounts_dir = conf->accounts_dir;
	options->ca_file = or_preset(words->ca_file, "");
	options->on_word = say_word;
	if (*conf->accounts_dir == '\0')
		return err_set(err, ERR_USAGE,
		    "setting accounts_dir is empty: there is no place to write to");
	if (!conf_unit_parse(&options->limit_ms, CONF_MS, or_preset(words->timeout, "5m"), err))
		return err_in(err, "--timeout");
	return choose_accounts(words, options, err) &&
	    choose_cloud(arena, words, options, err) &&
	    choose_identity(words, &options->token, err);
}

/* One run. */
static int
run_once(const struct sync_words *words, const struct collector_conf *conf)
{
	struct arena       *arena = arena_new();
	struct sync_options options = { .limit_ms = 0 };
	struct sync_result  result;
	struct err          err = { 0 };
	int                 code = COMMAND_FAILED;

	if (!choose_all(arena, words, conf, &options, &err)) {
		code = COMMAND_USAGE;
	} else if (sync_run(&options, &result, &err)) {
		printf(
		    "%u accounts: %u files written, %u as before, %u taken away; %u documents "
		    "not visible, %u failed\n",
		    result.accounts, result.written, result.same, result.removed, result.hidden,
		    result.failed);
		code = result.failed > 0 ? COMMAND_FAILED : COMMAND_WELL;
	}
	if (err.kind != ERR_NONE)
		fprintf(stderr, "plprobe-collector: %s\n", err.text);
	arena_free(arena);
	return code;
}

/* What was said, and where nothing was, what is set. */
static struct sync_words
add_plan(const struct sync_words *words, const struct sync_plan *plan)
{
	struct sync_words all = *words;

	all.subscription = plan->subscription;
	all.group = plan->group;
	all.accounts = plan->accounts.texts;
	all.account_count = plan->accounts.count;
	if (words->token_file == NULL && !words->managed && *plan->token_file != '\0')
		all.token_file = plan->token_file;
	if (words->token_file == NULL && !words->managed && *plan->client_id != '\0') {
		all.client_id = plan->client_id;
		all.managed = true;
	}
	all.cloud = or_preset(words->cloud, plan->cloud);
	all.resource_manager = or_preset(words->resource_manager, plan->resource_manager);
	all.authority = or_preset(words->authority, plan->authority);
	all.audience = or_preset(words->audience, plan->audience);
	all.ca_file = or_preset(words->ca_file, plan->ca_file);
	return all;
}

int
sync_command(const struct sync_words *words, const struct collector_conf *conf)
{
	const struct sync_plan *plans = conf->sync.rows;
	int                     code = COMMAND_WELL;

	if (words->account_count > 0 || words->subscription != NULL || conf->sync.count == 0)
		return run_once(words, conf);
	for (size_t i = 0; i < conf->sync.count; i++) {
		struct sync_words all = add_plan(words, &plans[i]);
		int               one = run_once(&all, conf);

		code = one > code ? one : code;
	}
	return code;
}
