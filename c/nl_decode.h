/* Netlink datagrams → records, without a socket, a clock or memory of its own: everything that can
 * happen to a handle is an input, so live, replayed and fuzzed bytes take the same way.
 * For the library's own use. */
#ifndef PS_NL_DECODE_H
#define PS_NL_DECODE_H

#include <stdatomic.h>
#include <stdbool.h>

#include <linux/netlink.h>

#include "include/ps_netlink.h"

#define PS_NL_ERROR_SIZE 128u

/* Written by one thread, read by any. */
typedef _Atomic uint64_t ps_nl_count;

struct ps_nl_decoder {
    uint32_t dump;       /* sequence number of the dump under way, 0 if none */
    bool interrupted;    /* links changed during it */
    bool broken;         /* an entry of it could not be read */
    uint32_t error_size; /* what the kernel said about the last failed dump */
    char error[PS_NL_ERROR_SIZE];
    ps_nl_count datagrams, messages, records, ignored, malformed, lost, interruptions;
};

/* A frame on its way through the decoder. */
struct ps_nl_input {
    const uint8_t *bytes;
    uint32_t size; /* of the bytes */
    uint32_t at;   /* the next message */
    uint8_t kind, flags;
    bool done;
    uint32_t value, seconds, nanoseconds;
};

/* Takes messages from the input until it is done or `capacity` (at least 1) records are written;
 * returns how many were. */
uint32_t ps_nl_decode(struct ps_nl_decoder *decoder, struct ps_nl_input *input,
                      struct ps_link *ret_links, uint32_t capacity);

/* Copies the kernel's words from the attributes that begin at `at` in the body of an ERROR or DONE;
 * returns their size, at most `room`, 0 if there are none. */
uint32_t ps_nl_words(const uint8_t *body, uint32_t size, uint32_t at, void *ret_words,
                     uint32_t room);

/* Where those attributes begin in the body of an ERROR: behind the echo of the request. `size` when
 * it has none or is too short. */
uint32_t ps_nl_error_attributes(const struct nlmsghdr *header, const uint8_t *body, uint32_t size);

static inline void ps_nl_add(ps_nl_count *count, uint64_t n)
{
    uint64_t now = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, now + n, memory_order_relaxed);
}

#endif
