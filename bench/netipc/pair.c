/* The ceiling of the netipc benchmarks: a server and a client in C over the same library.
 *
 *   pair server PROFILE RUN_DIR SERVICE METHOD
 *   pair client PROFILE RUN_DIR SERVICE SHAPE SECONDS RATE
 *
 * PROFILE: 1 socket, 2 shared memory. METHOD: 1 increment, 2 snapshot of 16 items. SHAPE:
 * ping-pong, pipeline (16 on their way), batch (of 100), snapshot. RATE: messages a second, 0 as
 * fast as it goes. The server says READY, and ends with its input; both print one line of JSON at
 * their end: requests, seconds, p50, p95, p99 (microseconds), cpu (seconds).
 *
 * Nothing is believed: directories are checked and each item is read, on both sides. The numbers
 * that are incremented are a chain: each request asks for the answer to the last. A snapshot's
 * generation grows by one each time, and one item of it is read, another one each time. */
#include <poll.h>
#include <stdbool.h>

#include "payloads.h"
#include "ps_producer.h"

#define DATA (1u << 18)
#define DEPTH 16u
#define BATCH 100u

static int32_t uds, shm;
static uint32_t session, shared;
static uint8_t data[DATA], out[DATA];
static struct ps_uds_event events[256];

/* -- Server ------------------------------------------------------------------------------------ */

/* Handles one item after the other, as a server does that knows nothing of their sizes. */
static uint32_t answer_batch(const uint8_t *payload, uint32_t length, uint32_t count, uint8_t *at)
{
    const uint8_t *from = directory(payload, 0, length, count);
    uint32_t end = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (word_at(payload + i * 8 + 4) < 8)
            die("a short item", -EPROTO);
        uint64_t value = value_at(from + word_at(payload + i * 8)) + 1;
        uint32_t entry[2] = {end, 8};
        memcpy(at + i * 8, entry, sizeof entry);
        memcpy(at + count * 8 + end, &value, 8);
        end += 8;
    }
    return count * 8 + end;
}

static uint32_t answer(const uint8_t *request, uint16_t method)
{
    struct ps_header header;
    const uint8_t *payload = request + PS_HEADER_BYTES;
    uint8_t *at = out + PS_HEADER_BYTES;
    uint32_t used = 8;
    memcpy(&header, request, sizeof header);
    if (header.code != method || (header.payload_len < 8 && method == 1))
        die("a wrong request", -EPROTO);
    if (method == 2) {
        used = put_snapshot(at);
    } else if (header.flags & PS_FLAG_BATCH) {
        used = answer_batch(payload, header.payload_len, header.item_count, at);
    } else {
        uint64_t value = value_at(payload) + 1;
        memcpy(at, &value, 8);
    }
    header.kind = PS_RESPONSE;
    header.payload_len = used;
    memcpy(out, &header, sizeof header);
    return PS_HEADER_BYTES + used;
}

static int input_ended(void)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};
    return poll(&input, 1, 0) == 1;
}

static void take_event(const struct ps_uds_event *event, const char *run_dir, const char *service,
                       uint16_t method)
{
    if (event->type == PS_UDS_HELLO && event->profile == PS_PROFILE_SHM) {
        char path[256];
        const struct ps_shm_limits limits = {event->request_bytes, event->request_items,
                                             event->response_bytes, event->response_items};
        int length = snprintf(path, sizeof path, "%s/%s-%016llx.ipcshm", run_dir, service,
                              (unsigned long long)event->session_id);
        int32_t made = ps_shm_create(shm, (uint8_t *)path, (uint32_t)length, &limits);
        if (made < 0)
            die("region", made);
        shared = (uint32_t)made;
    }
    if (event->type == PS_UDS_HELLO)
        ps_uds_admit(uds, event->session, event->profile, 0);
    if (event->type == PS_UDS_CLOSED && shared) {
        ps_shm_close(shm, shared);
        shared = 0;
    }
    if (event->type == PS_UDS_MESSAGE)
        ps_uds_send(uds, event->session, out, answer(data + event->offset, method));
}

static int serve(uint32_t profile, const char *run_dir, const char *service, uint16_t method)
{
    char path[128];
    const struct ps_uds_config config = {.supported = profile,
                                         .request_bytes = 65536,
                                         .request_items = 1000,
                                         .response_bytes = 65536};
    int length = snprintf(path, sizeof path, "%s/%s.sock", run_dir, service);
    name_items();
    uds = ps_uds_open();
    shm = ps_shm_open();
    int error = ps_uds_listen(uds, (uint8_t *)path, (uint32_t)length, &config);
    if (error < 0)
        die("listen", error);
    puts("READY");
    fflush(stdout);
    for (uint32_t idle = 0; idle % 100 != 99 || !input_ended();) {
        int32_t used = shared ? ps_shm_poll(shm, data, DATA, 50) : 0;
        if (used > 0) {
            uint32_t number;
            memcpy(&number, data, 4);
            /* Answers and takes the next request in one call, as the client does. */
            while (used > 0)
                used = ps_shm_exchange(shm, number, out, answer(data + 16, method), data, DATA, 50);
            continue;
        }
        int32_t count = ps_uds_poll(uds, events, 256, data, DATA, shared ? 0 : 50);
        for (int32_t i = 0; i < count; i++)
            take_event(&events[i], run_dir, service, method);
        idle = count > 0 ? 0 : idle + 1;
        if (idle > 4 && shared)
            ps_shm_wait(shm, 10);
        else if (idle > 4)
            ps_uds_wait(uds, 10);
    }
    printf("{\"cpu\":%.3f}\n", cpu_seconds());
    return 0;
}

/* -- Client ------------------------------------------------------------------------------------ */

static void begin(uint32_t profile, const char *run_dir, const char *service)
{
    char path[256];
    const struct ps_uds_config config = {.supported = profile,
                                         .request_bytes = 65536,
                                         .request_items = 1000,
                                         .response_bytes = 65536};
    int length = snprintf(path, sizeof path, "%s/%s.sock", run_dir, service);
    uds = ps_uds_open();
    int32_t made = ps_uds_connect(uds, (uint8_t *)path, (uint32_t)length, &config);
    if (made < 0)
        die("connect", made);
    while (ps_uds_poll(uds, events, 1, data, DATA, 50) == 0)
        ps_uds_wait(uds, 1000);
    if (events[0].type != PS_UDS_READY)
        die("handshake", events[0].status);
    session = (uint32_t)made;
    if (events[0].profile != PS_PROFILE_SHM)
        return;
    const struct ps_shm_limits limits = {events[0].request_bytes, events[0].request_items,
                                         events[0].response_bytes, events[0].response_items};
    length = snprintf(path, sizeof path, "%s/%s-%016llx.ipcshm", run_dir, service,
                      (unsigned long long)events[0].session_id);
    shm = ps_shm_open();
    made = ps_shm_attach(shm, (uint8_t *)path, (uint32_t)length, &limits);
    if (made < 0)
        die("attach", made);
    shared = (uint32_t)made;
}

/* Sends what stands in `out` and waits for the answer; where its payload stands. */
static const uint8_t *call(uint32_t length)
{
    if (shared) {
        int32_t used = ps_shm_exchange(shm, shared, out, length, data, DATA, 50);
        while (used == 0) {
            ps_shm_wait(shm, 1000);
            used = ps_shm_poll(shm, data, DATA, 50);
        }
        if (used < 0)
            die("exchange", used);
        return data + 16 + PS_HEADER_BYTES;
    }
    int32_t sent = ps_uds_send(uds, session, out, length);
    if (sent != (int32_t)length)
        die("send", sent);
    while (ps_uds_poll(uds, events, 1, data, DATA, 50) == 0)
        ps_uds_wait(uds, 1000);
    if (events[0].type != PS_UDS_MESSAGE)
        die("receive", events[0].status);
    return data + events[0].offset + PS_HEADER_BYTES;
}

static uint32_t request(uint8_t *at, uint16_t method, uint32_t length, uint64_t id)
{
    struct ps_header header = ps_header_make(PS_REQUEST, method, 0, length, id);
    memcpy(at, &header, sizeof header);
    return PS_HEADER_BYTES + length;
}

static const uint8_t *checked(const uint8_t *payload, uint64_t id, uint32_t count, uint32_t *length)
{
    struct ps_header header;
    memcpy(&header, payload - PS_HEADER_BYTES, sizeof header);
    if (header.status != PS_OK || header.message_id != id || header.item_count != count)
        die("a wrong answer", -EPROTO);
    *length = header.payload_len;
    return payload;
}

static uint64_t ask_batch(uint64_t id, uint64_t *chain)
{
    uint8_t *at = out + PS_HEADER_BYTES;
    for (uint32_t i = 0; i < BATCH; i++) {
        uint32_t entry[2] = {i * 8, 8};
        uint64_t value = *chain + i;
        memcpy(at + i * 8, entry, 8);
        memcpy(at + BATCH * 8 + i * 8, &value, 8);
    }
    uint32_t length = request(out, 1, BATCH * 16, id);
    struct ps_header *header = (struct ps_header *)(void *)out;
    header->flags = PS_FLAG_BATCH;
    header->item_count = BATCH;
    const uint8_t *payload = checked(call(length), id, BATCH, &length);
    const uint8_t *from = directory(payload, 0, length, BATCH);
    for (uint32_t i = 0; i < BATCH; i++)
        if (word_at(payload + i * 8 + 4) < 8 ||
            value_at(from + word_at(payload + i * 8)) != ++*chain)
            die("a break in the chain", -EPROTO);
    return BATCH;
}

/* One round: how many requests it was. */
static uint64_t ping(const char *shape, uint64_t *id, uint64_t *chain)
{
    uint32_t length;
    if (shape[0] == 'b')
        return ask_batch(++*id, chain);
    if (shape[0] == 's') { /* snapshot */
        const uint16_t version[2] = {1, 0};
        memcpy(out + PS_HEADER_BYTES, version, 4);
        length = request(out, 2, 4, *id + 1);
        const uint8_t *payload = checked(call(length), *id + 1, 1, &length);
        check_snapshot(payload, length, (*id)++);
        return 1;
    }
    memcpy(out + PS_HEADER_BYTES, chain, 8);
    length = request(out, 1, 8, ++*id);
    const uint8_t *payload = checked(call(length), *id, 1, &length);
    if (length < 8)
        die("a short answer", -EPROTO);
    *chain = value_at(payload);
    return 1;
}

/* Sixteen requests on their way at any time; the answers are a chain as well. */
static uint64_t pipeline(uint64_t start, uint64_t until, double rate)
{
    uint64_t sent = 0, done = 0, begun[DEPTH] = {0};
    while (done < sent || now_ns() < until) {
        uint32_t length = 0;
        uint64_t due = rate > 0 && sent == done ? start + (uint64_t)((double)sent * 1e9 / rate) : 0;
        uint64_t now = sleep_until(due);
        uint64_t most = rate > 0 ? (uint64_t)((double)(now - start) * rate / 1e9) + 1 : UINT64_MAX;
        while (sent - done < DEPTH && sent < most && now < until) {
            begun[sent % DEPTH] = now;
            memcpy(out + length + PS_HEADER_BYTES, &sent, 8);
            sent++;
            length += request(out + length, 1, 8, sent);
        }
        if (length && ps_uds_send(uds, session, out, length) != (int32_t)length)
            die("send", -EAGAIN);
        if (done == sent)
            continue;
        int32_t count = ps_uds_poll(uds, events, 256, data, DATA, 50);
        if (count == 0)
            ps_uds_wait(uds, 1000);
        now = now_ns();
        for (int32_t i = 0; i < count; i++) {
            if (value_at(data + events[i].offset + PS_HEADER_BYTES) != done + 1)
                die("a break in the chain", -EPROTO);
            record(now - begun[done % DEPTH]);
            done++;
        }
    }
    return done;
}

static uint64_t one_by_one(const char *shape, uint64_t start, uint64_t until, double rate)
{
    uint64_t requests = 0, id = 0, chain = 0, before = now_ns();
    for (uint64_t turn = 0; before < until; turn++) {
        /* Without a limit one in eight is measured, as in pair.ts. */
        bool measured = rate > 0 || turn % 8 == 0;
        if (measured)
            before = sleep_until(rate > 0 ? start + (uint64_t)((double)turn * 1e9 / rate) : 0);
        requests += ping(shape, &id, &chain);
        if (measured) {
            uint64_t after = now_ns();
            record(after - before);
            before = after;
        }
    }
    if (shape[0] != 's' && chain != requests)
        die("a break in the chain", -EPROTO);
    return requests;
}

static int measure(const char *shape, double seconds, double rate)
{
    uint64_t start = now_ns(), until = start + (uint64_t)(seconds * 1e9);
    uint64_t requests = strcmp(shape, "pipeline") ? one_by_one(shape, start, until, rate)
                                                  : pipeline(start, until, rate);
    report(requests, (double)(now_ns() - start) / 1e9);
    return 0;
}

int main(int count, char **arguments)
{
    char allowed[4096];
    if (count < 6)
        return 64;
    uint32_t profile = (uint32_t)atoi(arguments[2]);
    const char *run_dir = arguments[3], *service = arguments[4];
    int length = snprintf(allowed, sizeof allowed, "%s/", run_dir);
    int error = ps_producer_allow(allowed, (uint32_t)length + 1);
    if (error < 0)
        die("allow", error);
    if (strcmp(arguments[1], "server") == 0)
        return serve(profile, run_dir, service, (uint16_t)atoi(arguments[5]));
    begin(profile, run_dir, service);
    return measure(arguments[5], atof(arguments[6]), atof(arguments[7]));
}
