/* Changes of links: a batch of RTM_SETLINK requests in one send, then the answers, which the kernel
 * has queued by the time that send returns. */
#include "include/ps_linkset.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handles.h"
#include "nl_decode.h"
#include "nl_socket.h"

#define ALL_BITS (PS_SET_ADMIN | PS_SET_MTU | PS_SET_MASTER)
/* Header, ifinfomsg, name, MTU, master. */
#define REQUEST_BYTES (16u + 16u + 20u + 8u + 8u)
#define ANSWER_BYTES 32768u

struct ps_linkset {
    int fd;
    uint32_t sequence; /* of the first request of the last call */
    uint32_t size;
    uint8_t requests[PS_LINK_CHANGES_MAX * REQUEST_BYTES];
    uint8_t answer[ANSWER_BYTES];
};

static void put(struct ps_linkset *set, const void *bytes, uint32_t size)
{
    memcpy(set->requests + set->size, bytes, size);
    set->size += size;
}

static void put_attribute(struct ps_linkset *set, uint16_t type, const void *value, uint32_t size)
{
    static const uint8_t zeros[4];
    struct rtattr attribute = {.rta_len = (uint16_t)(sizeof(attribute) + size), .rta_type = type};
    put(set, &attribute, sizeof(attribute));
    put(set, value, size);
    put(set, zeros, (4 - size % 4) % 4);
}

static bool is_change(const struct ps_link_change *change)
{
    bool has_name = change->name_size > 0 && change->name_size < sizeof(change->name);
    return change->set != 0 && !(change->set & ~(uint32_t)ALL_BITS) &&
           (change->ifindex != 0 || has_name) && change->ifindex <= INT32_MAX;
}

static void put_change(struct ps_linkset *set, const struct ps_link_change *change, uint32_t number)
{
    uint32_t start = set->size;
    struct nlmsghdr header = {
        .nlmsg_type = RTM_SETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK, .nlmsg_seq = number};
    struct ifinfomsg info = {.ifi_index = (int)change->ifindex};
    if (change->set & PS_SET_ADMIN) {
        info.ifi_change = IFF_UP;
        info.ifi_flags = change->up ? IFF_UP : 0;
    }
    put(set, &header, sizeof(header));
    put(set, &info, sizeof(info));
    /* Beside an index a name would be a new one. */
    if (change->ifindex == 0) {
        char name[sizeof(change->name)] = {0};
        memcpy(name, change->name, change->name_size);
        put_attribute(set, IFLA_IFNAME, name, change->name_size + 1u);
    }
    if (change->set & PS_SET_MTU)
        put_attribute(set, IFLA_MTU, &change->mtu, sizeof(change->mtu));
    if (change->set & PS_SET_MASTER)
        put_attribute(set, IFLA_MASTER, &change->master, sizeof(change->master));
    header.nlmsg_len = set->size - start;
    memcpy(set->requests + start, &header, sizeof(header));
}

/* One answer of the kernel, if it belongs to one of the `count` requests. Returns whether it did. */
static bool take_answer(struct ps_linkset *set, const uint8_t *bytes, uint32_t length,
                        uint32_t count, uint8_t *ret_answers)
{
    struct nlmsghdr header;
    memcpy(&header, bytes, sizeof(header));
    uint32_t number = header.nlmsg_seq - set->sequence;
    const uint8_t *body = bytes + sizeof(header);
    uint32_t size = length - (uint32_t)sizeof(header);
    struct ps_link_answer answer = {0};
    int32_t code;
    if (header.nlmsg_type != NLMSG_ERROR || number >= count || size < sizeof(code))
        return false;
    memcpy(&code, body, sizeof(code));
    if (code != 0) {
        answer.error = code < 0 && code >= -4095 ? (uint32_t)-code : EPROTO;
        answer.words_size =
            (uint8_t)ps_nl_words(body, size, ps_nl_error_attributes(&header, body, size),
                                 answer.words, sizeof(answer.words));
    }
    memcpy(ret_answers + number * sizeof(answer), &answer, sizeof(answer));
    return true;
}

/* Answers of one datagram; returns how many were ours. */
static uint32_t take_answers(struct ps_linkset *set, uint32_t size, uint32_t count,
                             uint8_t *ret_answers)
{
    uint32_t taken = 0;
    for (uint32_t at = 0; size - at >= sizeof(struct nlmsghdr);) {
        uint32_t length;
        memcpy(&length, set->answer + at, sizeof(length));
        if (length < sizeof(struct nlmsghdr) || length > size - at)
            break;
        taken += take_answer(set, set->answer + at, length, count, ret_answers);
        length = (length + 3) & ~3u;
        at += length < size - at ? length : size - at;
    }
    return taken;
}

static int32_t apply(struct ps_linkset *set, const uint8_t *changes, uint32_t count,
                     uint8_t *ret_answers)
{
    static const struct ps_link_answer unanswered = {.error = EAGAIN};
    struct ps_link_change change;
    set->size = 0;
    if (count > PS_LINK_CHANGES_MAX)
        return -EINVAL;
    set->sequence += PS_LINK_CHANGES_MAX;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(&change, changes + i * sizeof(change), sizeof(change));
        if (!is_change(&change))
            return -EINVAL;
        put_change(set, &change, set->sequence + i);
    }
    if (count > 0 && send(set->fd, set->requests, set->size, 0) < 0)
        return -errno;
    for (uint32_t i = 0; i < count; i++)
        memcpy(ret_answers + i * sizeof(unanswered), &unanswered, sizeof(unanswered));
    for (uint32_t taken = 0; taken < count;) {
        ssize_t size = recv(set->fd, set->answer, sizeof(set->answer), MSG_DONTWAIT);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            break; /* an answer that found no room: EAGAIN to the caller */
        taken += take_answers(set, (uint32_t)size, count, ret_answers);
    }
    return (int32_t)count;
}

int32_t ps_ls_apply(int32_t handle, const uint8_t *changes, uint32_t count, uint8_t *ret_answers)
{
    PS_TAKE(ps_linkset, set, PS_KIND_LINKSET, handle);
    return apply(set, changes, count, ret_answers);
}

int32_t ps_ls_open(const uint8_t *netns, uint32_t netns_size)
{
    int fd = ps_nl_socket(netns, netns_size);
    if (fd < 0)
        return fd;
    struct ps_linkset *set = calloc(1, sizeof(*set));
    int32_t handle = set ? ps_handle_new(PS_KIND_LINKSET, set) : -ENOMEM;
    if (handle < 0) {
        close(fd);
        free(set);
        return handle;
    }
    set->fd = fd;
    return handle;
}

int32_t ps_ls_close(int32_t handle)
{
    PS_END(ps_linkset, set, PS_KIND_LINKSET, handle);
    close(set->fd);
    free(set);
    return 0;
}
