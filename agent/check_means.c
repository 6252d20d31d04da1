#include "agent/check_means.h"

#include "agent/access.h"
#include "analyze/names.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

bool
check_proxy_parse(const char **proxy, const char *text, struct err *err)
{
	static const char scheme[] = "http://";
	const char       *rest = text + strlen(scheme);

	if (strchr(text, '@') != NULL)
		return err_set(
		    err, ERR_USAGE, "--proxy: an URL without user and password wanted");
	if (!text_starts_nocase(text, scheme) || strchr(rest, ':') == NULL ||
	    strcspn(rest, "/?# \t") != strlen(rest))
		return err_set(err, ERR_USAGE, "--proxy: '%s': http://host:port wanted", text);
	*proxy = text;
	return true;
}

bool
check_identity_parse(struct check_means *means, const char *text, struct err *err)
{
	means->managed_identity = true;
	means->client_id = text;
	if (text != NULL && text[0] == '\0')
		return err_set(err, ERR_USAGE,
		    "--managed-identity: a client id wanted behind the '=', or no '='");
	return text == NULL || access_identity_check(text, err) ||
	    err_in(err, "--managed-identity");
}

bool
check_means_has_credential(const struct check_means *means)
{
	return means->key_file != NULL || means->token_file != NULL || means->managed_identity;
}

static bool
check_names(const struct check_means *means, struct err *err)
{
	if (means->database != NULL && !access_name_check(means->database, err))
		return err_in(err, "--database");
	if (means->container != NULL && !access_name_check(means->container, err))
		return err_in(err, "--container");
	return true;
}

bool
check_means_settle(struct check_means *means, struct err *err)
{
	int credentials = (means->key_file != NULL) + (means->token_file != NULL) +
	    means->managed_identity;
	bool has_addresses = means->pasted.count > 0 || means->sample_ports > 0;

	if (credentials > 1)
		return err_set(err, ERR_USAGE,
		    "one of --key-file, --token-file and --managed-identity wanted, not "
		    "several");
	if (means->container != NULL && means->database == NULL)
		return err_set(err, ERR_USAGE, "--container: its --database wanted too");
	if ((means->database != NULL || means->container != NULL) && credentials == 0)
		return err_set(err, ERR_USAGE,
		    "--database and --container name what a credential is used for: "
		    "--key-file, --token-file or --managed-identity wanted too");
	if (!check_names(means, err))
		return false;
	if (means->modes == 0)
		means->modes = credentials > 0 || has_addresses ? NAMES_GATEWAY | NAMES_DIRECT
		                                                : NAMES_GATEWAY;
	if (has_addresses && (means->modes & NAMES_DIRECT) == 0)
		return err_set(err, ERR_USAGE,
		    "--replica, --replicas-from and --sample-ports are for Direct mode: "
		    "'direct' in --mode wanted too");
	return true;
}

struct credential_source
check_means_credential(const struct check_means *means)
{
	if (means->key_file != NULL)
		return credential_from_key_file(means->key_file);
	if (means->token_file != NULL)
		return credential_from_token_file(means->token_file);
	return credential_from_managed_identity(
	    means->client_id != NULL ? means->client_id : "");
}

bool
check_means_ready(const struct check_means *means, struct err *err)
{
	struct credential_source source = check_means_credential(means);

	return !check_means_has_credential(means) || credential_check(&source, err) ||
	    err_in(err, "%s", means->key_file != NULL ? "--key-file" : "--token-file");
}

const char *
check_means_doubt(const struct check_means *means, size_t account_count)
{
	if (means->key_file != NULL && account_count > 1)
		return "--key-file: a key is of one account, and several are checked: the "
		       "others "
		       "will not take it";
	return NULL;
}

struct direct_means
check_means_direct(const struct check_means *means)
{
	return (struct direct_means){ .pasted = means->pasted.uris,
		.pasted_count = means->pasted.count,
		.database = means->database,
		.container = means->container,
		.sample_ports = means->sample_ports,
		.replicas_max = means->replicas_max };
}
