/* The system refuses: every call of it fails once, and nothing leaks or is believed. The functions
 * below stand in the place of libc's. */
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "../nl_socket.h"
#include "../paths.h"
#include "nl_live.h"

enum call {
    SOCKET,
    BIND,
    SETSOCKOPT,
    GETSOCKOPT,
    SETNS,
    EVENTFD,
    RECEIVE,
    POLL,
    SEND,
    HOME,
    ROOT,
    WAKE,
    CALLS
};

static struct {
    int after, times, error;
} faults[CALLS];

/* What recvmmsg() pretends. */
static bool endless, nothing;
static uint32_t longer;

/* After `after` calls that work, `times` calls fail with `error`. */
static void fail_times(enum call call, int after, int times, int error)
{
    faults[call].after = after;
    faults[call].times = times;
    faults[call].error = error;
}

static void fail(enum call call, int after, int error)
{
    fail_times(call, after, 1, error);
}

static bool fails(enum call call)
{
    if (faults[call].times == 0 || faults[call].after-- > 0)
        return false;
    faults[call].times--;
    errno = faults[call].error;
    return true;
}

/* Every fault that was asked for has happened. */
static void check_done(void)
{
    for (int call = 0; call < CALLS; call++)
        SAME(faults[call].times, 0);
}

int socket(int domain, int type, int protocol)
{
    return fails(SOCKET) ? -1 : (int)syscall(SYS_socket, domain, type, protocol);
}

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
    return fails(BIND) ? -1 : (int)syscall(SYS_bind, fd, address, size);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
    return fails(SETSOCKOPT) ? -1 : (int)syscall(SYS_setsockopt, fd, level, option, value, size);
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
    return fails(GETSOCKOPT) ? -1 : (int)syscall(SYS_getsockopt, fd, level, option, value, size);
}

int setns(int fd, int type)
{
    return fails(SETNS) ? -1 : (int)syscall(SYS_setns, fd, type);
}

int eventfd(unsigned int start, int flags)
{
    return fails(EVENTFD) ? -1 : (int)syscall(SYS_eventfd2, start, flags);
}

int recvmmsg(int fd, struct mmsghdr *headers, unsigned int count, int flags, struct timespec *time)
{
    if (fails(RECEIVE))
        return -1;
    if (endless || nothing)
        return nothing ? 0 : (int)count;
    int received = (int)syscall(SYS_recvmmsg, fd, headers, count, flags, time);
    for (int i = 0; i < received; i++)
        headers[i].msg_len += longer;
    return received;
}

int ppoll(struct pollfd *files, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    struct timespec copy = timeout ? *timeout : (struct timespec){0};
    return fails(POLL) ? -1
                       : (int)syscall(SYS_ppoll, files, count, timeout ? &copy : NULL, mask, 8);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    return fails(SEND) ? -1 : syscall(SYS_sendto, fd, bytes, size, flags, NULL, 0);
}

int open(const char *path, int flags, ...)
{
    bool is_home = strcmp(path, "/proc/thread-self/ns/net") == 0;
    if ((is_home && fails(HOME)) || (strcmp(path, "/") == 0 && fails(ROOT)))
        return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
}

int eventfd_write(int fd, eventfd_t value)
{
    return fails(WAKE) || write(fd, &value, sizeof(value)) != sizeof(value) ? -1 : 0;
}

static int open_files(void)
{
    int count = 0;
    for (int fd = 0; fd < 100; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static char netns[64];

static int32_t open_there(void)
{
    return ps_nl_open((uint8_t *)netns, (uint32_t)strlen(netns), LARGE, 0);
}

static void opening_fails(void)
{
    static const struct {
        enum call call;
        int after, error, result;
    } cases[] = {
        {SOCKET, 0, EMFILE, -EMFILE}, {SOCKET, 1, EMFILE, -EMFILE},
        {BIND, 0, ENOMEM, -ENOMEM},   {EVENTFD, 0, EMFILE, -EMFILE},
        {SETNS, 0, EPERM, -EPERM},    {SETNS, 1, EPERM, -ENOTRECOVERABLE},
        {SETNS, 2, EPERM, -EPERM},    {HOME, 0, ENOENT, -ENOENT},
        {ROOT, 0, EMFILE, -EMFILE},   {SETSOCKOPT, 5, EPERM, -EPERM}, /* joining the group */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int before = open_files();
        fail(cases[i].call, cases[i].after, cases[i].error);
        SAME(open_there(), cases[i].result);
        check_done();
        SAME(open_files(), before);
        enter_namespace();
    }
    /* Not able to return, and no socket either. */
    fail(SOCKET, 0, EMFILE);
    fail(SETNS, 1, EPERM);
    SAME(open_there(), -ENOTRECOVERABLE);
    enter_namespace();
    /* Neither forced nor asked for. */
    fail_times(SETSOCKOPT, 4, 2, EPERM);
    SAME(open_there(), -EPERM);
    check_done();
}

static void what_a_kernel_may_lack(void)
{
    /* Extended acknowledgements and strict checks, and the right to force the buffer's size. */
    for (int option = 0; option < 5; option++) {
        fail(SETSOCKOPT, option, ENOPROTOOPT);
        int32_t handle = open_there();
        CHECK(handle > 0);
        SAME(ps_nl_close(handle), 0);
    }
    int32_t handle = open_here(LARGE);
    struct ps_link_stats stats;
    fail(GETSOCKOPT, 1, ENOPROTOOPT);
    SAME(ps_nl_stats(handle, &stats), 0);
    SAME(stats.drops, 0);
    fail(GETSOCKOPT, 0, EIO);
    SAME(ps_nl_stats(handle, &stats), -EIO);
    SAME(ps_nl_close(handle), 0);
    for (uint32_t i = 0; i < PS_HANDLES; i++)
        CHECK(ps_handle_new(PS_KIND_NETIPC, links) > 0);
    SAME(open_there(), -EMFILE);
    SAME(ps_nl_replay(), -EMFILE);
}

static void reading_fails(int32_t handle)
{
    uint8_t *buffer = (uint8_t *)links;
    fail(RECEIVE, 0, EINTR);
    SAME(ps_nl_poll(handle, buffer, RECORDS, 0), 0);
    fail(RECEIVE, 0, EIO);
    SAME(ps_nl_poll(handle, buffer, RECORDS, 0), -EIO);
    /* After what was read before it: the caller hears of it the next time. */
    run("ip link add r0 type ifb && ip link del r0");
    fail(RECEIVE, 1, EIO);
    CHECK(ps_nl_poll(handle, buffer, RECORDS, 0) > 0);
    check_done();
    SAME(ps_nl_poll(handle, buffer, RECORDS, 0), 0);

    fail(POLL, 0, EINTR);
    SAME(ps_nl_wait(handle, buffer, RECORDS, 1, 0), 0);
    fail(POLL, 0, ENOMEM);
    SAME(ps_nl_wait(handle, buffer, RECORDS, 1, 0), -ENOMEM);
}

static void waking_fails(int32_t handle)
{
    fail(WAKE, 0, EAGAIN);
    SAME(ps_nl_wake(handle), -EAGAIN);
}

/* Events come faster than they can be thrown away; a datagram is longer than any room. */
static void the_socket_misbehaves(int32_t handle)
{
    struct ps_nl *nl = inside(handle);
    uint64_t before = stats_of(handle).discarded;
    endless = true;
    SAME(ps_nl_dump(handle), 0);
    endless = false;
    SAME(stats_of(handle).discarded - before, 1u << 20);
    expect(handle, PS_DUMP_END, NULL);
    nothing = true;
    ps_nl_discard_events(nl);
    SAME(ps_nl_poll(handle, (uint8_t *)links, RECORDS, 0), 0);
    nothing = false;

    longer = PS_DATAGRAM_MAX;
    SAME(ps_nl_dump(handle), 0);
    SAME(expect(handle, PS_DUMP_FAILED, NULL)->value, EMSGSIZE);
    SAME(nl->dump_slot, PS_DATAGRAM_MAX);
    longer = 1000000;
    run("ip link add r0 type ifb");
    SAME(expect(handle, PS_LOST, NULL)->value, PS_LOSS_TRUNCATED);
    SAME(stats_of(handle).slot_bytes, PS_DATAGRAM_MAX);
    longer = 0;
    run("ip link del r0");
    expect(handle, PS_LINK_GONE, "r0");
}

static void dumping_fails(int32_t handle)
{
    uint8_t *buffer = (uint8_t *)links;
    fail(SEND, 0, ENOBUFS);
    SAME(ps_nl_dump(handle), -ENOBUFS);
    SAME(ps_nl_poll(handle, buffer, RECORDS, 0), 0);
    SAME(ps_nl_dump(handle), 0);
    fail(RECEIVE, 0, ENOBUFS);
    SAME(ps_nl_poll(handle, buffer, RECORDS, 0), 2);
    SAME(links[0].type, PS_DUMP_BEGIN);
    SAME(links[1].type, PS_DUMP_FAILED);
    SAME(links[1].value, ENOBUFS);
    SAME(stats_of(handle).interrupted, 1);
    /* Whatever is met while the sockets are emptied, the dump that follows mends it. */
    fail(RECEIVE, 0, ENOBUFS);
    SAME(ps_nl_dump(handle), 0);
    expect(handle, PS_DUMP_END, NULL);
    SAME(stats_of(handle).dumps, 2);
}

int main(void)
{
    enter_namespace();
    snprintf(netns, sizeof(netns), "/run/netns/ps-fault-%d", getpid());
    run("ip netns add %s", netns + 11);
    SAME(ps_paths_seal((uint8_t *)netns, (uint32_t)strlen(netns) + 1), 0);
    opening_fails();
    int32_t handle = open_here(LARGE);
    reading_fails(handle);
    waking_fails(handle);
    dumping_fails(handle);
    the_socket_misbehaves(handle);
    SAME(ps_nl_close(handle), 0);
    what_a_kernel_may_lack();
    run("ip netns del %s", netns + 11);
    return 0;
}
