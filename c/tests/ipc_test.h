/* What the tests of the socket, the shared memory and the ring share. */
#ifndef IPC_TEST_H
#define IPC_TEST_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../paths.h"
#include "check.h"

static char folder[64] = "/tmp/portsync-ipc-XXXXXX";

/* A folder of the test's own, which is all that the library may open. */
static inline void begin(void)
{
    char list[80];
    CHECK(mkdtemp(folder));
    int size = snprintf(list, sizeof list, "%s/", folder);
    SAME(ps_paths_seal((uint8_t *)list, (uint32_t)size + 1), 0);
}

static inline void finish(void)
{
    SAME(rmdir(folder), 0); /* nothing was left behind */
}

/* A path in the folder; good until 32 others were asked for. */
static inline const char *in_folder(const char *name)
{
    static char paths[32][128];
    static int next;
    char *path = paths[next++ % 32];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

#define PATH(path) (const uint8_t *)(path), (uint32_t)strlen(path)

static inline double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#endif
