/* Frames: what the sockets gave, put out for a recording and fed to a decoder again. */
#include "nl_bytes.h"
#include "nl_live.h"

#define ROOM (256u << 10)

static uint8_t recording[4u << 20];
static uint32_t recorded;
static uint8_t buffer[ROOM];

/* Adds frames to the recording, without the marks, and returns the last mark. */
static uint32_t keep(const uint8_t *frames, uint32_t size)
{
    uint32_t mark = 0;
    for (uint32_t at = 0; at < size;) {
        struct ps_frame frame;
        memcpy(&frame, frames + at, sizeof(frame));
        uint32_t whole = (uint32_t)sizeof(frame) + PS_PADDED(frame.size);
        CHECK(whole <= size - at);
        SAME(frame.reserved, 0);
        if (frame.kind == PS_FRAME_MARK) {
            mark = frame.value;
        } else {
            memcpy(recording + recorded, frames + at, whole);
            recorded += whole;
        }
        at += whole;
    }
    return mark;
}

static void record_until(int32_t handle, uint32_t mark)
{
    int32_t size;
    do {
        size = ps_nl_wait(handle, buffer, sizeof(buffer), 5000, 0);
        CHECK(size > 0);
    } while (keep(buffer, (uint32_t)size) != mark);
}

/* Feeds the whole recording; counts the records of each type. */
static void play(uint32_t counts[32])
{
    int32_t handle = ps_nl_replay(), count;
    CHECK(handle > 0);
    for (uint32_t at = 0; at < recorded;) {
        int32_t taken = ps_nl_feed(handle, recording + at, recorded - at);
        CHECK(taken > 0);
        SAME(ps_nl_feed(handle, recording + at, recorded - at), -EAGAIN);
        at += (uint32_t)taken;
        while ((count = ps_nl_poll(handle, (uint8_t *)links, 7, 0)) > 0)
            for (int32_t i = 0; i < count; i++)
                counts[links[i].type]++;
    }
    SAME(ps_nl_close(handle), 0);
}

static void a_recording_plays_the_same(void)
{
    uint32_t counts[32] = {0};
    int32_t handle = ps_nl_open(NULL, 0, 16384, PS_OPEN_FRAMES);
    CHECK(handle > 0);
    SAME(ps_nl_poll(handle, buffer, PS_DATAGRAM_MAX, 0), -EINVAL);
    run("for i in $(seq 60); do echo link add f$i type ifb; done | ip -batch -");
    SAME(ps_nl_dump(handle), 0);
    record_until(handle, PS_DUMP_END);
    run("ip link del f1");
    run("ip link set f2 mtu 1400");
    int32_t size = ps_nl_wait(handle, buffer, sizeof(buffer), 5000, 0);
    CHECK(size > 0);
    keep(buffer, (uint32_t)size);
    run("for i in $(seq 1300 1400); do echo link set f3 mtu $i; done | ip -batch -");
    record_until(handle, PS_LOST);
    SAME(ps_nl_dump(handle), 0);
    record_until(handle, PS_DUMP_END);
    SAME(ps_nl_close(handle), 0);
    play(counts);
    SAME(counts[PS_DUMP_BEGIN], 2);
    SAME(counts[PS_DUMP_END], 2);
    SAME(counts[PS_LINK_DUMPED], 61 + 60);
    SAME(counts[PS_LOST], 1);
    CHECK(counts[PS_LINK_GONE] == 1 && counts[PS_LINK_SET] >= 1);
}

/* As many frames as fit the caller's buffer, and the others the next time. */
static void a_small_buffer_takes_a_part(void)
{
    int32_t handle = ps_nl_open(NULL, 0, LARGE, PS_OPEN_FRAMES);
    uint32_t least = PS_DATAGRAM_MAX + 4 * (uint32_t)sizeof(struct ps_frame), total = 0;
    CHECK(handle > 0);
    /* 60 events of 1.5 KiB, and the buffer is full at 65 KiB. */
    run("for i in $(seq 1301 1360); do echo link set f3 mtu $i; done | ip -batch -");
    for (;;) {
        int32_t size = ps_nl_poll(handle, buffer, least, 0);
        CHECK(size >= 0 && (uint32_t)size <= least);
        if (size == 0)
            break;
        recorded = 0;
        keep(buffer, (uint32_t)size);
        total++;
    }
    CHECK(total >= 2);
    SAME(ps_nl_close(handle), 0);
}

/* A datagram of many losses: the caller's buffer has room for two marks, and two are enough. */
static void marks_have_their_room(void)
{
    int32_t handle = ps_nl_open(NULL, 0, LARGE, PS_OPEN_FRAMES);
    static struct bytes bytes;
    CHECK(handle > 0);
    while (ps_nl_poll(handle, buffer, sizeof(buffer), 0) > 0)
        ;
    for (int i = 0; i < 20; i++)
        end_message(&bytes, begin_message(&bytes, NLMSG_OVERRUN, 0, 0));
    struct ps_nl *nl = inside(handle);
    nl->inputs[0] =
        (struct ps_nl_input){.bytes = bytes.at, .size = bytes.size, .kind = PS_FRAME_EVENT};
    nl->inputs_at = 0;
    nl->inputs_count = 1;
    int32_t size = ps_nl_poll(handle, buffer, sizeof(buffer), 0);
    SAME(size, 24 + 320 + 2 * 24);
    SAME(nl->decoder.lost, 20);
    SAME(ps_nl_close(handle), 0);
}

static int32_t feed_one(int32_t handle, const struct ps_frame *frame, uint32_t size)
{
    static uint8_t bytes[PS_DATAGRAM_MAX * 2];
    memcpy(bytes, frame, sizeof(*frame));
    int32_t result = ps_nl_feed(handle, bytes, size);
    while (ps_nl_poll(handle, (uint8_t *)links, RECORDS, 0) > 0)
        ;
    return result;
}

static void frames_that_make_no_sense(void)
{
    int32_t handle = ps_nl_replay();
    static const struct ps_frame refused[] = {
        {.kind = 0},
        {.kind = PS_FRAME_MARK},
        {.kind = PS_FRAME_EVENT, .flags = 2},
        {.kind = PS_FRAME_EVENT, .size = PS_DATAGRAM_MAX + 1},
        {.kind = PS_FRAME_EVENT, .size = UINT32_MAX},
        {.kind = PS_FRAME_BEGIN},
        {.kind = PS_FRAME_BEGIN, .value = 1, .size = 1},
        {.kind = PS_FRAME_OVERRUN, .value = 4096},
        {.kind = PS_FRAME_OVERRUN, .size = 1},
        {.kind = PS_FRAME_FAILED, .value = UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        SAME(feed_one(handle, &refused[i], PS_DATAGRAM_MAX * 2), -EINVAL);
    struct ps_frame begin = {.kind = PS_FRAME_BEGIN, .value = 1};
    SAME(feed_one(handle, &begin, 23), -EINVAL);
    SAME(feed_one(handle, &begin, 24), 24);
    struct ps_frame event = {.kind = PS_FRAME_EVENT, .size = 5};
    SAME(feed_one(handle, &event, 31), -EINVAL); /* without its padding */
    SAME(feed_one(handle, &event, 32), 32);
    SAME(ps_nl_feed(handle, buffer, 0x80000000u), -EINVAL);
    SAME(stats_of(handle).dumps, 1);
    SAME(ps_nl_close(handle), 0);
}

/* Frames behind one that is refused, or that there is no room for, are left to the caller. */
static void frames_are_taken_as_far_as_they_go(void)
{
    int32_t handle = ps_nl_replay();
    static uint8_t frames[100 * (24 + 8)];
    for (uint32_t i = 0; i < 100; i++) {
        struct ps_frame frame = {.kind = i == 90 ? 99 : PS_FRAME_EVENT, .size = 8};
        memcpy(frames + i * 32, &frame, sizeof(frame));
    }
    SAME(ps_nl_feed(handle, frames, sizeof(frames)), PS_NL_SLOTS * 32);
    SAME(ps_nl_poll(handle, (uint8_t *)links, RECORDS, 0), 0);
    SAME(ps_nl_feed(handle, frames + 64 * 32, 36 * 32), (90 - 64) * 32);
    SAME(ps_nl_poll(handle, (uint8_t *)links, RECORDS, 0), 0);

    static uint8_t large[6 * (24 + PS_DATAGRAM_MAX)];
    for (uint32_t i = 0; i < 6; i++) {
        struct ps_frame frame = {.kind = PS_FRAME_EVENT, .size = PS_DATAGRAM_MAX};
        memcpy(large + i * (24 + PS_DATAGRAM_MAX), &frame, sizeof(frame));
    }
    SAME(ps_nl_feed(handle, large, sizeof(large)), 4 * (24 + PS_DATAGRAM_MAX));
    SAME(ps_nl_close(handle), 0);
}

int main(void)
{
    enter_namespace();
    frames_that_make_no_sense();
    frames_are_taken_as_far_as_they_go();
    a_recording_plays_the_same();
    a_small_buffer_takes_a_part();
    marks_have_their_room();
    return 0;
}
