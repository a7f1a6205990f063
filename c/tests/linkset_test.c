/* Changes of links: what is refused, what the kernel answers, and answers that do not come. */
#include <net/if.h>
#include <sys/syscall.h>

#include "../include/ps_linkset.h"
#include "nl_bytes.h"
#include "nl_live.h"

#define ANSWERS 64

static struct ps_link_change changes[ANSWERS + 1];
static struct ps_link_answer answers[ANSWERS];

/* What recv() gives in the place of the kernel's answer, if anything. */
static const struct bytes *forged;
static int interrupted, refuse_send, silent;
static int32_t code; /* in the place of the kernel's, if not 0 */

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    if (interrupted-- > 0) {
        errno = EINTR;
        return -1;
    }
    if (forged) {
        memcpy(buffer, forged->at, forged->size);
        ssize_t forged_size = (ssize_t)forged->size;
        forged = NULL;
        return forged_size;
    }
    if (silent) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t received = syscall(SYS_recvfrom, fd, buffer, size, flags, NULL, NULL);
    if (code != 0 && received > 0)
        memcpy((uint8_t *)buffer + sizeof(struct nlmsghdr), &code, sizeof(code));
    return received;
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    if (refuse_send) {
        errno = ENOBUFS;
        return -1;
    }
    return syscall(SYS_sendto, fd, bytes, size, flags, NULL, 0);
}

static struct ps_link_change change_of(const char *name, uint32_t set)
{
    struct ps_link_change change = {.set = set, .name_size = (uint8_t)strlen(name)};
    memcpy(change.name, name, strlen(name));
    return change;
}

static int32_t apply(int32_t handle, uint32_t count)
{
    memset(answers, 0xff, sizeof(answers));
    return ps_ls_apply(handle, (uint8_t *)changes, count, (uint8_t *)answers);
}

static void changes_are_made_in_order(int32_t handle)
{
    changes[0] = change_of("s0", PS_SET_ADMIN | PS_SET_MTU);
    changes[0].up = 1;
    changes[0].mtu = 1400;
    changes[1] = change_of("none", PS_SET_ADMIN);
    changes[2] = change_of("s0", PS_SET_MTU);
    changes[2].mtu = 10;
    changes[3] = change_of("s1", PS_SET_MTU);
    changes[3].mtu = 1401;
    SAME(apply(handle, 4), 4);
    SAME(answers[0].error, 0);
    SAME(answers[0].words_size, 0);
    SAME(answers[1].error, ENODEV);
    SAME(answers[2].error, EINVAL);
    CHECK(memcmp(answers[2].words, "mtu less than", 13) == 0 && answers[2].words_size > 13);
    SAME(answers[3].error, 0);
    run("ip link show s0 | grep -q 'UP.*mtu 1400' && ip link show s1 | grep -q 'mtu 1401'");

    uint32_t ifindex = if_nametoindex("s0"), bridge = if_nametoindex("b0");
    changes[0] = (struct ps_link_change){
        .ifindex = ifindex, .set = PS_SET_ADMIN | PS_SET_MASTER, .master = bridge};
    SAME(apply(handle, 1), 1);
    SAME(answers[0].error, 0);
    run("ip link show s0 | grep -q 'master b0' && ! ip link show s0 | grep -q '[<,]UP'");
    SAME(apply(handle, 0), 0);
}

static void as_many_as_fit(int32_t handle)
{
    for (uint32_t i = 0; i < ANSWERS; i++) {
        changes[i] = change_of("fifteen-letters", PS_SET_MTU | PS_SET_MASTER | PS_SET_ADMIN);
        changes[i].mtu = 1300 + i;
    }
    SAME(apply(handle, ANSWERS), ANSWERS);
    for (uint32_t i = 0; i < ANSWERS; i++)
        SAME(answers[i].error, 0);
    run("ip link show fifteen-letters | grep -q 'mtu 1363'");
}

static void what_is_refused(int32_t handle)
{
    SAME(apply(handle, ANSWERS + 1), -EINVAL);
    struct ps_link_change refused[] = {change_of("s0", 0),
                                       change_of("s0", 8),
                                       change_of("", PS_SET_MTU),
                                       change_of("sixteen-letters!", PS_SET_MTU),
                                       {.set = PS_SET_MTU, .ifindex = 0x80000000u}};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        changes[0] = change_of("s1", PS_SET_MTU);
        changes[0].mtu = 1500;
        changes[1] = refused[i];
        SAME(apply(handle, 2), -EINVAL);
        run("ip link show s1 | grep -q 'mtu 1401'");
    }
    SAME(ps_ls_apply(handle + 1, (uint8_t *)changes, 1, (uint8_t *)answers), -EBADF);
    SAME(ps_ls_close(handle + 1), -EBADF);
    refuse_send = 1;
    changes[0] = change_of("s1", PS_SET_MTU);
    SAME(apply(handle, 1), -ENOBUFS);
    refuse_send = 0;
}

/* What comes before the answer and is none. */
static void answers_that_are_none(int32_t handle)
{
    static struct bytes bytes;
    changes[0] = change_of("s1", PS_SET_ADMIN);
    for (int story = 0; story < 6; story++) {
        bytes.size = 0;
        uint32_t place = begin_message(&bytes, story == 1 ? NLMSG_DONE : NLMSG_ERROR, 0, 0);
        if (story != 2)
            put_u32(&bytes, 0, 0);
        end_message(&bytes, place);
        uint32_t length = story == 4 ? 8 : 200;
        if (story == 3)
            bytes.size = 12; /* shorter than a header */
        if (story >= 4)
            memcpy(bytes.at, &length, sizeof(length));
        forged = &bytes;
        interrupted = 1;
        SAME(apply(handle, 1), 1);
        SAME(answers[0].error, 0);
    }
    /* Of a request that is ours, and too short; and with an odd length. */
    struct ps_linkset_head {
        int fd;
        uint32_t sequence;
    } *inner = ps_handle_hold(handle, PS_KIND_LINKSET);
    CHECK(inner);
    for (uint32_t size = 0; size < 3; size += 2) {
        bytes.size = 0;
        uint32_t place = begin_message(&bytes, NLMSG_ERROR, 0, inner->sequence + 64);
        put_bytes(&bytes, "abcd", size);
        bytes.size = sizeof(struct nlmsghdr) + size;
        end_message(&bytes, place);
        forged = &bytes;
        SAME(apply(handle, 1), 1);
        SAME(answers[0].error, 0);
    }
    /* Words are announced, and there is not even an echo before them. */
    int32_t minus = -EBUSY;
    bytes.size = 0;
    uint32_t place = begin_message(&bytes, NLMSG_ERROR, NLM_F_ACK_TLVS, inner->sequence + 64);
    put_bytes(&bytes, &minus, sizeof(minus));
    end_message(&bytes, place);
    forged = &bytes;
    SAME(apply(handle, 1), 1);
    SAME(answers[0].error, EBUSY);
    SAME(answers[0].words_size, 0);
    ps_handle_release(handle);
}

static void codes_that_are_none(int32_t handle)
{
    static const int32_t codes[] = {5, -4096, INT32_MIN};
    for (size_t i = 0; i < 3; i++) {
        code = codes[i];
        SAME(apply(handle, 1), 1);
        SAME(answers[0].error, EPROTO);
    }
    code = 0;
}

static void no_answer(int32_t handle)
{
    changes[1] = change_of("s1", PS_SET_ADMIN);
    silent = 1;
    SAME(apply(handle, 2), 2);
    SAME(answers[0].error, EAGAIN);
    SAME(answers[1].error, EAGAIN);
    silent = 0;
    /* Late answers belong to nobody. */
    changes[0] = change_of("none", PS_SET_ADMIN);
    SAME(apply(handle, 1), 1);
    SAME(answers[0].error, ENODEV);
}

int main(void)
{
    enter_namespace();
    run("ip link add s0 type veth peer name s1 && ip link add b0 type bridge && "
        "ip link add fifteen-letters type ifb");
    int32_t handle = ps_ls_open(NULL, 0);
    CHECK(handle > 0);
    changes_are_made_in_order(handle);
    as_many_as_fit(handle);
    what_is_refused(handle);
    answers_that_are_none(handle);
    codes_that_are_none(handle);
    no_answer(handle);
    SAME(ps_ls_close(handle), 0);
    SAME(ps_ls_open((const uint8_t *)"/run/netns/none", 15), -EPERM);
    for (uint32_t i = 0; i < PS_HANDLES; i++)
        CHECK(ps_handle_new(PS_KIND_NETIPC, changes) > 0);
    SAME(ps_ls_open(NULL, 0), -EMFILE);
    return 0;
}
