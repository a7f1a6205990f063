/* A queue of frames in a mapped file, for one producer and one consumer. The file holds both
 * cursors and outlives both processes, so either side may be killed and started again.
 *
 *   0     64       what the file is: struct ps_ring_head
 *   64    64       written by the producer: struct ps_ring_side
 *   128   64       written by the consumer: struct ps_ring_side
 *   65536 capacity of frames; positions count bytes for ever and are taken modulo capacity
 *
 * A frame is 8 bytes (u32 length of what follows, u32 check = the frame's position / 8, cut to 32
 * bits) and its bytes, padded with zeros to a multiple of 8. It may run over the end of the file
 * into its beginning; inside the library both are mapped one behind the other.
 *
 * Publishing: write the frames, then the producer's position (release). Sleeping: read the own
 * `word`, set the own `sleeping`, look again, then futex-wait on `word`. The other side, after
 * moving its position: if `sleeping` was 1, set it to 0, add 1 to `word`, and futex-wake it. Both
 * sides need a full fence between their store and their look. Who opens a side adds 1 to the word
 * of the other and wakes it, because its predecessor may have ended just before it did so. */
#ifndef PS_RING_H
#define PS_RING_H

#include "ps_common.h"

#define PS_RING_MAGIC UINT64_C(0x31474e4952535050) /* "PPSRING1" */
#define PS_RING_VERSION 1
#define PS_RING_DATA 65536u
#define PS_RING_MIN 65536u
#define PS_RING_MAX (1u << 30)

struct ps_ring_head {
    uint64_t magic;
    uint32_t version, header_bytes;
    uint64_t capacity; /* a power of two from PS_RING_MIN to PS_RING_MAX */
    uint64_t reserved[5];
};

struct ps_ring_side {
    _Atomic uint64_t position; /* bytes published, or bytes done with */
    _Atomic uint64_t frames;   /* how many those were; for people */
    _Atomic uint64_t sleeps;   /* for people */
    _Atomic uint32_t word, sleeping;
    _Atomic uint32_t pid; /* of the last that was here; ownership is a lock on the file */
    uint32_t reserved[7];
};

struct ps_ring_stat {
    uint64_t capacity, produced_bytes, consumed_bytes, produced, consumed;
    uint64_t producer_sleeps, consumer_sleeps;
    uint32_t producer_pid, consumer_pid; /* 0: nobody holds that side now */
};

_Static_assert(sizeof(struct ps_ring_head) == 64, "the ring's head is 64 bytes");
_Static_assert(sizeof(struct ps_ring_side) == 64, "a ring's side is 64 bytes");
_Static_assert(sizeof(struct ps_ring_stat) == 64, "the ring's figures are 64 bytes");

enum { PS_RING_PRODUCER = 1, PS_RING_CONSUMER = 2, PS_RING_LOOK = 3 };

/* Opens one side of the ring, or only looks. Both sides make the file if it is missing, of
 * `capacity` bytes; a file that stands keeps its own. -EADDRINUSE: the side is taken; -EBADMSG: no
 * ring, or a broken one; -EPERM: everyone may write to it; -EINVAL: capacity or role. Returns a
 * handle. */
PS_EXPORT int32_t ps_ring_open(const uint8_t *path, uint32_t path_size, uint32_t capacity,
                               uint32_t role);

/* Producer: publishes whole frames that stand one after the other (u32 length, u32 anything,
 * bytes, padding). Returns the bytes taken; fewer than given means that the ring is full. -EINVAL:
 * no frames; -EMSGSIZE: a frame larger than half the ring. */
PS_EXPORT int32_t ps_ring_push(int32_t handle, const uint8_t *frames, uint32_t length);

/* Consumer: copies whole frames that were not copied yet, spinning up to spin_us (at most 50) for
 * the first. Returns bytes; -ENOBUFS: the next frame is larger than `size`. */
PS_EXPORT int32_t ps_ring_poll(int32_t handle, uint8_t *data, uint32_t size, uint32_t spin_us);

/* Consumer: done with the oldest `bytes` of what was copied; the producer may write over them. */
PS_EXPORT int32_t ps_ring_commit(int32_t handle, uint32_t bytes, uint32_t frames);

/* Sleeps until there is something to copy (consumer) or half the ring is free (producer): 1; or
 * ps_ring_wake was called or timeout_ms passed: 0. */
PS_EXPORT int32_t ps_ring_wait(int32_t handle, uint32_t timeout_ms);
PS_EXPORT int32_t ps_ring_wake(int32_t handle);
PS_EXPORT int32_t ps_ring_stat(int32_t handle, struct ps_ring_stat *ret_stat);
PS_EXPORT int32_t ps_ring_close(int32_t handle);

#endif
