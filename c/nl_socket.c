/* How rtnetlink sockets are made, and the one request for a dump. */
#include "nl_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "paths.h"

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int open_socket(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    return fd < 0 ? -errno : fd;
}

/* A socket stays in the namespace it was made in, so only the thread that makes it goes there, and
 * only for that long. */
static int open_socket_in(int netns)
{
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0)
        return -errno;
    if (setns(netns, CLONE_NEWNET) < 0) {
        int error = errno;
        close(home);
        return -error;
    }
    int fd = open_socket();
    if (setns(home, CLONE_NEWNET) < 0) {
        if (fd >= 0)
            close(fd);
        fd = -ENOTRECOVERABLE;
    }
    close(home);
    return fd;
}

static int open_socket_at(const uint8_t *netns, uint32_t netns_size)
{
    char path[PS_PATH_SIZE];
    if (netns_size == 0)
        return open_socket();
    int error = ps_path_take(netns, netns_size, path);
    if (error < 0)
        return error;
    int file = ps_path_open(path, O_RDONLY, 0);
    if (file < 0)
        return file;
    int fd = open_socket_in(file);
    close(file);
    return fd;
}

int ps_nl_socket(const uint8_t *netns, uint32_t netns_size)
{
    int fd = open_socket_at(netns, netns_size);
    if (fd < 0)
        return fd;
    /* Older kernels do not know these (4.12 and 4.20). Without the first an error has no words;
     * without the second a wrong request is ignored where it should be refused. */
    set_option(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
    set_option(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int ps_nl_receive_buffer(int fd, uint32_t bytes)
{
    int wish = bytes > 0x3fffffff ? 0x3fffffff : (int)bytes;
    if (set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, wish) == 0)
        return 0;
    return set_option(fd, SOL_SOCKET, SO_RCVBUF, wish);
}

int ps_nl_join(int fd)
{
    return set_option(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, RTNLGRP_LINK);
}

int ps_nl_request_dump(int fd, uint32_t sequence)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg info;
        struct rtattr mask;
        uint32_t filter;
    } request = {
        .header = {.nlmsg_len = sizeof(request),
                   .nlmsg_type = RTM_GETLINK,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                   .nlmsg_seq = sequence},
        .mask = {.rta_len = sizeof(struct rtattr) + sizeof(uint32_t), .rta_type = IFLA_EXT_MASK},
        .filter = RTEXT_FILTER_SKIP_STATS,
    };
    return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

int ps_nl_memory(int fd, struct ps_link_stats *ret_stats)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof(memory);
    int achieved;
    socklen_t achieved_size = sizeof(achieved);
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &achieved, &achieved_size) < 0)
        return -errno;
    ret_stats->buffer_bytes = (uint64_t)achieved;
    /* Since Linux 4.12; without it the two stay 0. */
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) == 0) {
        ret_stats->queued_bytes = memory[SK_MEMINFO_RMEM_ALLOC];
        ret_stats->drops = memory[SK_MEMINFO_DROPS];
    }
    return 0;
}
