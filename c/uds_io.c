/* Messages of the socket half: packets and chunks, limits, requests in flight. */
#include <stdlib.h>
#include <sys/socket.h>

#include "uds_internal.h"

/* A burst of one session must not starve its neighbours. */
#define BURST 64u

enum step { NOTHING, PART, MESSAGE, ENDED };

/* -- Requests in flight ------------------------------------------------------------------------ */

static uint64_t *in_flight(struct ps_uds_session *session, uint32_t i)
{
    return &session->ids[(session->ids_head + i) % PS_UDS_MAX_IN_FLIGHT];
}

static int begin_request(struct ps_uds_session *session, uint64_t id)
{
    if (session->ids_count == PS_UDS_MAX_IN_FLIGHT)
        return -ENOBUFS;
    for (uint32_t i = 0; i < session->ids_count; i++)
        if (*in_flight(session, i) == id)
            return -EEXIST;
    *in_flight(session, session->ids_count++) = id;
    return 0;
}

/* Answers come in any order, but mostly in the order of the requests: the oldest is looked at
 * first, and takes the place of one that is answered before it. */
static bool end_request(struct ps_uds_session *session, uint64_t id)
{
    for (uint32_t i = 0; i < session->ids_count; i++) {
        if (*in_flight(session, i) != id)
            continue;
        *in_flight(session, i) = *in_flight(session, 0);
        session->ids_head = (session->ids_head + 1) % PS_UDS_MAX_IN_FLIGHT;
        session->ids_count--;
        return true;
    }
    return false;
}

/* -- Receiving --------------------------------------------------------------------------------- */

static uint32_t room(const struct ps_uds_out *out)
{
    return out->size - out->used;
}

static enum step message(struct ps_uds_session *session, uint32_t length, struct ps_uds_out *out)
{
    struct ps_uds_event *event = ps_uds_put(out, PS_UDS_MESSAGE, session->number);
    event->offset = out->used;
    event->length = length;
    out->used = length > room(out) - 7 ? out->size : out->used + ((length + 7) & ~7u);
    return MESSAGE;
}

static enum step end(struct ps_uds *hub, struct ps_uds_session *session, int status,
                     struct ps_uds_out *out)
{
    ps_uds_end(hub, session, status, out);
    return ENDED;
}

/* What a receive that brought no bytes means. */
static enum step no_bytes(struct ps_uds *hub, struct ps_uds_session *session, ssize_t count,
                          struct ps_uds_out *out)
{
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return NOTHING;
    return end(hub, session, count < 0 ? -errno : session->rx ? -ECONNRESET : 0, out);
}

void ps_uds_drain(struct ps_uds_session *session)
{
    uint8_t rest[64];
    for (int i = 0; i < 4096 && recv(session->fd, rest, sizeof rest, MSG_DONTWAIT) > 0; i++)
        ;
}

/* A request over the limits is answered, then the session ends. */
static enum step over_limit(struct ps_uds *hub, struct ps_uds_session *session,
                            const struct ps_header *request, struct ps_uds_out *out)
{
    struct ps_header answer =
        ps_header_make(PS_RESPONSE, request->code, PS_LIMIT_EXCEEDED, 0, request->message_id);
    if (session->server)
        send(session->fd, &answer, sizeof answer, MSG_NOSIGNAL | MSG_DONTWAIT);
    ps_uds_drain(session);
    return end(hub, session, -EMSGSIZE, out);
}

static bool directory_is_good(const struct ps_header *header, const uint8_t *payload)
{
    return !(header->flags & PS_FLAG_BATCH) || header->item_count < 2 ||
           ps_batch_fits(payload, header->payload_len, header->item_count);
}

/* The rest of the message comes in further packets: they are put together beside the data. */
static enum step begin_chunks(struct ps_uds *hub, struct ps_uds_session *session, uint64_t total,
                              const uint8_t *packet, uint32_t length, struct ps_uds_out *out)
{
    uint32_t each = session->packet - PS_HEADER_BYTES;
    session->rx = total > out->size ? NULL : malloc(total);
    if (!session->rx)
        return end(hub, session, total > out->size ? -EMSGSIZE : -ENOMEM, out);
    memcpy(session->rx, packet, length);
    session->rx_total = (uint32_t)total;
    session->rx_have = length;
    session->rx_index = 1;
    session->rx_count = 1 + (uint32_t)((total - length + each - 1) / each);
    ps_uds_set_deadline(hub, session);
    return PART;
}

static enum step read_first(struct ps_uds *hub, struct ps_uds_session *session,
                            struct ps_uds_out *out)
{
    uint32_t bytes = session->bytes[!session->server];
    uint32_t packet = session->packet;
    if (bytes < packet - PS_HEADER_BYTES)
        packet = bytes + PS_HEADER_BYTES;
    if (room(out) < packet)
        return NOTHING;
    uint8_t *at = out->data + out->used;
    ssize_t count = recv(session->fd, at, packet, MSG_DONTWAIT | MSG_TRUNC);
    if (count <= 0)
        return no_bytes(hub, session, count, out);
    struct ps_header header;
    if (ps_header_read(&header, at, (uint32_t)count) != PS_GOOD ||
        header.kind != (session->server ? PS_REQUEST : PS_RESPONSE))
        return end(hub, session, -EPROTO, out);
    if (header.payload_len > bytes || header.item_count > session->items[!session->server])
        return over_limit(hub, session, &header, out);
    uint64_t total = (uint64_t)header.payload_len + PS_HEADER_BYTES;
    if ((!session->server && !end_request(session, header.message_id)) || (uint64_t)count > total ||
        (uint64_t)count > packet)
        return end(hub, session, -EPROTO, out);
    if ((uint64_t)count < total)
        return begin_chunks(hub, session, total, at, (uint32_t)count, out);
    if (!directory_is_good(&header, at + PS_HEADER_BYTES))
        return end(hub, session, -EPROTO, out);
    return message(session, (uint32_t)count, out);
}

static enum step read_chunk(struct ps_uds *hub, struct ps_uds_session *session,
                            struct ps_uds_out *out)
{
    struct ps_chunk chunk;
    struct ps_header header;
    uint32_t left = session->rx_total - session->rx_have;
    if (room(out) < session->rx_total) /* where would the whole message go */
        return NOTHING;
    struct iovec parts[2] = {{&chunk, sizeof chunk}, {session->rx + session->rx_have, left}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t count = recvmsg(session->fd, &packet, MSG_DONTWAIT | MSG_TRUNC);
    if (count <= 0)
        return no_bytes(hub, session, count, out);
    memcpy(&header, session->rx, sizeof header);
    if ((size_t)count <= sizeof chunk || chunk.magic != PS_MAGIC_CHUNK ||
        chunk.version != PS_VERSION || chunk.flags != 0 || chunk.message_id != header.message_id ||
        chunk.total_len != session->rx_total || chunk.index != session->rx_index ||
        chunk.count != session->rx_count || chunk.payload_len > left ||
        (size_t)count - sizeof chunk != chunk.payload_len)
        return end(hub, session, -EPROTO, out);
    session->rx_index++;
    session->rx_have += chunk.payload_len;
    if (session->rx_have < session->rx_total)
        return PART;
    session->deadline = 0;
    if (!directory_is_good(&header, session->rx + PS_HEADER_BYTES))
        return end(hub, session, -EPROTO, out);
    memcpy(out->data + out->used, session->rx, session->rx_total);
    free(session->rx);
    session->rx = NULL;
    return message(session, session->rx_total, out);
}

void ps_uds_receive(struct ps_uds *hub, struct ps_uds_session *session, bool at_once,
                    struct ps_uds_out *out)
{
    if (session->profile != PS_PROFILE_UDS) { /* from now on the socket only lives or dies */
        uint8_t byte;
        ssize_t count = recv(session->fd, &byte, 1, MSG_DONTWAIT);
        if (count > 0)
            ps_uds_end(hub, session, -EPROTO, out);
        else
            no_bytes(hub, session, count, out);
        return;
    }
    uint32_t messages = 0;
    while (messages < BURST && out->count < out->capacity) {
        enum step step =
            session->rx ? read_chunk(hub, session, out) : read_first(hub, session, out);
        if (step == ENDED)
            return;
        messages += step == MESSAGE;
        if (step == NOTHING || (step == MESSAGE && !session->bursting))
            break;
    }
    session->bursting = messages > 1 || (messages == 1 && !session->bursting && at_once);
}

/* -- Sending ----------------------------------------------------------------------------------- */

/* Checks the next message of the caller; its whole length, or an error. */
static int64_t next_message(struct ps_uds_session *session, const uint8_t *bytes, uint32_t length,
                            struct ps_header *header)
{
    if (ps_header_read(header, bytes, length) != PS_GOOD ||
        header->kind != (session->server ? PS_RESPONSE : PS_REQUEST) ||
        header->payload_len > length - PS_HEADER_BYTES ||
        (session->tx_sent &&
         (session->tx_id != header->message_id || header->payload_len <= session->tx_sent)))
        return -EINVAL;
    if (header->payload_len > session->bytes[session->server] ||
        header->item_count > session->items[session->server])
        return -EMSGSIZE;
    int error =
        session->server || session->tx_sent ? 0 : begin_request(session, header->message_id);
    return error < 0 ? error : (int64_t)header->payload_len + PS_HEADER_BYTES;
}

/* Sends the packets of one message, from where the last call stopped. 1: all is sent, 0: the peer
 * reads too slowly. */
static int send_message(struct ps_uds_session *session, const uint8_t *bytes,
                        const struct ps_header *header)
{
    uint32_t each = session->packet - PS_HEADER_BYTES;
    uint8_t *payload = (uint8_t *)(uintptr_t)bytes + PS_HEADER_BYTES;
    struct ps_chunk chunk = {.magic = PS_MAGIC_CHUNK,
                             .version = PS_VERSION,
                             .message_id = header->message_id,
                             .total_len = header->payload_len + PS_HEADER_BYTES,
                             .count =
                                 header->payload_len / each + (header->payload_len % each > 0)};
    do {
        uint32_t left = header->payload_len - session->tx_sent;
        chunk.payload_len = left < each ? left : each;
        chunk.index = session->tx_sent / each;
        struct iovec parts[2] = {
            {chunk.index ? (uint8_t *)&chunk : payload - PS_HEADER_BYTES, PS_HEADER_BYTES},
            {payload + session->tx_sent, chunk.payload_len}};
        struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
        if (sendmsg(session->fd, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        session->tx_sent += chunk.payload_len;
        session->tx_id = header->message_id;
    } while (session->tx_sent < header->payload_len);
    session->tx_sent = 0;
    return 1;
}

int32_t ps_uds_send(int32_t handle, uint32_t number, const uint8_t *messages, uint32_t length)
{
    PS_TAKE(ps_uds, hub, PS_KIND_UDS, handle);
    struct ps_uds_session *session = ps_uds_find(hub, number);
    if (!session || session->state != PS_S_READY || session->profile != PS_PROFILE_UDS)
        return -ENOTCONN;
    if (length > INT32_MAX)
        return -EINVAL;
    int result = 1;
    uint32_t sent = 0;
    while (sent < length && result == 1) {
        struct ps_header header;
        int64_t total = next_message(session, messages + sent, length - sent, &header);
        result = total < 0 ? (int)total : send_message(session, messages + sent, &header);
        if (result == 1)
            sent += ((uint32_t)total + 7) & ~7u;
        else if (total > 0 && !session->server && !session->tx_sent)
            session->ids_count--; /* nothing of it is on its way */
    }
    if (result == 0 && !session->want_write) {
        session->want_write = true;
        ps_uds_watch(hub, session);
    }
    return sent || result >= 0 ? (int32_t)(sent < length ? sent : length) : result;
}
