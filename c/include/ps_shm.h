/* netipc sessions over shared memory: one region a session, many sessions in one hub.
 *
 * The handshake happens on a socket (ps_uds.h); a region begins once that has selected shared
 * memory. Only the socket tells that a peer died, so watch it beside the hub.
 *
 * One thread owns a hub; ps_shm_wait only sleeps, and it and ps_shm_wake may run on others. */
#ifndef PS_SHM_H
#define PS_SHM_H

#include "ps_common.h"

/* Stands before each message in the data of a poll, at a multiple of 8. */
struct ps_shm_record {
    uint32_t session;
    int32_t status;  /* 0, or why the message is unusable; -EMSGSIZE comes with its outer header */
    uint32_t length; /* of the message behind it: outer header and payload */
    uint32_t reserved;
};

/* Agreed limits of a session, which are also the sizes of a new region. */
struct ps_shm_limits {
    uint32_t request_bytes, request_items, response_bytes, response_items;
};

/* One futex wait holds 128 words, and one of them is for waking. */
#define PS_SHM_SESSIONS 127u

PS_EXPORT int32_t ps_shm_open(void);
PS_EXPORT int32_t ps_shm_free(int32_t handle);

/* The server's side: makes the region's file, with every page reserved. A stale file of that name
 * is replaced, a live one gives -EADDRINUSE. Returns the session. */
PS_EXPORT int32_t ps_shm_create(int32_t handle, const uint8_t *path, uint32_t path_size,
                                const struct ps_shm_limits *limits);

/* The client's side. -ENOENT, -ENODATA (too short yet), -EBADMSG (magic), -EPROTONOSUPPORT
 * (version), -EPROTO (header length), -EINVAL (areas outside the file). Returns the session. */
PS_EXPORT int32_t ps_shm_attach(int32_t handle, const uint8_t *path, uint32_t path_size,
                                const struct ps_shm_limits *limits);
PS_EXPORT int32_t ps_shm_close(int32_t handle, uint32_t session);

/* Removes regions whose owner is gone, of the service whose socket or region has a path that
 * begins with `prefix` (`/run/dir/name-`). Returns how many. */
PS_EXPORT int32_t ps_shm_reap(const uint8_t *prefix, uint32_t prefix_size);

/* Sends one whole message. -EAGAIN: the last request has no response yet; -EINVAL: no message, or
 * a response to nothing; -EMSGSIZE: over a limit. */
PS_EXPORT int32_t ps_shm_send(int32_t handle, uint32_t session, const uint8_t *message,
                              uint32_t length);

/* Fills `data` with records and their messages, spinning up to spin_us (at most 50) for the first.
 * Returns the bytes used. */
PS_EXPORT int32_t ps_shm_poll(int32_t handle, uint8_t *data, uint32_t size, uint32_t spin_us);

/* ps_shm_send, then ps_shm_poll, in one call. */
PS_EXPORT int32_t ps_shm_exchange(int32_t handle, uint32_t session, const uint8_t *message,
                                  uint32_t length, uint8_t *data, uint32_t size, uint32_t spin_us);

/* Sleeps until a message is there (1), or ps_shm_wake was called or timeout_ms passed (0). */
PS_EXPORT int32_t ps_shm_wait(int32_t handle, uint32_t timeout_ms);
PS_EXPORT int32_t ps_shm_wake(int32_t handle);

#endif
