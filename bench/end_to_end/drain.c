/* The ceiling of a burst: only takes link messages from the same kind of socket.
 *
 *   drain QUIET_MS
 *
 * Runs in a network namespace. Opens the socket, prints "ready", and lets messages queue until a
 * byte comes on standard input. Then it takes them, 64 datagrams a call, until none has come for
 * QUIET_MS after the first. Prints one line of JSON: how many, the seconds from the byte to the
 * last of them, and how often the socket had overflowed. Ends by itself after a minute. */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DATAGRAMS 64
#define DATAGRAM_MAX 32768

static char space[DATAGRAMS][DATAGRAM_MAX];
static struct mmsghdr batch[DATAGRAMS];
static struct iovec parts[DATAGRAMS];

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int open_route(void)
{
    int route = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), wish = 1 << 24;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    if (route < 0 || bind(route, (struct sockaddr *)&address, sizeof(address)) < 0) {
        perror("drain: rtnetlink");
        exit(1);
    }
    if (setsockopt(route, SOL_SOCKET, SO_RCVBUFFORCE, &wish, sizeof(wish)) < 0)
        setsockopt(route, SOL_SOCKET, SO_RCVBUF, &wish, sizeof(wish));
    return route;
}

static long count(int datagrams)
{
    long messages = 0;
    for (int at = 0; at < datagrams; at++) {
        int left = (int)batch[at].msg_len;
        for (struct nlmsghdr *message = (void *)space[at]; NLMSG_OK(message, left);
             message = NLMSG_NEXT(message, left))
            messages++;
    }
    return messages;
}

int main(int argc, char **argv)
{
    int quiet = argc == 2 ? atoi(argv[1]) : 0;
    if (quiet <= 0) {
        fprintf(stderr, "usage: drain QUIET_MS\n");
        return 64;
    }
    alarm(60);
    for (int at = 0; at < DATAGRAMS; at++) {
        parts[at] = (struct iovec){space[at], DATAGRAM_MAX};
        batch[at].msg_hdr = (struct msghdr){.msg_iov = &parts[at], .msg_iovlen = 1};
    }
    struct pollfd route = {.fd = open_route(), .events = POLLIN};
    char byte;
    printf("ready\n");
    fflush(stdout);
    if (read(0, &byte, 1) != 1)
        return 1;
    double start = now(), last = start;
    long messages = 0, overruns = 0;
    while (poll(&route, 1, messages > 0 ? quiet : -1) > 0) {
        int datagrams = recvmmsg(route.fd, batch, DATAGRAMS, MSG_DONTWAIT, NULL);
        if (datagrams < 0 && errno != ENOBUFS)
            return 1;
        if (datagrams < 0)
            overruns++;
        else
            messages += count(datagrams);
        last = now();
    }
    printf("{\"messages\":%ld,\"seconds\":%.6f,\"overruns\":%ld}\n", messages, last - start,
           overruns);
    return 0;
}
