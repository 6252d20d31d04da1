/* fake_account_preset: the account of who brings no file.
 *
 * contoso in two regions, one database, one container, one range; the replicas are our own RNTBD
 * listeners.  The key is the public sample key of the vendor's documentation [cosmos-signing].
 */
#ifndef TESTS_FAKE_ACCOUNT_PRESET_H
#define TESTS_FAKE_ACCOUNT_PRESET_H

#include "tests/fake/backend/fake_listen.h"

#define FAKE_PRESET_KEY                                                              \
	"dsZQi3KtZmCv1ljt3VNWNm7sQUF1y5rJfC6kv5JiwvW0EndXdDku/dkKBp8/ufDToSxLzR4y+O" \
	"/0H/t4bQtVNw=="
#define FAKE_PRESET_TOKEN "preset-token"

struct json_t;

struct json_t *fake_account_preset(const struct fake_listeners *listeners);

#endif
