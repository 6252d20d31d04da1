/* support_documents: what the documents of an account that is well in every respect say, in the shape
 * of `az`: contoso with two regions behind an approved private endpoint, whose zone group filled the
 * private zone.  Knows nothing of measurements.
 */
#ifndef TESTS_SUPPORT_DOCUMENTS_H
#define TESTS_SUPPORT_DOCUMENTS_H

struct json_t;

/* The resource group that all of them are in. */
#define SUPPORT_DOCUMENTS_GROUP \
	"/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-data"

/* The caller drops the reference, here and below. */
struct json_t *support_documents_account(void);
/* Of pe-contoso, for NoSQL: 10.1.0.4 for the account, 10.1.0.5 and 10.1.0.6 for its regions. */
struct json_t *support_documents_endpoint(void);
/* An array: the zone, three records, and the link of vnet-a. */
struct json_t *support_documents_zones(void);
/* An array of one: what NoSQL requires. */
struct json_t *support_documents_plinks(void);

/* The same document, or array of them, as the Resource Manager tells it: everything but what names
 * the resource is in its properties. */
struct json_t *support_documents_rest(const struct json_t *document);

#endif
