/* The decoder on dumps: when one is complete, interrupted, failed, or somebody else's. */
#include "../nl_decode.h"
#include "check.h"
#include "nl_bytes.h"

#define SEQ 42

static struct ps_nl_decoder decoder;
static struct ps_link links[16];
static struct bytes bytes;

static uint32_t decode_as(uint8_t kind, uint32_t value)
{
    struct ps_nl_input input = {
        .bytes = bytes.at, .size = bytes.size, .kind = kind, .value = value, .seconds = 7};
    uint32_t count = ps_nl_decode(&decoder, &input, links, 16);
    CHECK(input.done);
    bytes.size = 0;
    return count;
}

static void begin(void)
{
    decoder = (struct ps_nl_decoder){0};
    bytes.size = 0;
    SAME(decode_as(PS_FRAME_BEGIN, SEQ), 1);
    SAME(links[0].type, PS_DUMP_BEGIN);
    SAME(links[0].seconds, 7);
    SAME(decoder.dump, SEQ);
}

/* The datagram so far ends the dump with this mark, after `entries` records. */
static void ends(uint32_t entries, uint32_t type, uint32_t value)
{
    SAME(decode_as(PS_FRAME_DUMP, 0), entries + 1);
    SAME(links[entries].type, type);
    SAME(links[entries].value, value);
    SAME(links[entries].ifindex, 0);
    SAME(decoder.dump, 0);
    SAME(decoder.interruptions, type == PS_DUMP_END ? 0 : 1);
}

static void a_complete_dump(void)
{
    begin();
    put_entry(&bytes, SEQ, 0, "a");
    put_entry(&bytes, SEQ, 0, "b");
    SAME(decode_as(PS_FRAME_DUMP, 0), 2);
    SAME(links[0].type, PS_LINK_DUMPED);
    SAME(links[1].name[0], 'b');
    put_entry(&bytes, SEQ, 0, "c");
    put_done(&bytes, SEQ, 0, 0);
    ends(1, PS_DUMP_END, 0);

    /* Nothing after the end belongs to it. */
    put_entry(&bytes, SEQ, 0, "d");
    put_done(&bytes, SEQ, 0, 0);
    SAME(decode_as(PS_FRAME_DUMP, 0), 0);
    SAME(decoder.ignored, 2);

    /* A DONE without a code is as good as 0. */
    begin();
    end_message(&bytes, begin_message(&bytes, NLMSG_DONE, NLM_F_MULTI, SEQ));
    ends(0, PS_DUMP_END, 0);
}

static void messages_of_another_dump(void)
{
    begin();
    put_entry(&bytes, SEQ - 1, NLM_F_DUMP_INTR, "old");
    put_done(&bytes, SEQ - 1, 0, -5);
    put_entry(&bytes, 0, 0, "event");
    put_done(&bytes, SEQ, 0, 0);
    ends(0, PS_DUMP_END, 0);
    SAME(decoder.ignored, 3);
}

static void interrupted_dumps(void)
{
    begin();
    put_entry(&bytes, SEQ, NLM_F_DUMP_INTR, "a");
    put_done(&bytes, SEQ, 0, 0);
    ends(1, PS_DUMP_INTERRUPTED, 0);

    begin();
    put_done(&bytes, SEQ, NLM_F_DUMP_INTR, 0);
    ends(0, PS_DUMP_INTERRUPTED, 0);

    /* A new dump begins with a clean slate. */
    begin();
    put_done(&bytes, SEQ, 0, 0);
    ends(0, PS_DUMP_END, 0);
}

/* An ERROR message: code, the echoed header, then `tlvs`. */
static void put_error(int32_t code, uint16_t flags, uint32_t echoed, const void *tlvs, size_t size)
{
    uint32_t place = begin_message(&bytes, NLMSG_ERROR, flags, SEQ);
    struct nlmsgerr error = {.error = code, .msg = {.nlmsg_len = echoed}};
    put_bytes(&bytes, &error, sizeof(error));
    for (uint32_t at = 16; !(flags & NLM_F_CAPPED) && at + 4 <= echoed && at < 64; at += 4)
        put_bytes(&bytes, "echo", 4);
    put_bytes(&bytes, tlvs, size);
    end_message(&bytes, place);
}

static void check_words(const char *words)
{
    SAME(decoder.error_size, strlen(words));
    CHECK(memcmp(decoder.error, words, strlen(words)) == 0);
}

#define WORDS "\x0a\0\1\0wrong\0\0\0"
#define OFFSET "\x08\0\2\0\4\0\0\0"
#define TLVS(text) (text), sizeof(text) - 1

static void failed_dumps(void)
{
    begin();
    put_entry(&bytes, SEQ, 0, "a");
    put_done(&bytes, SEQ, 0, -16);
    ends(1, PS_DUMP_FAILED, 16);
    check_words("");

    /* The kernel's words, behind the code of DONE or the echo of ERROR. */
    begin();
    uint32_t place = begin_message(&bytes, NLMSG_DONE, NLM_F_ACK_TLVS, SEQ);
    put_bytes(&bytes, "\xea\xff\xff\xff", 4);
    put_bytes(&bytes, TLVS(OFFSET WORDS));
    end_message(&bytes, place);
    ends(0, PS_DUMP_FAILED, 22);
    check_words("wrong");

    begin();
    check_words("");
    put_error(-95, NLM_F_CAPPED | NLM_F_ACK_TLVS, 40, TLVS(WORDS));
    ends(0, PS_DUMP_FAILED, 95);
    check_words("wrong");

    begin();
    put_error(-95, NLM_F_ACK_TLVS, 40, TLVS(OFFSET WORDS));
    ends(0, PS_DUMP_FAILED, 95);
    check_words("wrong");

    begin();
    end_message(&bytes, begin_message(&bytes, NLMSG_OVERRUN, 0, SEQ));
    ends(0, PS_DUMP_FAILED, 105);

    /* Codes that are no errno. */
    static const int32_t codes[] = {1, -4096, INT32_MIN};
    for (size_t i = 0; i < 3; i++) {
        begin();
        put_done(&bytes, SEQ, 0, codes[i]);
        ends(0, PS_DUMP_FAILED, 71);
    }

    begin();
    SAME(decode_as(PS_FRAME_FAILED, 12), 1);
    SAME(links[0].type, PS_DUMP_FAILED);
    SAME(links[0].value, 12);
    SAME(decode_as(PS_FRAME_FAILED, 12), 0);
}

/* Words that are not there, or not where they say. The dump has failed in any case. */
static void words_that_cannot_be_read(void)
{
    static const struct {
        uint16_t flags;
        uint32_t echoed;
        const char *tlvs;
        size_t size;
    } cases[] = {
        {NLM_F_CAPPED, 16, TLVS(WORDS)},                             /* not announced */
        {NLM_F_ACK_TLVS, 0xffffffff, TLVS(WORDS)},                   /* echo beyond */
        {NLM_F_ACK_TLVS, 20, TLVS("")},                              /* none */
        {NLM_F_CAPPED | NLM_F_ACK_TLVS, 16, TLVS("\x03\0\1\0")},     /* shorter than itself */
        {NLM_F_CAPPED | NLM_F_ACK_TLVS, 16, TLVS("\x20\0\1\0abcd")}, /* beyond the end */
        {NLM_F_CAPPED | NLM_F_ACK_TLVS, 16, TLVS("\x08\0\2\0abcd\1\0\0\0")}, /* then too short */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin();
        put_error(-22, cases[i].flags, cases[i].echoed, cases[i].tlvs, cases[i].size);
        ends(0, PS_DUMP_FAILED, 22);
        check_words("");
    }
    /* Two bytes behind the last attribute make none. */
    begin();
    put_error(-22, NLM_F_CAPPED | NLM_F_ACK_TLVS, 16, TLVS(OFFSET "\1\0"));
    bytes.size -= 2;
    end_message(&bytes, 0);
    ends(0, PS_DUMP_FAILED, 22);
    check_words("");
    /* Long words are cut, and words need no NUL. */
    char words[204] = {(char)204, 0, 1, 0};
    memset(words + 4, 'w', 200);
    begin();
    put_error(-22, NLM_F_CAPPED | NLM_F_ACK_TLVS, 16, words, sizeof(words));
    ends(0, PS_DUMP_FAILED, 22);
    SAME(decoder.error_size, PS_NL_ERROR_SIZE);
}

static void an_acknowledgement_is_no_end(void)
{
    begin();
    put_error(0, NLM_F_CAPPED, 40, TLVS(""));
    end_message(&bytes, begin_message(&bytes, NLMSG_NOOP, 0, SEQ));
    SAME(decode_as(PS_FRAME_DUMP, 0), 0);
    SAME(decoder.dump, SEQ);
    SAME(decoder.ignored, 2);
}

static void broken_dumps(void)
{
    /* An entry that cannot be read: the others count, but the dump is not complete. */
    begin();
    put_entry(&bytes, SEQ, 0, "a-name-of-twenty-xxx");
    put_entry(&bytes, SEQ, 0, "b");
    put_done(&bytes, SEQ, 0, 0);
    ends(1, PS_DUMP_FAILED, 74);
    SAME(decoder.malformed, 1);

    /* Lengths that make no sense, or missing bytes: the end may have been there. */
    begin();
    put_entry(&bytes, SEQ, 0, "a");
    put_bytes(&bytes, "\1\0\0\0padding.....", 16);
    ends(1, PS_DUMP_FAILED, 74);
    begin();
    struct ps_nl_input input = {
        .bytes = bytes.at, .size = 64, .kind = PS_FRAME_DUMP, .flags = PS_FRAME_TRUNCATED};
    SAME(ps_nl_decode(&decoder, &input, links, 16), 1);
    SAME(links[0].type, PS_DUMP_FAILED);
    SAME(links[0].value, 90);
    input.done = false;
    SAME(ps_nl_decode(&decoder, &input, links, 16), 0); /* of a dump that has ended */

    begin();
    uint32_t place = begin_message(&bytes, NLMSG_ERROR, 0, SEQ);
    put_bytes(&bytes, "short", 5);
    end_message(&bytes, place);
    ends(0, PS_DUMP_FAILED, 74);
}

int main(void)
{
    a_complete_dump();
    messages_of_another_dump();
    interrupted_dumps();
    failed_dumps();
    words_that_cannot_be_read();
    an_acknowledgement_is_no_end();
    broken_dumps();
    return 0;
}
