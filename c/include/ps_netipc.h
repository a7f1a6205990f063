/* netipc on the wire: numbers and layouts that the socket and the shared-memory halves share.
 *
 * All integers are in host byte order; the protocol has no byte-order mark. */
#ifndef PS_NETIPC_H
#define PS_NETIPC_H

#include <stdint.h>
#include <string.h>

#define PS_MAGIC_MESSAGE 0x4e495043u
#define PS_MAGIC_CHUNK 0x4e43484bu
#define PS_VERSION 1
#define PS_HEADER_BYTES 32u
#define PS_HELLO_BYTES 44u
#define PS_ACK_BYTES 48u

enum { PS_REQUEST = 1, PS_RESPONSE = 2, PS_CONTROL = 3 };
enum { PS_OP_HELLO = 1, PS_OP_HELLO_ACK = 2 };
enum { PS_FLAG_BATCH = 1 };
enum { PS_PROFILE_UDS = 1, PS_PROFILE_SHM = 2, PS_PROFILE_SHM_FUTEX = 4, PS_PROFILES_SHM = 6 };

/* transport_status of the outer header */
enum { PS_OK, PS_BAD_ENVELOPE, PS_AUTH_FAILED, PS_INCOMPATIBLE, PS_UNSUPPORTED, PS_LIMIT_EXCEEDED };
enum { PS_INTERNAL_ERROR = 6 };

struct ps_header {
    uint32_t magic;
    uint16_t version, header_len, kind, flags, code, status;
    uint32_t payload_len, item_count;
    uint64_t message_id;
};

/* Before each packet of a message but the first. */
struct ps_chunk {
    uint32_t magic;
    uint16_t version, flags;
    uint64_t message_id;
    uint32_t total_len, index, count, payload_len;
};

struct ps_hello {
    uint16_t layout_version, flags;
    uint32_t supported, preferred;
    uint32_t request_bytes, request_items, response_bytes, response_items;
    uint32_t reserved;
    uint32_t auth_token[2]; /* a 64-bit member would make the compiler pad the struct to 48 */
    uint32_t packet_size;
};

struct ps_hello_ack {
    uint16_t layout_version, flags;
    uint32_t supported, intersection, selected;
    uint32_t request_bytes, request_items, response_bytes, response_items;
    uint32_t packet_size, reserved;
    uint64_t session_id;
};

_Static_assert(sizeof(struct ps_header) == PS_HEADER_BYTES, "outer header is 32 bytes");
_Static_assert(sizeof(struct ps_chunk) == PS_HEADER_BYTES, "continuation header is 32 bytes");
_Static_assert(sizeof(struct ps_hello) == PS_HELLO_BYTES, "HELLO is 44 bytes");
_Static_assert(sizeof(struct ps_hello_ack) == PS_ACK_BYTES, "HELLO_ACK is 48 bytes");

/* What ps_header_read found, in the order of its checks. */
enum { PS_GOOD, PS_BAD_SHORT, PS_BAD_MAGIC, PS_BAD_VERSION, PS_BAD_LENGTH, PS_BAD_KIND };

/* Copies the outer header out of `bytes` and checks what the protocol says a reader checks. */
static inline int ps_header_read(struct ps_header *header, const void *bytes, uint32_t length)
{
    if (length < PS_HEADER_BYTES)
        return PS_BAD_SHORT;
    memcpy(header, bytes, sizeof *header);
    if (header->magic != PS_MAGIC_MESSAGE)
        return PS_BAD_MAGIC;
    if (header->version != PS_VERSION)
        return PS_BAD_VERSION;
    if (header->header_len != PS_HEADER_BYTES)
        return PS_BAD_LENGTH;
    return header->kind < PS_REQUEST || header->kind > PS_CONTROL ? PS_BAD_KIND : PS_GOOD;
}

static inline struct ps_header ps_header_make(uint16_t kind, uint16_t code, uint16_t status,
                                              uint32_t payload_len, uint64_t message_id)
{
    return (struct ps_header){PS_MAGIC_MESSAGE, PS_VERSION, PS_HEADER_BYTES, kind, 0, code, status,
                              payload_len,      1,          message_id};
}

/* Whether the directory of a batch of `count` items stays inside its payload. */
static inline int ps_batch_fits(const uint8_t *payload, uint32_t length, uint32_t count)
{
    if ((uint64_t)count * 8 > length)
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry[2];
        memcpy(entry, payload + (size_t)i * 8, sizeof entry);
        if (entry[0] % 8 != 0 || (uint64_t)entry[0] + entry[1] > length - count * 8)
            return 0;
    }
    return 1;
}

#endif
