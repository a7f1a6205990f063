/* Datagrams from the socket whose turn it is, through the decoder, into the caller's buffer. */
#include "nl_receive.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* Discarding ends here even if events come faster than they can be thrown away. */
#define DISCARD_MAX (1u << 20)
/* Room for the marks that one datagram can bring: an end and a loss. */
#define MARKS_MAX 2u
#define SCRATCH_LINKS 8u

struct ps_nl_input *ps_nl_add_input(struct ps_nl *nl, uint8_t kind, uint32_t value)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    nl->inputs_at = 0;
    nl->inputs_count = 1;
    nl->inputs[0] = (struct ps_nl_input){
        .kind = kind,
        .value = value,
        .seconds = (uint32_t)now.tv_sec,
        .nanoseconds = (uint32_t)now.tv_nsec,
    };
    return &nl->inputs[0];
}

bool ps_nl_is_dumping(const struct ps_nl *nl)
{
    bool asked = nl->inputs_at < nl->inputs_count && nl->inputs[0].kind == PS_FRAME_BEGIN;
    return asked || nl->decoder.dump != 0;
}

/* recvmmsg() over `count` slots of `slot_bytes` each; MSG_TRUNC asks for true lengths. */
static int receive_slots(struct ps_nl *nl, int fd, uint32_t slot_bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count && nl->prepared != slot_bytes; i++) {
        nl->vectors[i] = (struct iovec){nl->arena + (size_t)i * slot_bytes, slot_bytes};
        nl->headers[i].msg_hdr = (struct msghdr){
            .msg_name = &nl->senders[i],
            .msg_namelen = sizeof(nl->senders[i]),
            .msg_iov = &nl->vectors[i],
            .msg_iovlen = 1,
        };
    }
    nl->prepared = slot_bytes;
    int received;
    do
        received = recvmmsg(fd, nl->headers, count, MSG_DONTWAIT | MSG_TRUNC, NULL);
    while (received < 0 && errno == EINTR);
    return received < 0 ? -errno : received;
}

/* Empties a socket and returns how many datagrams it held. An error on the way tells of what is
 * thrown away here in any case. */
static uint32_t discard(struct ps_nl *nl, int fd)
{
    uint32_t total = 0;
    while (total < DISCARD_MAX) {
        int received = receive_slots(nl, fd, 0, PS_NL_SLOTS);
        if (received == -EAGAIN || received == 0)
            break;
        total += received > 0 ? (uint32_t)received : 1;
    }
    return total;
}

void ps_nl_discard_events(struct ps_nl *nl)
{
    uint32_t total = nl->inputs_count - nl->inputs_at;
    nl->inputs_count = nl->inputs_at = 0;
    ps_nl_add(&nl->discarded, total + discard(nl, nl->events));
}

void ps_nl_discard_dump(struct ps_nl *nl)
{
    discard(nl, nl->dump);
}

static void take_slots(struct ps_nl *nl, uint8_t kind, uint32_t slot_bytes, uint32_t received)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    nl->inputs_at = nl->inputs_count = 0;
    for (uint32_t i = 0; i < received; i++) {
        const struct mmsghdr *header = &nl->headers[i];
        /* Only the kernel may tell us of links: port 0. */
        if (nl->senders[i].nl_pid != 0) {
            ps_nl_add(&nl->foreign, 1);
            continue;
        }
        bool truncated = header->msg_len > slot_bytes;
        if (truncated && kind == PS_FRAME_DUMP)
            nl->dump_slot = PS_DATAGRAM_MAX;
        while (truncated && kind == PS_FRAME_EVENT && nl->event_slot < header->msg_len &&
               nl->event_slot < PS_DATAGRAM_MAX)
            nl->event_slot = nl->event_slot * 2;
        nl->inputs[nl->inputs_count++] = (struct ps_nl_input){
            .bytes = nl->arena + (size_t)i * slot_bytes,
            .size = truncated ? slot_bytes : header->msg_len,
            .kind = kind,
            .flags = truncated ? PS_FRAME_TRUNCATED : 0,
            .seconds = (uint32_t)now.tv_sec,
            .nanoseconds = (uint32_t)now.tv_nsec,
        };
    }
}

/* Fills the list of inputs from the socket whose turn it is. Returns whether there is something. */
static int receive(struct ps_nl *nl)
{
    bool dumping = nl->decoder.dump != 0;
    uint32_t slot_bytes = dumping ? nl->dump_slot : (uint32_t)nl->event_slot;
    uint8_t kind = dumping ? PS_FRAME_DUMP : PS_FRAME_EVENT;
    int received = receive_slots(nl, dumping ? nl->dump : nl->events, slot_bytes,
                                 PS_NL_ARENA_BYTES / slot_bytes);
    if (received == -EAGAIN)
        return 0;
    if (received >= 0) {
        take_slots(nl, kind, slot_bytes, (uint32_t)received);
        return nl->inputs_count > 0;
    }
    if (dumping) {
        ps_nl_add_input(nl, PS_FRAME_FAILED, (uint32_t)-received);
        return 1;
    }
    if (received != -ENOBUFS)
        return received;
    ps_nl_discard_events(nl);
    ps_nl_add_input(nl, PS_FRAME_OVERRUN, PS_LOSS_OVERRUN);
    return 1;
}

static uint32_t put_frame(uint8_t *buffer, const struct ps_nl_input *input, uint8_t kind,
                          uint32_t value, uint32_t size)
{
    struct ps_frame frame = {
        .size = size,
        .kind = kind,
        .flags = input->flags,
        .value = value,
        .seconds = input->seconds,
        .nanoseconds = input->nanoseconds,
    };
    memcpy(buffer, &frame, sizeof(frame));
    if (size > 0)
        memcpy(buffer + sizeof(frame), input->bytes, size);
    memset(buffer + sizeof(frame) + size, 0, PS_PADDED(size) - size);
    return (uint32_t)sizeof(frame) + PS_PADDED(size);
}

/* Puts an input out as it is. The decoder sees it too, since it knows when a dump ends; its marks
 * follow as frames of their own. */
static uint32_t put_frames(struct ps_nl *nl, struct ps_nl_input *input, uint8_t *buffer)
{
    struct ps_link scratch[SCRATCH_LINKS];
    uint32_t used = put_frame(buffer, input, input->kind, input->value, input->size);
    uint32_t marks = 0;
    while (!input->done) {
        uint32_t count = ps_nl_decode(&nl->decoder, input, scratch, SCRATCH_LINKS);
        for (uint32_t i = 0; i < count; i++) {
            if (scratch[i].type >= PS_DUMP_BEGIN && marks++ < MARKS_MAX)
                used += put_frame(buffer + used, input, PS_FRAME_MARK, scratch[i].type, 0);
        }
    }
    return used;
}

/* Decodes inputs into the buffer; returns records, or bytes of frames. */
static uint32_t decode_inputs(struct ps_nl *nl, uint8_t *buffer, uint32_t capacity)
{
    uint32_t used = 0;
    while (nl->inputs_at < nl->inputs_count) {
        struct ps_nl_input *input = &nl->inputs[nl->inputs_at];
        if (nl->frames) {
            uint32_t room = (1 + MARKS_MAX) * (uint32_t)sizeof(struct ps_frame);
            if (capacity - used < PS_PADDED(input->size) + room)
                break;
            used += put_frames(nl, input, buffer + used);
        } else {
            if (used == capacity)
                break;
            used += ps_nl_decode(&nl->decoder, input, (struct ps_link *)(void *)buffer + used,
                                 capacity - used);
        }
        if (!input->done)
            break;
        nl->inputs_at++;
    }
    return used;
}

int32_t ps_nl_drain(struct ps_nl *nl, uint8_t *buffer, uint32_t capacity)
{
    uint32_t step = nl->frames ? 1 : (uint32_t)sizeof(struct ps_link);
    uint32_t used = 0;
    for (;;) {
        used += decode_inputs(nl, buffer + (size_t)used * step, capacity - used);
        if (nl->inputs_at < nl->inputs_count || nl->events < 0)
            return (int32_t)used;
        int ready = receive(nl);
        /* An error says itself again at the next call, after what was read before it. */
        if (ready < 0 && used == 0)
            return ready;
        if (ready <= 0)
            return (int32_t)used;
    }
}
