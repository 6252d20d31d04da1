#include "tests/support/support_rntbd.h"

#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

#define ID "cc22338f8617b44d9b97b229c2c6f0aa"

const uint8_t support_rntbd_id[SUPPORT_RNTBD_ID_BYTES] = { 0xcc, 0x22, 0x33, 0x8f, 0x86, 0x17,
	0xb4, 0x4d, 0x9b, 0x97, 0xb2, 0x29, 0xc2, 0xc6, 0xf0, 0xaa };

static const char *const vectors[SUPPORT_RNTBD_COUNT] = {
	[SUPPORT_RNTBD_A] = "4100000000000000" ID "00000201000000"
	                    "0100070a323032302d30372d3135"
	                    "02000710636f736d6f732d70726f62652f312e30",
	[SUPPORT_RNTBD_R1] = "50000000c8000000" ID "02000711446f63756d656e74444220536572766572"
	                     "030007112076657273696f6e3d322e31342e302e30"
	                     "04000278000000"
	                     "05000219000000",
	[SUPPORT_RNTBD_R2] = "5f000000c8000000" ID "00000201000000"
	                     "0100070a323032302d30372d3135"
	                     "0200070b526e746264536572766572"
	                     "030007112076657273696f6e3d322e31342e302e30"
	                     "04000278000000"
	                     "0500020f000000",
	[SUPPORT_RNTBD_R3] = "54000000c8000000" ID "02000711446f63756d656e74444220536572766572"
	                     "030007112076657273696f6e3d322e31342e302e30"
	                     "f000080600667574757265"
	                     "f1000207000000",
	[SUPPORT_RNTBD_E1] = "5700000090010000" ID "00000201000000"
	                     "0100070a323031342d30382d3231"
	                     "02000711446f63756d656e74444220536572766572"
	                     "030007112076657273696f6e3d322e31342e302e30"
	                     "3e000000"
	                     "7b22636f6465223a2242616452657175657374222c226d657373616765223a225"
	                     "56e737570706f727465642070726f746f636f6c2076657273696f6e227d",
};

size_t
support_rntbd_bytes(enum support_rntbd which, uint8_t *bytes)
{
	size_t count = strlen(vectors[which]) / 2;

	if (count > SUPPORT_RNTBD_MAX || !digest_unhex(vectors[which], bytes, count))
		abort();
	return count;
}
