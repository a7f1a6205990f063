/* What the files of the socket half share. */
#ifndef PS_UDS_INTERNAL_H
#define PS_UDS_INTERNAL_H

#include <sys/types.h>

#include "include/ps_netipc.h"
#include "include/ps_uds.h"
#include "ipc.h"

#define PS_UDS_SLOTS 1024u
/* The listener among what epoll reports; sessions go by their numbers. */
#define PS_UDS_LISTENER UINT64_MAX

enum ps_uds_state { PS_S_HELLO, PS_S_DECIDE, PS_S_ACK, PS_S_READY };

struct ps_uds_session {
    int fd;
    uint32_t number; /* slot and generation, as callers know it */
    enum ps_uds_state state;
    bool server;
    bool bursting;   /* several messages came in one go: look again before sleeping */
    bool want_write; /* a send stopped early */
    bool paused;     /* by the caller */
    uint32_t profile, intersection, supported, packet, stall_ms;
    uint32_t bytes[2], items[2]; /* agreed limits: of requests, of responses */
    uint64_t session_id;
    uint64_t deadline; /* of the handshake or of a message under way, 0 if none */
    /* A message of several packets on its way in. */
    uint8_t *rx;
    uint32_t rx_total, rx_have, rx_index, rx_count;
    /* A message of several packets on its way out: payload bytes sent so far. */
    uint32_t tx_sent;
    uint64_t tx_id;
    /* Requests without response, oldest first; only of connecting sessions. */
    uint64_t *ids;
    uint32_t ids_head, ids_count;
};

struct ps_uds {
    int epoll, wake, listener;
    struct ps_uds_config config; /* of the listener */
    char path[108];
    dev_t device;
    ino_t inode;
    uint64_t next_session_id;
    uint32_t accepted, generation;
    uint32_t turn; /* who is read first, changing so that nobody fills every poll */
    uint64_t
        listen_again; /* when the listener is looked at again after a failure, 0 if it is now */
    _Atomic uint64_t next_deadline; /* the earliest of listener and sessions, 0 if none */
    struct ps_uds_session *slots[PS_UDS_SLOTS];
};

/* Where a poll puts what it finds. */
struct ps_uds_out {
    struct ps_uds_event *events;
    uint32_t capacity, count;
    uint8_t *data;
    uint32_t size, used;
};

struct ps_uds_session *ps_uds_find(struct ps_uds *hub, uint32_t number);
struct ps_uds_session *ps_uds_add(struct ps_uds *hub, int fd, bool server, uint32_t stall_ms);
void ps_uds_drop(struct ps_uds *hub, struct ps_uds_session *session);
/* Drops the session and says so. */
void ps_uds_end(struct ps_uds *hub, struct ps_uds_session *session, int status,
                struct ps_uds_out *out);
/* As ps_uds_end, for a client that never had a session. */
void ps_uds_refuse(struct ps_uds *hub, struct ps_uds_session *session, int status,
                   struct ps_uds_out *out);
/* No wait goes on beyond this time. */
void ps_uds_note_deadline(struct ps_uds *hub, uint64_t deadline);
/* The handshake or the message under way must end stall_ms from now. */
void ps_uds_set_deadline(struct ps_uds *hub, struct ps_uds_session *session);
/* Tells epoll what the session waits for. */
void ps_uds_watch(struct ps_uds *hub, struct ps_uds_session *session);
struct ps_uds_event *ps_uds_put(struct ps_uds_out *out, uint32_t type, uint32_t session);

void ps_uds_defaults(struct ps_uds_config *config);
int ps_uds_say_hello(struct ps_uds_session *session, const struct ps_uds_config *config);
void ps_uds_read_hello(struct ps_uds *hub, struct ps_uds_session *session, struct ps_uds_out *out);
void ps_uds_read_ack(struct ps_uds *hub, struct ps_uds_session *session, struct ps_uds_out *out);
void ps_uds_accept(struct ps_uds *hub, struct ps_uds_out *out);
/* Looks for clients from now on, or for none until `listen_again`. */
void ps_uds_watch_listener(struct ps_uds *hub);
void ps_uds_unlisten(struct ps_uds *hub);
/* Reads and forgets what the peer has sent: a socket that is closed over unread data takes the last
 * messages to the peer with it. */
void ps_uds_drain(struct ps_uds_session *session);
/* Reads what is there; the session may be gone afterwards. What was there at once may be the first
 * of several. */
void ps_uds_receive(struct ps_uds *hub, struct ps_uds_session *session, bool at_once,
                    struct ps_uds_out *out);

#endif
