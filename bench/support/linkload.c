/* Changes links of the kernel, as fast as it takes them or at a pace.
 *
 *   linkload [OPTION]... MODE COUNT
 *
 * Runs in the network namespace of the links and makes COUNT changes, over all links whose names
 * begin with the prefix, each in its turn:
 *
 *   updown   to the other admin state
 *   mtu      to an MTU between 1280 and 9198 that the 7,918 changes before did not have
 *   mixed    one of both, to a link drawn by lot
 *   rename   from NAME to r-NAME, and back in the next round
 *   swap     two neighbours exchange their names through a third one: three changes
 *   create   new ifb links, PREFIX0, PREFIX4, PREFIX8 and so on
 *   delete   away with them
 *   churn    deletes a link and makes it again: two changes
 *
 *   -p PREFIX  of the names, default Ethernet
 *   -r RATE    changes a second; default 0 for as fast as can be
 *   -b BATCH   requests for each system call, 1 to 256; default 64, and 1 with -r
 *   -s SEED    of the lot, default 1
 *   -u         makes links that are up
 *   -t LIMIT   ends after this many seconds, finished or not; default 60
 *
 * Prints one line of JSON: began is the time since the epoch, answer_us from a system call to the
 * kernel's answer to its last request. Exits with 0 only if every change was made. */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINKS_MAX 8192
#define BATCH_MAX 256
#define SAMPLES_MAX 200000
#define MTU_BASE 1280
#define MTU_SPAN 7919 /* prime, so that rounds over the links do not repeat values */

struct link {
    int index;
    uint32_t mtu;
    bool up, renamed;
    char name[IFNAMSIZ];
};

struct options {
    const char *prefix;
    long rate, batch, limit, count;
    uint64_t seed;
    bool up;
};

typedef void change(const struct options *, long at);

static struct link links[LINKS_MAX];
static int link_count;
static char batch[BATCH_MAX * 128];
static struct nlmsghdr *last;
static size_t batch_size;
static long batched, made, errors, samples;
static uint32_t sequence;
static char first_error[128];
static double answers[SAMPLES_MAX];
static int route;

static void fail(int error, const char *what)
{
    fprintf(stderr, "linkload: %s: %s\n", what, strerror(error));
    exit(1);
}

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Takes answers until that to the batch's last request, which the kernel sends after all others. */
static void take_answers(void)
{
    char buffer[16384];
    for (;;) {
        ssize_t size = recv(route, buffer, sizeof(buffer), 0);
        if (size < (ssize_t)sizeof(struct nlmsghdr))
            fail(errno, "answer");
        const struct nlmsghdr *answer = (const void *)buffer;
        if (answer->nlmsg_type != NLMSG_ERROR)
            continue;
        const struct nlmsgerr *verdict = NLMSG_DATA(answer);
        if (verdict->error && errors++ == 0)
            snprintf(first_error, sizeof(first_error), "%s", strerror(-verdict->error));
        if (!verdict->error)
            made++;
        if (answer->nlmsg_seq == sequence)
            return;
    }
}

static void flush(void)
{
    if (batched == 0)
        return;
    /* Every request is answered: an unanswered one would count as made though it was refused. */
    double start = now_us();
    if (send(route, batch, batch_size, 0) != (ssize_t)batch_size)
        fail(errno, "send");
    take_answers();
    if (samples < SAMPLES_MAX)
        answers[samples++] = now_us() - start;
    batched = 0;
    batch_size = 0;
}

static void begin(uint16_t type, uint16_t flags, int index, bool set_up, bool up)
{
    last = (void *)(batch + batch_size);
    memset(last, 0, NLMSG_SPACE(sizeof(struct ifinfomsg)));
    last->nlmsg_type = type;
    last->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    last->nlmsg_seq = ++sequence;
    last->nlmsg_len = NLMSG_SPACE(sizeof(struct ifinfomsg));
    struct ifinfomsg *info = NLMSG_DATA(last);
    info->ifi_index = index;
    info->ifi_change = set_up ? IFF_UP : 0;
    info->ifi_flags = up ? IFF_UP : 0;
}

static struct rtattr *attribute(uint16_t type, const void *data, size_t size)
{
    struct rtattr *at = (void *)((char *)last + last->nlmsg_len);
    at->rta_type = type;
    at->rta_len = (uint16_t)RTA_LENGTH(size);
    if (size > 0)
        memcpy(RTA_DATA(at), data, size);
    last->nlmsg_len += (uint32_t)RTA_ALIGN(at->rta_len);
    return at;
}

static void end(const struct options *options)
{
    batch_size += NLMSG_ALIGN(last->nlmsg_len);
    if (++batched >= options->batch)
        flush();
}

static void change_updown(const struct options *options, long at)
{
    struct link *link = &links[at % link_count];
    link->up = !link->up;
    begin(RTM_NEWLINK, 0, link->index, true, link->up);
    end(options);
}

static void resize(const struct options *options, struct link *link, long at)
{
    uint32_t mtu = (uint32_t)(MTU_BASE + at % MTU_SPAN);
    /* The value that an earlier run left would be no change. */
    link->mtu = mtu == link->mtu ? MTU_BASE + MTU_SPAN : mtu;
    begin(RTM_NEWLINK, 0, link->index, false, false);
    attribute(IFLA_MTU, &link->mtu, sizeof(link->mtu));
    end(options);
}

static void change_mtu(const struct options *options, long at)
{
    resize(options, &links[at % link_count], at);
}

static void change_mixed(const struct options *options, long at)
{
    static uint64_t lot;
    if (lot == 0)
        lot = options->seed * 0x9e3779b97f4a7c15u | 1;
    lot ^= lot << 13;
    lot ^= lot >> 7;
    lot ^= lot << 17;
    long draw = (long)(lot >> 33) % link_count;
    if (lot & 1)
        change_updown(options, draw);
    else
        resize(options, &links[draw], at);
}

static void call_it(const struct options *options, const struct link *link, const char *name)
{
    begin(RTM_NEWLINK, 0, link->index, false, false);
    attribute(IFLA_IFNAME, name, strlen(name) + 1);
    end(options);
}

static void change_rename(const struct options *options, long at)
{
    struct link *link = &links[at % link_count];
    char name[IFNAMSIZ + 2];
    snprintf(name, sizeof(name), "%s%s", link->renamed ? "" : "r-", link->name);
    link->renamed = !link->renamed;
    call_it(options, link, name);
}

static void change_swap(const struct options *options, long at)
{
    static char other[IFNAMSIZ];
    struct link *left = &links[(at / 3 * 2) % (link_count / 2 * 2)], *right = left + 1;
    if (at % 3 == 0)
        call_it(options, left, "r-exchanged");
    if (at % 3 == 1)
        call_it(options, right, left->name);
    if (at % 3 == 2) {
        call_it(options, left, right->name);
        memcpy(other, left->name, IFNAMSIZ);
        memcpy(left->name, right->name, IFNAMSIZ);
        memcpy(right->name, other, IFNAMSIZ);
    }
}

static void make(const struct options *options, const char *name)
{
    begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, options->up, options->up);
    attribute(IFLA_IFNAME, name, strlen(name) + 1);
    struct rtattr *info = attribute(IFLA_LINKINFO, NULL, 0);
    attribute(IFLA_INFO_KIND, "ifb", 4);
    info->rta_len = (uint16_t)((char *)last + last->nlmsg_len - (char *)info);
    end(options);
}

static void change_create(const struct options *options, long at)
{
    char name[IFNAMSIZ];
    if (snprintf(name, sizeof(name), "%s%ld", options->prefix, at * 4) >= IFNAMSIZ)
        fail(ENAMETOOLONG, options->prefix);
    make(options, name);
}

static void drop(const struct options *options, const struct link *link)
{
    begin(RTM_DELLINK, 0, 0, false, false);
    attribute(IFLA_IFNAME, link->name, strlen(link->name) + 1);
    end(options);
}

static void change_delete(const struct options *options, long at)
{
    drop(options, &links[at % link_count]);
}

static void change_churn(const struct options *options, long at)
{
    if (at % 2 == 0)
        drop(options, &links[at / 2 % link_count]);
    else
        make(options, links[at / 2 % link_count].name);
}

static const struct {
    const char *name;
    change *change;
    int links_min;
} modes[] = {
    {"updown", change_updown, 1}, {"mtu", change_mtu, 1},     {"mixed", change_mixed, 1},
    {"rename", change_rename, 1}, {"swap", change_swap, 2},   {"create", change_create, 0},
    {"delete", change_delete, 1}, {"churn", change_churn, 1},
};

static void find_links(const char *prefix)
{
    struct if_nameindex *all = if_nameindex();
    if (!all)
        fail(errno, "if_nameindex");
    int query = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (query < 0)
        fail(errno, "socket");
    for (struct if_nameindex *at = all; at->if_index && link_count < LINKS_MAX; at++) {
        if (strncmp(at->if_name, prefix, strlen(prefix)) != 0)
            continue;
        struct link *link = &links[link_count++];
        struct ifreq answer = {0};
        memcpy(answer.ifr_name, at->if_name, strlen(at->if_name) + 1);
        memcpy(link->name, answer.ifr_name, IFNAMSIZ);
        link->index = (int)at->if_index;
        if (ioctl(query, SIOCGIFFLAGS, &answer) < 0)
            fail(errno, link->name);
        link->up = answer.ifr_flags & IFF_UP;
        if (ioctl(query, SIOCGIFMTU, &answer) < 0)
            fail(errno, link->name);
        link->mtu = (uint32_t)answer.ifr_mtu;
    }
    close(query);
    if_freenameindex(all);
}

static void open_route(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    int wish = 1 << 20, one = 1;
    route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (route < 0 || bind(route, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail(errno, "rtnetlink");
    setsockopt(route, SOL_SOCKET, SO_RCVBUF, &wish, sizeof(wish));
    setsockopt(route, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
}

static long number(const char *text, long min, long max)
{
    char *rest;
    errno = 0;
    long value = strtol(text, &rest, 10);
    if (errno || *rest || rest == text || value < min || value > max) {
        fprintf(stderr, "linkload: %s is not between %ld and %ld\n", text, min, max);
        exit(64);
    }
    return value;
}

static int usage(void)
{
    fprintf(stderr, "usage: linkload [-p PREFIX] [-r RATE] [-b BATCH] [-s SEED] [-u] [-t LIMIT] "
                    "MODE COUNT\n");
    return 64;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static int report(const char *mode, const struct options *options, double start)
{
    double seconds = (now_us() - start) / 1e6;
    qsort(answers, (size_t)samples, sizeof(*answers), by_value);
    printf("{\"mode\":\"%s\",\"links\":%d,\"changes\":%ld,\"errors\":%ld,\"first_error\":\"%s\","
           "\"batch\":%ld,\"began\":%.6f,\"seconds\":%.6f,\"rate\":%.0f,",
           mode, link_count, made, errors, first_error, options->batch, start / 1e6, seconds,
           (double)made / seconds);
    printf("\"answer_us\":{\"p50\":%.1f,\"p95\":%.1f,\"p99\":%.1f,\"max\":%.1f}}\n",
           answers[samples / 2], answers[samples * 95 / 100], answers[samples * 99 / 100],
           samples > 0 ? answers[samples - 1] : 0);
    return made == options->count ? 0 : 1;
}

static void pace(double start, long at, long rate)
{
    double due = start + (double)at * 1e6 / (double)rate;
    struct timespec until = {.tv_sec = (time_t)(due / 1e6)};
    until.tv_nsec = (long)((due - (double)until.tv_sec * 1e6) * 1e3);
    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

int main(int argc, char **argv)
{
    struct options options = {.prefix = "Ethernet", .limit = 60, .seed = 1};
    for (int flag; (flag = getopt(argc, argv, "p:r:b:s:ut:")) != -1;) {
        if (flag == 'p')
            options.prefix = optarg;
        else if (flag == 'r')
            options.rate = number(optarg, 0, 10000000);
        else if (flag == 'b')
            options.batch = number(optarg, 1, BATCH_MAX);
        else if (flag == 's')
            options.seed = (uint64_t)number(optarg, 0, INT32_MAX);
        else if (flag == 'u')
            options.up = true;
        else if (flag == 't')
            options.limit = number(optarg, 1, 3600);
        else
            return usage();
    }
    if (argc - optind != 2)
        return usage();
    if (options.batch == 0)
        options.batch = options.rate > 0 ? 1 : 64;
    options.count = number(argv[optind + 1], 1, 100000000);
    size_t mode = 0, mode_count = sizeof(modes) / sizeof(*modes);
    while (mode < mode_count && strcmp(modes[mode].name, argv[optind]) != 0)
        mode++;
    if (mode == mode_count)
        return usage();
    alarm((unsigned)options.limit + 10); /* a call into the kernel that does not come back */
    find_links(options.prefix);
    if (link_count < modes[mode].links_min)
        fail(ENODEV, options.prefix);
    open_route();
    double start = now_us(), limit = start + (double)options.limit * 1e6;
    for (long at = 0; at < options.count && now_us() < limit; at++) {
        if (options.rate > 0)
            pace(start, at, options.rate);
        modes[mode].change(&options, at);
    }
    flush();
    return report(modes[mode].name, &options, start);
}
