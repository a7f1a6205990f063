/* What a netlink handle holds, and how it takes datagrams in. For the library's own use. */
#ifndef PS_NL_RECEIVE_H
#define PS_NL_RECEIVE_H

#include <linux/netlink.h>
#include <sys/socket.h>

#include "nl_decode.h"

/* The memory of a handle for datagrams. Events take 1.5 KiB each, so a slot of 4 KiB holds them;
 * a dump's datagrams are as large as the room offered, up to 32 KiB. A slot that was too small
 * grows, so that a truncated datagram is the only one of its size. */
#define PS_NL_ARENA_BYTES (4u * PS_DATAGRAM_MAX)
#define PS_NL_EVENT_SLOT_BYTES 4096u
#define PS_NL_DUMP_SLOT_BYTES 32768u
#define PS_NL_SLOTS (PS_NL_ARENA_BYTES / PS_NL_EVENT_SLOT_BYTES)

struct ps_nl {
    struct ps_nl_decoder decoder;
    int events, dump, wake; /* -1 in a replay handle */
    bool frames;            /* the caller wants frames, not links */
    bool full;              /* the last buffer was filled, so more is probably queued */
    uint32_t sequence;      /* of the last dump */
    uint32_t dump_slot;
    ps_nl_count event_slot;
    ps_nl_count foreign, discarded, dumps, lingered;
    uint64_t last_event; /* monotonic, nanoseconds */
    uint32_t stream;     /* close events in a row */
    uint32_t inputs_at, inputs_count;
    struct ps_nl_input inputs[PS_NL_SLOTS];
    uint32_t prepared; /* bytes of the slots that headers and vectors stand for */
    struct mmsghdr headers[PS_NL_SLOTS];
    struct iovec vectors[PS_NL_SLOTS];
    struct sockaddr_nl senders[PS_NL_SLOTS];
    uint8_t arena[PS_NL_ARENA_BYTES];
};

/* Puts one input without a datagram in the place of all others and returns it. */
struct ps_nl_input *ps_nl_add_input(struct ps_nl *nl, uint8_t kind, uint32_t value);

/* Whether a dump was asked for and has not ended. */
bool ps_nl_is_dumping(const struct ps_nl *nl);

/* Throws away inputs that wait and all that the event socket holds. */
void ps_nl_discard_events(struct ps_nl *nl);

/* Throws away what an earlier dump has left behind. */
void ps_nl_discard_dump(struct ps_nl *nl);

/* Fills the buffer with what there is now: returns records, or bytes of frames. */
int32_t ps_nl_drain(struct ps_nl *nl, uint8_t *buffer, uint32_t capacity);

#endif
