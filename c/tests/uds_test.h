/* What the tests of the socket half share: a server of ours, raw packets, a client of ours. */
#ifndef UDS_TEST_H
#define UDS_TEST_H

#include "../include/ps_netipc.h"
#include "../include/ps_uds.h"
#include "ipc_test.h"

#define DATA (1u << 20)
static uint8_t data[DATA];
static struct ps_uds_event events[64];
static int32_t hub;
static const char *path;

static inline struct ps_uds_config config(void)
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
static inline struct ps_uds_event *next_event(int32_t of)
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

static inline struct ps_uds_event *expect(int32_t of, uint32_t type, int32_t status)
{
    struct ps_uds_event *event = next_event(of);
    SAME(event->type, type);
    SAME(event->status, status);
    return event;
}

static inline void expect_nothing(int32_t of)
{
    SAME(ps_uds_poll(of, events, 1, data, DATA, 50), 0);
}

static inline void open_server(const struct ps_uds_config *given)
{
    hub = ps_uds_open();
    CHECK(hub > 0);
    SAME(ps_uds_listen(hub, PATH(path), given), 0);
}

static inline int raw_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    strcpy(address.sun_path, path);
    CHECK(fd >= 0);
    SAME(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static inline struct ps_hello good_hello(void)
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

static inline void send_hello(int fd, struct ps_header header, struct ps_hello hello, size_t length)
{
    uint8_t packet[128] = {0};
    memcpy(packet, &header, sizeof header);
    memcpy(packet + sizeof header, &hello, sizeof hello);
    SAME(send(fd, packet, length, 0), length);
}

static inline struct ps_header hello_header(void)
{
    return ps_header_make(PS_CONTROL, PS_OP_HELLO, 0, PS_HELLO_BYTES, 0);
}

/* What the server answers: the status of its HELLO_ACK, or -1 for a connection closed silently. */
static inline int answer_of(int fd, struct ps_hello_ack *ack)
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

static inline int admitted(uint32_t packet_size)
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

#endif
