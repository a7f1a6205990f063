/* Runs a fuzz target where there is no libFuzzer: changes the seeds at random, without an eye for
 * coverage, and the same way for the same seed number.
 *
 *   TARGET FOLDER SECONDS [SEED]
 *
 * Prints the number of executions. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEEDS_MAX 256
#define INPUT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *seeds[SEEDS_MAX];
static size_t sizes[SEEDS_MAX];
static int seed_count;
static uint64_t state;

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) * below >> 32);
}

static void read_seeds(const char *folder)
{
    DIR *entries = opendir(folder);
    struct dirent *entry;
    while (entries && (entry = readdir(entries)) && seed_count < SEEDS_MAX) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "rb");
        if (!file)
            continue;
        seeds[seed_count] = malloc(INPUT_MAX);
        sizes[seed_count] = fread(seeds[seed_count], 1, INPUT_MAX, file);
        seed_count++;
        fclose(file);
    }
    if (entries)
        closedir(entries);
}

/* A seed, a few of its bytes, numbers or pieces changed. */
static size_t mutate(uint8_t *input)
{
    static const uint32_t numbers[] = {0,    1,    3,      4,          15,         16,        0x7f,
                                       0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
    int seed = (int)draw((uint32_t)seed_count);
    size_t size = sizes[seed];
    memcpy(input, seeds[seed], size);
    for (uint32_t changes = 1 + draw(8); changes > 0 && size > 8; changes--) {
        uint32_t at = draw((uint32_t)size), other = draw((uint32_t)size);
        uint32_t length = 1 + draw(16);
        if (length > size - (at > other ? at : other))
            length = 1;
        switch (draw(6)) {
        case 0:
            input[at] = (uint8_t)draw(256);
            break;
        case 1:
            input[at] ^= (uint8_t)(1u << draw(8));
            break;
        case 2:
            if (at + 4 <= size)
                memcpy(input + at, &numbers[draw(13)], 1u << draw(3));
            break;
        case 3:
            memmove(input + at, input + other, length);
            break;
        case 4:
            size = at;
            break;
        default:
            if (size + length <= INPUT_MAX) {
                memmove(input + at + length, input + at, size - at);
                size += length;
            }
        }
    }
    return size;
}

int main(int count, char **arguments)
{
    static uint8_t input[INPUT_MAX + 64];
    unsigned long executions = 0;
    if (count < 3)
        return 64;
    read_seeds(arguments[1]);
    if (seed_count == 0) {
        seeds[0] = calloc(1, INPUT_MAX);
        sizes[0] = 64;
        seed_count = 1;
    }
    state = 0x9e3779b97f4a7c15u ^ (count > 3 ? strtoull(arguments[3], NULL, 10) : 1);
    time_t end = time(NULL) + strtol(arguments[2], NULL, 10);
    for (int i = 0; i < seed_count; i++)
        LLVMFuzzerTestOneInput(seeds[i], sizes[i]);
    while (time(NULL) < end) {
        for (int i = 0; i < 256; i++, executions++) {
            size_t size = mutate(input);
            /* Of its exact size, so that the address sanitizer sees a byte too far. */
            uint8_t *exact = malloc(size + 1);
            memcpy(exact, input, size);
            LLVMFuzzerTestOneInput(exact, size);
            free(exact);
        }
    }
    printf("executions: %lu\n", executions);
    return 0;
}
