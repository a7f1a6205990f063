/* A netipc peer's own words: written from the protocol's description alone, with nothing of the
 * library, so that both can be wrong in different ways only. Blocking, one session a thread. */
#ifndef PEER_WIRE_H
#define PEER_WIRE_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TOKEN 0xDEADBEEFCAFEBABEull
enum { REQUEST = 1, RESPONSE = 2, CONTROL = 3 };
enum { INCREMENT = 1, SNAPSHOT = 2, REVERSE = 3, CGROUPS = 4, APPS = 5 };

#define DIE(...)                                                                                   \
    do {                                                                                           \
        fprintf(stderr, __VA_ARGS__);                                                              \
        fputc('\n', stderr);                                                                       \
        exit(1);                                                                                   \
    } while (0)

static inline void put16(uint8_t *at, uint16_t value)
{
    memcpy(at, &value, 2);
}

static inline void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, 4);
}

static inline void put64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, 8);
}

static inline uint16_t get16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, 2);
    return value;
}

static inline uint32_t get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, 4);
    return value;
}

static inline uint64_t get64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}

static inline uint32_t align8(uint32_t value)
{
    return (value + 7) / 8 * 8;
}

struct message {
    uint16_t kind, flags, code, status;
    uint32_t payload_len, item_count;
    uint64_t id;
    uint8_t *payload; /* of the buffer that was given */
};

static inline void put_header(uint8_t *at, const struct message *message)
{
    put32(at, 0x4e495043);
    put16(at + 4, 1);
    put16(at + 6, 32);
    put16(at + 8, message->kind);
    put16(at + 10, message->flags);
    put16(at + 12, message->code);
    put16(at + 14, message->status);
    put32(at + 16, message->payload_len);
    put32(at + 20, message->item_count);
    put64(at + 24, message->id);
}

/* 1: a good header. */
static inline int get_header(const uint8_t *at, size_t length, struct message *message)
{
    if (length < 32 || get32(at) != 0x4e495043 || get16(at + 4) != 1 || get16(at + 6) != 32 ||
        get16(at + 8) < 1 || get16(at + 8) > 3)
        return 0;
    message->kind = get16(at + 8);
    message->flags = get16(at + 10);
    message->code = get16(at + 12);
    message->status = get16(at + 14);
    message->payload_len = get32(at + 16);
    message->item_count = get32(at + 20);
    message->id = get64(at + 24);
    return 1;
}

/* What the handshake agreed on. */
struct session {
    int fd;
    uint32_t profile, packet, max_request, max_items, max_response;
    uint64_t id;
    struct region *region; /* with shared memory */
};

/* -- Packets ----------------------------------------------------------------------------------- */

/* 1: sent. The payload stands behind room for the header: `buffer` + 32. */
static inline int send_packets(const struct session *session, uint8_t *buffer,
                               const struct message *message)
{
    uint32_t total = 32 + message->payload_len, each = session->packet - 32;
    put_header(buffer, message);
    if (total <= session->packet)
        return send(session->fd, buffer, total, MSG_NOSIGNAL) == (ssize_t)total;
    if (send(session->fd, buffer, session->packet, MSG_NOSIGNAL) != (ssize_t)session->packet)
        return 0;
    uint32_t count = 1 + (message->payload_len - each + each - 1) / each;
    uint8_t *packet = malloc(session->packet);
    uint32_t sent = each;
    for (uint32_t i = 1; sent < message->payload_len; i++) {
        uint32_t length = message->payload_len - sent < each ? message->payload_len - sent : each;
        put32(packet, 0x4e43484b);
        put16(packet + 4, 1);
        put16(packet + 6, 0);
        put64(packet + 8, message->id);
        put32(packet + 16, total);
        put32(packet + 20, i);
        put32(packet + 24, count);
        put32(packet + 28, length);
        memcpy(packet + 32, buffer + 32 + sent, length);
        if (send(session->fd, packet, 32 + length, MSG_NOSIGNAL) != (ssize_t)(32 + length))
            break;
        sent += length;
    }
    free(packet);
    return sent == message->payload_len;
}

/* 1: a message, 0: the connection ended; ends the program on a violation. */
static inline int receive_packets(const struct session *session, uint8_t *buffer, uint32_t size,
                                  struct message *message)
{
    ssize_t length = recv(session->fd, buffer, size, 0);
    if (length <= 0)
        return 0;
    if (!get_header(buffer, (size_t)length, message))
        DIE("a packet without header");
    message->payload = buffer + 32;
    if ((uint64_t)message->payload_len + 32 > size || message->payload_len + 32 < length)
        DIE("a message of %u bytes in a packet of %zd", message->payload_len, length);
    uint32_t have = (uint32_t)length - 32, each = session->packet - 32, first = have;
    uint8_t *packet = malloc(session->packet);
    for (uint32_t i = 1; have < message->payload_len; i++) {
        length = recv(session->fd, packet, session->packet, 0);
        if (length <= 32 || get32(packet) != 0x4e43484b || get16(packet + 4) != 1 ||
            get16(packet + 6) != 0 || get64(packet + 8) != message->id ||
            get32(packet + 16) != 32 + message->payload_len || get32(packet + 20) != i ||
            get32(packet + 24) != 1 + (message->payload_len - first + each - 1) / each ||
            get32(packet + 28) != (uint32_t)length - 32 ||
            have + (uint32_t)length - 32 > message->payload_len)
            DIE("a wrong continuation");
        memcpy(buffer + 32 + have, packet + 32, (size_t)length - 32);
        have += (uint32_t)length - 32;
    }
    free(packet);
    return 1;
}

/* -- Handshake --------------------------------------------------------------------------------- */

static inline struct sockaddr_un address_of(const char *run_dir, const char *service)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s.sock", run_dir, service);
    return address;
}

struct offer {
    uint32_t profiles, max_request, max_items, max_response, packet;
    uint64_t token;
};

/* The status of the answer; 0 and a session when it is good; -1 when there is none. */
static inline int say_hello(int fd, const struct offer *offer, struct session *session)
{
    uint8_t packet[128] = {0};
    struct message message = {.kind = CONTROL, .code = 1, .payload_len = 44, .item_count = 1};
    put_header(packet, &message);
    put16(packet + 32, 1);
    put32(packet + 36, offer->profiles);
    put32(packet + 40, offer->profiles);
    put32(packet + 44, offer->max_request);
    put32(packet + 48, offer->max_items);
    put32(packet + 52, offer->max_response);
    put32(packet + 56, 1);
    put64(packet + 64, offer->token);
    put32(packet + 72, offer->packet);
    if (send(fd, packet, 76, MSG_NOSIGNAL) != 76)
        return -1;
    ssize_t length = recv(fd, packet, sizeof packet, 0);
    if (length <= 0)
        return -1;
    if (length != 80 || !get_header(packet, 80, &message) || message.kind != CONTROL ||
        message.code != 2 || message.payload_len != 48 || message.item_count != 1 || message.id ||
        message.flags || get16(packet + 32) != 1 || get16(packet + 34) != 0)
        DIE("a wrong HELLO_ACK");
    if (message.status == 0)
        *session = (struct session){.fd = fd,
                                    .profile = get32(packet + 44),
                                    .max_request = get32(packet + 48),
                                    .max_items = get32(packet + 52),
                                    .max_response = get32(packet + 56),
                                    .packet = get32(packet + 64),
                                    .id = get64(packet + 72)};
    return message.status;
}

/* 1: a session. */
static inline int answer_hello(int fd, const struct offer *own, struct session *session)
{
    uint8_t packet[128] = {0};
    struct message message;
    ssize_t length = recv(fd, packet, sizeof packet, 0);
    if (length < 76 || !get_header(packet, (size_t)length, &message) || message.kind != CONTROL ||
        message.code != 1 || get16(packet + 32) != 1 || get32(packet + 60) != 0)
        return 0;
    uint32_t profiles = get32(packet + 36) & own->profiles;
    uint32_t preferred = profiles & get32(packet + 40);
    if (preferred == 0)
        preferred = profiles;
    uint32_t client_packet = get32(packet + 72);
    *session = (struct session){.fd = fd,
                                .profile = preferred & 2 ? 2 : 1,
                                .max_request = get32(packet + 44),
                                .max_items = get32(packet + 48),
                                .max_response = own->max_response,
                                .packet = client_packet < own->packet ? client_packet : own->packet,
                                .id = session->id};
    uint16_t status = profiles == 0                             ? 4
                      : get64(packet + 64) != own->token        ? 2
                      : session->max_request > own->max_request ? 5
                      : session->packet <= 32                   ? 3
                                                                : 0;
    memset(packet, 0, sizeof packet);
    message = (struct message){
        .kind = CONTROL, .code = 2, .status = status, .payload_len = 48, .item_count = 1};
    put_header(packet, &message);
    put16(packet + 32, 1);
    if (status == 0) {
        put32(packet + 36, own->profiles);
        put32(packet + 40, profiles);
        put32(packet + 44, session->profile);
        put32(packet + 48, session->max_request);
        put32(packet + 52, session->max_items);
        put32(packet + 56, session->max_response);
        put32(packet + 60, session->max_items);
        put32(packet + 64, session->packet);
        put64(packet + 72, session->id);
    }
    return send(fd, packet, 80, MSG_NOSIGNAL) == 80 && status == 0;
}

#endif
