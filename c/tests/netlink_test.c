/* Handles on the real kernel: dumps, events, losses, waiting and waking. */
#include <pthread.h>
#include <time.h>

#include "../nl_socket.h"
#include "../paths.h"
#include "nl_live.h"

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void a_dump_begins_and_ends(void)
{
    int32_t handle = open_here(LARGE);
    CHECK(stats_of(handle).buffer_bytes >= LARGE);
    SAME(ps_nl_dump(handle), 0);
    SAME(ps_nl_dump(handle), -EINPROGRESS);
    SAME(take(handle, 1000), 3);
    SAME(links[0].type, PS_DUMP_BEGIN);
    SAME(links[1].type, PS_LINK_DUMPED);
    CHECK(strcmp((char *)links[1].name, "lo") == 0);
    SAME(links[1].ifindex, 1);
    SAME(links[2].type, PS_DUMP_END);
    SAME(take(handle, 0), 0);
    SAME(ps_nl_close(handle), 0);
}

static void a_dump_in_small_pieces(void)
{
    int32_t handle = open_here(LARGE);
    uint32_t entries = 0, type;
    run("for i in $(seq 100); do echo link add d$i type ifb; done | ip -batch -");
    SAME(ps_nl_dump(handle), 0);
    do {
        SAME(ps_nl_wait(handle, (uint8_t *)links, 1, 1000, 1000000), 1);
        SAME(ps_nl_dump(handle), links[0].type == PS_DUMP_END ? 0 : -EINPROGRESS);
        type = links[0].type;
        entries += type == PS_LINK_DUMPED;
    } while (type != PS_DUMP_END);
    SAME(entries, 101);
    /* The creations were queued before the dump, which is newer. */
    CHECK(stats_of(handle).discarded >= 100);

    /* A dump that was given up leaves its rest in the socket; the next one is not hurt. */
    SAME(ps_nl_poll(handle, (uint8_t *)links, 2, 0), 2);
    inside(handle)->inputs_count = 0;
    inside(handle)->decoder.dump = 0;
    SAME(ps_nl_dump(handle), 0);
    expect(handle, PS_DUMP_END, NULL);
    SAME(stats_of(handle).interrupted, 0);

    /* A wait for an answer that takes its time. */
    struct ps_nl *nl = inside(handle);
    nl->decoder.dump = 77;
    SAME(take(handle, 1), 0);
    SAME(ps_nl_request_dump(nl->dump, 77), 0);
    expect(handle, PS_DUMP_END, NULL);
    run("for i in $(seq 100); do echo link del d$i; done | ip -batch -");
    SAME(ps_nl_close(handle), 0);
}

static void events_come_as_they_happen(void)
{
    int32_t handle = open_here(LARGE);
    run("ip link add e0 type ifb");
    const struct ps_link *link = expect(handle, PS_LINK_SET, "e0");
    CHECK(link->present & PS_HAS_KIND && link->mac_size == 6 && link->mtu == 1500);
    CHECK(link->seconds > 1700000000u);
    uint32_t ifindex = link->ifindex;
    run("ip link set e0 mtu 1400");
    SAME(expect(handle, PS_LINK_SET, "e0")->mtu, 1400);
    run("ip link set e0 name e1");
    SAME(expect(handle, PS_LINK_SET, "e1")->ifindex, ifindex);
    run("ip link del e1");
    SAME(expect(handle, PS_LINK_GONE, "e1")->ifindex, ifindex);
    SAME(ps_nl_close(handle), 0);
}

static void an_overrun_is_a_loss_and_then_a_dump(void)
{
    int32_t handle = open_here(8192);
    run("ip link add o0 type ifb");
    run("for i in $(seq 1300 1400); do echo link set o0 mtu $i; done | ip -batch -");
    /* The loss is told before anything else, and all that was queued is gone with it. */
    SAME(take(handle, 1000), 1);
    SAME(links[0].type, PS_LOST);
    SAME(links[0].value, PS_LOSS_OVERRUN);
    struct ps_link_stats stats = stats_of(handle);
    CHECK(stats.drops > 50 && stats.discarded > 0 && stats.lost == 1);
    SAME(take(handle, 0), 0);
    SAME(ps_nl_dump(handle), 0);
    SAME(expect(handle, PS_LINK_DUMPED, "o0")->mtu, 1400);
    run("ip link set o0 mtu 1500");
    SAME(expect(handle, PS_LINK_SET, "o0")->mtu, 1500);

    /* A loss that is noticed only when a dump is asked for is mended by that dump. */
    run("for i in $(seq 1300 1400); do echo link set o0 mtu $i; done | ip -batch -");
    SAME(ps_nl_dump(handle), 0);
    SAME(expect(handle, PS_LINK_DUMPED, "o0")->mtu, 1400);
    SAME(stats_of(handle).lost, 1);
    run("ip link del o0");
    SAME(ps_nl_close(handle), 0);
}

static void a_long_event_is_lost_once(void)
{
    int32_t handle = open_here(LARGE);
    run("ip link add t0 type ifb");
    expect(handle, PS_LINK_SET, "t0");
    while (take(handle, 50) > 0)
        ;
    run("for i in $(seq 10 40); do "
        "echo link property add dev t0 altname $(printf 'a%%0120d' $i); done | ip -batch -");
    run("ip link set t0 mtu 1399");
    SAME(expect(handle, PS_LOST, NULL)->value, PS_LOSS_TRUNCATED);
    while (take(handle, 50) > 0)
        ;
    SAME(stats_of(handle).slot_bytes, 8192);
    SAME(stats_of(handle).lost, 1);
    run("ip link set t0 mtu 1400");
    SAME(expect(handle, PS_LINK_SET, "t0")->mtu, 1400);
    SAME(stats_of(handle).lost, 1);
    run("ip link del t0");
    SAME(ps_nl_close(handle), 0);
}

static void only_the_kernel_is_believed(void)
{
    int32_t handle = open_here(LARGE);
    struct sockaddr_nl address;
    socklen_t size = sizeof(address);
    CHECK(getsockname(inside(handle)->events, (struct sockaddr *)&address, &size) == 0);
    int other = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
    CHECK(sendto(other, "not from the kernel", 19, 0, (struct sockaddr *)&address, size) == 19);
    SAME(take(handle, 100), 0);
    SAME(stats_of(handle).foreign, 1);
    SAME(close(other), 0);
    SAME(ps_nl_close(handle), 0);
}

static void *wait_for_ever(void *handle)
{
    static struct ps_link own[1];
    int32_t result;
    /* The other thread may be using the handle just now, to see whether we do. */
    do
        result = ps_nl_wait(*(int32_t *)handle, (uint8_t *)own, 1, PS_FOREVER, 0);
    while (result == -EBUSY);
    return (void *)(intptr_t)result;
}

static void a_wait_is_alone_and_ends_when_woken(void)
{
    int32_t handle = open_here(LARGE);
    pthread_t thread;
    void *result;
    uint8_t text[8];
    CHECK(pthread_create(&thread, NULL, wait_for_ever, &handle) == 0);
    while (ps_nl_poll(handle, (uint8_t *)links, 1, 0) != -EBUSY)
        usleep(1000);
    SAME(ps_nl_wait(handle, (uint8_t *)links, 1, 0, 0), -EBUSY);
    SAME(ps_nl_dump(handle), -EBUSY);
    SAME(ps_nl_error(handle, text, sizeof(text)), -EBUSY);
    SAME(ps_nl_close(handle), -EBUSY);
    stats_of(handle);
    SAME(ps_nl_wake(handle), 0);
    CHECK(pthread_join(thread, &result) == 0);
    SAME((intptr_t)result, 0);
    /* A wake that nobody waited for ends the next wait, once. */
    SAME(ps_nl_wake(handle), 0);
    SAME(take(handle, 10000), 0);
    double start = seconds();
    SAME(take(handle, 20), 0);
    CHECK(seconds() - start >= 0.019);
    SAME(ps_nl_close(handle), 0);
}

static void streams_gather_and_single_events_do_not_wait(void)
{
    int32_t handle = open_here(LARGE);
    run("ip link add l0 type ifb");
    expect(handle, PS_LINK_SET, "l0");
    usleep(10000);
    run("ip link set l0 mtu 1400");
    double start = seconds();
    CHECK(ps_nl_wait(handle, (uint8_t *)links, RECORDS, 1000, 500000) > 0);
    CHECK(seconds() - start < 0.4);
    SAME(stats_of(handle).lingered, 0);

    /* From the third close event on. */
    for (int round = 0; round < 2; round++) {
        inside(handle)->last_event = UINT64_MAX / 2; /* as if there had been one just now */
        while (take(handle, 0) > 0)
            ;
    }
    struct ps_nl *nl = inside(handle);
    run("ip link set l0 mtu 1401");
    nl->stream = 5;
    nl->last_event = (uint64_t)(seconds() * 1e9);
    start = seconds();
    CHECK(ps_nl_wait(handle, (uint8_t *)links, RECORDS, 1000, 30000) > 0);
    CHECK(seconds() - start >= 0.029);
    SAME(stats_of(handle).lingered, 1);

    run("ip link set l0 mtu 1402");
    nl->stream = 5;
    nl->last_event = (uint64_t)(seconds() * 1e9);
    SAME(take(handle, 1000), 1);
    SAME(stats_of(handle).lingered, 1);

    /* A full buffer says that more is queued already. */
    run("for i in 1410 1411 1412; do echo link set l0 mtu $i; done | ip -batch -");
    SAME(ps_nl_wait(handle, (uint8_t *)links, 1, 1000, 0), 1);
    CHECK(nl->full);
    nl->inputs_at = nl->inputs_count;
    nl->stream = 5;
    nl->last_event = (uint64_t)(seconds() * 1e9);
    run("ip link set l0 mtu 1420");
    CHECK(ps_nl_wait(handle, (uint8_t *)links, RECORDS, 1000, 30000) > 0);
    SAME(stats_of(handle).lingered, 1);
    run("ip link del l0");
    SAME(ps_nl_close(handle), 0);
}

static void a_poll_spins_a_little(void)
{
    int32_t handle = open_here(LARGE);
    double start = seconds();
    SAME(ps_nl_poll(handle, (uint8_t *)links, RECORDS, 1000000), 0);
    CHECK(seconds() - start >= 0.00005 && seconds() - start < 0.5);
    SAME(ps_nl_close(handle), 0);
}

static void a_namespace_by_its_path(void)
{
    char path[64];
    snprintf(path, sizeof(path), "/run/netns/ps-test-%d", getpid());
    char list[80];
    int list_size = snprintf(list, sizeof(list), "%s", path) + 1;
    SAME(ps_paths_seal((uint8_t *)list, (uint32_t)list_size), 0);
    run("ip netns add %s && ip -n %s link add there type ifb", path + 11, path + 11);
    int32_t handle = ps_nl_open((uint8_t *)path, (uint32_t)strlen(path), LARGE, 0);
    CHECK(handle > 0);
    run("ip link add here type ifb && ip link del here");
    SAME(ps_nl_dump(handle), 0);
    expect(handle, PS_LINK_DUMPED, "there");
    run("ip netns del %s", path + 11);
    SAME(ps_nl_close(handle), 0);
    SAME(ps_nl_open((uint8_t *)path, (uint32_t)strlen(path), LARGE, 0), -ENOENT);
    SAME(ps_nl_open((uint8_t *)"/run/netns/x", 12, LARGE, 0), -EACCES);
}

static void what_cannot_be(void)
{
    uint8_t text[8];
    int32_t handle = open_here(UINT32_MAX), replay = ps_nl_replay();
    SAME(ps_nl_open(NULL, 0, LARGE, 2), -EINVAL);
    SAME(ps_nl_poll(handle, (uint8_t *)links, 0, 0), -EINVAL);
    SAME(ps_nl_poll(handle, (uint8_t *)links, UINT32_MAX, 0), -EINVAL);
    SAME(ps_nl_wait(handle, (uint8_t *)links, 0, 0, 0), -EINVAL);
    SAME(ps_nl_feed(handle, text, 0), -EINVAL);
    SAME(ps_nl_wait(replay, (uint8_t *)links, RECORDS, 0, 0), -EINVAL);
    SAME(ps_nl_dump(replay), -EINVAL);
    SAME(ps_nl_wake(replay), -EINVAL);
    stats_of(replay);
    SAME(ps_nl_error(replay, text, sizeof(text)), 0);
    SAME(ps_nl_close(replay), 0);
    SAME(ps_nl_close(handle), 0);
    struct ps_link_stats stats;
    SAME(ps_nl_poll(handle, (uint8_t *)links, 1, 0), -EBADF);
    SAME(ps_nl_wait(handle, (uint8_t *)links, 1, 0, 0), -EBADF);
    SAME(ps_nl_wake(handle), -EBADF);
    SAME(ps_nl_dump(handle), -EBADF);
    SAME(ps_nl_stats(handle, &stats), -EBADF);
    SAME(ps_nl_error(handle, text, sizeof(text)), -EBADF);
    SAME(ps_nl_feed(handle, text, 0), -EBADF);
    SAME(ps_nl_close(handle), -EBADF);
}

int main(void)
{
    enter_namespace();
    a_dump_begins_and_ends();
    a_dump_in_small_pieces();
    events_come_as_they_happen();
    an_overrun_is_a_loss_and_then_a_dump();
    a_long_event_is_lost_once();
    only_the_kernel_is_believed();
    a_wait_is_alone_and_ends_when_woken();
    streams_gather_and_single_events_do_not_wait();
    a_poll_spins_a_little();
    a_namespace_by_its_path();
    what_cannot_be();
    return 0;
}
