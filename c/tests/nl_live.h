/* Link sockets on the real kernel, in a network namespace of the test's own. */
#ifndef NL_LIVE_H
#define NL_LIVE_H

#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "../handles.h"
#include "../nl_receive.h"
#include "check.h"

#define RECORDS 256
#define LARGE (16u << 20)

static struct ps_link links[RECORDS];

/* Leaves for a namespace of our own, or ends the test where that is not allowed. */
static inline void enter_namespace(void)
{
    if (unshare(CLONE_NEWNET) < 0)
        exit(errno == EPERM ? SKIPPED : 1);
}

/* Runs a command of the shell that must succeed. */
static inline void run(const char *format, ...)
{
    char command[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    SAME(system(command), 0);
}

static inline int32_t open_here(uint32_t receive_bytes)
{
    int32_t handle = ps_nl_open(NULL, 0, receive_bytes, 0);
    CHECK(handle > 0);
    return handle;
}

/* Takes what is there, 0 after `timeout_ms` without anything. */
static inline int32_t take(int32_t handle, uint32_t timeout_ms)
{
    int32_t count = ps_nl_wait(handle, (uint8_t *)links, RECORDS, timeout_ms, 0);
    CHECK(count >= 0 && count <= RECORDS);
    return count;
}

/* Waits until a record of this type and name (NULL for any) came; returns it. */
static inline const struct ps_link *expect(int32_t handle, uint32_t type, const char *name)
{
    for (;;) {
        int32_t count = take(handle, 5000);
        CHECK(count > 0);
        for (int32_t i = 0; i < count; i++)
            if (links[i].type == type && (!name || strcmp((char *)links[i].name, name) == 0))
                return &links[i];
    }
}

static inline struct ps_link_stats stats_of(int32_t handle)
{
    struct ps_link_stats stats;
    SAME(ps_nl_stats(handle, &stats), 0);
    return stats;
}

/* The inside of a handle that nobody uses. */
static inline struct ps_nl *inside(int32_t handle)
{
    struct ps_nl *nl = ps_handle_hold(handle, PS_KIND_NETLINK);
    CHECK(nl);
    ps_handle_release(handle);
    return nl;
}

#endif
