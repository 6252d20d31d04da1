#include "analyze/incident.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { AGENTS = 8, SIGHTINGS = 16 };

static const char                 zone[] = "privatelink.documents.azure.com";
static const struct incident_look both[] = { { "contoso", NULL, 0, NULL, 0 },
	{ "fabrikam", NULL, 0, NULL, 0 } };

/* What an agent looks at that has not heard of West US yet. */
static const char *const          old_regions[] = { "", "eastus", "eastus" };
static const struct incident_look old_looks[] = { { "contoso", old_regions, 3, NULL, 0 } };

#define PUBLIC     FINDING_PUBLIC_ANSWER
#define UNLINKED   FINDING_ZONE_NOT_LINKED
#define UNASKED    FINDING_SERVER_NOT_FORWARDING
#define MISSING    FINDING_REGION_NAME_MISSING
#define SERVFAIL   FINDING_DNS_SERVFAIL
#define NO_TCP     FINDING_TCP_TIMEOUT
#define HOSTS_FILE FINDING_SYSTEM_OVERRIDES_DNS
#define FIREWALL   FINDING_FIREWALL_UNTOLD

/* What an agent looks at whose zone answers for the other account. */
static const char *const          its_zones[] = { zone };
static const struct incident_look zone_looks[] = { { "contoso", NULL, 0, NULL, 0 },
	{ "fabrikam", NULL, 0, its_zones, 1 } };

/* Agents a to h, by their networks and resolvers; '-' before a network: it is silent; '+': it looks at
 * the regions of old alone. */
struct sees {
	char              agent;
	enum finding_code code;
	const char       *account, *region;
};

static const struct incident_case {
	const char *name;
	struct {
		const char *network, *resolvers;
		size_t      accounts; /* of `both` */
	} agents[AGENTS];
	struct sees sees[SIGHTINGS];
	/* Owner, colon, sentence; one line each. */
	const char *wanted;
} incident_cases[] = {
	{ "nobody sees anything", { { "vnet-a/x", "", 1 } }, { { 0 } }, "" },
	{ "one VM of a subnet",
	    { { "vnet-a/x", "", 1 }, { "vnet-a/x", "", 1 }, { "vnet-a/x", "", 1 } },
	    { { 'b', MISSING, "contoso", "eastus" } },
	    "client: contoso East US: name does not exist on b, and not on others in vnet-a/x: "
	    "1 agent\n" },
	{ "two VMs of a subnet of three",
	    { { "vnet-a/x", "", 1 }, { "vnet-a/x", "", 1 }, { "vnet-a/x", "", 1 } },
	    { { 'b', NO_TCP, "contoso", "" }, { 'c', NO_TCP, "contoso", "" } },
	    "client: contoso Global: no connection: timeout on 2 of 3 agents in vnet-a/x: 2 "
	    "agents\n" },
	{ "a fleet of one agent", { { "vnet-a/x", "", 1 } },
	    { { 'a', PUBLIC, "contoso", "*" } },
	    "dns: privatelink.documents.azure.com is not linked to vnet-a, as its only agent a "
	    "sees it: 1 agent\n" },
	{ "all agents of a subnet, and the VNet has another",
	    { { "vnet-a/x", "", 1 }, { "vnet-a/x", "", 1 }, { "vnet-a/y", "", 1 } },
	    { { 'a', NO_TCP, "contoso", "eastus" }, { 'b', NO_TCP, "contoso", "eastus" } },
	    "network: contoso East US: no connection: timeout in all of vnet-a/x: 2 agents\n" },
	{ "all agents of a subnet that is alone",
	    { { "vnet-a/x", "", 1 }, { "vnet-a/x", "", 1 } },
	    { { 'a', NO_TCP, "contoso", "eastus" }, { 'b', NO_TCP, "contoso", "eastus" } },
	    "network: contoso East US: no connection: timeout in all of vnet-a/x: 2 agents; no "
	    "other subnet there has an agent to compare with\n" },
	{ "a zone that is not linked, of two accounts",
	    { { "vnet-a/x", "168.63.129.16", 2 }, { "vnet-b/x", "168.63.129.16", 2 },
	        { "vnet-b/y", "127.0.0.53", 2 } },
	    { { 'b', PUBLIC, "contoso", "*" }, { 'b', PUBLIC, "fabrikam", "*" },
	        { 'c', PUBLIC, "contoso", "*" }, { 'c', PUBLIC, "fabrikam", "*" } },
	    "dns: privatelink.documents.azure.com is not linked to vnet-b: 2 agents, 2 "
	    "accounts\n" },
	{ "the same, which documents say",
	    { { "vnet-a/x", "", 2 }, { "vnet-b/x", "", 2 }, { "vnet-b/y", "", 2 } },
	    { { 'b', UNLINKED, "contoso", "*" }, { 'b', UNLINKED, "fabrikam", "*" },
	        { 'c', UNLINKED, "contoso", "*" }, { 'c', UNLINKED, "fabrikam", "*" } },
	    "dns: privatelink.documents.azure.com: zone not linked in all of vnet-b: 2 agents, "
	    "2 "
	    "accounts\n" },
	{ "a server that does not ask Azure, for all accounts",
	    { { "vnet-a/x", "", 2 }, { "vnet-b/x", "10.0.0.4", 2 },
	        { "vnet-b/x", "10.0.0.4", 2 } },
	    { { 'b', UNASKED, "contoso", "*" }, { 'b', UNASKED, "fabrikam", "*" },
	        { 'c', UNASKED, "contoso", "*" }, { 'c', UNASKED, "fabrikam", "*" } },
	    "dns: privatelink.documents.azure.com: DNS server does not ask Azure in all of "
	    "vnet-b: 2 "
	    "agents, 2 accounts\n" },
	{ "the same with DNS servers of one's own",
	    { { "vnet-a/x", "", 1 }, { "vnet-b/x", "10.0.0.4", 1 },
	        { "vnet-b/x", "10.0.0.4", 1 } },
	    { { 'b', PUBLIC, "contoso", "*" }, { 'c', PUBLIC, "contoso", "*" } },
	    "dns: privatelink.documents.azure.com is not linked to vnet-b, or its DNS servers "
	    "do "
	    "not ask Azure's: 2 agents\n" },
	{ "another account of the zone is well: no claim about the zone",
	    { { "vnet-a/x", "", 2 }, { "vnet-b/x", "", 2 }, { "vnet-b/x", "", 2 } },
	    { { 'b', PUBLIC, "contoso", "*" }, { 'c', PUBLIC, "contoso", "*" },
	        { 'c', PUBLIC, "fabrikam", "*" } },
	    "dns: contoso, fabrikam: public address in all of vnet-b: 2 agents, 2 accounts\n" },
	{ "one VNet only, and all of it", { { "vnet-b/x", "", 1 }, { "vnet-b/x", "", 1 } },
	    { { 'a', PUBLIC, "contoso", "*" }, { 'b', PUBLIC, "contoso", "*" } },
	    "dns: privatelink.documents.azure.com is not linked to vnet-b: 2 agents; no other "
	    "VNet has an agent to compare with\n" },
	{ "two VNets with one resolver, and a third without it",
	    { { "vnet-a/x", "10.0.0.4", 1 }, { "vnet-b/x", "10.0.0.4 10.0.0.5", 1 },
	        { "vnet-c/x", "10.0.0.5", 1 } },
	    { { 'a', PUBLIC, "contoso", "*" }, { 'b', PUBLIC, "contoso", "*" } },
	    "dns: 10.0.0.4 does not forward to where privatelink.documents.azure.com is "
	    "linked: "
	    "public addresses: 2 agents\n" },
	{ "a resolver that fails, for all there are",
	    { { "vnet-a/x", "10.0.0.4", 1 }, { "vnet-b/x", "10.0.0.4", 2 } },
	    { { 'a', SERVFAIL, "contoso", "*" }, { 'b', SERVFAIL, "contoso", "*" },
	        { 'b', SERVFAIL, "fabrikam", "*" } },
	    "dns: DNS for privatelink.documents.azure.com: DNS fails: SERVFAIL wherever "
	    "10.0.0.4 "
	    "is asked: 2 agents, 2 accounts\n" },
	{ "Azure's resolver joins no VNets",
	    { { "vnet-a/x", "168.63.129.16", 1 }, { "vnet-b/x", "168.63.129.16", 1 },
	        { "vnet-c/x", "", 1 } },
	    { { 'a', SERVFAIL, "contoso", "*" }, { 'b', SERVFAIL, "contoso", "*" } },
	    "dns: DNS for privatelink.documents.azure.com: DNS fails: SERVFAIL on a, the only "
	    "agent in vnet-a/x: 1 agent\n"
	    "dns: DNS for privatelink.documents.azure.com: DNS fails: SERVFAIL on b, the only "
	    "agent in vnet-b/x: 1 agent\n" },
	{ "all VNets: a record", { { "vnet-a/x", "", 1 }, { "vnet-b/x", "", 1 } },
	    { { 'a', MISSING, "contoso", "eastus" }, { 'b', MISSING, "contoso", "eastus" } },
	    "dns: contoso East US: name does not exist in every VNet: 2 agents\n" },
	{ "all VNets, all of which ask one resolver",
	    { { "vnet-a/x", "10.0.0.4", 1 }, { "vnet-b/x", "10.0.0.4", 1 } },
	    { { 'a', MISSING, "contoso", "eastus" }, { 'b', MISSING, "contoso", "eastus" } },
	    "dns: contoso East US: name does not exist in every VNet, all of which ask "
	    "10.0.0.4: "
	    "2 agents\n" },
	{ "all VNets: a path is the account's",
	    { { "vnet-a/x", "", 2 }, { "vnet-b/x", "", 2 } },
	    { { 'a', NO_TCP, "contoso", "*" }, { 'b', NO_TCP, "contoso", "*" } },
	    "account: contoso: no connection: timeout in every VNet: 2 agents\n" },
	{ "a path for all accounts of a subnet is the subnet's, once",
	    { { "vnet-a/x", "", 2 }, { "vnet-a/x", "", 2 }, { "vnet-b/x", "", 2 } },
	    { { 'a', NO_TCP, "contoso", "*" }, { 'a', NO_TCP, "fabrikam", "*" },
	        { 'b', NO_TCP, "contoso", "*" }, { 'b', NO_TCP, "fabrikam", "*" } },
	    "network: contoso, fabrikam: no connection: timeout in all of vnet-a/x: 2 agents, "
	    "2 "
	    "accounts; no other subnet there has an agent to compare with\n" },
	{ "mixed accounts: each refuses for itself",
	    { { "vnet-a/x", "", 2 }, { "vnet-b/x", "", 2 } },
	    { { 'a', FIREWALL, "contoso", "*" }, { 'b', FIREWALL, "contoso", "*" },
	        { 'b', FIREWALL, "fabrikam", "*" } },
	    "account: contoso: firewall refuses in every VNet: 2 agents\n"
	    "account: fabrikam: firewall refuses on b, the only agent in vnet-b/x: 1 agent\n" },
	{ "who does not look at the account is no witness",
	    { { "vnet-a/x", "", 2 }, { "vnet-a/x", "", 1 } },
	    { { 'a', MISSING, "fabrikam", "eastus" } },
	    "dns: fabrikam East US: name does not exist on a, the only agent in vnet-a/x: 1 "
	    "agent\n" },
	{ "who is silent is no witness", { { "vnet-a/x", "", 1 }, { "-vnet-a/x", "", 1 } },
	    { { 'a', MISSING, "contoso", "eastus" } },
	    "dns: contoso East US: name does not exist on a, the only agent in vnet-a/x: 1 "
	    "agent\n" },
	{ "networks that nobody told join nobody", { { "", "", 1 }, { "", "", 1 } },
	    { { 'a', MISSING, "contoso", "eastus" }, { 'b', MISSING, "contoso", "eastus" } },
	    "dns: contoso East US: name does not exist on 2 of 2 agents in networks that are "
	    "not "
	    "told: 2 agents\n" },
	{ "regions of which the same agents say the same",
	    { { "vnet-a/x", "", 1 }, { "vnet-b/x", "", 1 }, { "vnet-b/y", "", 1 } },
	    { { 'b', MISSING, "contoso", "eastus" }, { 'c', MISSING, "contoso", "eastus" },
	        { 'b', MISSING, "contoso", "westus" }, { 'c', MISSING, "contoso", "westus" } },
	    "dns: contoso: name does not exist in all of vnet-b: 2 agents\n" },
	{ "and of which they do not",
	    { { "vnet-a/x", "", 1 }, { "vnet-b/x", "", 1 }, { "vnet-b/y", "", 1 } },
	    { { 'b', MISSING, "contoso", "eastus" }, { 'c', MISSING, "contoso", "eastus" },
	        { 'b', MISSING, "contoso", "westus" } },
	    "dns: contoso East US: name does not exist in all of vnet-b: 2 agents\n"
	    "dns: contoso West US: name does not exist on b, the only agent in vnet-b/x: 1 "
	    "agent\n" },
	{ "the image of all VMs", { { "vnet-a/x", "", 1 }, { "vnet-b/x", "", 1 } },
	    { { 'a', HOSTS_FILE, "contoso", "*" }, { 'b', HOSTS_FILE, "contoso", "*" } },
	    "client: contoso: system overrides DNS in every VNet: 2 agents\n" },
	{ "who does not look at the region is no witness",
	    { { "vnet-a/x", "", 1 }, { "+vnet-a/x", "", 1 }, { "vnet-b/x", "", 1 } },
	    { { 'a', MISSING, "contoso", "westus" } },
	    "dns: contoso West US: name does not exist on a, the only agent in vnet-a/x: 1 "
	    "agent\n" },
	{ "a region that is new, for all who have heard of it",
	    { { "vnet-a/x", "", 1 }, { "vnet-b/x", "", 1 }, { "+vnet-b/x", "", 1 },
	        { "+vnet-c/x", "", 1 } },
	    { { 'a', MISSING, "contoso", "westus" }, { 'b', MISSING, "contoso", "westus" } },
	    "dns: contoso West US: name does not exist in every VNet: 2 agents\n" },
	{ "a path to a region that not all look at",
	    { { "vnet-a/x", "", 1 }, { "vnet-a/x", "", 1 }, { "+vnet-a/x", "", 1 },
	        { "vnet-b/x", "", 1 } },
	    { { 'a', NO_TCP, "contoso", "westus" }, { 'b', NO_TCP, "contoso", "westus" } },
	    "network: contoso West US: no connection: timeout in all of vnet-a/x: 2 agents; no "
	    "other subnet there has an agent to compare with\n" },
	{ "one agent in two incidents, one of its own and one of its VNet",
	    { { "vnet-a/x", "", 1 }, { "vnet-b/x", "", 1 }, { "vnet-b/x", "", 1 } },
	    { { 'b', PUBLIC, "contoso", "*" }, { 'c', PUBLIC, "contoso", "*" },
	        { 'b', HOSTS_FILE, "contoso", "*" } },
	    "dns: privatelink.documents.azure.com is not linked to vnet-b: 2 agents\n"
	    "client: contoso: system overrides DNS on b, and not on others in vnet-b/x: 1 "
	    "agent\n" },
	{ "one agent in the incidents of two resolvers",
	    { { "vnet-a/x", "10.0.0.4 10.0.0.5", 1 }, { "vnet-b/x", "10.0.0.4", 1 },
	        { "vnet-c/x", "10.0.0.5", 1 }, { "vnet-d/x", "10.0.0.6", 1 } },
	    { { 'a', SERVFAIL, "contoso", "*" }, { 'b', SERVFAIL, "contoso", "*" },
	        { 'c', SERVFAIL, "contoso", "*" } },
	    "dns: DNS for privatelink.documents.azure.com: DNS fails: SERVFAIL wherever "
	    "10.0.0.4 is asked: 2 agents\n"
	    "dns: DNS for privatelink.documents.azure.com: DNS fails: SERVFAIL wherever "
	    "10.0.0.5 is asked: 1 agent\n" },
	{ "a VNet of which a part is silent: what is heard speaks",
	    { { "vnet-a/x", "", 1 }, { "vnet-b/x", "", 1 }, { "vnet-b/y", "", 1 },
	        { "-vnet-b/z", "", 1 } },
	    { { 'b', MISSING, "contoso", "eastus" }, { 'c', MISSING, "contoso", "eastus" } },
	    "dns: contoso East US: name does not exist in all of vnet-b: 2 agents\n" },
	{ "what a silent one saw last is in no incident",
	    { { "vnet-a/x", "", 1 }, { "vnet-b/x", "", 1 }, { "-vnet-b/x", "", 1 } },
	    { { 'b', MISSING, "contoso", "eastus" }, { 'c', MISSING, "contoso", "eastus" } },
	    "dns: contoso East US: name does not exist on b, the only agent in vnet-b/x: 1 "
	    "agent\n" },
	{ "all are silent", { { "-vnet-a/x", "", 1 }, { "-vnet-b/x", "", 1 } },
	    { { 'a', MISSING, "contoso", "eastus" }, { 'b', MISSING, "contoso", "eastus" } },
	    "" },
	{ "one without a network, beside a VNet that is told",
	    { { "vnet-a/x", "", 1 }, { "vnet-a/x", "", 1 }, { "", "", 1 } },
	    { { 'a', MISSING, "contoso", "eastus" }, { 'b', MISSING, "contoso", "eastus" },
	        { 'c', MISSING, "contoso", "eastus" } },
	    "dns: contoso East US: name does not exist in all of vnet-a: 2 agents; no other "
	    "VNet has an agent to compare with\n"
	    "dns: contoso East US: name does not exist on c, the only agent in networks that "
	    "are not told: 1 agent\n" },
	{ "one without a network that is well, beside two VNets that are not",
	    { { "vnet-a/x", "", 1 }, { "vnet-b/x", "", 1 }, { "", "", 1 } },
	    { { 'a', MISSING, "contoso", "eastus" }, { 'b', MISSING, "contoso", "eastus" } },
	    "dns: contoso East US: name does not exist on a, the only agent in vnet-a/x: 1 "
	    "agent\n"
	    "dns: contoso East US: name does not exist on b, the only agent in vnet-b/x: 1 "
	    "agent\n" },
	{ "VNets of one agent each, two of three",
	    { { "vnet-a/x", "", 1 }, { "vnet-b/x", "", 1 }, { "vnet-c/x", "", 1 } },
	    { { 'a', MISSING, "contoso", "eastus" }, { 'b', MISSING, "contoso", "eastus" } },
	    "dns: contoso East US: name does not exist on a, the only agent in vnet-a/x: 1 "
	    "agent\n"
	    "dns: contoso East US: name does not exist on b, the only agent in vnet-b/x: 1 "
	    "agent\n" },
	{ "a zone that is linked to none of two VNets of one agent each",
	    { { "vnet-a/x", "168.63.129.16", 1 }, { "vnet-b/x", "168.63.129.16", 1 },
	        { "vnet-c/x", "168.63.129.16", 1 } },
	    { { 'a', PUBLIC, "contoso", "*" }, { 'b', PUBLIC, "contoso", "*" } },
	    "dns: privatelink.documents.azure.com is not linked to vnet-a, as its only agent a "
	    "sees it: 1 agent\n"
	    "dns: privatelink.documents.azure.com is not linked to vnet-b, as its only agent b "
	    "sees it: 1 agent\n" },
	{ "networks of which one is a name without a subnet",
	    { { "vnet-a", "", 1 }, { "vnet-a/x", "", 1 }, { "vnet-b", "", 1 } },
	    { { 'a', MISSING, "contoso", "eastus" }, { 'b', MISSING, "contoso", "eastus" } },
	    "dns: contoso East US: name does not exist in all of vnet-a: 2 agents\n" },
	{ "two of two subnets, each with one that is well",
	    { { "vnet-a/x", "", 1 }, { "vnet-a/x", "", 1 }, { "vnet-a/y", "", 1 },
	        { "vnet-a/y", "", 1 } },
	    { { 'a', NO_TCP, "contoso", "eastus" }, { 'c', NO_TCP, "contoso", "eastus" } },
	    "client: contoso East US: no connection: timeout on a, and not on others in "
	    "vnet-a/x: 1 agent\n"
	    "client: contoso East US: no connection: timeout on c, and not on others in "
	    "vnet-a/y: 1 agent\n" },
	{ "a subnet's path and a region's record in it",
	    { { "vnet-a/x", "", 1 }, { "vnet-a/x", "", 1 }, { "vnet-a/y", "", 1 },
	        { "vnet-b/x", "", 1 } },
	    { { 'a', NO_TCP, "contoso", "eastus" }, { 'b', NO_TCP, "contoso", "eastus" },
	        { 'a', MISSING, "contoso", "westus" }, { 'b', MISSING, "contoso", "westus" },
	        { 'c', MISSING, "contoso", "westus" } },
	    "dns: contoso West US: name does not exist in all of vnet-a: 3 agents\n"
	    "network: contoso East US: no connection: timeout in all of vnet-a/x: 2 agents\n" },
	{ "everywhere for one account, in one VNet for another",
	    { { "vnet-a/x", "", 2 }, { "vnet-b/x", "", 2 }, { "vnet-b/y", "", 2 } },
	    { { 'a', MISSING, "contoso", "eastus" }, { 'b', MISSING, "contoso", "eastus" },
	        { 'c', MISSING, "contoso", "eastus" }, { 'b', MISSING, "fabrikam", "eastus" },
	        { 'c', MISSING, "fabrikam", "eastus" } },
	    "dns: contoso East US: name does not exist in every VNet: 3 agents\n"
	    "dns: fabrikam East US: name does not exist in all of vnet-b: 2 agents\n" },
	{ "a path in two VNets of three: theirs, and not the account's",
	    { { "vnet-a/x", "", 1 }, { "vnet-a/y", "", 1 }, { "vnet-b/x", "", 1 },
	        { "vnet-b/y", "", 1 }, { "vnet-c/x", "", 1 } },
	    { { 'a', NO_TCP, "contoso", "eastus" }, { 'b', NO_TCP, "contoso", "eastus" },
	        { 'c', NO_TCP, "contoso", "eastus" }, { 'd', NO_TCP, "contoso", "eastus" } },
	    "network: contoso East US: no connection: timeout in all of vnet-a: 2 agents\n"
	    "network: contoso East US: no connection: timeout in all of vnet-b: 2 agents\n" },
	{ "public addresses in every VNet of one account of the zone, the other is well",
	    { { "vnet-a/x", "", 2 }, { "vnet-b/x", "", 2 } },
	    { { 'a', PUBLIC, "contoso", "*" }, { 'b', PUBLIC, "contoso", "*" } },
	    "dns: privatelink.documents.azure.com has no records for them, or is linked to no "
	    "VNet: public addresses in every VNet: 2 agents\n" },
	{ "public addresses of one account in a VNet whose zone answers for the other",
	    { { "vnet-a/x", "", 2 }, { "*vnet-b/x", "", 2 }, { "*vnet-b/x", "", 2 } },
	    { { 'b', PUBLIC, "contoso", "*" }, { 'c', PUBLIC, "contoso", "*" } },
	    "dns: contoso: public address in all of vnet-b: 2 agents\n" },
	{ "and everywhere", { { "*vnet-a/x", "", 2 }, { "*vnet-b/x", "", 2 } },
	    { { 'a', PUBLIC, "contoso", "*" }, { 'b', PUBLIC, "contoso", "*" } },
	    "dns: contoso: public address in every VNet: 2 agents\n" },
	{ "the only agent of a VNet, with DNS servers of its own",
	    { { "vnet-a/x", "", 1 }, { "vnet-b/x", "10.0.0.4", 1 } },
	    { { 'b', PUBLIC, "contoso", "*" } },
	    "dns: privatelink.documents.azure.com is not linked to vnet-b, or its DNS servers "
	    "do not ask Azure's, as its only agent b sees it: 1 agent\n" },
	{ "the only agent of a subnet, in a VNet where another is well",
	    { { "vnet-a/x", "", 1 }, { "vnet-a/y", "", 1 } },
	    { { 'b', PUBLIC, "contoso", "*" } },
	    "dns: privatelink.documents.azure.com: public address on b, the only agent in "
	    "vnet-a/y: 1 agent\n" },
	{ "the worst first", { { "vnet-a/x", "", 1 }, { "vnet-a/x", "", 1 } },
	    { { 'a', FINDING_RECORD_LEFT_OVER, "contoso", "westus" },
	        { 'b', MISSING, "contoso", "eastus" } },
	    "client: contoso East US: name does not exist on b, and not on others in vnet-a/x: "
	    "1 agent\n"
	    "client: contoso West US: record left over on a, and not on others in vnet-a/x: 1 "
	    "agent\n" },
};

struct made {
	struct incident_agent    agents[AGENTS];
	struct incident_sighting sightings[SIGHTINGS];
	struct incident_ask      ask;
};

/* backwards: agents and sightings in the other order. */
static void
make(struct made *made, const struct incident_case *c, bool backwards)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
	size_t                   agents = 0, sightings = 0;

	while (agents < AGENTS && c->agents[agents].network != NULL)
		agents++;
	while (sightings < SIGHTINGS && c->sees[sightings].agent != 0)
		sightings++;
	for (size_t i = 0; i < agents; i++) {
		const char *network = c->agents[i].network;

		char mark = network[strspn(network, "-+*")] == network[0] ? ' ' : network[0];

		made->agents[backwards ? agents - 1 - i : i] = (struct incident_agent){
			names[i], network + (mark != ' '), c->agents[i].resolvers, mark != '-',
			mark == '+'       ? old_looks
			    : mark == '*' ? zone_looks
			                  : both,
			c->agents[i].accounts
		};
	}
	for (size_t i = 0; i < sightings; i++) {
		const struct sees *sees = &c->sees[i];
		size_t             agent = (size_t)(sees->agent - 'a');

		made->sightings[backwards ? sightings - 1 - i : i] = (struct incident_sighting){
			.agent = backwards ? agents - 1 - agent : agent,
			.code = sees->code,
			.severity = finding_table[sees->code].severity,
			.account = sees->account,
			.region = sees->region,
			.host = "h",
			.zone = zone,
			.fix = "",
			.opened_ms = 10 + (int64_t)i,
			.last_seen_ms = 20 + (int64_t)i
		};
	}
	made->ask = (struct incident_ask){ made->agents, agents, made->sightings, sightings };
}

static const char *
tell(struct arena *arena, const struct incident_list *list)
{
	const char *text = "";

	for (size_t i = 0; i < list->count; i++)
		text = arena_printf(arena, "%s%s: %s\n", text,
		    owner_name(list->incidents[i].owner), list->incidents[i].sentence);
	return text;
}

/* Every sighting that counts is a member of exactly one incident. */
static void
check_members(const struct incident_list *list, const struct incident_ask *ask)
{
	unsigned times[SIGHTINGS] = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		const struct incident *incident = &list->incidents[i];

		assert_true(incident->member_count >= incident->agent_count);
		assert_true(incident->account_count > 0);
		for (size_t j = 0; j < incident->member_count; j++) {
			times[incident->members[j]]++;
			assert_true(ask->sightings[incident->members[j]].opened_ms >=
			    incident->opened_ms);
		}
	}
	for (size_t i = 0; i < ask->sighting_count; i++)
		assert_int_equal(times[i], ask->agents[ask->sightings[i].agent].heard);
}

static void
test_cases(void **state)
{
	for (size_t i = 0; i < sizeof(incident_cases) / sizeof(incident_cases[0]); i++) {
		const struct incident_case *c = &incident_cases[i];

		for (int backwards = 0; backwards < 2; backwards++) {
			struct arena               *arena = arena_new();
			struct made                 made;
			const struct incident_list *list;
			const char                 *told;

			make(&made, c, backwards);
			list = incident_find(arena, &made.ask);
			told = tell(arena, list);
			if (strcmp(told, c->wanted) != 0)
				fail_msg("%s: got\n%swant\n%s", c->name, told, c->wanted);
			check_members(list, &made.ask);
			arena_free(arena);
		}
	}
}

static void
test_times_and_states(void **state)
{
	struct arena               *arena = arena_new();
	struct made                 made;
	const struct incident      *incident;
	const struct incident_list *list;

	make(&made, &incident_cases[6], false);
	made.sightings[2].confirmed = true;
	list = incident_find(arena, &made.ask);
	assert_int_equal(list->count, 1);
	incident = &list->incidents[0];
	assert_int_equal(incident->scope, SCOPE_VNET);
	assert_string_equal(incident->place, "vnet-b");
	assert_true(incident->confirmed);
	assert_int_equal(incident->opened_ms, 10);
	assert_int_equal(incident->last_seen_ms, 23);
	assert_int_equal(incident->agent_count, 2);
	assert_int_equal(incident->member_count, 4);
	assert_int_equal(incident->account_count, 2);
	assert_string_equal(incident->accounts[1], "fabrikam");
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_times_and_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
