/* Runs the seeds of a fuzzer once, without libFuzzer: replay FOLDER... */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { SEED_MAX = 1 << 22 };

static int
replay_file(const char *folder, const char *name)
{
	char     path[4096];
	uint8_t *bytes = malloc(SEED_MAX);
	size_t   count;
	FILE    *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (file == NULL || bytes == NULL) {
		perror(path);
		free(bytes);
		return 0;
	}
	count = fread(bytes, 1, SEED_MAX, file);
	fclose(file);
	/* A block of its own size, so that the sanitizer sees a read behind the end. */
	bytes = realloc(bytes, count != 0 ? count : 1);
	LLVMFuzzerTestOneInput(bytes, count);
	free(bytes);
	return 1;
}

static int
replay_folder(const char *folder)
{
	DIR           *dir = opendir(folder);
	struct dirent *entry;
	int            count = 0;

	if (dir == NULL) {
		perror(folder);
		return 0;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.')
			count += replay_file(folder, entry->d_name);
	}
	closedir(dir);
	printf("%s: %d seeds\n", folder, count);
	return count;
}

int
main(int argc, char **argv)
{
	int status = argc > 1 ? 0 : 2;

	for (int i = 1; i < argc; i++) {
		if (replay_folder(argv[i]) == 0)
			status = 1; /* a corpus without seeds tests nothing */
	}
	return status;
}
