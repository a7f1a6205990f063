/* Packets of peers that are not ours: what the protocol lets pass, and an answer over the limit. */
#include "uds_test.h"

static struct ps_uds_config own;
static uint8_t packet[256];
static int peer;

/* Writes a message's header, and returns the message's length. */
static uint32_t put(uint16_t kind, uint32_t length, uint64_t id)
{
    struct ps_header header = ps_header_make(kind, 1, 0, length, id);
    memcpy(packet, &header, sizeof header);
    return 32 + length;
}

static void send_chunk(uint32_t index, uint32_t length)
{
    const struct ps_chunk chunk = {PS_MAGIC_CHUNK, PS_VERSION, 0, 5, 52, index, 3, length};
    memcpy(packet, &chunk, sizeof chunk);
    SAME(send(peer, packet, 32 + length, 0), 32 + length);
}

static void close_server(void)
{
    close(peer);
    SAME(ps_uds_free(hub), 0);
}

static void send_batch(uint32_t items, const uint32_t directory[4])
{
    struct ps_header header = ps_header_make(PS_REQUEST, 1, 0, 32, 1);
    header.flags = PS_FLAG_BATCH;
    header.item_count = items;
    memcpy(packet, &header, sizeof header);
    memcpy(packet + 32, directory, 16);
    SAME(send(peer, packet, 64, 0), 64);
    SAME(expect(hub, PS_UDS_MESSAGE, 0)->length, 64);
}

static void only_what_leaves_a_batch_is_refused(void)
{
    open_server(&own);
    peer = admitted(4096);
    send_batch(2, (const uint32_t[]){0, 8, 8, 8});
    send_batch(2, (const uint32_t[]){8, 8, 0, 16}); /* in any order, and one over the other */
    send_batch(1, (const uint32_t[]){1, 99, 0, 0}); /* of one it is not looked at */
    close_server();
}

static void what_nobody_checks_passes(void)
{
    open_server(&own);
    peer = admitted(4096);
    struct ps_header header = ps_header_make(PS_REQUEST, 0xffff, PS_INTERNAL_ERROR, 8, 1);
    header.flags = 0xfffe;
    header.item_count = 0;
    memcpy(packet, &header, sizeof header);
    SAME(send(peer, packet, 40, 0), 40);
    SAME(expect(hub, PS_UDS_MESSAGE, 0)->length, 40);
    SAME(memcmp(data, packet, 40), 0);
    close_server();
}

/* The number of packets follows from the bytes that the first one brought. */
static void the_first_packet_may_be_shorter_than_agreed(void)
{
    open_server(&own);
    peer = admitted(40);
    put(PS_REQUEST, 20, 5);
    SAME(send(peer, packet, 36, 0), 36);
    send_chunk(1, 8);
    send_chunk(2, 8);
    SAME(expect(hub, PS_UDS_MESSAGE, 0)->length, 52);
    close_server();
}

/* A server that is not ours answers with more than it said it would. */
static void an_answer_over_the_limit_ends_the_session(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct ps_hello_ack ack = {.layout_version = 1,
                                     .supported = 1,
                                     .intersection = 1,
                                     .selected = 1,
                                     .request_bytes = 8,
                                     .request_items = 1,
                                     .response_bytes = 8,
                                     .response_items = 1,
                                     .packet_size = 4096};
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    SAME(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    SAME(listen(listener, 1), 0);
    for (int items = 0; items < 2; items++) {
        hub = ps_uds_open();
        uint32_t client = (uint32_t)ps_uds_connect(hub, PATH(path), &own);
        peer = accept(listener, NULL, NULL);
        struct ps_header header = ps_header_make(PS_CONTROL, PS_OP_HELLO_ACK, 0, PS_ACK_BYTES, 0);
        memcpy(packet, &header, sizeof header);
        memcpy(packet + 32, &ack, sizeof ack);
        SAME(send(peer, packet, 80, 0), 80);
        expect(hub, PS_UDS_READY, 0);
        SAME(ps_uds_send(hub, client, packet, put(PS_REQUEST, 8, 1)), 40);
        header = ps_header_make(PS_RESPONSE, 1, 0, items ? 8 : 9, 1);
        header.item_count = items ? 2 : 1;
        memcpy(packet, &header, sizeof header);
        SAME(send(peer, packet, 32u + header.payload_len, 0), 32 + header.payload_len);
        expect(hub, PS_UDS_CLOSED, -EMSGSIZE);
        SAME(recv(peer, packet, sizeof packet, 0),
             76); /* HELLO and the request, and nothing else */
        SAME(recv(peer, packet, sizeof packet, 0), 40);
        SAME(recv(peer, packet, sizeof packet, 0), 0);
        close_server();
    }
    close(listener);
    unlink(path);
}

int main(void)
{
    begin();
    path = in_folder("service.sock");
    own = config();
    only_what_leaves_a_batch_is_refused();
    what_nobody_checks_passes();
    the_first_packet_may_be_shorter_than_agreed();
    an_answer_over_the_limit_ends_the_session();
    finish();
    return 0;
}
