/* A ring's producer, and a consumer in C as the ceiling.
 *
 *   ring produce FILE raw|changes     until it is killed
 *   ring consume FILE SECONDS         prints {"rate": records each second}
 *
 * Raw records are 128 bytes with a number in front; changes have four fields, 32 in a frame, and
 * their number as identity. */
#include "ps_producer.h"

#define CAPACITY (1u << 22)
#define RECORD 128u

static uint8_t data[1u << 21];

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
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

static void produce_raw(int32_t ring)
{
    static uint8_t frames[64 * RECORD];
    for (uint32_t number = 0;; number += 64) {
        for (uint32_t i = 0; i < 64; i++) {
            const uint32_t head[3] = {RECORD - 8, 0, number + i};
            memcpy(frames + i * RECORD, head, sizeof head);
        }
        push(ring, frames, sizeof frames);
    }
}

static void produce_changes(int32_t ring)
{
    static uint8_t frame[32768];
    for (uint64_t number = 0;;) {
        struct ps_changes batch;
        ps_changes_begin(&batch, frame + 8, sizeof frame - 16, PS_MARK_NONE);
        for (uint32_t i = 0; i < 32; i++) {
            char key[32];
            number++;
            snprintf(key, sizeof key, "Ethernet%u", (unsigned)(number % 128));
            ps_change_begin(&batch, &(struct ps_change){.op = PS_CHANGE_SET,
                                                        .table = "PORT_TABLE",
                                                        .key = key,
                                                        .time = 1.7e12,
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

static int consume(int32_t ring, double seconds)
{
    uint64_t records = 0;
    double start = 0, end = 0;
    while (start == 0 || seconds_now() < end) {
        int32_t length = ps_ring_poll(ring, data, sizeof data, 50);
        uint32_t frames = 0;
        if (length > 0 && start == 0) {
            start = seconds_now();
            end = start + seconds;
        }
        for (int32_t at = 0; at < length; at += (int32_t)RECORD, frames++) {
            uint32_t head[3];
            memcpy(head, data + at, sizeof head);
            if (head[2] != (uint32_t)records++)
                return 1;
        }
        if (length > 0)
            ps_ring_commit(ring, (uint32_t)length, frames);
    }
    printf("{\"rate\": %.0f}\n", (double)records / (seconds_now() - start));
    return 0;
}

int main(int count, char **arguments)
{
    if (count != 4)
        return 64;
    uint32_t length = (uint32_t)strlen(arguments[2]);
    int error = ps_producer_allow(arguments[2], length + 1);
    int produces = strcmp(arguments[1], "produce") == 0;
    int32_t ring = error < 0 ? error
                             : ps_ring_open((uint8_t *)arguments[2], length, CAPACITY,
                                            produces ? PS_RING_PRODUCER : PS_RING_CONSUMER);
    if (ring < 0)
        return 1;
    if (!produces)
        return consume(ring, atof(arguments[3]));
    if (strcmp(arguments[3], "raw") == 0)
        produce_raw(ring);
    else
        produce_changes(ring);
}
