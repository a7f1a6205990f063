/* The system refuses: every call of it fails once, and nothing leaks or is believed. The functions
 * below stand in the place of libc's. */
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "../nl_socket.h"
#include "../paths.h"
#include "nl_live.h"

enum call { NONE, SOCKET, BIND, SETSOCKOPT, GETSOCKOPT, SETNS, EVENTFD, RECEIVE, POLL, SEND, HOME };

static enum call failing;
static int skip, error_to_give;

/* The next call but `after` fails with `error`. */
static void fail(enum call call, int after, int error)
{
    failing = call;
    skip = after;
    error_to_give = error;
}

static bool fails(enum call call)
{
    if (failing != call || skip-- > 0)
        return false;
    failing = NONE;
    errno = error_to_give;
    return true;
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
    return fails(RECEIVE) ? -1 : (int)syscall(SYS_recvmmsg, fd, headers, count, flags, time);
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
    return is_home && fails(HOME) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
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
        {SOCKET, 0, EMFILE, -EMFILE},   {SOCKET, 1, EMFILE, -EMFILE},
        {BIND, 0, ENOMEM, -ENOMEM},     {EVENTFD, 0, EMFILE, -EMFILE},
        {SETNS, 0, EPERM, -EPERM},      {SETNS, 1, EPERM, -ENOTRECOVERABLE},
        {SETNS, 2, EPERM, -EPERM},      {HOME, 0, ENOENT, -ENOENT},
        {SETSOCKOPT, 5, EPERM, -EPERM}, /* joining the group */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int before = open_files();
        fail(cases[i].call, cases[i].after, cases[i].error);
        SAME(open_there(), cases[i].result);
        SAME(failing, NONE);
        SAME(open_files(), before);
        enter_namespace();
    }
    /* Not able to return, and no socket either. */
    struct rlimit limit, low = {3, 3};
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    fail(SOCKET, 0, EMFILE);
    SAME(open_there(), -EMFILE);
    low.rlim_max = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
    SAME(open_there(), -EMFILE);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
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
    SAME(failing, NONE);
    SAME(ps_nl_poll(handle, buffer, RECORDS, 0), 0);

    fail(POLL, 0, EINTR);
    SAME(ps_nl_wait(handle, buffer, RECORDS, 1, 0), 0);
    fail(POLL, 0, ENOMEM);
    SAME(ps_nl_wait(handle, buffer, RECORDS, 1, 0), -ENOMEM);
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
    dumping_fails(handle);
    SAME(ps_nl_close(handle), 0);
    what_a_kernel_may_lack();
    run("ip netns del %s", netns + 11);
    return 0;
}
