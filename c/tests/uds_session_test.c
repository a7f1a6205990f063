/* Sessions of the socket half in less common situations: pauses, new limits, no room, a socket that
 * only lives or dies. */
#include "uds_test.h"

static int32_t client_hub;
static uint32_t client, server;
static struct ps_uds_config own;

static void open_pair(uint32_t profiles)
{
    own.supported = profiles;
    open_server(&own);
    client_hub = ps_uds_open();
    client = (uint32_t)ps_uds_connect(client_hub, PATH(path), &own);
    server = expect(hub, PS_UDS_HELLO, 0)->session;
    SAME(ps_uds_admit(hub, server, events[0].profile, 0), 0);
    expect(client_hub, PS_UDS_READY, 0);
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
    return (32 + length + 7) & ~7u;
}

static void a_paused_session_is_not_read(void)
{
    static uint8_t out[64];
    open_pair(1);
    SAME(ps_uds_pause(hub, server, 1), 0);
    SAME(ps_uds_pause(hub, 12345, 1), -ENOTCONN);
    uint32_t length = put(out, PS_REQUEST, 8, 1);
    SAME(ps_uds_send(client_hub, client, out, length), length);
    expect_nothing(hub);
    SAME(ps_uds_pause(hub, server, 0), 0);
    expect(hub, PS_UDS_MESSAGE, 0);
    put(out, PS_RESPONSE, 8, 1);
    SAME(ps_uds_exchange(hub, server, out, length, events, 1, data, DATA, 0), 0);
    expect(client_hub, PS_UDS_MESSAGE, 0);
    SAME(ps_uds_send(client_hub, client, out, 0), 0);
    SAME(ps_uds_send(client_hub, client, out, 0x80000000u), -EINVAL);
    close_pair();
}

static void new_limits_are_for_the_next_handshake(void)
{
    open_pair(1);
    SAME(ps_uds_set_limits(hub, 300000, 500000), 0);
    CHECK(ps_uds_connect(client_hub, PATH(path), &own) > 0);
    SAME(expect(hub, PS_UDS_HELLO, 0)->response_bytes, 500000);
    close_pair();
}

static void a_message_waits_until_it_has_room(void)
{
    static uint8_t out[150000];
    own.packet_size = 65536;
    open_pair(1);
    uint32_t length = put(out, PS_REQUEST, 100000, 1);
    SAME(ps_uds_send(client_hub, client, out, length), length);
    length = put(out, PS_REQUEST, 8, 2);
    SAME(ps_uds_send(client_hub, client, out, length), length);
    /* Too small for ever: the session ends instead of standing still. */
    struct ps_uds_event event;
    SAME(ps_uds_poll(hub, &event, 1, data, PS_UDS_MIN_DATA, 50), 1);
    SAME(event.type, PS_UDS_CLOSED);
    SAME(event.status, -EMSGSIZE);
    close_pair();
    /* Too small for two at a time: the second one comes with the next poll. */
    open_pair(1);
    int32_t second = ps_uds_connect(client_hub, PATH(path), &own);
    uint32_t other = expect(hub, PS_UDS_HELLO, 0)->session;
    SAME(ps_uds_admit(hub, other, 1, 0), 0);
    expect(client_hub, PS_UDS_READY, 0);
    for (int i = 0; i < 2; i++) {
        uint32_t session = i ? (uint32_t)second : client;
        length = put(out, PS_REQUEST, 100000, 3);
        SAME(ps_uds_send(client_hub, session, out, length), length);
    }
    int32_t first = 0;
    while (first == 0)
        first = ps_uds_poll(hub, events, 8, data, 170000, 50);
    SAME(first, 1);
    SAME(events[0].length, 100032);
    while ((first = ps_uds_poll(hub, events, 8, data, 170000, 50)) == 0)
        ;
    SAME(events[0].length, 100032);
    close_pair();
    own.packet_size = 0;
}

static void a_batch_in_chunks_is_checked_as_well(void)
{
    static uint8_t out[2048];
    own.packet_size = 512;
    open_pair(1);
    struct ps_header header = ps_header_make(PS_REQUEST, 1, 0, 1024, 1);
    const uint32_t directory[4] = {0, 8, 4, 8};
    header.flags = PS_FLAG_BATCH;
    header.item_count = 2;
    memcpy(out, &header, sizeof header);
    memcpy(out + 32, directory, sizeof directory);
    SAME(ps_uds_send(client_hub, client, out, 1056), 1056);
    expect(hub, PS_UDS_CLOSED, -EPROTO);
    close_pair();
    own.packet_size = 0;
}

static void an_answer_that_was_not_asked_for_ends_the_session(void)
{
    static uint8_t out[64];
    open_pair(1);
    uint32_t length = put(out, PS_RESPONSE, 8, 99);
    SAME(ps_uds_send(hub, server, out, length), length);
    expect(client_hub, PS_UDS_CLOSED, -EPROTO);
    expect(hub, PS_UDS_CLOSED, 0);
    close_pair();
}

static void beside_shared_memory_the_socket_only_lives_or_dies(void)
{
    struct ps_hello_ack ack;
    struct ps_hello hello = good_hello();
    own.supported = 3;
    open_server(&own);
    hello.supported = hello.preferred = 2;
    for (int talks = 0; talks < 2; talks++) {
        int fd = raw_client();
        send_hello(fd, hello_header(), hello, 76);
        struct ps_uds_event *event = expect(hub, PS_UDS_HELLO, 0);
        SAME(ps_uds_admit(hub, event->session, 2, 0), 0);
        SAME(answer_of(fd, &ack), 0);
        SAME(ps_uds_send(hub, event->session, data, 40), -ENOTCONN);
        expect_nothing(hub);
        if (talks)
            SAME(send(fd, "talk", 4, 0), 4);
        else
            close(fd);
        expect(hub, PS_UDS_CLOSED, talks ? -EPROTO : 0);
        if (talks)
            close(fd);
    }
    ps_uds_free(hub);
}

static void a_client_that_hangs_up_before_it_is_admitted_is_gone(void)
{
    open_server(&own);
    int fd = raw_client();
    send_hello(fd, hello_header(), good_hello(), 76);
    uint32_t session = expect(hub, PS_UDS_HELLO, 0)->session;
    close(fd);
    expect(hub, PS_UDS_CLOSED, 0);
    SAME(ps_uds_admit(hub, session, 1, 0), -ENOTCONN);
    ps_uds_free(hub);
    own = config();
}

int main(void)
{
    begin();
    path = in_folder("service.sock");
    own = config();
    a_paused_session_is_not_read();
    new_limits_are_for_the_next_handshake();
    a_message_waits_until_it_has_room();
    a_batch_in_chunks_is_checked_as_well();
    an_answer_that_was_not_asked_for_ends_the_session();
    beside_shared_memory_the_socket_only_lives_or_dies();
    a_client_that_hangs_up_before_it_is_admitted_is_gone();
    finish();
    return 0;
}
