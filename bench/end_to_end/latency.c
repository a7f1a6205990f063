/* From a link change to the row, as a subscriber sees it.
 *
 *   latency REDIS_SOCKET DATABASE KEY LINK COUNT GAP_US
 *
 * Runs in the network namespace of LINK. COUNT times: sets a new MTU, takes the kernel's own
 * answer and the keyspace notification of KEY, sleeps GAP_US. Prints one line of JSON:
 * the answer's and the row's time from the request, and their ratio, in microseconds. */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define COUNT_MAX 100000
#define PATIENCE_MS 5000

struct request {
    struct nlmsghdr header;
    struct ifinfomsg link;
    struct rtattr mtu;
    uint32_t value;
};

static double answers[COUNT_MAX], rows[COUNT_MAX];

static void fail(const char *what)
{
    fprintf(stderr, "latency: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static int subscribe(const char *path, const char *database, const char *key)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int redis = socket(AF_UNIX, SOCK_STREAM, 0);
    if (redis < 0 || connect(redis, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail(path);
    char channel[512], command[640], reply[1024];
    snprintf(channel, sizeof(channel), "__keyspace@%s__:%s", database, key);
    int size = snprintf(command, sizeof(command), "*2\r\n$9\r\nSUBSCRIBE\r\n$%zu\r\n%s\r\n",
                        strlen(channel), channel);
    if (write(redis, command, (size_t)size) != size || read(redis, reply, sizeof(reply)) <= 0)
        fail("SUBSCRIBE");
    return redis;
}

static int open_route(void)
{
    int route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    if (route < 0 || bind(route, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail("rtnetlink");
    return route;
}

/* Waits until both have answered; a row may be there before the kernel's answer. */
static void measure(int route, int redis, double start, double *ret_answer, double *ret_row)
{
    struct pollfd files[2] = {{.fd = route, .events = POLLIN}, {.fd = redis, .events = POLLIN}};
    char buffer[8192];
    *ret_answer = *ret_row = 0;
    while (*ret_answer == 0 || *ret_row == 0) {
        if (poll(files, 2, PATIENCE_MS) <= 0) {
            errno = ETIMEDOUT;
            fail("no answer");
        }
        double now = now_us() - start;
        if (files[0].revents) {
            ssize_t size = recv(route, buffer, sizeof(buffer), 0);
            struct nlmsgerr error;
            if (size < (ssize_t)(sizeof(struct nlmsghdr) + sizeof(error)))
                fail("short answer");
            memcpy(&error, buffer + sizeof(struct nlmsghdr), sizeof(error));
            errno = -error.error;
            if (error.error)
                fail("the kernel refuses");
            *ret_answer = now;
        }
        if (files[1].revents) {
            if (read(redis, buffer, sizeof(buffer)) <= 0)
                fail("subscription ended");
            *ret_row = now;
        }
    }
}

static void print(const char *name, double *values, int count, const char *end)
{
    qsort(values, (size_t)count, sizeof(*values), by_value);
    printf("\"%s\":{\"p50\":%.1f,\"p95\":%.1f,\"p99\":%.1f,\"max\":%.1f}%s", name,
           values[count / 2], values[count * 95 / 100], values[count * 99 / 100], values[count - 1],
           end);
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: latency REDIS_SOCKET DATABASE KEY LINK COUNT GAP_US\n");
        return 64;
    }
    int count = atoi(argv[5]);
    if (count < 1 || count > COUNT_MAX)
        return 64;
    int redis = subscribe(argv[1], argv[2], argv[3]), route = open_route();
    struct request request = {
        .header = {.nlmsg_len = sizeof(request),
                   .nlmsg_type = RTM_NEWLINK,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
        .link = {.ifi_index = (int)if_nametoindex(argv[4])},
        .mtu = {.rta_len = sizeof(struct rtattr) + sizeof(uint32_t), .rta_type = IFLA_MTU},
    };
    if (request.link.ifi_index == 0)
        fail(argv[4]);
    for (int at = 0; at < count; at++) {
        request.header.nlmsg_seq = (uint32_t)at + 1;
        request.value = 1300 + (uint32_t)at % 199;
        double start = now_us();
        if (send(route, &request, sizeof(request), 0) < 0)
            fail("send");
        measure(route, redis, start, &answers[at], &rows[at]);
        usleep((useconds_t)atoi(argv[6]));
    }
    printf("{");
    print("answer", answers, count, ",");
    print("row", rows, count, ",");
    printf("\"ratio\":%.3f}\n", rows[count / 2] / answers[count / 2]);
    return 0;
}
