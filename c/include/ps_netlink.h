/* Links of the kernel over rtnetlink.
 *
 * A handle has two sockets. The event socket joins RTNLGRP_LINK when it is opened, so nothing
 * that happens later is missed; the dump socket answers ps_nl_dump(). The order that makes the
 * result right whatever is lost:
 *
 *   1. After PS_LOST the event socket is emptied and what it held is thrown away, since that is
 *      older than what was lost. The caller asks for a dump, soon.
 *   2. ps_nl_dump() empties the event socket again, then asks. Until the dump has ended only the
 *      dump socket is read.
 *   3. Then events are read on. Every message carries a link's full state, so an event applied
 *      after a dump's entry is right; the other order would not be.
 *
 * The same decoder without sockets is ps_nl_replay(): feed it frames that were recorded. */
#ifndef PS_NETLINK_H
#define PS_NETLINK_H

#include "ps_common.h"

struct ps_link {
    uint32_t type;
    uint32_t ifindex;
    uint32_t flags;
    uint32_t change;
    uint32_t mtu;
    uint32_t master;
    uint32_t value;
    uint32_t present;
    uint8_t operstate;
    uint8_t carrier;
    uint8_t family;
    uint8_t mac_size;
    uint8_t name_size;
    uint8_t kind_size;
    uint16_t device;
    uint32_t seconds;
    uint32_t nanoseconds;
    uint8_t name[16];
    uint8_t kind[16];
    uint8_t mac[32];
};

struct ps_frame {
    uint32_t size;
    uint8_t kind;
    uint8_t flags;
    uint16_t reserved;
    uint32_t value;
    uint32_t seconds;
    uint32_t nanoseconds;
    uint32_t check;
};

struct ps_link_stats {
    uint64_t datagrams, messages, records, ignored, malformed, foreign, lost, discarded;
    uint64_t dumps, interrupted, lingered;
    uint64_t drops, buffer_bytes, queued_bytes, slot_bytes, reserved;
};

enum {
    PS_LINK_SET = 1,
    PS_LINK_GONE = 2,
    PS_LINK_DUMPED = 3,
    PS_DUMP_BEGIN = 16, /* marks from here on */
    PS_DUMP_END = 17,
    PS_DUMP_INTERRUPTED = 18,
    PS_DUMP_FAILED = 19,
    PS_LOST = 20
};
enum { PS_LOSS_OVERRUN = 1, PS_LOSS_TRUNCATED = 2, PS_LOSS_MESSAGE = 3, PS_LOSS_MALFORMED = 4 };
enum {
    PS_HAS_NAME = 1,
    PS_HAS_MTU = 2,
    PS_HAS_MASTER = 4,
    PS_HAS_OPERSTATE = 8,
    PS_HAS_CARRIER = 16,
    PS_HAS_KIND = 32,
    PS_HAS_MAC = 64
};
enum { PS_OPEN_FRAMES = 1 };
enum {
    PS_FRAME_EVENT = 1,
    PS_FRAME_DUMP = 2,
    PS_FRAME_BEGIN = 3,
    PS_FRAME_OVERRUN = 4,
    PS_FRAME_FAILED = 5,
    PS_FRAME_MARK = 16
};
enum { PS_FRAME_TRUNCATED = 1 };

/* Largest datagram that a handle takes. */
#define PS_DATAGRAM_MAX 65536u
/* Bytes that a frame's datagram takes in memory and in a file. */
#define PS_PADDED(size) (((size) + 7u) & ~7u)

/* Opens both sockets, in the network namespace of the sealed path `netns` (such as
 * /run/netns/NAME), or where the caller is when `netns_size` is 0. `receive_bytes` is the wish for
 * the event socket's buffer; ps_nl_stats() says what was achieved. `flags`: link_open bits.
 * Returns a handle. Errors: those of ps_path_check(), of socket(2) and setns(2); -EINVAL for
 * unknown flags; -ENOTRECOVERABLE when the thread could not return to its own namespace, after
 * which the process must end. */
PS_EXPORT int32_t ps_nl_open(const uint8_t *netns, uint32_t netns_size, uint32_t receive_bytes,
                             uint32_t flags);

/* Opens a decoder without sockets. Returns a handle for feed, poll, stats, error and close. */
PS_EXPORT int32_t ps_nl_replay(void);

/* Gives a replay handle frames, one after the other, each a ps_frame and its bytes, padded to 8.
 * Returns how many bytes it took: whole frames, as many as it has room for. Poll until 0 before
 * the next call; -EAGAIN otherwise. -EINVAL: the first frame is not whole or makes no sense. */
PS_EXPORT int32_t ps_nl_feed(int32_t handle, const uint8_t *frames, uint32_t size);

/* Throws away what the event socket holds and asks for every link. -EINPROGRESS: the last dump has
 * not ended yet. */
PS_EXPORT int32_t ps_nl_dump(int32_t handle);

/* Fills `buffer` with at most `capacity` ps_link records and returns their number; for a handle
 * opened with PS_OPEN_FRAMES, `capacity` is in bytes, at least PS_DATAGRAM_MAX + 64, and so is the
 * result. A negative result means that the event socket cannot be read any more. */
PS_EXPORT int32_t ps_nl_poll(int32_t handle, uint8_t *buffer, uint32_t capacity, uint32_t spin_us);

/* Sleeps until there is something, then as ps_nl_poll(). While events come closer than 2 ms it
 * lets them gather for at most `linger_us`; a single event and its echo are never delayed.
 * 0: time is over, or ps_nl_wake() was called. */
PS_EXPORT int32_t ps_nl_wait(int32_t handle, uint8_t *buffer, uint32_t capacity,
                             uint32_t timeout_ms, uint32_t linger_us);

PS_EXPORT int32_t ps_nl_wake(int32_t handle);

PS_EXPORT int32_t ps_nl_stats(int32_t handle, struct ps_link_stats *ret_stats);

/* Copies what the kernel said about the last failed dump, cut off at `capacity` bytes; returns the
 * length, 0 when it said nothing. */
PS_EXPORT int32_t ps_nl_error(int32_t handle, uint8_t *ret_text, uint32_t capacity);

PS_EXPORT int32_t ps_nl_close(int32_t handle);

#endif
