/* The system refuses: functions in the place of libc's that fail when they are told to, or before
 * which something else happens. */
#ifndef FAULTS_H
#define FAULTS_H

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "ipc_test.h"

enum call {
    SOCKET,
    BIND,
    LISTEN,
    ACCEPT,
    CONNECT,
    FCHMOD,
    CHMOD,
    LSTAT,
    EPOLL_CREATE,
    EPOLL_CTL,
    EPOLL_WAIT,
    EVENTFD,
    GETSOCKOPT,
    RECV,
    RECVMSG,
    SEND,
    SENDMSG,
    MMAP,
    FSTAT,
    FSTATAT,
    PREAD,
    PWRITE,
    FTRUNCATE,
    FALLOCATE,
    OPENAT,
    UNLINKAT,
    UNLINK,
    RMDIR,
    FCNTL,
    KILL,
    MALLOC,
    CALLOC,
    EVENTFD_WRITE,
    CLOCK,
    GETCPU,
    SETAFFINITY,
    CALLS
};

static struct {
    int after, times, error;
    void (*act)(void);
} faults[CALLS];

/* What the calls that work pretend: the files of a folder stand on another device; no time has
 * passed since the machine was started, or so much more; this thread runs on this CPU, this process
 * as this user, unless they are below 0. */
static bool other_device, no_time;
static time_t passed_seconds;
static int pretended_cpu = -1, pretended_user = -1;

/* After `after` calls that work, `times` calls fail with `error`. */
static inline void fail_times(enum call call, int after, int times, int error)
{
    faults[call].after = after;
    faults[call].times = times;
    faults[call].error = error;
    faults[call].act = NULL;
}

/* After `after` calls, `act` is done just before the next: what others do meanwhile. */
static inline void meanwhile(enum call call, int after, void (*act)(void))
{
    fail_times(call, after, 1, 0);
    faults[call].act = act;
}

static inline void fail(enum call call, int after, int error)
{
    fail_times(call, after, 1, error);
}

static inline bool fails(enum call call)
{
    if (faults[call].times == 0 || faults[call].after-- > 0)
        return false;
    faults[call].times--;
    if (faults[call].act) {
        faults[call].act();
        return false;
    }
    errno = faults[call].error;
    return true;
}

/* Every fault that was asked for has happened. */
static inline void check_done(void)
{
    for (int i = 0; i < CALLS; i++)
        SAME(faults[i].times, 0);
}

#define STANDS_FOR(type, name, parameters, call, ...)                                              \
    type name parameters;                                                                          \
    type name parameters                                                                           \
    {                                                                                              \
        return fails(call) ? (type)-1 : (type)syscall(__VA_ARGS__);                                \
    }

STANDS_FOR(int, socket, (int domain, int type, int protocol), SOCKET, SYS_socket, domain, type,
           protocol)
STANDS_FOR(int, bind, (int fd, const struct sockaddr *address, socklen_t size), BIND, SYS_bind, fd,
           address, size)
STANDS_FOR(int, connect, (int fd, const struct sockaddr *address, socklen_t size), CONNECT,
           SYS_connect, fd, address, size)
STANDS_FOR(int, listen, (int fd, int backlog), LISTEN, SYS_listen, fd, backlog)
STANDS_FOR(int, accept4, (int fd, struct sockaddr *address, socklen_t *size, int flags), ACCEPT,
           SYS_accept4, fd, address, size, flags)
STANDS_FOR(int, fchmod, (int fd, mode_t mode), FCHMOD, SYS_fchmod, fd, mode)
STANDS_FOR(int, chmod, (const char *path, mode_t mode), CHMOD, SYS_fchmodat, AT_FDCWD, path, mode)
STANDS_FOR(int, epoll_create1, (int flags), EPOLL_CREATE, SYS_epoll_create1, flags)
STANDS_FOR(int, epoll_ctl, (int epoll, int what, int fd, struct epoll_event *event), EPOLL_CTL,
           SYS_epoll_ctl, epoll, what, fd, event)
STANDS_FOR(int, epoll_wait, (int epoll, struct epoll_event *events, int count, int timeout),
           EPOLL_WAIT, SYS_epoll_pwait, epoll, events, count, timeout, NULL, 8)
STANDS_FOR(int, eventfd, (unsigned value, int flags), EVENTFD, SYS_eventfd2, value, flags)
STANDS_FOR(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *size), GETSOCKOPT,
           SYS_getsockopt, fd, level, name, value, size)
STANDS_FOR(ssize_t, recv, (int fd, void *buffer, size_t size, int flags), RECV, SYS_recvfrom, fd,
           buffer, size, flags, NULL, NULL)
STANDS_FOR(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), RECVMSG, SYS_recvmsg, fd,
           message, flags)
STANDS_FOR(ssize_t, send, (int fd, const void *buffer, size_t size, int flags), SEND, SYS_sendto,
           fd, buffer, size, flags, NULL, 0)
STANDS_FOR(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), SENDMSG,
           SYS_sendmsg, fd, message, flags)
STANDS_FOR(void *, mmap, (void *at, size_t size, int access, int flags, int fd, off_t offset), MMAP,
           SYS_mmap, at, size, access, flags, fd, offset)
STANDS_FOR(int, fstat, (int fd, struct stat *info), FSTAT, SYS_newfstatat, fd, "", info,
           AT_EMPTY_PATH)
STANDS_FOR(ssize_t, pread, (int fd, void *buffer, size_t size, off_t offset), PREAD, SYS_pread64,
           fd, buffer, size, offset)
STANDS_FOR(ssize_t, pwrite, (int fd, const void *buffer, size_t size, off_t offset), PWRITE,
           SYS_pwrite64, fd, buffer, size, offset)
STANDS_FOR(int, ftruncate, (int fd, off_t size), FTRUNCATE, SYS_ftruncate, fd, size)
STANDS_FOR(int, fallocate, (int fd, int mode, off_t offset, off_t size), FALLOCATE, SYS_fallocate,
           fd, mode, offset, size)
STANDS_FOR(int, unlinkat, (int fd, const char *path, int flags), UNLINKAT, SYS_unlinkat, fd, path,
           flags)
STANDS_FOR(int, unlink, (const char *path), UNLINK, SYS_unlinkat, AT_FDCWD, path, 0)
STANDS_FOR(int, rmdir, (const char *path), RMDIR, SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR)
STANDS_FOR(int, kill, (pid_t process, int signal), KILL, SYS_kill, process, signal)
STANDS_FOR(int, sched_setaffinity, (pid_t thread, size_t size, const cpu_set_t *set), SETAFFINITY,
           SYS_sched_setaffinity, thread, size, set)

int fstatat(int fd, const char *path, struct stat *info, int flags);
int fstatat(int fd, const char *path, struct stat *info, int flags)
{
    int result = fails(FSTATAT) ? -1 : (int)syscall(SYS_newfstatat, fd, path, info, flags);
    if (result == 0)
        info->st_dev += other_device;
    return result;
}

int lstat(const char *path, struct stat *info);
int lstat(const char *path, struct stat *info)
{
    return fails(LSTAT) ? -1 : fstatat(AT_FDCWD, path, info, AT_SYMLINK_NOFOLLOW);
}

int fcntl(int fd, int command, ...);
int fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    return fails(FCNTL) ? -1 : (int)syscall(SYS_fcntl, fd, command, argument);
}

int eventfd_write(int fd, eventfd_t value);
int eventfd_write(int fd, eventfd_t value)
{
    return fails(EVENTFD_WRITE) || write(fd, &value, sizeof value) < 0 ? -1 : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now);
int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = fails(CLOCK) ? -1 : (int)syscall(SYS_clock_gettime, clock, now);
    now->tv_sec += passed_seconds;
    if (no_time)
        *now = (struct timespec){0};
    return result;
}

int sched_getcpu(void);
int sched_getcpu(void)
{
    unsigned cpu;
    if (fails(GETCPU) || syscall(SYS_getcpu, &cpu, NULL, NULL) < 0)
        return -1;
    return pretended_cpu < 0 ? (int)cpu : pretended_cpu;
}

uid_t geteuid(void);
uid_t geteuid(void)
{
    return (uid_t)(pretended_user < 0 ? syscall(SYS_geteuid) : pretended_user);
}

/* The address sanitizer must know of memory, and is not always there. */
void *__interceptor_calloc(size_t count, size_t size) __attribute__((weak));
void *__interceptor_malloc(size_t size) __attribute__((weak));
void *__libc_calloc(size_t count, size_t size);
void *__libc_malloc(size_t size);

void *calloc(size_t count, size_t size);
void *calloc(size_t count, size_t size)
{
    if (fails(CALLOC))
        return NULL;
    return __interceptor_calloc ? __interceptor_calloc(count, size) : __libc_calloc(count, size);
}

void *malloc(size_t size);
void *malloc(size_t size)
{
    if (fails(MALLOC))
        return NULL;
    return __interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size);
}

/* The mode only counts where a file is made, and is 0600 wherever the library makes one. */
int openat(int fd, const char *path, int flags, ...);
int openat(int fd, const char *path, int flags, ...)
{
    return fails(OPENAT) ? -1 : (int)syscall(SYS_openat, fd, path, flags, 0600);
}

#endif
