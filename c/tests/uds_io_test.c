/* Messages between our client and our server, and packets against the protocol. */
#include "uds_test.h"

static int32_t client_hub;
static uint32_t client, server;

static void connect_pair(struct ps_uds_config *theirs)
{
    client_hub = ps_uds_open();
    int32_t number = ps_uds_connect(client_hub, PATH(path), theirs);
    CHECK(number > 0);
    client = (uint32_t)number;
    struct ps_uds_event *event = expect(hub, PS_UDS_HELLO, 0);
    server = event->session;
    SAME(ps_uds_admit(hub, server, event->profile, 0), 0);
    SAME(expect(client_hub, PS_UDS_READY, 0)->session, client);
    SAME(events[0].packet_size, theirs->packet_size ? theirs->packet_size : 65536);
}

static void open_pair(uint32_t packet_size)
{
    struct ps_uds_config own = config();
    struct ps_uds_config theirs = own;
    open_server(&own);
    theirs.packet_size = packet_size;
    connect_pair(&theirs);
}

static void close_pair(void)
{
    SAME(ps_uds_free(client_hub), 0);
    SAME(ps_uds_free(hub), 0);
}

static uint32_t put(uint8_t *at, uint16_t kind, uint32_t length, uint64_t id)
{
    struct ps_header header = ps_header_make(kind, 1, 0, length, id);
    memcpy(at, &header, sizeof header);
    for (uint32_t i = 0; i < length; i++)
        at[32 + i] = (uint8_t)(i * 7 + id);
    return (32 + length + 7) & ~7u;
}

static void expect_message(int32_t of, uint32_t length, uint64_t id)
{
    struct ps_uds_event *event = expect(of, PS_UDS_MESSAGE, 0);
    struct ps_header header;
    SAME(event->length, 32 + length);
    memcpy(&header, data + event->offset, sizeof header);
    SAME(header.message_id, id);
    SAME(header.payload_len, length);
    for (uint32_t i = 0; i < length; i++)
        CHECK(data[event->offset + 32 + i] == (uint8_t)(i * 7 + id));
}

static void messages_of_every_length_arrive(void)
{
    static uint8_t out[400064];
    const uint32_t lengths[] = {0,     1,     7,     8,      9,      31,    32,
                                967,   968,   969,   1936,   1937,   65503, 65504,
                                65505, 65506, 99999, 131008, 131009, 300000};
    const uint32_t packets[] = {1000, 65536, 40};
    for (uint32_t p = 0; p < 3; p++) {
        open_pair(packets[p]);
        uint64_t id = 1;
        for (uint32_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            uint32_t length = packets[p] == 40 ? lengths[i] % 1500 : lengths[i];
            for (int way = 0; way < 2; way++) {
                int32_t from = way ? hub : client_hub, to = way ? client_hub : hub;
                uint32_t whole = put(out, way ? PS_RESPONSE : PS_REQUEST, length, id);
                int32_t sent = 0;
                while (!(sent = ps_uds_send(from, way ? server : client, out, whole)))
                    /* one thread is both ends: take what is there, then go on */
                    if (ps_uds_poll(to, events, 1, data, DATA, 0) == 0)
                        SAME(expect(from, PS_UDS_WRITABLE, 0)->session, way ? server : client);
                SAME(sent, whole);
                expect_message(to, length, id);
            }
            id++;
        }
        close_pair();
    }
}

static void many_messages_go_in_one_call_and_come_in_one(void)
{
    static uint8_t out[100 * 64];
    uint32_t used = 0;
    open_pair(0);
    for (uint64_t id = 1; id <= 60; id++)
        used += put(out + used, PS_REQUEST, (uint32_t)id % 9, id);
    SAME(ps_uds_send(client_hub, client, out, used), used);
    int32_t count = 0;
    while (count < 60)
        count += ps_uds_poll(hub, events + count, (uint32_t)(64 - count), data, DATA, 50);
    SAME(count, 60);
    for (uint32_t i = 0; i < 60; i++)
        SAME(events[i].length, 32 + (i + 1) % 9);
    /* Responses in any order. */
    for (uint64_t id = 60; id > 0; id -= 2) {
        used = put(out, PS_RESPONSE, 5, id - 1);
        used += put(out + used, PS_RESPONSE, 5, id);
        SAME(ps_uds_send(hub, server, out, used), used);
    }
    for (int left = 60; left > 0;)
        left -= ps_uds_poll(client_hub, events, 64, data, DATA, 50);
    /* An id that is in flight cannot be used, one that came back can. */
    used = put(out, PS_REQUEST, 5, 7);
    SAME(ps_uds_send(client_hub, client, out, used), used);
    SAME(ps_uds_send(client_hub, client, out, used), -EEXIST);
    for (uint64_t id = 100; id < 299; id++) {
        used = put(out, PS_REQUEST, 0, id);
        SAME(ps_uds_send(client_hub, client, out, used), used);
        next_event(hub);
    }
    used = put(out, PS_REQUEST, 0, 500);
    SAME(ps_uds_send(client_hub, client, out, used), -ENOBUFS);
    close_pair();
}

static void a_peer_that_does_not_read_stops_the_sender_only(void)
{
    static uint8_t out[60064];
    uint32_t used = put(out, PS_RESPONSE, 60000, 1);
    int sent = 0, received = 0;
    open_pair(0);
    for (uint64_t id = 1; id <= 100; id++) {
        static uint8_t request[64];
        uint32_t length = put(request, PS_REQUEST, 0, id);
        SAME(ps_uds_send(client_hub, client, request, length), length);
        expect(hub, PS_UDS_MESSAGE, 0);
    }
    while (ps_uds_send(hub, server, out, used) == (int32_t)used)
        put(out, PS_RESPONSE, 60000, (uint64_t)(++sent + 1));
    CHECK(sent > 0 && sent < 10);
    while (received < 100) {
        received += ps_uds_poll(client_hub, events, 1, data, DATA, 50);
        if (ps_uds_poll(hub, events, 1, data, DATA, 0) == 1) {
            SAME(events[0].type, PS_UDS_WRITABLE);
            while (sent < 100 && ps_uds_send(hub, server, out, used) == (int32_t)used)
                put(out, PS_RESPONSE, 60000, (uint64_t)(++sent + 1));
        }
    }
    SAME(sent, 100);
    close_pair();
}

static void limits_hold_on_both_sides(void)
{
    static uint8_t out[500000];
    struct ps_header header;
    open_pair(0);
    uint32_t used = put(out, PS_REQUEST, 300001, 1);
    SAME(ps_uds_send(client_hub, client, out, used), -EMSGSIZE);
    SAME(ps_uds_send(client_hub, client, out, 20), -EINVAL);
    SAME(ps_uds_send(client_hub, client, out, 200), -EINVAL);
    used = put(out, PS_RESPONSE, 8, 1);
    SAME(ps_uds_send(client_hub, client, out, used), -EINVAL);
    used = put(out, PS_RESPONSE, 400001, 1);
    SAME(ps_uds_send(hub, server, out, used), -EMSGSIZE);
    header = ps_header_make(PS_REQUEST, 1, 0, 8, 1);
    header.item_count = 17;
    memcpy(out, &header, sizeof header);
    SAME(ps_uds_send(client_hub, client, out, 40), -EMSGSIZE);
    close_pair();
    /* A request over the limit is answered, then the session is closed. */
    struct ps_uds_config own = config();
    struct ps_hello_ack ack;
    open_server(&own);
    for (int items = 0; items < 2; items++) {
        int fd = raw_client();
        send_hello(fd, hello_header(), good_hello(), 76);
        SAME(ps_uds_admit(hub, expect(hub, PS_UDS_HELLO, 0)->session, 1, 0), 0);
        SAME(answer_of(fd, &ack), 0);
        header = ps_header_make(PS_REQUEST, 3, 0, items ? 8 : 1025, 99);
        header.item_count = items ? 5 : 1;
        memcpy(out, &header, sizeof header);
        SAME(send(fd, out, 40, 0), 40);
        SAME(send(fd, out, 40, 0), 40);
        expect(hub, PS_UDS_CLOSED, -EMSGSIZE);
        SAME(recv(fd, &header, sizeof header, 0), 32);
        SAME(header.kind, PS_RESPONSE);
        SAME(header.status, PS_LIMIT_EXCEEDED);
        SAME(header.code, 3);
        SAME(header.message_id, 99);
        SAME(header.payload_len, 0);
        SAME(header.item_count, 1);
        SAME(recv(fd, &header, sizeof header, 0), 0);
        close(fd);
    }
    ps_uds_free(hub);
}

static void violation(const void *first, size_t first_length, const void *second,
                      size_t second_length)
{
    int fd = admitted(40);
    char byte;
    SAME(send(fd, first, first_length, 0), first_length);
    if (second)
        SAME(send(fd, second, second_length, 0), second_length);
    expect(hub, PS_UDS_CLOSED, -EPROTO);
    CHECK(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
}

static void packets_against_the_protocol_end_the_session(void)
{
    struct ps_uds_config own = config();
    uint8_t packet[256] = {0};
    open_server(&own);
    struct ps_header header = ps_header_make(PS_REQUEST, 1, 0, 20, 5);
    struct ps_chunk good = {PS_MAGIC_CHUNK, 1, 0, 5, 52, 1, 3, 8};
    memcpy(packet, &header, 32);
    violation("short", 5, NULL, 0);
    struct ps_header bad = header;
    bad.kind = PS_RESPONSE;
    violation(&bad, 32, NULL, 0);
    bad = header, bad.magic = 1;
    violation(&bad, 32, NULL, 0);
    bad = header, bad.magic = PS_MAGIC_MESSAGE, bad.version = 2;
    violation(&bad, 32, NULL, 0);
    bad = header, bad.header_len = 36;
    violation(&bad, 32, NULL, 0);
    bad = header, bad.kind = 4;
    violation(&bad, 32, NULL, 0);
    bad = header, bad.payload_len = 100; /* in one packet, which is longer than was agreed */
    memcpy(packet, &bad, 32);
    violation(packet, 132, NULL, 0);
    bad = header, bad.payload_len = 2;
    memcpy(packet, &bad, 32);
    violation(packet, 36, NULL, 0);
    memcpy(packet, &header, 32);
#define BAD_CHUNK(change)                                                                          \
    do {                                                                                           \
        uint8_t second[128] = {0};                                                                 \
        struct ps_chunk chunk = good;                                                              \
        change;                                                                                    \
        memcpy(second, &chunk, sizeof chunk);                                                      \
        violation(packet, 40, second, 40);                                                         \
    } while (0)
    BAD_CHUNK(chunk.magic++);
    BAD_CHUNK(chunk.version = 2);
    BAD_CHUNK(chunk.flags = 1);
    BAD_CHUNK(chunk.message_id = 6);
    BAD_CHUNK(chunk.total_len = 53);
    BAD_CHUNK(chunk.index = 2);
    BAD_CHUNK(chunk.count = 2);
    BAD_CHUNK(chunk.payload_len = 7);
    BAD_CHUNK(chunk.payload_len = 0);
    BAD_CHUNK(chunk.payload_len = 13);
    violation(packet, 40, &good, 20);
    violation(packet, 40, &good, 32);
    /* Directories of batches. */
    const uint32_t directories[][4] = {
        {0, 8, 4, 8}, {0, 8, 8, 9}, {0xfffffff8u, 8, 0, 8}, {0, 0xffffffffu, 0, 8}};
    for (int i = 0; i < 4; i++) {
        int fd = admitted(4096);
        header = ps_header_make(PS_REQUEST, 1, 0, 32, 5);
        header.flags = PS_FLAG_BATCH;
        header.item_count = 2;
        memcpy(packet, &header, 32);
        memcpy(packet + 32, directories[i], 16);
        SAME(send(fd, packet, 64, 0), 64);
        expect(hub, PS_UDS_CLOSED, -EPROTO);
        close(fd);
    }
    header.payload_len = 8;
    int fd = admitted(4096);
    memcpy(packet, &header, 32);
    SAME(send(fd, packet, 40, 0), 40);
    expect(hub, PS_UDS_CLOSED, -EPROTO);
    close(fd);
    ps_uds_free(hub);
}

int main(void)
{
    begin();
    path = in_folder("service.sock");
    messages_of_every_length_arrive();
    many_messages_go_in_one_call_and_come_in_one();
    a_peer_that_does_not_read_stops_the_sender_only();
    limits_hold_on_both_sides();
    packets_against_the_protocol_end_the_session();
    finish();
    return 0;
}
