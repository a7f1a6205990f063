/* The handshake of the socket half, both sides, never blocking. */
#include "uds_internal.h"

#include <sys/socket.h>

#define CONTROL_BUFFER 128

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t given(uint32_t value, uint32_t otherwise)
{
    return value ? value : otherwise;
}

static uint32_t highest_bit(uint32_t bits)
{
    return 1u << (31 - __builtin_clz(bits));
}

void ps_uds_defaults(struct ps_uds_config *config)
{
    config->supported =
        given(config->supported, PS_PROFILE_UDS) & (PS_PROFILE_UDS | PS_PROFILES_SHM);
    config->preferred = given(config->preferred, config->supported) & config->supported;
    config->request_bytes = given(config->request_bytes, 1024);
    config->request_items = given(config->request_items, 1);
    config->response_bytes = given(config->response_bytes, 1024);
    config->response_items = given(config->response_items, 1);
    config->handshake_ms = least(given(config->handshake_ms, 5000), 600000);
    config->max_sessions = least(given(config->max_sessions, 64), PS_UDS_SLOTS);
    config->backlog = least(given(config->backlog, 16), 4096);
    config->mode = given(config->mode, 0600) & 0777;
}

/* The kernel refuses packets longer than SO_SNDBUF - 32, so never propose more than that. */
static uint32_t packet_size(int fd, uint32_t wanted)
{
    int buffer = 4096; /* no buffer is smaller */
    socklen_t length = sizeof buffer;
    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, &length);
    return least(given(wanted, UINT32_MAX), least(PS_UDS_MIN_DATA, (uint32_t)buffer - 32));
}

static int send_control(int fd, uint16_t code, uint16_t status, const void *payload,
                        uint32_t length)
{
    uint8_t packet[PS_HEADER_BYTES + PS_ACK_BYTES];
    struct ps_header header = ps_header_make(PS_CONTROL, code, status, length, 0);
    memcpy(packet, &header, sizeof header);
    memcpy(packet + sizeof header, payload, length);
    ssize_t sent = send(fd, packet, sizeof header + length, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? -errno : 0;
}

static int send_refusal(int fd, int status)
{
    struct ps_hello_ack ack = {.layout_version = 1};
    return send_control(fd, PS_OP_HELLO_ACK, (uint16_t)status, &ack, sizeof ack);
}

static int status_error(int status)
{
    return status == PS_AUTH_FAILED      ? -EACCES
           : status == PS_UNSUPPORTED    ? -EPROTONOSUPPORT
           : status == PS_INCOMPATIBLE   ? -ENOPROTOOPT
           : status == PS_LIMIT_EXCEEDED ? -EMSGSIZE
                                         : -EBADE;
}

static void put_peer(struct ps_uds_event *event, int fd)
{
    struct ucred peer = {.uid = UINT32_MAX, .gid = UINT32_MAX};
    socklen_t length = sizeof peer;
    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
    event->uid = peer.uid;
    event->gid = peer.gid;
    event->pid = (uint32_t)peer.pid;
}

static struct ps_uds_event *put_agreed(struct ps_uds_out *out, uint32_t type,
                                       const struct ps_uds_session *session)
{
    struct ps_uds_event *event = ps_uds_put(out, type, session->number);
    event->profile = session->profile;
    event->request_bytes = session->bytes[0];
    event->request_items = session->items[0];
    event->response_bytes = session->bytes[1];
    event->response_items = session->items[1];
    event->packet_size = session->packet;
    event->session_id = session->session_id;
    return event;
}

/* -- Server ------------------------------------------------------------------------------------ */

void ps_uds_refuse(struct ps_uds *hub, struct ps_uds_session *session, int status,
                   struct ps_uds_out *out)
{
    struct ps_uds_event *event = ps_uds_put(out, PS_UDS_REFUSED, 0);
    event->status = status;
    put_peer(event, session->fd);
    ps_uds_drop(hub, session);
}

/* The checks of a payload, in the order that peers can observe. Returns the answer's status, or
 * -EPROTO where the protocol wants silence. */
static int judge_hello(const struct ps_hello *hello, const struct ps_uds_config *own,
                       struct ps_uds_session *session)
{
    if (hello->layout_version != 1)
        return PS_INCOMPATIBLE;
    if (hello->reserved != 0)
        return -EPROTO;
    session->supported = own->supported;
    session->intersection = hello->supported & own->supported;
    if (!session->intersection)
        return PS_UNSUPPORTED;
    if (memcmp(hello->auth_token, &own->auth_token, sizeof own->auth_token) != 0)
        return PS_AUTH_FAILED;
    if (hello->request_bytes > own->request_bytes)
        return PS_LIMIT_EXCEEDED;
    session->packet = least(hello->packet_size, packet_size(session->fd, own->packet_size));
    if (session->packet <= PS_HEADER_BYTES)
        return PS_INCOMPATIBLE;
    uint32_t both = session->intersection & hello->preferred & own->preferred;
    session->profile = highest_bit(given(both, session->intersection));
    session->bytes[0] = hello->request_bytes;
    session->bytes[1] = own->response_bytes;
    session->items[0] = session->items[1] = hello->request_items;
    return PS_OK;
}

static int judge_hello_packet(const uint8_t *packet, uint32_t length,
                              const struct ps_uds_config *own, struct ps_uds_session *session)
{
    struct ps_header header;
    struct ps_hello hello;
    int found = ps_header_read(&header, packet, length);
    if ((found != PS_GOOD && found != PS_BAD_VERSION) || header.header_len != PS_HEADER_BYTES ||
        header.kind != PS_CONTROL || header.code != PS_OP_HELLO)
        return -EPROTO;
    if (found == PS_BAD_VERSION)
        return PS_INCOMPATIBLE;
    if (length < PS_HEADER_BYTES + PS_HELLO_BYTES)
        return -EPROTO;
    memcpy(&hello, packet + PS_HEADER_BYTES, sizeof hello);
    return judge_hello(&hello, own, session);
}

void ps_uds_read_hello(struct ps_uds *hub, struct ps_uds_session *session, struct ps_uds_out *out)
{
    uint8_t packet[CONTROL_BUFFER];
    ssize_t length = recv(session->fd, packet, sizeof packet, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0) { /* a probe of the path, or gone again: nobody to tell */
        ps_uds_drop(hub, session);
        return;
    }
    int verdict = judge_hello_packet(packet, (uint32_t)length, &hub->config, session);
    if (verdict > 0)
        send_refusal(session->fd, verdict);
    if (verdict != PS_OK) {
        ps_uds_refuse(hub, session, verdict > 0 ? status_error(verdict) : verdict, out);
        return;
    }
    session->state = PS_S_DECIDE;
    ps_uds_watch(hub, session);
    put_peer(put_agreed(out, PS_UDS_HELLO, session), session->fd);
}

int32_t ps_uds_admit(int32_t handle, uint32_t number, uint32_t profile, uint32_t status)
{
    PS_TAKE(ps_uds, hub, PS_KIND_UDS, handle);
    struct ps_uds_session *session = ps_uds_find(hub, number);
    if (!session || session->state != PS_S_DECIDE)
        return -ENOTCONN;
    if (status == PS_OK && (!(profile & session->intersection) || (profile & (profile - 1))))
        return -EINVAL;
    /* A region that could not be made takes shared memory out of this one answer. */
    uint32_t hidden = profile != session->profile ? PS_PROFILES_SHM : 0;
    struct ps_hello_ack ack = {.layout_version = 1,
                               .supported = session->supported & ~hidden,
                               .intersection = session->intersection & ~hidden,
                               .selected = profile,
                               .request_bytes = session->bytes[0],
                               .request_items = session->items[0],
                               .response_bytes = session->bytes[1],
                               .response_items = session->items[1],
                               .packet_size = session->packet,
                               .session_id = session->session_id};
    int error = status != PS_OK
                    ? send_refusal(session->fd, (int)status)
                    : send_control(session->fd, PS_OP_HELLO_ACK, PS_OK, &ack, sizeof ack);
    if (error < 0 || status != PS_OK) {
        ps_uds_drop(hub, session);
        return error;
    }
    session->profile = profile;
    session->state = PS_S_READY;
    session->deadline = 0;
    ps_uds_watch(hub, session);
    return 0;
}

/* -- Client ------------------------------------------------------------------------------------ */

int ps_uds_say_hello(struct ps_uds_session *session, const struct ps_uds_config *config)
{
    session->state = PS_S_ACK;
    session->supported = config->supported;
    session->packet = packet_size(session->fd, config->packet_size);
    struct ps_hello hello = {.layout_version = 1,
                             .supported = config->supported,
                             .preferred = config->preferred,
                             .request_bytes = config->request_bytes,
                             .request_items = config->request_items,
                             .response_bytes = config->response_bytes,
                             .response_items = config->response_items,
                             .packet_size = session->packet};
    memcpy(hello.auth_token, &config->auth_token, sizeof hello.auth_token);
    return send_control(session->fd, PS_OP_HELLO, PS_OK, &hello, sizeof hello);
}

/* What a HELLO_ACK packet means: 0 and the session filled in, or the reason to give up. */
static int judge_ack(const uint8_t *packet, uint32_t length, struct ps_uds_session *session)
{
    struct ps_header header;
    struct ps_hello_ack ack;
    int found = ps_header_read(&header, packet, length);
    if (found == PS_BAD_VERSION)
        return -ENOPROTOOPT;
    if (found != PS_GOOD || header.kind != PS_CONTROL || header.code != PS_OP_HELLO_ACK)
        return -EPROTO;
    if (header.status != PS_OK)
        return status_error(header.status);
    if (length < PS_HEADER_BYTES + PS_ACK_BYTES)
        return -EPROTO;
    memcpy(&ack, packet + PS_HEADER_BYTES, sizeof ack);
    if (ack.layout_version != 1)
        return -ENOPROTOOPT;
    /* A profile that was not offered or a packet larger than proposed cannot be worked with. */
    if (ack.flags != 0 || ack.packet_size <= PS_HEADER_BYTES || ack.packet_size > session->packet ||
        !(ack.selected & session->supported) || (ack.selected & (ack.selected - 1)))
        return -EPROTO;
    session->profile = ack.selected;
    session->bytes[0] = ack.request_bytes;
    session->items[0] = ack.request_items;
    session->bytes[1] = ack.response_bytes;
    session->items[1] = ack.response_items;
    session->packet = ack.packet_size;
    session->session_id = ack.session_id;
    return 0;
}

void ps_uds_read_ack(struct ps_uds *hub, struct ps_uds_session *session, struct ps_uds_out *out)
{
    uint8_t packet[CONTROL_BUFFER];
    ssize_t length = recv(session->fd, packet, sizeof packet, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    int status = length < 0    ? -errno
                 : length == 0 ? -ECONNRESET
                               : judge_ack(packet, (uint32_t)length, session);
    if (status < 0) {
        ps_uds_end(hub, session, status, out);
        return;
    }
    session->state = PS_S_READY;
    session->deadline = 0;
    put_agreed(out, PS_UDS_READY, session);
}
