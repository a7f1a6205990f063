/* netipc sessions over AF_UNIX SOCK_SEQPACKET: many sessions, listening or connecting, in one hub.
 *
 * One thread owns a hub; ps_uds_wait only sleeps, and it and ps_uds_wake may run on others. The
 * end of a hub is: wake, let the wait return, free. */
#ifndef PS_UDS_H
#define PS_UDS_H

#include "ps_common.h"

/* Events of ps_uds_poll. */
enum {
    PS_UDS_HELLO = 1,    /* a client passed the checks: answer with ps_uds_admit */
    PS_UDS_READY = 2,    /* the handshake of a connecting session is done */
    PS_UDS_MESSAGE = 3,  /* one whole logical message stands in the data */
    PS_UDS_CLOSED = 4,   /* the session is gone, `status` says why; its number is free again */
    PS_UDS_WRITABLE = 5, /* a send that stopped early can go on */
    PS_UDS_REFUSED = 6   /* a client was turned away before it had a session */
};

/* Reasons in `status`: 0 end of file, -ETIMEDOUT handshake or message not finished in time,
 * -EACCES wrong token, -EPROTONOSUPPORT no common profile, -ENOPROTOOPT incompatible, -EBADE
 * refused otherwise, -EMSGSIZE over a limit, -EPROTO against the protocol, -EUSERS no free
 * session, or the socket's own error. */
struct ps_uds_event {
    uint32_t type, session;
    int32_t status;
    uint32_t offset, length; /* MESSAGE: place of the outer header in the data, and whole length */
    uint32_t profile;        /* HELLO: would be selected; READY: was selected */
    uint32_t request_bytes, request_items, response_bytes, response_items; /* HELLO, READY */
    uint32_t packet_size;
    uint32_t uid, gid, pid; /* HELLO, REFUSED: the peer's, from the kernel */
    uint64_t session_id;    /* HELLO, READY */
};

/* What one side offers. 0 stands for the default. */
struct ps_uds_config {
    uint64_t auth_token;
    uint32_t supported, preferred; /* profile bits */
    uint32_t request_bytes, request_items, response_bytes, response_items;
    uint32_t packet_size;  /* cut down to what the socket's buffer carries */
    uint32_t handshake_ms; /* also the longest pause inside a message of several packets */
    /* Of a listener: */
    uint32_t max_sessions, backlog;
    uint32_t mode; /* of the socket's node, 0600 if 0 */
    uint8_t reserved[12];
};

_Static_assert(sizeof(struct ps_uds_event) == 64, "events are 64 bytes");
_Static_assert(sizeof(struct ps_uds_config) == 64, "the configuration is 64 bytes");

/* The data given to ps_uds_poll must hold at least this, the largest packet. */
#define PS_UDS_MIN_DATA 65536u
/* Requests of one connecting session that may wait for their response. */
#define PS_UDS_MAX_IN_FLIGHT 200u

PS_EXPORT int32_t ps_uds_open(void);
PS_EXPORT int32_t ps_uds_free(int32_t handle);

/* Listens at `path`; a dead socket of that name is replaced, a live one gives -EADDRINUSE. -EPERM:
 * the folder is neither ours nor root's, or its group or others may write to it. */
PS_EXPORT int32_t ps_uds_listen(int32_t handle, const uint8_t *path, uint32_t path_size,
                                const struct ps_uds_config *config);
/* New limits, for the handshakes to come. */
PS_EXPORT int32_t ps_uds_set_limits(int32_t handle, uint32_t request_bytes,
                                    uint32_t response_bytes);
/* Connects and sends HELLO; READY or CLOSED follows. Returns the session. */
PS_EXPORT int32_t ps_uds_connect(int32_t handle, const uint8_t *path, uint32_t path_size,
                                 const struct ps_uds_config *config);
/* Answers a HELLO event: status 0 selects `profile`, any other refuses and ends the session. */
PS_EXPORT int32_t ps_uds_admit(int32_t handle, uint32_t session, uint32_t profile, uint32_t status);
PS_EXPORT int32_t ps_uds_close(int32_t handle, uint32_t session);
/* Stops reading from a session, or goes on: the peer then waits in its own sends. */
PS_EXPORT int32_t ps_uds_pause(int32_t handle, uint32_t session, uint32_t paused);

/* Sends whole messages that stand one after the other, each at a multiple of 8. Returns the bytes
 * of whole messages sent. Fewer than given means that the peer reads too slowly: wait for
 * WRITABLE, then send the rest, the same bytes first. Errors are those of the first message:
 * -EINVAL no message, -EMSGSIZE over a limit, -EEXIST its id is in flight already, -ENOBUFS too
 * many are, or the socket's. */
PS_EXPORT int32_t ps_uds_send(int32_t handle, uint32_t session, const uint8_t *messages,
                              uint32_t length);

/* Fills events with what is there; if there is nothing, looks again for up to spin_us (at most
 * 50). */
PS_EXPORT int32_t ps_uds_poll(int32_t handle, struct ps_uds_event *events, uint32_t capacity,
                              uint8_t *data, uint32_t size, uint32_t spin_us);
/* ps_uds_send of one message, then ps_uds_poll, in one call. -EAGAIN: not all of it was sent, and
 * it has to be sent again with ps_uds_send. */
PS_EXPORT int32_t ps_uds_exchange(int32_t handle, uint32_t session, const uint8_t *message,
                                  uint32_t length, struct ps_uds_event *events, uint32_t capacity,
                                  uint8_t *data, uint32_t size, uint32_t spin_us);
/* Sleeps until ps_uds_poll has something to do (1) or timeout_ms passed (0). */
PS_EXPORT int32_t ps_uds_wait(int32_t handle, uint32_t timeout_ms);
PS_EXPORT int32_t ps_uds_wake(int32_t handle);

#endif
