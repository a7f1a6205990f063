/* The very bytes of requests and answers, against values written by hand from the kernel's headers
 * (little-endian, as all our hosts are). Needs no kernel and no privilege. */
#include "../linkset.c"

#include "check.h"

static struct ps_linkset set;

static void expect_request(const struct ps_link_change *change, const uint8_t *golden, size_t size)
{
    memset(&set, 0xaa, sizeof(set));
    set.size = 0;
    CHECK(is_change(change));
    put_change(&set, change, 0x01020304);
    SAME(set.size, size);
    for (size_t i = 0; i < size; i++)
        SAME(set.requests[i], golden[i]);
}

static void everything_by_name(void)
{
    static const uint8_t golden[] = {
        64,  0,   0,   0,   19,   0,    5,   0,
        4,   3,   2,   1,   0,    0,    0,   0, /* RTM_SETLINK, ACK */
        0,   0,   0,   0,   0,    0,    0,   0,
        1,   0,   0,   0,   1,    0,    0,   0, /* flags and change: IFF_UP */
        13,  0,   3,   0,   'E',  't',  'h', 'e',
        'r', 'n', 'e', 't', 0,    0,    0,   0, /* IFLA_IFNAME */
        8,   0,   4,   0,   0x8c, 0x23, 0,   0, /* IFLA_MTU 9100 */
        8,   0,   10,  0,   7,    0,    0,   0, /* IFLA_MASTER */
    };
    const struct ps_link_change change = {
        .set = PS_SET_ADMIN | PS_SET_MTU | PS_SET_MASTER,
        .up = 1,
        .mtu = 9100,
        .master = 7,
        .name_size = 8,
        .name = "Ethernet",
    };
    expect_request(&change, golden, sizeof(golden));
}

static void one_thing_by_index(void)
{
    static const uint8_t down[] = {
        32, 0, 0, 0, 19, 0, 5, 0, 4, 3, 2, 1, 0, 0, 0, 0, /* no name: that would be a rename */
        0,  0, 0, 0, 3,  2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
    };
    static const uint8_t leave[] = {
        40, 0, 0,  0, 19, 0, 5, 0, 4, 3, 2, 1, 0, 0, 0, 0,
        0,  0, 0,  0, 3,  2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* the admin state is not touched */
        8,  0, 10, 0, 0,  0, 0, 0,
    };
    const struct ps_link_change admin = {.set = PS_SET_ADMIN, .ifindex = 0x203, .name_size = 3};
    const struct ps_link_change master = {.set = PS_SET_MASTER, .ifindex = 0x203, .mtu = 1};
    expect_request(&admin, down, sizeof(down));
    expect_request(&master, leave, sizeof(leave));
}

static void the_longest(void)
{
    const struct ps_link_change change = {
        .set = ALL_BITS,
        .name_size = 15,
        .name = "fifteen-letters",
    };
    set.size = 0;
    for (uint32_t i = 0; i < PS_LINK_CHANGES_MAX; i++)
        put_change(&set, &change, i);
    SAME(set.size, sizeof(set.requests));
}

/* Answers to request 5 of 8, one after the other; what is said of words is "mtu too big". */
static void answers(void)
{
    /* An acknowledgement, a refusal with words that echoes the header alone (CAPPED and ACK_TLVS),
     * one that echoes the whole request of 20 bytes, and one without words. */
    static const uint8_t ok[] = {
        36, 0, 0,  0, 2, 0, 0,  1, 105, 0, 0,   0, 9, 0, 0, 0, 0, 0,
        0,  0, 64, 0, 0, 0, 19, 0, 5,   0, 105, 0, 0, 0, 9, 0, 0, 0,
    };
    static const uint8_t capped[] = {
        60,   0,    0,    0,    2,   0,   0,   3,   105, 0,   0,   0,   9,   0,   0,   0,
        0xea, 0xff, 0xff, 0xff, 64,  0,   0,   0,   19,  0,   5,   0,   105, 0,   0,   0,
        9,    0,    0,    0,    8,   0,   2,   0,   36,  0,   0,   0, /* NLMSGERR_ATTR_OFFS */
        16,   0,    1,    0,    'm', 't', 'u', ' ', 't', 'o', 'o', ' ', 'b', 'i', 'g', 0,
    };
    static const uint8_t whole[] = {
        56,   0,    0,    0,    2,   0,   0,   2,   105, 0,   0,   0,   9,   0,   0,   0,
        0xde, 0xff, 0xff, 0xff, 20,  0,   0,   0,   19,  0,   5,   0,   105, 0,   0,   0,
        9,    0,    0,    0,    1,   2,   3,   4, /* the rest of the request */
        16,   0,    1,    0,    'm', 't', 'u', ' ', 't', 'o', 'o', ' ', 'b', 'i', 'g', 0,
    };
    static const uint8_t silent[] = {
        36,   0,    0,  0, 2, 0, 0,  1, 105, 0, 0,   0, 9, 0, 0, 0, 0xf0, 0xff,
        0xff, 0xff, 64, 0, 0, 0, 19, 0, 5,   0, 105, 0, 0, 0, 9, 0, 0,    0,
    };
    static const struct {
        const uint8_t *bytes;
        uint32_t size, error;
        const char *words;
    } stories[] = {
        {ok, sizeof(ok), 0, ""},
        {capped, sizeof(capped), EINVAL, "mtu too big"},
        {whole, sizeof(whole), ERANGE, "mtu too big"},
        {silent, sizeof(silent), EBUSY, ""},
    };
    struct ps_link_answer said[8];
    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
        memset(said, 0x55, sizeof(said));
        set.sequence = 100;
        memcpy(set.answer, stories[i].bytes, stories[i].size);
        SAME(take_answers(&set, stories[i].size, 8, (uint8_t *)said), 1);
        SAME(said[5].error, stories[i].error);
        SAME(said[5].words_size, strlen(stories[i].words));
        CHECK(memcmp(said[5].words, stories[i].words, strlen(stories[i].words)) == 0);
        SAME(said[4].error, 0x55555555);
        SAME(said[6].error, 0x55555555);
        /* Cut off anywhere, nothing of it is read beyond its end. */
        for (uint32_t size = 0; size < stories[i].size; size++)
            SAME(take_answers(&set, size, 8, (uint8_t *)said), 0);
        /* To a request of an earlier call, or of none. */
        set.sequence = 106;
        SAME(take_answers(&set, stories[i].size, 8, (uint8_t *)said), 0);
        set.sequence = 97;
        SAME(take_answers(&set, stories[i].size, 8, (uint8_t *)said), 0);
    }
}

/* Numbers go on after the largest one, and answers still find their requests. */
static void numbers_wrap(void)
{
    uint8_t bytes[36] = {36, 0, 0, 0, 2};
    uint32_t number = 1;
    struct ps_link_answer said[8];
    set.sequence = UINT32_MAX - 2;
    memcpy(bytes + 8, &number, sizeof(number));
    memcpy(set.answer, bytes, sizeof(bytes));
    memset(said, 0x55, sizeof(said));
    SAME(take_answers(&set, sizeof(bytes), 8, (uint8_t *)said), 1);
    SAME(said[4].error, 0);
}

int main(void)
{
    everything_by_name();
    one_thing_by_index();
    the_longest();
    answers();
    numbers_wrap();
    return 0;
}
