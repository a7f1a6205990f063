/* The decoder on events: golden bytes, and every rule by which a message is refused or passed
 * over. */
#include "../nl_decode.h"
#include "check.h"
#include "nl_bytes.h"

/* RTM_NEWLINK as Linux 6.18 lays it out, written down by hand: index 7, flags 0x11043, change 1;
 * Ethernet0, MTU 9100, operstate 6, carrier 1, master 3, address 02:00:00:00:00:07, kind veth, and
 * attributes that are not for us: queue length 1000, a nested one with the nested bit, type 200. */
/* clang-format off */
static const uint8_t golden[] = {
    0x8c, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,            /* nlmsghdr, 140 bytes */
    0, 0, 1, 0, 7, 0, 0, 0, 0x43, 0x10, 1, 0, 1, 0, 0, 0,           /* ifinfomsg */
    14, 0, 3, 0, 'E', 't', 'h', 'e', 'r', 'n', 'e', 't', '0', 0, 0, 0, /* IFLA_IFNAME */
    8, 0, 13, 0, 0xe8, 3, 0, 0,                                     /* IFLA_TXQLEN */
    8, 0, 4, 0, 0x8c, 0x23, 0, 0,                                   /* IFLA_MTU */
    5, 0, 16, 0, 6, 0, 0, 0,                                        /* IFLA_OPERSTATE */
    5, 0, 33, 0, 1, 0, 0, 0,                                        /* IFLA_CARRIER */
    8, 0, 10, 0, 3, 0, 0, 0,                                        /* IFLA_MASTER */
    10, 0, 1, 0, 2, 0, 0, 0, 0, 7, 0, 0,                            /* IFLA_ADDRESS */
    12, 0, 52, 0x80, 8, 0, 53, 0, 'p', '0', 0, 0,                   /* IFLA_PROP_LIST */
    20, 0, 18, 0, 9, 0, 1, 0, 'v', 'e', 't', 'h', 0, 0, 0, 0,       /* IFLA_LINKINFO, IFLA_INFO_KIND */
    4, 0, 2, 0,                                                     /* IFLA_INFO_DATA, empty */
    8, 0, 200, 0, 0, 0, 0, 0,                                       /* of a later kernel */
};
/* clang-format on */

static struct ps_nl_decoder decoder;
static struct ps_link links[8];

static struct ps_nl_input event(const uint8_t *bytes, uint32_t size)
{
    return (struct ps_nl_input){
        .bytes = bytes, .size = size, .kind = PS_FRAME_EVENT, .seconds = 5, .nanoseconds = 6};
}

static uint32_t decode(const struct bytes *bytes)
{
    struct ps_nl_input input = event(bytes->at, bytes->size);
    decoder = (struct ps_nl_decoder){0};
    uint32_t count = ps_nl_decode(&decoder, &input, links, 8);
    CHECK(input.done);
    return count;
}

static void a_golden_message(void)
{
    struct ps_nl_input input = event(golden, sizeof(golden));
    struct ps_link *link = &links[0];
    SAME(sizeof(golden), 140);
    SAME(ps_nl_decode(&decoder, &input, links, 8), 1);
    SAME(link->type, PS_LINK_SET);
    SAME(link->ifindex, 7);
    SAME(link->flags, 0x11043);
    SAME(link->change, 1);
    SAME(link->mtu, 9100);
    SAME(link->master, 3);
    SAME(link->value, 0);
    SAME(link->present, PS_HAS_NAME | PS_HAS_MTU | PS_HAS_MASTER | PS_HAS_OPERSTATE |
                            PS_HAS_CARRIER | PS_HAS_KIND | PS_HAS_MAC);
    SAME(link->operstate, 6);
    SAME(link->carrier, 1);
    SAME(link->family, AF_UNSPEC);
    SAME(link->device, 1);
    SAME(link->seconds, 5);
    SAME(link->nanoseconds, 6);
    SAME(link->name_size, 9);
    CHECK(memcmp(link->name, "Ethernet0\0\0\0\0\0\0", 16) == 0);
    SAME(link->kind_size, 4);
    CHECK(memcmp(link->kind, "veth\0\0\0\0\0\0\0\0\0\0\0", 16) == 0);
    SAME(link->mac_size, 6);
    CHECK(memcmp(link->mac, "\2\0\0\0\0\7\0\0", 8) == 0);
    SAME(decoder.messages, 1);
    SAME(decoder.datagrams, 1);
    SAME(decoder.records, 1);
}

/* Every cut of a good message is refused or harmless, and read nowhere but in its bytes. */
static void every_cut_of_it(void)
{
    for (uint32_t size = 0; size < sizeof(golden); size++) {
        uint8_t *exact = malloc(size + 1);
        CHECK(exact);
        memcpy(exact, golden, size);
        for (int honest = 0; honest < 2; honest++) {
            if (honest && size >= 4)
                memcpy(exact, &size, sizeof(size));
            struct ps_nl_input input = event(exact, size);
            uint32_t count = ps_nl_decode(&decoder, &input, links, 8);
            CHECK(input.done && count <= 1);
            if (count == 1 && size < 140 && !honest)
                SAME(links[0].type, PS_LOST);
        }
        free(exact);
    }
}

static void several_messages_in_one_datagram(void)
{
    static struct bytes bytes;
    bytes.size = 0;
    put_link(&bytes, RTM_NEWLINK, 1, "a");
    put_link(&bytes, RTM_NEWLINK, 2, "bb");
    put_link(&bytes, RTM_DELLINK, 3, "ccc");
    SAME(decode(&bytes), 3);
    SAME(links[1].ifindex, 2);
    SAME(links[2].type, PS_LINK_GONE);
    SAME(links[2].name_size, 3);

    /* And with room for one record at a time. */
    struct ps_nl_input input = event(bytes.at, bytes.size);
    for (uint32_t i = 1; i <= 3; i++) {
        SAME(ps_nl_decode(&decoder, &input, links, 1), 1);
        SAME(links[0].ifindex, i);
    }
    CHECK(!input.done);
    SAME(ps_nl_decode(&decoder, &input, links, 1), 0);
    CHECK(input.done);
}

static void only_the_end_of_a_link_is_one(void)
{
    static struct bytes bytes;
    bytes.size = 0;
    /* What the kernel sends when a port leaves a bridge: the link goes on. */
    uint32_t place = begin_link(&bytes, RTM_DELLINK, 7, 4);
    put_name(&bytes, "Ethernet0");
    put_u32(&bytes, IFLA_MASTER, 9);
    end_message(&bytes, place);
    SAME(decode(&bytes), 0);
    SAME(decoder.ignored, 1);

    bytes.size = 0;
    place = begin_link(&bytes, RTM_DELLINK, AF_UNSPEC, 4);
    put_name(&bytes, "Ethernet0");
    put_u32(&bytes, IFLA_MASTER, 9);
    end_message(&bytes, place);
    SAME(decode(&bytes), 0);
    SAME(decoder.ignored, 1);

    /* A bridge's message lacks attributes and must not overwrite what is known. */
    bytes.size = 0;
    place = begin_link(&bytes, RTM_NEWLINK, 7, 4);
    put_name(&bytes, "Ethernet0");
    end_message(&bytes, place);
    SAME(decode(&bytes), 0);
    SAME(decoder.ignored, 1);
    SAME(decoder.malformed, 0);
}

static void other_messages_are_passed_over(void)
{
    static const uint16_t types[] = {NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE, RTM_NEWADDR, 0xffff};
    static struct bytes bytes;
    bytes.size = 0;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        end_message(&bytes, begin_message(&bytes, types[i], 0, 0));
    put_link(&bytes, RTM_NEWLINK, 1, "a");
    SAME(decode(&bytes), 1);
    SAME(decoder.ignored, 5);
    SAME(links[0].type, PS_LINK_SET);

    bytes.size = 0;
    SAME(decode(&bytes), 0);
    bytes.size = 15; /* less than a header is padding */
    SAME(decode(&bytes), 0);
    SAME(decoder.malformed, 0);
}

static void check_lost(const struct bytes *bytes, uint32_t reason)
{
    SAME(decode(bytes), 1);
    SAME(links[0].type, PS_LOST);
    SAME(links[0].value, reason);
    SAME(links[0].seconds, 5);
    SAME(links[0].ifindex, 0);
    SAME(decoder.lost, 1);
}

static void losses(void)
{
    static struct bytes bytes;
    bytes.size = 0;
    end_message(&bytes, begin_message(&bytes, NLMSG_OVERRUN, 0, 0));
    check_lost(&bytes, PS_LOSS_MESSAGE);

    for (uint32_t length = 0; length < 16; length += 15) {
        bytes.size = 0;
        put_link(&bytes, RTM_NEWLINK, 1, "a");
        memcpy(bytes.at, &length, sizeof(length));
        check_lost(&bytes, PS_LOSS_MALFORMED);
    }
    uint32_t beyond[] = {bytes.size + 1, 0x80000000u, 0xffffffffu, 0xfffffffdu};
    for (size_t i = 0; i < 4; i++) {
        memcpy(bytes.at, &beyond[i], sizeof(beyond[i]));
        check_lost(&bytes, PS_LOSS_MALFORMED);
    }

    struct ps_nl_input input = event(golden, sizeof(golden));
    input.flags = PS_FRAME_TRUNCATED;
    SAME(ps_nl_decode(&decoder, &input, links, 8), 1);
    SAME(links[0].type, PS_LOST);
    SAME(links[0].value, PS_LOSS_TRUNCATED);
    CHECK(input.done);

    input = (struct ps_nl_input){.kind = PS_FRAME_OVERRUN, .value = PS_LOSS_OVERRUN};
    SAME(ps_nl_decode(&decoder, &input, links, 1), 1);
    SAME(links[0].type, PS_LOST);
    SAME(links[0].value, PS_LOSS_OVERRUN);
    CHECK(input.done);
}

/* An attribute of a link, behind a name or not. `length` is what it says of itself, 0 the truth. */
struct odd {
    bool named;
    uint16_t type, length;
    const char *value;
    size_t size;
};

#define BYTES(text) (text), sizeof(text) - 1

/* A link with this attribute, then a good one that is read whatever came before it. */
static uint32_t with(const struct odd *odd)
{
    static struct bytes bytes;
    bytes.size = 0;
    uint32_t place = begin_link(&bytes, RTM_NEWLINK, AF_UNSPEC, 1);
    if (odd->named)
        put_name(&bytes, "long-name");
    uint16_t length = odd->length ? odd->length : (uint16_t)(odd->size + sizeof(struct rtattr));
    put_lying(&bytes, odd->type, length, odd->value, odd->size);
    end_message(&bytes, place);
    put_link(&bytes, RTM_NEWLINK, 2, "next");
    SAME(decode(&bytes), 2);
    SAME(links[1].ifindex, 2);
    return links[0].type;
}

static void attributes_that_are_refused(void)
{
    static const char mac[33];
    static const struct odd refused[] = {
        {false, IFLA_MTU, 0, BYTES("\xdc\5\0\0")}, /* no name */
        {false, IFLA_IFNAME, 0, BYTES("")},
        {false, IFLA_IFNAME, 0, BYTES("\0")},
        {false, IFLA_IFNAME, 0, BYTES("sixteen-letters!\0")},
        {true, IFLA_MTU, 0, BYTES("ab")},
        {true, IFLA_CARRIER, 0, BYTES("")},
        {true, IFLA_ADDRESS, 0, mac, 33},
        {true, IFLA_LINKINFO, 0, BYTES("\x09\0\1\0veth")}, /* beyond its nest */
        {true, 200, 3, BYTES("")},                         /* shorter than itself */
        {true, 200, 9, BYTES("abcd")},                     /* beyond the message */
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        SAME(with(&refused[i]), PS_LOST);
        SAME(links[0].value, PS_LOSS_MALFORMED);
        SAME(decoder.malformed, 1);
    }
}

static void names_that_are_taken(void)
{
    static const struct {
        struct odd odd;
        const char *name;
    } taken[] = {
        {{false, IFLA_IFNAME, 0, BYTES("bare")}, "bare"},
        {{false, IFLA_IFNAME, 0, BYTES("fifteen-letters\0")}, "fifteen-letters"},
        {{false, IFLA_IFNAME, 0, BYTES("a\0garbage-garbage-garbage")}, "a"},
        {{false, 0xc000 | IFLA_IFNAME, 0, BYTES("flags")}, "flags"},
        {{true, IFLA_IFNAME, 0, BYTES("last")}, "last"},
        {{false, IFLA_IFNAME, 0, BYTES("|\xff\x1b")}, "|\xff\x1b"}, /* not for us to judge */
    };
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        uint8_t name[16] = {0};
        memcpy(name, taken[i].name, strlen(taken[i].name));
        SAME(with(&taken[i].odd), PS_LINK_SET);
        SAME(links[0].name_size, strlen(taken[i].name));
        CHECK(memcmp(links[0].name, name, sizeof(name)) == 0);
    }
}

static void attributes_that_are_taken(void)
{
    static const char mac[32] = {[31] = 9};
    /* As a later kernel might send it. */
    static const struct odd longer_mtu = {true, IFLA_MTU, 0, BYTES("\1\0\0\0\2\0\0\0")};
    static const struct odd no_mac = {true, IFLA_ADDRESS, 0, BYTES("")};
    static const struct odd full_mac = {true, IFLA_ADDRESS, 0, mac, 32};
    static const struct odd no_info = {true, IFLA_LINKINFO, 0, BYTES("")};
    static const struct odd long_kind = {true, IFLA_LINKINFO, 0,
                                         BYTES("\x18\0\1\0twenty-letters-kind!")};
    SAME(with(&longer_mtu), PS_LINK_SET);
    SAME(links[0].mtu, 1);
    SAME(with(&no_mac), PS_LINK_SET);
    SAME(links[0].mac_size, 0);
    SAME(with(&full_mac), PS_LINK_SET);
    SAME(links[0].mac[31], 9);
    SAME(with(&no_info), PS_LINK_SET);
    SAME(links[0].kind_size, 0);
    SAME(with(&long_kind), PS_LINK_SET);
    SAME(links[0].kind_size, 16);
    CHECK(memcmp(links[0].kind, "twenty-letters-k", 16) == 0);
}

static void odd_links(void)
{
    static struct bytes bytes;
    for (int32_t index = -1; index <= 0; index++) {
        bytes.size = 0;
        put_link(&bytes, RTM_NEWLINK, index, "a");
        check_lost(&bytes, PS_LOSS_MALFORMED);
    }
    bytes.size = 0;
    uint32_t place = begin_message(&bytes, RTM_NEWLINK, 0, 0);
    put_bytes(&bytes, "no ifinfomsg.", 12);
    end_message(&bytes, place);
    check_lost(&bytes, PS_LOSS_MALFORMED);

    bytes.size = 0;
    place = begin_link(&bytes, RTM_NEWLINK, AF_UNSPEC, 1);
    put_name(&bytes, "a");
    put_bytes(&bytes, "\1", 1);
    bytes.size -= 2; /* two bytes after the last attribute, which make none */
    end_message(&bytes, place);
    SAME(decode(&bytes), 1);
    SAME(links[0].type, PS_LINK_SET);
}

int main(void)
{
    a_golden_message();
    every_cut_of_it();
    several_messages_in_one_datagram();
    only_the_end_of_a_link_is_one();
    other_messages_are_passed_over();
    losses();
    attributes_that_are_refused();
    names_that_are_taken();
    attributes_that_are_taken();
    odd_links();
    return 0;
}
