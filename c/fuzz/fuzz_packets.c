/* Packets of a session as a hostile peer may send them: outer headers, continuations, directories
 * of batches. The input is a list of packets, each after its length in two bytes; the first three
 * bytes pick the side, the packet size and the limits. */
#include <stdlib.h>
#include <sys/socket.h>

#define recv fuzz_recv
#define recvmsg fuzz_recvmsg
#define send fuzz_send
#define sendmsg fuzz_sendmsg
static ssize_t fuzz_recv(int fd, void *buffer, size_t size, int flags);
static ssize_t fuzz_recvmsg(int fd, struct msghdr *message, int flags);
static ssize_t fuzz_send(int fd, const void *buffer, size_t size, int flags);
static ssize_t fuzz_sendmsg(int fd, const struct msghdr *message, int flags);
#include "../uds_io.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *next;
static size_t left;
static bool ended;

/* The next packet of the input, as the kernel would give it: cut off, with its real length. */
static ssize_t fuzz_recvmsg(int fd, struct msghdr *message, int flags)
{
    (void)fd, (void)flags;
    if (left < 2) {
        errno = EAGAIN;
        return -1;
    }
    size_t length = (size_t)next[0] | (size_t)next[1] << 8;
    if (length > left - 2)
        length = left - 2;
    const uint8_t *bytes = next + 2;
    size_t rest = length;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        size_t part = message->msg_iov[i].iov_len < rest ? message->msg_iov[i].iov_len : rest;
        memcpy(message->msg_iov[i].iov_base, bytes, part);
        bytes += part;
        rest -= part;
    }
    next += 2 + length;
    left -= 2 + length;
    return (ssize_t)length;
}

static ssize_t fuzz_recv(int fd, void *buffer, size_t size, int flags)
{
    struct iovec part = {buffer, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return fuzz_recvmsg(fd, &message, flags);
}

static ssize_t fuzz_send(int fd, const void *buffer, size_t size, int flags)
{
    (void)fd, (void)buffer, (void)flags;
    return (ssize_t)size;
}

static ssize_t fuzz_sendmsg(int fd, const struct msghdr *message, int flags)
{
    (void)fd, (void)message, (void)flags;
    return 1;
}

void ps_uds_end(struct ps_uds *hub, struct ps_uds_session *session, int status,
                struct ps_uds_out *out)
{
    (void)hub, (void)session, (void)status;
    out->count++;
    ended = true;
}

void ps_uds_watch(struct ps_uds *hub, struct ps_uds_session *session)
{
    (void)hub, (void)session;
}

void ps_uds_set_deadline(struct ps_uds *hub, struct ps_uds_session *session)
{
    (void)hub, (void)session;
}

struct ps_uds_session *ps_uds_find(struct ps_uds *hub, uint32_t number)
{
    (void)hub, (void)number;
    return NULL;
}

struct ps_uds_event *ps_uds_put(struct ps_uds_out *out, uint32_t type, uint32_t session)
{
    struct ps_uds_event *event = &out->events[out->count++];
    *event = (struct ps_uds_event){.type = type, .session = session};
    return event;
}

static void check_message(const struct ps_uds_session *session, const struct ps_uds_event *event,
                          const struct ps_uds_out *out)
{
    struct ps_header header;
    if (event->type != PS_UDS_MESSAGE)
        return;
    if (event->offset % 8 || (uint64_t)event->offset + event->length > out->size)
        abort();
    if (ps_header_read(&header, out->data + event->offset, event->length) != PS_GOOD ||
        header.payload_len + PS_HEADER_BYTES != event->length ||
        header.payload_len > session->bytes[!session->server] ||
        header.item_count > session->items[!session->server])
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static uint8_t data[PS_UDS_MIN_DATA];
    struct ps_uds_event events[8];
    struct ps_uds_out out = {.events = events, .capacity = 8, .data = data, .size = sizeof data};
    uint64_t ids[PS_UDS_MAX_IN_FLIGHT] = {1, 2, 3, 0x0807060504030201};
    if (size < 3)
        return 0;
    struct ps_uds_session session = {.server = input[0] & 1,
                                     .bursting = true,
                                     .profile = PS_PROFILE_UDS,
                                     .packet = 33 + input[1],
                                     .bytes = {(uint32_t)input[2] * 16, (uint32_t)input[2] * 64},
                                     .items = {3, 3},
                                     .ids = ids,
                                     .ids_count = 4};
    next = input + 3;
    left = size - 3;
    ended = false;
    for (size_t before = left + 1; !ended && left >= 2 && left < before;) {
        before = left;
        out.count = out.used = 0;
        ps_uds_receive(NULL, &session, false, &out);
        for (uint32_t i = 0; i + ended < out.count; i++)
            check_message(&session, &events[i], &out);
    }
    free(session.rx);
    return 0;
}
