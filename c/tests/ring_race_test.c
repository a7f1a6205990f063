/* The ring under the thread sanitizer, which knows memory by its address: so both sides, in two
 * threads, are given one mapping, and frames of a length that never runs over the end. */
#include <pthread.h>

#include "../ring.c"
#include "ipc_test.h"

#define CAPACITY 65536u
#ifndef MESSAGES
#define MESSAGES 100000u
#endif
#define SIZE 32u

static int32_t producer, consumer;

static void *produce(void *ignored)
{
    static uint8_t out[32 * SIZE];
    for (uint32_t number = 0; number < MESSAGES;) {
        uint32_t count = 1 + number % 32;
        if (count > MESSAGES - number)
            count = MESSAGES - number;
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t frame[3] = {SIZE - 8, 0, number + i};
            memcpy(out + i * SIZE, frame, sizeof frame);
        }
        int32_t taken = ps_ring_push(producer, out, count * SIZE);
        CHECK(taken >= 0);
        number += (uint32_t)taken / SIZE;
        if (taken == 0)
            ps_ring_wait(producer, 10000);
    }
    return ignored;
}

static void *disturb(void *stop)
{
    while (!atomic_load((atomic_bool *)stop)) {
        ps_ring_wake(producer);
        ps_ring_wake(consumer);
        usleep(500);
    }
    return NULL;
}

int main(void)
{
    static uint8_t data[CAPACITY];
    pthread_t thread, disturber;
    atomic_bool stop = false;
    int error;
    begin();
    const char *path = in_folder("ring");
    producer = ps_ring_open(PATH(path), CAPACITY, PS_RING_PRODUCER);
    struct ps_ring *ring = calloc(1, sizeof *ring);
    struct ps_ring *other = ps_handle_take(producer, PS_KIND_RING, &error);
    ring->file = dup(other->file);
    ring->role = PS_RING_CONSUMER;
    ring->capacity = other->capacity;
    ring->producer = other->producer;
    ring->consumer = other->consumer;
    ring->data = other->data;
    ps_handle_put(producer);
    consumer = ps_handle_new(PS_KIND_RING, ring);
    pthread_create(&thread, NULL, produce, NULL);
    pthread_create(&disturber, NULL, disturb, &stop);
    for (uint32_t next = 0; next < MESSAGES;) {
        int32_t length = ps_ring_poll(consumer, data, sizeof data, next % 3 ? 20 : 0);
        CHECK(length >= 0);
        if (length == 0)
            ps_ring_wait(consumer, 10000);
        for (int32_t at = 0; at < length; at += (int32_t)SIZE, next++) {
            uint32_t frame[3];
            memcpy(frame, data + at, sizeof frame);
            SAME(frame[2], next);
        }
        SAME(ps_ring_commit(consumer, (uint32_t)length, (uint32_t)length / SIZE), 0);
    }
    pthread_join(thread, NULL);
    atomic_store(&stop, true);
    pthread_join(disturber, NULL);
    SAME(ps_ring_close(consumer), 0);
    SAME(ps_ring_close(producer), 0);
    unlink(path);
    finish();
    return 0;
}
