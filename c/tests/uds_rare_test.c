/* Sessions of the socket half under rare circumstances: pauses and delays inside a message, full
 * tables and buffers, a peer that never ends. */
#include <sys/resource.h>

#include "faults.h"
#include "uds_test.h"

#define PS_UDS_SLOTS 1024u

static struct ps_uds_config own;
static uint8_t packet[65536];
static int peer;
static uint32_t session;

/* Writes a message's header, and returns the message's length. */
static uint32_t put(uint16_t kind, uint32_t length, uint64_t id)
{
    struct ps_header header = ps_header_make(kind, 1, 0, length, id);
    memcpy(packet, &header, sizeof header);
    return 32 + length;
}

/* The first packet of a message of 20 bytes, of which packets of 40 hold 8. */
static void send_first(void)
{
    put(PS_REQUEST, 20, 5);
    SAME(send(peer, packet, 40, 0), 40);
}

static void send_chunk(uint32_t index, uint32_t length)
{
    const struct ps_chunk chunk = {PS_MAGIC_CHUNK, PS_VERSION, 0, 5, 52, index, 3, length};
    memcpy(packet, &chunk, sizeof chunk);
    SAME(send(peer, packet, 32 + length, 0), 32 + length);
}

static void send_rest(void)
{
    send_chunk(1, 8);
    send_chunk(2, 4);
}

static void open_with_peer(void)
{
    own.handshake_ms = 60000;
    open_server(&own);
    peer = admitted(40);
    session = events[0].session;
}

static void close_server(void)
{
    close(peer);
    SAME(ps_uds_free(hub), 0);
    own = config();
    passed_seconds = 0;
    check_done();
}

/* -- Deadlines --------------------------------------------------------------------------------- */

static void a_silent_client_blocks_nobody_and_is_dropped(void)
{
    own.handshake_ms = 60000;
    open_server(&own);
    int silent = raw_client();
    peer = admitted(4096);
    expect_nothing(hub);
    passed_seconds = 61;
    expect(hub, PS_UDS_REFUSED, -ETIMEDOUT);
    close(silent);
    silent = raw_client();
    send_hello(silent, hello_header(), good_hello(), 76);
    expect(hub, PS_UDS_HELLO, 0);
    passed_seconds += 61; /* nobody decides about it in time */
    expect(hub, PS_UDS_CLOSED, -ETIMEDOUT);
    close(silent);
    close(raw_client()); /* a probe is nobody's concern */
    expect_nothing(hub);
    close_server();
}

static void what_was_not_read_is_not_late(void)
{
    open_with_peer();
    send_first();
    expect_nothing(hub);
    SAME(ps_uds_pause(hub, session, 1), 0);
    passed_seconds = 61;
    expect_nothing(hub); /* it is us who do not read */
    SAME(ps_uds_pause(hub, session, 0), 0);
    send_rest();
    SAME(expect(hub, PS_UDS_MESSAGE, 0)->length, 52);
    close_server();
}

static void what_came_in_time_may_be_looked_at_late(void)
{
    open_with_peer();
    send_first();
    expect_nothing(hub);
    send_rest();
    passed_seconds = 61;
    SAME(expect(hub, PS_UDS_MESSAGE, 0)->length, 52);
    send_first();
    expect_nothing(hub);
    send_chunk(1, 8);
    passed_seconds += 61; /* a part of the rest is not the rest */
    expect(hub, PS_UDS_CLOSED, -ETIMEDOUT);
    close_server();
}

static void the_deadline_that_ends_first_ends_first(void)
{
    open_with_peer(); /* which has none any more */
    int32_t client_hub = ps_uds_open();
    CHECK(ps_uds_connect(client_hub, PATH(path), &own) > 0);
    own.handshake_ms = 30000;
    CHECK(ps_uds_connect(client_hub, PATH(path), &own) > 0);
    expect(hub, PS_UDS_HELLO, 0);
    expect(hub, PS_UDS_HELLO, 0);
    passed_seconds = 31;
    expect(client_hub, PS_UDS_CLOSED, -ETIMEDOUT);
    SAME(ps_uds_wait(client_hub, 1), 0); /* the other has time left */
    expect_nothing(client_hub);
    passed_seconds = 61;
    SAME(ps_uds_wait(client_hub, PS_FOREVER), 0); /* and no wait is longer than that */
    expect(client_hub, PS_UDS_CLOSED, -ETIMEDOUT);
    SAME(ps_uds_free(client_hub), 0);
    close_server();
}

static void sessions_that_end_together_are_told_one_by_one(void)
{
    open_with_peer();
    int silent[2] = {raw_client(), raw_client()};
    expect_nothing(hub);
    passed_seconds = 61;
    for (int i = 0; i < 2; i++) {
        SAME(ps_uds_poll(hub, events, 1, data, DATA, 0), 1);
        SAME(events[0].type, PS_UDS_REFUSED);
        SAME(events[0].status, -ETIMEDOUT);
        close(silent[i]);
    }
    expect_nothing(hub);
    close_server();
}

static void a_listener_that_rests_keeps_no_session_from_ending(void)
{
    open_with_peer();
    int first = raw_client();
    expect_nothing(hub);
    int second = raw_client();
    passed_seconds = 61;
    fail(ACCEPT, 0, EMFILE);
    SAME(ps_uds_poll(hub, events, 2, data, DATA, 0), 2);
    SAME(events[0].status, -EMFILE);
    SAME(events[1].status, -ETIMEDOUT); /* of the first */
    close(first);
    send_hello(second, hello_header(), good_hello(), 76);
    expect(hub, PS_UDS_HELLO, 0); /* it was accepted in the end */
    close(second);
    close_server();
}

/* -- Room -------------------------------------------------------------------------------------- */

static void there_are_so_many_sessions(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    own.max_sessions = PS_UDS_SLOTS;
    own.handshake_ms = 60000;
    open_server(&own);
    for (uint32_t i = 0; i < PS_UDS_SLOTS / 2; i++) { /* both ends are sessions of this hub */
        CHECK(ps_uds_connect(hub, PATH(path), &own) > 0);
        expect(hub, PS_UDS_HELLO, 0);
    }
    SAME(ps_uds_connect(hub, PATH(path), &own), -EUSERS);
    expect(hub, PS_UDS_REFUSED, -EUSERS); /* that client, and */
    peer = raw_client();
    expect(hub, PS_UDS_REFUSED, -EUSERS);
    close_server();
}

static void a_number_is_not_given_twice(void)
{
    open_with_peer();
    uint32_t old = session;
    SAME(ps_uds_close(hub, old), 0);
    close(peer);
    peer = admitted(40);
    SAME(ps_uds_close(hub, old), -ENOTCONN);
    SAME(ps_uds_close(hub, events[0].session), 0);
    close_server();
}

static void the_data_may_be_filled_to_its_last_byte(void)
{
    struct ps_uds_event two[2];
    open_server(&own);
    int32_t client_hub = ps_uds_open();
    uint32_t clients[2];
    for (int i = 0; i < 2; i++) {
        clients[i] = (uint32_t)ps_uds_connect(client_hub, PATH(path), &own);
        SAME(ps_uds_admit(hub, expect(hub, PS_UDS_HELLO, 0)->session, 1, 0), 0);
        expect(client_hub, PS_UDS_READY, 0);
    }
    put(PS_REQUEST, 65504, 1);
    for (int i = 0; i < 2; i++)
        SAME(ps_uds_send(client_hub, clients[i], packet, 65536), 65536);
    for (int i = 0; i < 2; i++) { /* the other one stays where it is */
        SAME(ps_uds_poll(hub, two, 2, data, PS_UDS_MIN_DATA, 0), 1);
        SAME(two[0].length, 65536);
    }
    SAME(ps_uds_free(client_hub), 0);
    peer = -1;
    close_server();
}

static void a_burst_leaves_room_for_others(void)
{
    struct ps_uds_event many[100];
    own.request_items = 16;
    open_server(&own);
    peer = admitted(4096);
    for (uint64_t i = 0; i < 70; i++) {
        put(PS_REQUEST, 8, i);
        SAME(send(peer, packet, 40, 0), 40);
    }
    SAME(ps_uds_poll(hub, many, 100, data, DATA, 0), 1);
    SAME(ps_uds_poll(hub, many, 100, data, DATA, 0), 64);
    SAME(ps_uds_poll(hub, many, 100, data, DATA, 0), 5);
    close_server();
}

static void send_many(int count)
{
    while (count-- > 0)
        SAME(send(peer, packet, put(PS_REQUEST, 8, 1), 0), 40);
}

/* Whose messages fill the events at every poll is not always the first one to be read. */
static void a_client_that_never_pauses_does_not_keep_the_others_from_being_read(void)
{
    struct ps_uds_event many[64];
    open_server(&own);
    peer = admitted(4096);
    int busy = peer, modest = admitted(4096);
    uint32_t wanted = events[0].session;
    send_many(70);
    SAME(ps_uds_poll(hub, many, 64, data, DATA, 0), 1);
    peer = modest;
    send_many(1);
    peer = busy;
    bool heard = false;
    for (int turn = 0; turn < 2; turn++) {
        int32_t count = ps_uds_poll(hub, many, 64, data, DATA, 0);
        for (int32_t i = 0; i < count; i++)
            heard = heard || many[i].session == wanted;
        send_many(count);
    }
    CHECK(heard);
    close(modest);
    close_server();
}

static void send_plain(void)
{
    put(PS_REQUEST, 8, 1);
    SAME(send(peer, packet, 40, 0), 40);
}

static void a_message_may_come_while_it_is_looked_for(void)
{
    open_with_peer();
    meanwhile(EPOLL_WAIT, 1, send_plain);
    SAME(ps_uds_poll(hub, events, 1, data, DATA, 50), 1);
    SAME(events[0].type, PS_UDS_MESSAGE);
    close_server();
}

static void what_has_no_place_among_the_events_comes_next(void)
{
    static uint8_t large[60032];
    open_server(&own);
    int32_t client_hub = ps_uds_open();
    uint32_t client = (uint32_t)ps_uds_connect(client_hub, PATH(path), &own);
    session = expect(hub, PS_UDS_HELLO, 0)->session;
    SAME(ps_uds_admit(hub, session, 1, 0), 0);
    expect(client_hub, PS_UDS_READY, 0);
    uint64_t id = 0;
    int32_t sent;
    do {
        struct ps_header header = ps_header_make(PS_REQUEST, 1, 0, 60000, ++id);
        memcpy(large, &header, sizeof header);
        sent = ps_uds_send(client_hub, client, large, sizeof large);
    } while (sent > 0);
    SAME(ps_uds_send(client_hub, client, large, sizeof large), 0); /* full is full */
    while (ps_uds_poll(hub, events, 1, data, DATA, 0) == 1)
        SAME(events[0].type, PS_UDS_MESSAGE);
    uint32_t length = put(PS_RESPONSE, 8, 1);
    SAME(ps_uds_send(hub, session, packet, length), length);
    SAME(ps_uds_poll(client_hub, events, 1, data, DATA, 0), 1);
    SAME(events[0].type, PS_UDS_WRITABLE);
    SAME(ps_uds_poll(client_hub, events, 1, data, DATA, 0), 1);
    SAME(events[0].type, PS_UDS_MESSAGE);
    SAME(ps_uds_free(client_hub), 0);
    peer = -1;
    close_server();
}

/* -- Peers ------------------------------------------------------------------------------------- */

static void a_peer_may_go_in_the_middle_of_a_message(void)
{
    open_with_peer();
    send_first();
    expect_nothing(hub);
    close(peer);
    expect(hub, PS_UDS_CLOSED, -ECONNRESET);
    peer = -1;
    close_server();
}

static int drained;

static void send_for_ever(void)
{
    drained++;
    meanwhile(RECV, 0, send_for_ever);
    SAME(send(peer, "more", 4, 0), 4);
}

static void a_peer_that_sends_for_ever_does_not_keep_a_session_from_ending(void)
{
    open_with_peer();
    meanwhile(RECV, 0, send_for_ever);
    SAME(ps_uds_close(hub, session), 0);
    SAME(drained, 4096);
    faults[RECV].times = 0;
    close_server();
}

int main(void)
{
    begin();
    path = in_folder("service.sock");
    own = config();
    a_silent_client_blocks_nobody_and_is_dropped();
    what_was_not_read_is_not_late();
    what_came_in_time_may_be_looked_at_late();
    the_deadline_that_ends_first_ends_first();
    sessions_that_end_together_are_told_one_by_one();
    a_listener_that_rests_keeps_no_session_from_ending();
    there_are_so_many_sessions();
    a_number_is_not_given_twice();
    the_data_may_be_filled_to_its_last_byte();
    a_burst_leaves_room_for_others();
    a_client_that_never_pauses_does_not_keep_the_others_from_being_read();
    a_message_may_come_while_it_is_looked_for();
    what_has_no_place_among_the_events_comes_next();
    a_peer_may_go_in_the_middle_of_a_message();
    a_peer_that_sends_for_ever_does_not_keep_a_session_from_ending();
    finish();
    return 0;
}
