#include "analyze/region.h"

#include "base/text.h"

#include <stdbool.h>
#include <string.h>

/* The union of the region lists of the vendor's .NET, Java and Rust clients
 * [cosmos-regions].  Which cloud a name belongs to, and which are canary, test or internal, is
 * our reading of the names. */
const char region_table_date[] = "2026-11-23";

/* clang-format off */
const struct region region_table[] = {
	{ "apacsoutheast2", "APAC Southeast 2", CLOUD_PUBLIC, 1 },
	{ "australiacentral", "Australia Central", CLOUD_PUBLIC, 0 },
	{ "australiacentral2", "Australia Central 2", CLOUD_PUBLIC, 0 },
	{ "australiaeast", "Australia East", CLOUD_PUBLIC, 0 },
	{ "australiasoutheast", "Australia Southeast", CLOUD_PUBLIC, 0 },
	{ "austriaeast", "Austria East", CLOUD_PUBLIC, 0 },
	{ "belgiumcentral", "Belgium Central", CLOUD_PUBLIC, 0 },
	{ "brazilsouth", "Brazil South", CLOUD_PUBLIC, 0 },
	{ "brazilsoutheast", "Brazil Southeast", CLOUD_PUBLIC, 0 },
	{ "canadacentral", "Canada Central", CLOUD_PUBLIC, 0 },
	{ "canadaeast", "Canada East", CLOUD_PUBLIC, 0 },
	{ "centralindia", "Central India", CLOUD_PUBLIC, 0 },
	{ "centralus", "Central US", CLOUD_PUBLIC, 0 },
	{ "centraluseuap", "Central US EUAP", CLOUD_PUBLIC, 1 },
	{ "chilecentral", "Chile Central", CLOUD_PUBLIC, 0 },
	{ "denmarkeast", "Denmark East", CLOUD_PUBLIC, 0 },
	{ "eastasia", "East Asia", CLOUD_PUBLIC, 0 },
	{ "easteurope", "easteurope", CLOUD_PUBLIC, 1 },
	{ "eastus", "East US", CLOUD_PUBLIC, 0 },
	{ "eastus2", "East US 2", CLOUD_PUBLIC, 0 },
	{ "eastus2euap", "East US 2 EUAP", CLOUD_PUBLIC, 1 },
	{ "eastusslv", "East US SLV", CLOUD_PUBLIC, 1 },
	{ "eastusstg", "East US STG", CLOUD_PUBLIC, 1 },
	{ "francecentral", "France Central", CLOUD_PUBLIC, 0 },
	{ "francesouth", "France South", CLOUD_PUBLIC, 0 },
	{ "germanynorth", "Germany North", CLOUD_PUBLIC, 0 },
	{ "germanywestcentral", "Germany West Central", CLOUD_PUBLIC, 0 },
	{ "indonesiacentral", "Indonesia Central", CLOUD_PUBLIC, 0 },
	{ "israelcentral", "Israel Central", CLOUD_PUBLIC, 0 },
	{ "israelnorthwest", "Israel Northwest", CLOUD_PUBLIC, 0 },
	{ "italynorth", "Italy North", CLOUD_PUBLIC, 0 },
	{ "japaneast", "Japan East", CLOUD_PUBLIC, 0 },
	{ "japanwest", "Japan West", CLOUD_PUBLIC, 0 },
	{ "jioindiacentral", "Jio India Central", CLOUD_PUBLIC, 0 },
	{ "jioindiawest", "Jio India West", CLOUD_PUBLIC, 0 },
	{ "koreacentral", "Korea Central", CLOUD_PUBLIC, 0 },
	{ "koreasouth", "Korea South", CLOUD_PUBLIC, 0 },
	{ "koreasouth2", "Korea South 2", CLOUD_PUBLIC, 1 },
	{ "malaysiasouth", "Malaysia South", CLOUD_PUBLIC, 0 },
	{ "malaysiawest", "Malaysia West", CLOUD_PUBLIC, 0 },
	{ "mexicocentral", "Mexico Central", CLOUD_PUBLIC, 0 },
	{ "newzealandnorth", "New Zealand North", CLOUD_PUBLIC, 0 },
	{ "northcentralus", "North Central US", CLOUD_PUBLIC, 0 },
	{ "northeurope", "North Europe", CLOUD_PUBLIC, 0 },
	{ "northeurope2", "North Europe 2", CLOUD_PUBLIC, 1 },
	{ "norwayeast", "Norway East", CLOUD_PUBLIC, 0 },
	{ "norwaywest", "Norway West", CLOUD_PUBLIC, 0 },
	{ "polandcentral", "Poland Central", CLOUD_PUBLIC, 0 },
	{ "qatarcentral", "Qatar Central", CLOUD_PUBLIC, 0 },
	{ "southafricanorth", "South Africa North", CLOUD_PUBLIC, 0 },
	{ "southafricawest", "South Africa West", CLOUD_PUBLIC, 0 },
	{ "southcentralus", "South Central US", CLOUD_PUBLIC, 0 },
	{ "southcentralus2", "South Central US 2", CLOUD_PUBLIC, 0 },
	{ "southcentralusstg", "South Central US STG", CLOUD_PUBLIC, 1 },
	{ "southeastasia", "Southeast Asia", CLOUD_PUBLIC, 0 },
	{ "southeastus", "Southeast US", CLOUD_PUBLIC, 0 },
	{ "southeastus3", "Southeast US 3", CLOUD_PUBLIC, 0 },
	{ "southeastus5", "Southeast US 5", CLOUD_PUBLIC, 0 },
	{ "southindia", "South India", CLOUD_PUBLIC, 0 },
	{ "southwestus", "Southwest US", CLOUD_PUBLIC, 0 },
	{ "spaincentral", "Spain Central", CLOUD_PUBLIC, 0 },
	{ "swedencentral", "Sweden Central", CLOUD_PUBLIC, 0 },
	{ "swedensouth", "Sweden South", CLOUD_PUBLIC, 0 },
	{ "switzerlandnorth", "Switzerland North", CLOUD_PUBLIC, 0 },
	{ "switzerlandwest", "Switzerland West", CLOUD_PUBLIC, 0 },
	{ "taiwannorth", "Taiwan North", CLOUD_PUBLIC, 0 },
	{ "taiwannorthwest", "Taiwan Northwest", CLOUD_PUBLIC, 0 },
	{ "uaecentral", "UAE Central", CLOUD_PUBLIC, 0 },
	{ "uaenorth", "UAE North", CLOUD_PUBLIC, 0 },
	{ "uknorth", "UK North", CLOUD_PUBLIC, 1 },
	{ "uksouth", "UK South", CLOUD_PUBLIC, 0 },
	{ "uksouth2", "UK South 2", CLOUD_PUBLIC, 1 },
	{ "ukwest", "UK West", CLOUD_PUBLIC, 0 },
	{ "westcentralus", "West Central US", CLOUD_PUBLIC, 0 },
	{ "westeurope", "West Europe", CLOUD_PUBLIC, 0 },
	{ "westindia", "West India", CLOUD_PUBLIC, 0 },
	{ "westus", "West US", CLOUD_PUBLIC, 0 },
	{ "westus2", "West US 2", CLOUD_PUBLIC, 0 },
	{ "westus3", "West US 3", CLOUD_PUBLIC, 0 },
	{ "usdodcentral", "USDoD Central", CLOUD_USGOV, 0 },
	{ "usdodeast", "USDoD East", CLOUD_USGOV, 0 },
	{ "usdodsouthcentral", "USDoD South Central", CLOUD_USGOV, 0 },
	{ "usdodsouthwest", "USDoD Southwest", CLOUD_USGOV, 0 },
	{ "usdodwestcentral", "USDoD West Central", CLOUD_USGOV, 0 },
	{ "usgovarizona", "USGov Arizona", CLOUD_USGOV, 0 },
	{ "usgoviowa", "USGov Iowa", CLOUD_USGOV, 0 },
	{ "usgovtexas", "USGov Texas", CLOUD_USGOV, 0 },
	{ "usgovvirginia", "USGov Virginia", CLOUD_USGOV, 0 },
	{ "usgovwyoming", "USGov Wyoming", CLOUD_USGOV, 0 },
	{ "chinaeast", "China East", CLOUD_CHINA, 0 },
	{ "chinaeast2", "China East 2", CLOUD_CHINA, 0 },
	{ "chinaeast3", "China East 3", CLOUD_CHINA, 0 },
	{ "chinanorth", "China North", CLOUD_CHINA, 0 },
	{ "chinanorth10", "China North 10", CLOUD_CHINA, 1 },
	{ "chinanorth2", "China North 2", CLOUD_CHINA, 0 },
	{ "chinanorth3", "China North 3", CLOUD_CHINA, 0 },
	{ "usnateast", "USNat East", CLOUD_USNAT, 0 },
	{ "usnatwest", "USNat West", CLOUD_USNAT, 0 },
	{ "usseceast", "USSec East", CLOUD_USSEC, 0 },
	{ "ussecwest", "USSec West", CLOUD_USSEC, 0 },
	{ "ussecwestcentral", "USSec West Central", CLOUD_USSEC, 0 },
	{ "bleufrancecentral", "Bleu France Central", CLOUD_BLEU, 0 },
	{ "bleufrancesouth", "Bleu France South", CLOUD_BLEU, 0 },
	{ "deloscloudgermanycentral", "Delos Cloud Germany Central", CLOUD_DELOS, 0 },
	{ "deloscloudgermanynorth", "Delos Cloud Germany North", CLOUD_DELOS, 0 },
	{ "germanycentral", "Germany Central", CLOUD_GERMANY, 0 },
	{ "germanynortheast", "Germany Northeast", CLOUD_GERMANY, 0 },
	{ NULL, NULL, CLOUD_COUNT, 0 }
};
/* clang-format on */

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char *
region_label(const char *name, char *label, size_t room)
{
	size_t used = 0;

	for (; *name != '\0' && used + 1 < room; name++) {
		if (!is_space(*name))
			label[used++] = text_lower(*name);
	}
	if (room > 0)
		label[used] = '\0';
	return label;
}

bool
region_label_parse(char label[REGION_LABEL_ROOM], const char *name, struct err *err)
{
	static const char known[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char              room[REGION_LABEL_ROOM + 1];

	region_label(name, room, sizeof(room));
	if (room[0] == '\0' || strlen(room) > REGION_LABEL_MAX ||
	    room[strspn(room, known)] != '\0')
		return err_set(err, ERR_PARSE,
		    "'%.60s' is no region; 1 to %d letters and digits wanted", name,
		    REGION_LABEL_MAX);
	strcpy(label, room);
	return true;
}

const struct region *
region_find(const char *label)
{
	for (const struct region *region = region_table; region->label != NULL; region++) {
		if (strcmp(region->label, label) == 0)
			return region;
	}
	return NULL;
}

const char *
region_name(const char *label)
{
	const struct region *region = region_find(label);

	return region != NULL ? region->name : label;
}
