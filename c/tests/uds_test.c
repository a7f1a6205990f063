/* The socket half against raw packets, and against itself. */
#include "../include/ps_netipc.h"
#include "../include/ps_uds.h"
#include "ipc_test.h"

#define DATA (1u << 20)
static uint8_t data[DATA];
static struct ps_uds_event events[64];
static int32_t hub;
static const char *path;

static struct ps_uds_config config(void)
{
    return (struct ps_uds_config){.auth_token = 7,
                                  .request_bytes = 300000,
                                  .request_items = 16,
                                  .response_bytes = 400000,
                                  .response_items = 16,
                                  .handshake_ms = 2000,
                                  .max_sessions = 70};
}

/* The next event of a hub, at most a second from now. */
static struct ps_uds_event *next_event(int32_t of)
{
    for (double end = seconds() + 1; seconds() < end;) {
        int32_t count = ps_uds_poll(of, events, 1, data, DATA, 50);
        CHECK(count >= 0);
        if (count == 1)
            return events;
        CHECK(ps_uds_wait(of, 1000) >= 0);
    }
    bool an_event_came = false;
    CHECK(an_event_came);
    return NULL;
}

static struct ps_uds_event *expect(int32_t of, uint32_t type, int32_t status)
{
    struct ps_uds_event *event = next_event(of);
    SAME(event->type, type);
    SAME(event->status, status);
    return event;
}

static void expect_nothing(int32_t of)
{
    SAME(ps_uds_poll(of, events, 1, data, DATA, 50), 0);
}

static void open_server(const struct ps_uds_config *given)
{
    hub = ps_uds_open();
    CHECK(hub > 0);
    SAME(ps_uds_listen(hub, PATH(path), given), 0);
}

static int raw_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    strcpy(address.sun_path, path);
    CHECK(fd >= 0);
    SAME(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static struct ps_hello good_hello(void)
{
    return (struct ps_hello){.layout_version = 1,
                             .supported = 1,
                             .preferred = 1,
                             .request_bytes = 1024,
                             .request_items = 4,
                             .response_bytes = 1024,
                             .response_items = 1,
                             .auth_token = {7, 0},
                             .packet_size = 212992};
}

static void send_hello(int fd, struct ps_header header, struct ps_hello hello, size_t length)
{
    uint8_t packet[128] = {0};
    memcpy(packet, &header, sizeof header);
    memcpy(packet + sizeof header, &hello, sizeof hello);
    SAME(send(fd, packet, length, 0), length);
}

static struct ps_header hello_header(void)
{
    return ps_header_make(PS_CONTROL, PS_OP_HELLO, 0, PS_HELLO_BYTES, 0);
}

/* What the server answers: the status of its HELLO_ACK, or -1 for a connection closed silently. */
static int answer_of(int fd, struct ps_hello_ack *ack)
{
    uint8_t packet[128];
    struct ps_header header;
    ssize_t length = recv(fd, packet, sizeof packet, 0);
    if (length == 0)
        return -1;
    SAME(length, 80);
    SAME(ps_header_read(&header, packet, 80), PS_GOOD);
    SAME(header.kind, PS_CONTROL);
    SAME(header.code, PS_OP_HELLO_ACK);
    SAME(header.payload_len, 48);
    memcpy(ack, packet + 32, sizeof *ack);
    SAME(ack->layout_version, 1);
    return header.status;
}

static void refused(struct ps_header header, struct ps_hello hello, size_t length, int answer,
                    int reason)
{
    struct ps_hello_ack ack;
    int fd = raw_client();
    send_hello(fd, header, hello, length);
    struct ps_uds_event *event = expect(hub, PS_UDS_REFUSED, reason);
    SAME(event->uid, getuid());
    SAME(event->pid, getpid());
    SAME(answer_of(fd, &ack), answer);
    if (answer > 0) {
        const struct ps_hello_ack zero = {.layout_version = 1};
        SAME(memcmp(&ack, &zero, sizeof zero), 0);
        SAME(answer_of(fd, &ack), -1);
    }
    close(fd);
}

#define REFUSED_HELLO(change, answer, reason)                                                      \
    do {                                                                                           \
        struct ps_hello hello = good_hello();                                                      \
        change;                                                                                    \
        refused(hello_header(), hello, 76, answer, reason);                                        \
    } while (0)

#define REFUSED_HEADER(change, answer, reason)                                                     \
    do {                                                                                           \
        struct ps_header header = hello_header();                                                  \
        change;                                                                                    \
        refused(header, good_hello(), 76, answer, reason);                                         \
    } while (0)

static void the_server_decides_in_the_order_of_the_protocol(void)
{
    struct ps_uds_config own = config();
    open_server(&own);
    REFUSED_HEADER(header.version = 2, PS_INCOMPATIBLE, -ENOPROTOOPT);
    REFUSED_HEADER(header.magic++, -1, -EPROTO);
    REFUSED_HEADER(header.header_len = 36, -1, -EPROTO);
    REFUSED_HEADER(header.kind = PS_REQUEST, -1, -EPROTO);
    REFUSED_HEADER(header.kind = 9, -1, -EPROTO);
    REFUSED_HEADER(header.code = PS_OP_HELLO_ACK, -1, -EPROTO);
    REFUSED_HEADER((header.version = 2, header.code = 9), -1, -EPROTO);
    refused(hello_header(), good_hello(), 75, -1, -EPROTO);
    refused(hello_header(), good_hello(), 20, -1, -EPROTO);
    REFUSED_HELLO(hello.layout_version = 2, PS_INCOMPATIBLE, -ENOPROTOOPT);
    REFUSED_HELLO(hello.reserved = 1, -1, -EPROTO);
    REFUSED_HELLO((hello.supported = 2, hello.auth_token[0] = 8), PS_UNSUPPORTED, -EPROTONOSUPPORT);
    REFUSED_HELLO(hello.auth_token[1] = 1, PS_AUTH_FAILED, -EACCES);
    REFUSED_HELLO(hello.request_bytes = 300001, PS_LIMIT_EXCEEDED, -EMSGSIZE);
    REFUSED_HELLO(hello.packet_size = 32, PS_INCOMPATIBLE, -ENOPROTOOPT);
    ps_uds_free(hub);
}

static void a_good_hello_is_answered_with_the_agreed_values(void)
{
    struct ps_uds_config own = config();
    struct ps_hello_ack ack;
    own.supported = 3;
    open_server(&own);
    int fd = raw_client();
    struct ps_hello hello = good_hello();
    hello.flags = 5; /* nobody looks */
    hello.supported = hello.preferred = 3;
    send_hello(fd, hello_header(), hello, 80); /* longer than needed is fine */
    struct ps_uds_event *event = expect(hub, PS_UDS_HELLO, 0);
    SAME(event->profile, 2);
    uint32_t session = event->session;
    SAME(ps_uds_send(hub, session, data, 32), -ENOTCONN);
    SAME(ps_uds_admit(hub, session, 4, 0), -EINVAL);
    SAME(ps_uds_admit(hub, session, 3, 0), -EINVAL);
    SAME(ps_uds_admit(hub, session, 1, 0), 0); /* no region could be made */
    SAME(ps_uds_admit(hub, session, 1, 0), -ENOTCONN);
    SAME(answer_of(fd, &ack), 0);
    const struct ps_hello_ack wanted = {.layout_version = 1,
                                        .supported = 1,
                                        .intersection = 1,
                                        .selected = 1,
                                        .request_bytes = 1024,
                                        .request_items = 4,
                                        .response_bytes = 400000,
                                        .response_items = 4,
                                        .packet_size = 65536,
                                        .session_id = 1};
    SAME(memcmp(&ack, &wanted, sizeof ack), 0);
    close(fd);
    expect(hub, PS_UDS_CLOSED, 0);
    /* The embedding program may refuse too. */
    fd = raw_client();
    send_hello(fd, hello_header(), good_hello(), 76);
    SAME(ps_uds_admit(hub, expect(hub, PS_UDS_HELLO, 0)->session, 0, PS_AUTH_FAILED), 0);
    SAME(answer_of(fd, &ack), PS_AUTH_FAILED);
    SAME(answer_of(fd, &ack), -1);
    close(fd);
    /* A preference of the client alone decides nothing that both can do. */
    fd = raw_client();
    hello.preferred = 1;
    send_hello(fd, hello_header(), hello, 76);
    SAME(expect(hub, PS_UDS_HELLO, 0)->profile, 1);
    close(fd);
    expect(hub, PS_UDS_CLOSED, 0);
    fd = raw_client();
    hello.preferred = 0;
    send_hello(fd, hello_header(), hello, 76);
    SAME(expect(hub, PS_UDS_HELLO, 0)->profile, 2);
    close(fd);
    ps_uds_free(hub);
}

static void a_silent_client_blocks_nobody_and_is_dropped(void)
{
    struct ps_uds_config own = config();
    own.handshake_ms = 30;
    open_server(&own);
    int silent = raw_client();
    int fd = raw_client();
    send_hello(fd, hello_header(), good_hello(), 76);
    expect(hub, PS_UDS_HELLO, 0);
    SAME(ps_uds_close(hub, events[0].session), 0);
    double before = seconds();
    expect(hub, PS_UDS_REFUSED, -ETIMEDOUT);
    CHECK(seconds() - before < 0.5);
    close(silent);
    close(fd);
    close(raw_client()); /* a probe is nobody's concern */
    expect_nothing(hub);
    ps_uds_free(hub);
}

/* -- With our own client ----------------------------------------------------------------------- */

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

/* -- Packets against the protocol -------------------------------------------------------------- */

static int admitted(uint32_t packet_size)
{
    struct ps_hello_ack ack;
    struct ps_hello hello = good_hello();
    int fd = raw_client();
    hello.packet_size = packet_size;
    send_hello(fd, hello_header(), hello, 76);
    SAME(ps_uds_admit(hub, expect(hub, PS_UDS_HELLO, 0)->session, 1, 0), 0);
    SAME(answer_of(fd, &ack), 0);
    return fd;
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
    /* A message that stops half way. */
    own.handshake_ms = 30;
    ps_uds_free(hub);
    open_server(&own);
    fd = admitted(40);
    header = ps_header_make(PS_REQUEST, 1, 0, 20, 5);
    memcpy(packet, &header, 32);
    SAME(send(fd, packet, 40, 0), 40);
    expect(hub, PS_UDS_CLOSED, -ETIMEDOUT);
    close(fd);
    ps_uds_free(hub);
}

/* A server that is not ours: our client must see what is wrong. */
static void the_client_judges_the_answer(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ps_uds_config theirs = config();
    strcpy(address.sun_path, path);
    for (int i = 0; i < 13; i++) {
        uint8_t packet[128] = {0};
        int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        SAME(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
        SAME(listen(listener, 1), 0);
        client_hub = ps_uds_open();
        CHECK(ps_uds_connect(client_hub, PATH(path), &theirs) > 0);
        int fd = accept(listener, NULL, NULL);
        SAME(recv(fd, packet, sizeof packet, 0), 76);
        struct ps_hello hello;
        memcpy(&hello, packet + 32, sizeof hello);
        SAME(hello.packet_size, 65536);
        SAME(hello.auth_token[0], 7);
        struct ps_header header = ps_header_make(PS_CONTROL, PS_OP_HELLO_ACK, 0, 48, 0);
        struct ps_hello_ack ack = {.layout_version = 1,
                                   .supported = 1,
                                   .intersection = 1,
                                   .selected = 1,
                                   .packet_size = 4096,
                                   .reserved = 7};
        int status = -EPROTO;
        size_t length = 80;
        switch (i) {
        case 0:
            header.status = PS_AUTH_FAILED, status = -EACCES;
            break;
        case 1:
            header.status = PS_UNSUPPORTED, status = -EPROTONOSUPPORT;
            break;
        case 2:
            header.status = PS_INCOMPATIBLE, status = -ENOPROTOOPT;
            break;
        case 3:
            header.status = PS_LIMIT_EXCEEDED, status = -EMSGSIZE;
            break;
        case 4:
            header.status = 77, status = -EBADE;
            break;
        case 5:
            header.version = 2, status = -ENOPROTOOPT;
            break;
        case 6:
            header.code = PS_OP_HELLO;
            break;
        case 7:
            ack.layout_version = 2, status = -ENOPROTOOPT;
            break;
        case 8:
            ack.flags = 1;
            break;
        case 9:
            ack.packet_size = 32;
            break;
        case 10:
            ack.selected = 2;
            break;
        case 11:
            length = 79;
            break;
        case 12:
            length = 0, status = -ECONNRESET;
            break;
        }
        memcpy(packet, &header, 32);
        memcpy(packet + 32, &ack, sizeof ack);
        if (length)
            SAME(send(fd, packet, length, 0), length);
        close(fd);
        expect(client_hub, PS_UDS_CLOSED, status);
        ps_uds_free(client_hub);
        close(listener);
        unlink(path);
    }
}

/* -- Endpoints --------------------------------------------------------------------------------- */

static void a_dead_socket_is_replaced_and_a_live_one_is_not(void)
{
    struct ps_uds_config own = config();
    struct stat node;
    umask(077);
    own.mode = 0666;
    open_server(&own);
    umask(022);
    SAME(stat(path, &node), 0);
    SAME(node.st_mode & 0777, 0666);
    SAME(ps_uds_listen(hub, PATH(path), &own), -EALREADY);
    int32_t other = ps_uds_open();
    SAME(ps_uds_listen(other, PATH(path), &own), -EADDRINUSE);
    expect_nothing(hub); /* the probe left no trace */
    SAME(ps_uds_listen(other, PATH("/tmp/elsewhere.sock"), &own), -EACCES);
    char long_path[200];
    snprintf(long_path, sizeof long_path, "%s/%0120d", folder, 1);
    SAME(ps_uds_listen(other, PATH(long_path), &own), -ENAMETOOLONG);
    ps_uds_free(hub);
    SAME(stat(path, &node), -1);
    /* What stands there dead: a socket, a file, an empty folder. */
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int dead = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    SAME(bind(dead, (struct sockaddr *)&address, sizeof address), 0);
    close(dead);
    own.mode = 0;
    SAME(ps_uds_listen(other, PATH(path), &own), 0);
    SAME(stat(path, &node), 0);
    SAME(node.st_mode & 0777, 0600);
    /* A successor's socket is not removed. */
    unlink(path);
    fclose(fopen(path, "w"));
    ps_uds_free(other);
    SAME(stat(path, &node), 0);
    open_server(&own);
    ps_uds_free(hub);
    SAME(mkdir(path, 0700), 0);
    open_server(&own);
    ps_uds_free(hub);
    other = ps_uds_open();
    SAME(ps_uds_connect(other, PATH(path), &own), -ENOENT);
    ps_uds_free(other);
    SAME(ps_uds_free(other), -EBADF);
}

static void there_is_room_for_so_many_sessions(void)
{
    struct ps_uds_config own = config();
    int clients[64];
    own.max_sessions = 64;
    own.backlog = 64;
    open_server(&own);
    for (int i = 0; i < 64; i++) {
        struct ps_hello_ack ack;
        clients[i] = raw_client();
        send_hello(clients[i], hello_header(), good_hello(), 76);
        SAME(ps_uds_admit(hub, expect(hub, PS_UDS_HELLO, 0)->session, 1, 0), 0);
        SAME(answer_of(clients[i], &ack), 0);
        SAME(ack.session_id, i + 1);
    }
    close(raw_client());
    expect(hub, PS_UDS_REFUSED, -EUSERS);
    struct ps_header request = ps_header_make(PS_REQUEST, 1, 0, 0, 1);
    for (int i = 0; i < 64; i++)
        SAME(send(clients[i], &request, 32, 0), 32);
    for (int left = 64; left > 0;)
        left -= ps_uds_poll(hub, events, 64, data, DATA, 50);
    for (int i = 0; i < 64; i++)
        close(clients[i]);
    for (int left = 64; left > 0;)
        left -= ps_uds_poll(hub, events, 64, data, DATA, 50);
    int fd = admitted(4096);
    close(fd);
    ps_uds_free(hub);
}

static void a_wait_is_woken(void)
{
    hub = ps_uds_open();
    double before = seconds();
    SAME(ps_uds_wait(hub, 20), 0);
    CHECK(seconds() - before >= 0.019);
    SAME(ps_uds_wake(hub), 0);
    SAME(ps_uds_wait(hub, PS_FOREVER), 1);
    SAME(ps_uds_wait(hub, 0), 0);
    ps_uds_free(hub);
    SAME(ps_uds_wait(hub, 0), -EBADF);
    SAME(ps_uds_wake(hub), -EBADF);
}

int main(void)
{
    begin();
    path = in_folder("service.sock");
    the_server_decides_in_the_order_of_the_protocol();
    a_good_hello_is_answered_with_the_agreed_values();
    a_silent_client_blocks_nobody_and_is_dropped();
    messages_of_every_length_arrive();
    many_messages_go_in_one_call_and_come_in_one();
    a_peer_that_does_not_read_stops_the_sender_only();
    limits_hold_on_both_sides();
    packets_against_the_protocol_end_the_session();
    the_client_judges_the_answer();
    a_dead_socket_is_replaced_and_a_live_one_is_not();
    there_is_room_for_so_many_sessions();
    a_wait_is_woken();
    finish();
    return 0;
}
