/* A producer of changes in C, over a socket or a ring, on top of libportsync. Blocking; one thread
 * at a time. examples/producer.c shows both.
 *
 * A publish that fails may have been taken or not: connect again and send the same batch again, in
 * the same order. */
#ifndef PS_PRODUCER_H
#define PS_PRODUCER_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "portsync.h"
#include "ps_change.h"
#include "ps_netipc.h"

/* A session with a pipeline's `uds` source. */
struct ps_producer {
    int32_t hub;
    uint32_t session;
    uint64_t id;
    uint32_t limit;   /* longest batch, from the handshake */
    uint8_t *message; /* the outer header, and behind it room for a batch of `limit` bytes */
    uint8_t *data;
};

#define PS_PRODUCER_DATA (1u << 18)

/* Lets the library open paths, each ended by a NUL: `"/run/portsync/\0"`. Once in a program. */
static inline int ps_producer_allow(const char *paths, uint32_t size)
{
    static uint32_t layout[2048];
    int32_t words = ps_layout(layout, sizeof layout / sizeof *layout);
    return words < 0 ? words
                     : ps_init(PS_ABI, layout, (uint32_t)words, (const uint8_t *)paths, size);
}

static inline uint64_t ps_producer_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The next event, or -ETIMEDOUT. */
static inline int ps_producer_next(struct ps_producer *producer, struct ps_uds_event *event,
                                   uint64_t deadline)
{
    for (;;) {
        int32_t count = ps_uds_poll(producer->hub, event, 1, producer->data, PS_PRODUCER_DATA, 50);
        uint64_t now = ps_producer_now();
        if (count != 0)
            return count < 0 ? count : 0;
        if (now >= deadline)
            return -ETIMEDOUT;
        ps_uds_wait(producer->hub, (uint32_t)(deadline - now));
    }
}

static inline void ps_producer_close(struct ps_producer *producer)
{
    if (producer->hub > 0)
        ps_uds_free(producer->hub);
    free(producer->message);
    free(producer->data);
    *producer = (struct ps_producer){0};
}

/* Connects to a service; 0 or a negative errno. */
static inline int ps_producer_open(struct ps_producer *producer, const char *run_dir,
                                   const char *service, uint64_t token, uint32_t timeout_ms)
{
    char path[128];
    const struct ps_uds_config config = {.auth_token = token,
                                         .request_bytes = 1 << 18,
                                         .response_bytes = 1 << 16,
                                         .handshake_ms = timeout_ms};
    struct ps_uds_event event = {0};
    *producer = (struct ps_producer){.data = malloc(PS_PRODUCER_DATA)};
    int length = snprintf(path, sizeof path, "%s/%s.sock", run_dir, service);
    int32_t session = producer->data ? ps_uds_open() : -ENOMEM;
    if (session > 0) {
        producer->hub = session;
        session = ps_uds_connect(producer->hub, (const uint8_t *)path, (uint32_t)length, &config);
    }
    int error =
        session < 0 ? session : ps_producer_next(producer, &event, ps_producer_now() + timeout_ms);
    if (error == 0 && event.type != PS_UDS_READY)
        error = event.status < 0 ? event.status : -ECONNRESET;
    if (error == 0 && !(producer->message = malloc(PS_HEADER_BYTES + event.request_bytes)))
        error = -ENOMEM;
    if (error < 0)
        ps_producer_close(producer);
    producer->session = event.session;
    producer->limit = event.request_bytes;
    return error;
}

/* Where the next batch is written: `limit` bytes. */
static inline uint8_t *ps_producer_room(struct ps_producer *producer)
{
    return producer->message + PS_HEADER_BYTES;
}

/* Reads an answer: puts the outcomes of its changes and returns their number, or an error as
 * ps_producer_publish has them. */
static inline int ps_producer_outcomes(const uint8_t *message, uint32_t length,
                                       uint8_t *ret_outcomes, uint32_t capacity)
{
    struct ps_header header;
    uint16_t layout_version;
    uint32_t count;
    if (ps_header_read(&header, message, length) != PS_GOOD)
        return -EPROTO;
    if (header.status != PS_OK)
        return header.status == PS_BAD_ENVELOPE ? -EBADMSG : -EIO;
    if (length < PS_HEADER_BYTES + 16)
        return -EPROTO;
    memcpy(&layout_version, message + PS_HEADER_BYTES, sizeof layout_version);
    memcpy(&count, message + PS_HEADER_BYTES + 4, sizeof count);
    if (layout_version != 1 || count > length - PS_HEADER_BYTES - 16 || count > capacity)
        return -EPROTO;
    memcpy(ret_outcomes, message + PS_HEADER_BYTES + 16, count);
    return (int)count;
}

/* Sends the batch of `length` bytes that stands in the room and waits for its answer. Puts one
 * outcome for each change, and returns their number; or a negative errno: -EBADMSG for a batch that
 * the pipeline cannot read, and any other means to connect again. */
static inline int ps_producer_publish(struct ps_producer *producer, uint32_t length,
                                      uint8_t *ret_outcomes, uint32_t capacity, uint32_t timeout_ms)
{
    struct ps_header header = ps_header_make(PS_REQUEST, PS_PUBLISH, 0, length, ++producer->id);
    struct ps_uds_event event;
    uint64_t deadline = ps_producer_now() + timeout_ms;
    memcpy(producer->message, &header, sizeof header);
    int32_t whole = (int32_t)(PS_HEADER_BYTES + length);
    for (int32_t sent = 0; sent != whole;) {
        sent = ps_uds_send(producer->hub, producer->session, producer->message, (uint32_t)whole);
        int error = sent < 0        ? sent
                    : sent == whole ? 0
                                    : ps_producer_next(producer, &event, deadline);
        if (error < 0)
            return error;
        if (sent != whole && event.type != PS_UDS_WRITABLE)
            return -ECONNRESET;
    }
    int error = ps_producer_next(producer, &event, deadline);
    if (error < 0)
        return error;
    if (event.type != PS_UDS_MESSAGE)
        return -ECONNRESET;
    return ps_producer_outcomes(producer->data + event.offset, event.length, ret_outcomes,
                                capacity);
}

/* Writes the batch of `length` bytes that stands behind 8 free bytes of `frame` into a ring, which
 * was opened with PS_RING_PRODUCER; waits while it is full. 0, -ETIMEDOUT or another errno. */
static inline int ps_ring_publish(int32_t ring, uint8_t *frame, uint32_t length,
                                  uint32_t timeout_ms)
{
    uint32_t whole = (8 + length + 7) & ~7u;
    uint64_t deadline = ps_producer_now() + timeout_ms;
    memcpy(frame, &length, sizeof length);
    memset(frame + 8 + length, 0, whole - 8 - length);
    for (;;) {
        int32_t taken = ps_ring_push(ring, frame, whole);
        uint64_t now = ps_producer_now();
        if (taken != 0)
            return taken < 0 ? taken : 0;
        if (now >= deadline)
            return -ETIMEDOUT;
        ps_ring_wait(ring, (uint32_t)(deadline - now));
    }
}

#endif
