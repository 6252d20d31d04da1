/* account_apis: which APIs an account serves, as its document tells it.
 *
 * Of kind, capabilities, EnabledApiTypes and the endpoints of single APIs, none is there in every
 * document, and each is believed [cosmos-account].
 */
#ifndef ANALYZE_ACCOUNT_APIS_H
#define ANALYZE_ACCOUNT_APIS_H

#include "analyze/account.h"
#include "analyze/arm.h"

/* Fills in api, apis, server_version and hosts; name, kind and host are there.  False with err.
 * In account_apis_json.c. */
bool account_apis_read(
    const struct arm_reader *in, const struct arm_spot *at, struct account *account) MUST_CHECK;

#endif
