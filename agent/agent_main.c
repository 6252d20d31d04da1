#include <stdio.h>

int
main(int argc, char **argv)
{
	puts("plprobe " PLPROBE_VERSION);
	return 0;
}
