/* Endpoints of the socket half: listening, accepting, connecting. */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "paths.h"
#include "uds_internal.h"

#define LISTENER_REST_NS UINT64_C(100000000)

/* Whoever may write to the folder can put a socket of his own in the place of ours. */
static int check_private(int folder)
{
    struct stat info;
    if (fstat(folder, &info) < 0)
        return -errno;
    bool trusted = info.st_uid == 0 || info.st_uid == geteuid();
    return trusted && !(info.st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

static int address_of(struct sockaddr_un *address, const uint8_t *path, uint32_t length,
                      bool listens)
{
    char copy[PS_PATH_SIZE];
    const char *leaf;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int error = ps_path_take(path, length, copy);
    if (error < 0 || length >= sizeof address->sun_path)
        return error < 0 ? error : -ENAMETOOLONG;
    int folder = ps_path_folder(copy, &leaf); /* no link may stand on the way */
    if (folder < 0)
        return folder;
    error = listens ? check_private(folder) : 0;
    close(folder);
    memcpy(address->sun_path, copy, length);
    return error;
}

static int open_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
}

/* -- Listening --------------------------------------------------------------------------------- */

/* Frees the name of a dead endpoint; -EADDRINUSE if somebody listens there. */
static int clear_name(const struct sockaddr_un *address)
{
    int probe = open_socket();
    if (probe < 0)
        return -EADDRINUSE;
    int result = connect(probe, (const struct sockaddr *)address, sizeof *address);
    int error = errno;
    close(probe);
    if (result == 0 || error == EAGAIN) /* a full backlog is alive too */
        return -EADDRINUSE;
    if (error != ENOENT && unlink(address->sun_path) < 0 && errno != ENOENT &&
        rmdir(address->sun_path) < 0)
        return -EADDRINUSE;
    return 0;
}

/* The mode of an unbound socket becomes the mode of its node, less the umask; what the umask took
 * is given back before anyone can connect. */
static int bind_and_listen(struct ps_uds *hub, int fd, const struct sockaddr_un *address)
{
    struct stat node;
    if (fchmod(fd, hub->config.mode & 0700) < 0 ||
        bind(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        return -errno;
    if (((hub->config.mode & 077) && chmod(address->sun_path, hub->config.mode) < 0) ||
        lstat(address->sun_path, &node) < 0 || listen(fd, (int)hub->config.backlog) < 0) {
        int error = -errno;
        unlink(address->sun_path);
        return error;
    }
    memcpy(hub->path, address->sun_path, sizeof address->sun_path);
    hub->device = node.st_dev;
    hub->inode = node.st_ino;
    return 0;
}

int32_t ps_uds_listen(int32_t handle, const uint8_t *path, uint32_t length,
                      const struct ps_uds_config *config)
{
    PS_TAKE(ps_uds, hub, PS_KIND_UDS, handle);
    struct sockaddr_un address;
    int error = hub->listener >= 0 ? -EALREADY : address_of(&address, path, length, true);
    if (error == 0)
        error = clear_name(&address);
    if (error < 0)
        return error;
    hub->config = *config;
    ps_uds_defaults(&hub->config);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = PS_UDS_LISTENER};
    int fd = open_socket();
    error = fd < 0 ? fd : bind_and_listen(hub, fd, &address);
    if (error < 0) {
        close(fd);
        return error;
    }
    hub->listener = fd;
    error = epoll_ctl(hub->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
    if (error < 0)
        ps_uds_unlisten(hub);
    return error;
}

void ps_uds_unlisten(struct ps_uds *hub)
{
    struct stat node;
    if (hub->listener < 0)
        return;
    /* The name may be a successor's by now. */
    if (lstat(hub->path, &node) == 0 && node.st_dev == hub->device && node.st_ino == hub->inode)
        unlink(hub->path);
    close(hub->listener);
    hub->listener = -1;
}

int32_t ps_uds_set_limits(int32_t handle, uint32_t request_bytes, uint32_t response_bytes)
{
    PS_TAKE(ps_uds, hub, PS_KIND_UDS, handle);
    hub->config.request_bytes = request_bytes;
    hub->config.response_bytes = response_bytes;
    return 0;
}

void ps_uds_watch_listener(struct ps_uds *hub)
{
    struct epoll_event event = {.events = hub->listen_again ? 0 : EPOLLIN,
                                .data.u64 = PS_UDS_LISTENER};
    epoll_ctl(hub->epoll, EPOLL_CTL_MOD, hub->listener, &event);
}

/* Without a free descriptor the client stays in the backlog, and would be reported for ever. */
static void rest(struct ps_uds *hub)
{
    hub->listen_again = ps_now_ns() + LISTENER_REST_NS;
    ps_uds_note_deadline(hub, hub->listen_again);
    ps_uds_watch_listener(hub);
}

void ps_uds_accept(struct ps_uds *hub, struct ps_uds_out *out)
{
    while (out->count < out->capacity) {
        int fd = accept4(hub->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
            return;
        struct ps_uds_session *session =
            fd < 0 ? NULL : ps_uds_add(hub, fd, true, hub->config.handshake_ms);
        if (!session) {
            ps_uds_put(out, PS_UDS_REFUSED, 0)->status = fd < 0 ? -errno : -EUSERS;
            if (fd >= 0)
                close(fd);
            else
                rest(hub);
            return;
        }
        session->session_id = ++hub->next_session_id;
        if (hub->accepted > hub->config.max_sessions)
            ps_uds_refuse(hub, session, -EUSERS, out);
    }
}

/* -- Connecting -------------------------------------------------------------------------------- */

int32_t ps_uds_connect(int32_t handle, const uint8_t *path, uint32_t length,
                       const struct ps_uds_config *given)
{
    PS_TAKE(ps_uds, hub, PS_KIND_UDS, handle);
    struct sockaddr_un address;
    struct ps_uds_config config = *given;
    ps_uds_defaults(&config);
    int error = address_of(&address, path, length, false);
    int fd = error < 0 ? error : open_socket();
    if (fd < 0)
        return fd;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        error = -errno;
        close(fd);
        return error;
    }
    struct ps_uds_session *session = ps_uds_add(hub, fd, false, config.handshake_ms);
    if (!session) {
        close(fd);
        return -EUSERS;
    }
    error = ps_uds_say_hello(session, &config);
    int32_t number = (int32_t)session->number;
    if (error < 0)
        ps_uds_drop(hub, session);
    return error < 0 ? error : number;
}
