#include <stdio.h>

int
main(int argc, char **argv)
{
	puts("plprobe-collector " PLPROBE_VERSION);
	return 0;
}
