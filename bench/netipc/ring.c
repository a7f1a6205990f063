/* A ring's producer, and a consumer in C as the ceiling.
 *
 *   ring produce FILE raw|changes RATE   records a second until it is killed, 0 as fast as it goes
 *   ring consume FILE SECONDS            prints one line of JSON, as pair.c does
 *
 * Raw records are 128 bytes with a number and the time of day (nanoseconds) in front; changes have
 * four fields, their number as identity and the time of day. Without a limit 64 records are pushed
 * together, or 32 changes in one frame; with one each goes by itself. */
#include "measure.h"
#include "ps_producer.h"

#define CAPACITY (1u << 22)
#define RECORD 128u

static uint8_t data[1u << 21];

static uint64_t time_of_day(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void push(int32_t ring, const uint8_t *frames, uint32_t length)
{
    for (uint32_t sent = 0; sent < length;) {
        int32_t taken = ps_ring_push(ring, frames + sent, length - sent);
        if (taken < 0)
            exit(1);
        sent += (uint32_t)taken;
        if (taken == 0)
            ps_ring_wait(ring, 1000);
    }
}

static uint64_t due(uint64_t start, uint64_t number, double rate)
{
    return rate > 0 ? start + (uint64_t)((double)number * 1e9 / rate) : 0;
}

static void produce_raw(int32_t ring, double rate)
{
    static uint8_t frames[64 * RECORD];
    const uint32_t together = rate > 0 ? 1 : 64;
    uint64_t start = now_ns();
    for (uint64_t number = 0;; number += together) {
        if (rate > 0)
            sleep_until(due(start, number, rate));
        uint64_t time = time_of_day();
        for (uint32_t i = 0; i < together; i++) {
            const uint32_t head[4] = {RECORD - 8, 0, (uint32_t)number + i, 0};
            memcpy(frames + i * RECORD, head, sizeof head);
            memcpy(frames + i * RECORD + sizeof head, &time, sizeof time);
        }
        push(ring, frames, together * RECORD);
    }
}

static void produce_changes(int32_t ring, double rate)
{
    static uint8_t frame[32768];
    const uint32_t together = rate > 0 ? 1 : 32;
    uint64_t start = now_ns();
    for (uint64_t number = 0;;) {
        struct ps_changes batch;
        if (rate > 0)
            sleep_until(due(start, number, rate));
        double time = (double)time_of_day() / 1e6;
        ps_changes_begin(&batch, frame + 8, sizeof frame - 16, PS_MARK_NONE);
        for (uint32_t i = 0; i < together; i++) {
            char key[32];
            number++;
            snprintf(key, sizeof key, "Ethernet%u", (unsigned)(number % 128));
            ps_change_begin(&batch, &(struct ps_change){.op = PS_CHANGE_SET,
                                                        .table = "PORT_TABLE",
                                                        .key = key,
                                                        .time = time,
                                                        .id = number});
            ps_change_field(&batch, "state", "ok");
            ps_change_field(&batch, "netdev_oper_status", number % 2 ? "up" : "down");
            ps_change_field(&batch, "admin_status", "up");
            ps_change_field(&batch, "mtu", "9100");
            ps_change_end(&batch);
        }
        uint32_t length = ps_changes_end(&batch);
        uint32_t whole = (8 + length + 7) & ~7u;
        memset(frame + 8 + length, 0, whole - 8 - length);
        memcpy(frame, &length, sizeof length);
        push(ring, frame, whole);
    }
}

/* Reads each record's length and number; the age of the oldest of each poll is its latency. What
 * came before the first poll is read but not counted. */
static int consume(int32_t ring, double seconds)
{
    uint64_t records = 0, before = 0, start = 0, end = 0;
    while (start == 0 || now_ns() < end) {
        int32_t length = ps_ring_poll(ring, data, sizeof data, 50);
        uint32_t frames = 0, head[4];
        if (length < 0)
            die("poll", length);
        if (length == 0) {
            ps_ring_wait(ring, 1000);
            continue;
        }
        uint64_t time, now = time_of_day();
        memcpy(&time, data + sizeof head, sizeof time);
        if (start != 0)
            record(now > time ? now - time : 0);
        for (uint32_t at = 0; at < (uint32_t)length; frames++) {
            memcpy(head, data + at, sizeof head);
            if (head[2] != (uint32_t)records++)
                die("a gap", -EPROTO);
            at += (8 + head[0] + 7) & ~7u;
        }
        ps_ring_commit(ring, (uint32_t)length, frames);
        if (start == 0) {
            before = records;
            start = now_ns();
            end = start + (uint64_t)(seconds * 1e9);
        }
    }
    report(records - before, (double)(now_ns() - start) / 1e9);
    return 0;
}

int main(int count, char **arguments)
{
    if (count < 4)
        return 64;
    double rate = count > 4 ? atof(arguments[4]) : 0;
    uint32_t length = (uint32_t)strlen(arguments[2]);
    int error = ps_producer_allow(arguments[2], length + 1);
    int produces = strcmp(arguments[1], "produce") == 0;
    int32_t ring = error < 0 ? error
                             : ps_ring_open((uint8_t *)arguments[2], length, CAPACITY,
                                            produces ? PS_RING_PRODUCER : PS_RING_CONSUMER);
    if (ring < 0)
        die("open", ring);
    if (!produces)
        return consume(ring, atof(arguments[3]));
    if (strcmp(arguments[3], "raw") == 0)
        produce_raw(ring, rate);
    else
        produce_changes(ring, rate);
}
