/* Netlink datagrams made by hand, with every length under the test's control. */
#ifndef NL_BYTES_H
#define NL_BYTES_H

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

struct bytes {
    uint8_t at[65536];
    uint32_t size;
};

/* Appends bytes, and zeros up to a multiple of 4. */
static inline void put_bytes(struct bytes *to, const void *from, size_t size)
{
    memcpy(to->at + to->size, from, size);
    to->size += (uint32_t)size;
    while (to->size % 4 != 0)
        to->at[to->size++] = 0;
}

/* Begins a message; returns its place for end_message(). */
static inline uint32_t begin_message(struct bytes *to, uint16_t type, uint16_t flags, uint32_t seq)
{
    uint32_t place = to->size;
    struct nlmsghdr header = {.nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = seq};
    put_bytes(to, &header, sizeof(header));
    return place;
}

static inline void end_message(struct bytes *to, uint32_t place)
{
    uint32_t length = to->size - place;
    memcpy(to->at + place, &length, sizeof(length));
}

/* As begin_message(), of a link. */
static inline uint32_t begin_link(struct bytes *to, uint16_t type, uint8_t family, int32_t index)
{
    uint32_t place = begin_message(to, type, 0, 0);
    struct ifinfomsg info = {
        .ifi_family = family, .ifi_type = 1, .ifi_index = index, .ifi_flags = 0x11043};
    put_bytes(to, &info, sizeof(info));
    return place;
}

/* An attribute that says it is `length` bytes long, and carries `size` bytes. */
static inline void put_lying(struct bytes *to, uint16_t type, uint16_t length, const void *value,
                             size_t size)
{
    struct rtattr attribute = {.rta_len = length, .rta_type = type};
    put_bytes(to, &attribute, sizeof(attribute));
    put_bytes(to, value, size);
}

static inline void put_attribute(struct bytes *to, uint16_t type, const void *value, size_t size)
{
    put_lying(to, type, (uint16_t)(size + sizeof(struct rtattr)), value, size);
}

static inline void put_u32(struct bytes *to, uint16_t type, uint32_t value)
{
    put_attribute(to, type, &value, sizeof(value));
}

static inline void put_name(struct bytes *to, const char *name)
{
    put_attribute(to, IFLA_IFNAME, name, strlen(name) + 1);
}

/* A whole link message with a name and nothing else. */
static inline void put_link(struct bytes *to, uint16_t type, int32_t index, const char *name)
{
    uint32_t place = begin_link(to, type, AF_UNSPEC, index);
    put_name(to, name);
    end_message(to, place);
}

/* A whole link message of a dump. */
static inline void put_entry(struct bytes *to, uint32_t seq, uint16_t flags, const char *name)
{
    uint32_t place = begin_message(to, RTM_NEWLINK, flags | NLM_F_MULTI, seq);
    struct ifinfomsg info = {.ifi_index = 1};
    put_bytes(to, &info, sizeof(info));
    put_name(to, name);
    end_message(to, place);
}

/* NLMSG_DONE with its code. */
static inline void put_done(struct bytes *to, uint32_t seq, uint16_t flags, int32_t code)
{
    uint32_t place = begin_message(to, NLMSG_DONE, flags | NLM_F_MULTI, seq);
    put_bytes(to, &code, sizeof(code));
    end_message(to, place);
}

#endif
