/*
 * replay.c - a fuzz target without libFuzzer: puts each file that is named, and each file of
 * a directory that is named, through LLVMFuzzerTestOneInput.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int passed, failed;

static void replay_file(const char *path, size_t size)
{
    uint8_t *data = malloc(size ? size : 1);
    FILE *file = fopen(path, "rb");

    if (data && file && fread(data, 1, size, file) == size) {
        LLVMFuzzerTestOneInput(data, size);
        passed++;
    } else {
        fprintf(stderr, "%s can't be read\n", path);
        failed++;
    }
    if (file)
        fclose(file);
    free(data);
}

static void replay(const char *path, int depth)
{
    struct stat status;
    struct dirent *entry;
    DIR *directory;
    char below[4096];

    if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
        replay_file(path, (size_t)status.st_size);
        return;
    }
    directory = depth == 0 ? opendir(path) : NULL;
    if (!directory) {
        failed += depth == 0;
        return;
    }
    while ((entry = readdir(directory)))
        if (entry->d_name[0] != '.' &&
            snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < (int)sizeof below)
            replay(below, depth + 1);
    closedir(directory);
}

int main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++)
        replay(argv[i], 0);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
