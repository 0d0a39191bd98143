/*
 * tests/fuzz/replay.c: runs every file of a corpus directory once through the harness that it is linked with, so
 * that the ordinary `make check` repeats what fuzzing has found.  Each input stands in a heap block of its exact
 * size, where a sanitizer sees a read beyond it.
 *
 * Without an argument: $srcdir/REPLAY_CORPUS.  No input at all is a failure, not a success.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static int replay(const char *path)
{
    struct stat st;
    FILE *file = fopen(path, "rbe");
    if (file == NULL || fstat(fileno(file), &st) < 0) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    if (!S_ISREG(st.st_mode)) {
        fclose(file);
        return 0;
    }
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size > 0 ? size : 1);
    if (data == NULL || fread(data, 1, size, file) != size) {
        fprintf(stderr, "cannot read %s whole\n", path);
        exit(1);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

int main(int argc, char **argv)
{
    char directory[4096], path[8192];
    const char *source = getenv("srcdir");
    int count = 0;

    if (argc > 1)
        snprintf(directory, sizeof(directory), "%s", argv[1]);
    else
        snprintf(directory, sizeof(directory), "%s/%s", source != NULL ? source : ".", REPLAY_CORPUS);
    DIR *listing = opendir(directory);
    if (listing == NULL) {
        fprintf(stderr, "cannot open the corpus %s\n", directory);
        return 1;
    }
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        count += replay(path);
    }
    closedir(listing);
    printf("1..1\n%s 1 - %s: %d inputs\n", count > 0 ? "ok" : "not ok", REPLAY_CORPUS, count);
    return count > 0 ? 0 : 1;
}
