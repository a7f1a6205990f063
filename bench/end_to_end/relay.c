/* The ceiling: the least that any program can do between a link change and its row.
 *
 *   relay REDIS_SOCKET DATABASE [lookup]
 *
 * Blocks in recv, writes one HSET of the MTU for each message with a name and reads the reply.
 * With `lookup` it asks for one HGETALL first, as portsyncd does. No dump, no check, no recovery. */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char buffer[65536];

static int request(int redis, const char *text, int size)
{
    return write(redis, text, (size_t)size) == size && read(redis, buffer, sizeof(buffer)) > 0;
}

static int connect_redis(const char *path, const char *database)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int redis = socket(AF_UNIX, SOCK_STREAM, 0);
    char text[64];
    int size = snprintf(text, sizeof(text), "SELECT %s\r\n", database);
    if (connect(redis, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        !request(redis, text, size))
        return -1;
    return redis;
}

static int relay(int redis, const struct nlmsghdr *message, int lookup)
{
    const struct rtattr *at = IFLA_RTA((const struct ifinfomsg *)NLMSG_DATA(message));
    int left = (int)message->nlmsg_len - (int)NLMSG_SPACE(sizeof(struct ifinfomsg));
    const char *name = NULL;
    uint32_t mtu = 0;
    for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
        if (at->rta_type == IFLA_IFNAME)
            name = RTA_DATA(at);
        if (at->rta_type == IFLA_MTU)
            memcpy(&mtu, RTA_DATA(at), sizeof(mtu));
    }
    if (!name)
        return 1;
    char text[256];
    int size = snprintf(text, sizeof(text), "HGETALL PORT_TABLE:%s\r\n", name);
    if (lookup && !request(redis, text, size))
        return 0;
    size = snprintf(text, sizeof(text), "HSET PORT_TABLE|%s mtu %u\r\n", name, mtu);
    return request(redis, text, size);
}

int main(int argc, char **argv)
{
    static char message[65536];
    int redis = argc >= 3 ? connect_redis(argv[1], argv[2]) : -1;
    int route = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), wish = 1 << 24;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    if (redis < 0 || bind(route, (struct sockaddr *)&address, sizeof(address)) < 0)
        return 1;
    setsockopt(route, SOL_SOCKET, SO_RCVBUFFORCE, &wish, sizeof(wish));
    for (;;) {
        ssize_t size = recv(route, message, sizeof(message), 0);
        if (size < (ssize_t)sizeof(struct nlmsghdr) || !relay(redis, (void *)message, argc > 3))
            return 1;
    }
}
