/* Handles over the event and the dump socket, or over neither: the exports. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "ipc.h"
#include "near.h"
#include "nl_receive.h"
#include "nl_socket.h"

/* Events closer than this are a stream; from the third on they may be let gather. */
#define STREAM_GAP_NS 2000000u
#define STREAM_AFTER 2u

static void note_arrival(struct ps_nl *nl, uint64_t now)
{
    nl->stream = now - nl->last_event < STREAM_GAP_NS ? nl->stream + 1 : 0;
    nl->last_event = now;
}

static bool is_capacity(const struct ps_nl *nl, uint32_t capacity)
{
    uint32_t least = nl->frames ? PS_DATAGRAM_MAX + 4 * (uint32_t)sizeof(struct ps_frame) : 1;
    return capacity >= least && capacity <= 1u << 24;
}

int32_t ps_nl_poll(int32_t handle, uint8_t *buffer, uint32_t capacity, uint32_t spin_us)
{
    PS_TAKE(ps_nl, nl, PS_KIND_NETLINK, handle);
    if (!is_capacity(nl, capacity))
        return -EINVAL;
    uint64_t now = ps_now_ns(), end = now + ps_spin_ns(spin_us);
    int32_t result;
    while ((result = ps_nl_drain(nl, buffer, capacity)) == 0 && (now = ps_now_ns()) < end)
        ;
    if (result > 0)
        note_arrival(nl, now);
    return result;
}

/* Sleeps for the wake-up or the socket whose turn it is. 1: the socket is ready. */
static int sleep_for(struct ps_nl *nl, bool socket, const struct timespec *timeout)
{
    struct pollfd files[2] = {
        {.fd = nl->wake, .events = POLLIN},
        {.fd = nl->decoder.dump != 0 ? nl->dump : nl->events, .events = POLLIN},
    };
    int ready;
    do
        ready = ppoll(files, socket ? 2 : 1, timeout, NULL);
    while (ready < 0 && errno == EINTR);
    if (ready < 0)
        return -errno;
    return files[0].revents == 0 && ready > 0;
}

/* Lets events gather while they come as a stream, unless somebody wants us up. */
static void linger(struct ps_nl *nl, uint32_t linger_us)
{
    note_arrival(nl, ps_now_ns());
    if (nl->full || nl->stream < STREAM_AFTER || linger_us == 0)
        return;
    struct timespec pause = ps_timespec(linger_us * UINT64_C(1000));
    ps_nl_add(&nl->lingered, 1);
    sleep_for(nl, false, &pause);
}

static int32_t wait_for(struct ps_nl *nl, uint8_t *buffer, uint32_t capacity, uint32_t timeout_ms,
                        uint32_t linger_us)
{
    if (nl->inputs_at == nl->inputs_count) {
        struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000};
        int ready = sleep_for(nl, true, timeout_ms == PS_FOREVER ? NULL : &timeout);
        if (ready < 0)
            return ready;
        if (ready == 0) {
            uint64_t wakes;
            /* Nonblocking: a timeout finds nothing to read here. */
            ssize_t size = read(nl->wake, &wakes, sizeof(wakes));
            (void)size;
            return 0;
        }
        if (nl->decoder.dump == 0)
            linger(nl, linger_us);
    }
    int32_t result = ps_nl_drain(nl, buffer, capacity);
    nl->full = result == (int32_t)capacity;
    return result;
}

int32_t ps_nl_wait(int32_t handle, uint8_t *buffer, uint32_t capacity, uint32_t timeout_ms,
                   uint32_t linger_us)
{
    PS_TAKE(ps_nl, nl, PS_KIND_NETLINK, handle);
    if (nl->events < 0 || !is_capacity(nl, capacity))
        return -EINVAL;
    ps_sit_near();
    return wait_for(nl, buffer, capacity, timeout_ms, linger_us);
}

int32_t ps_nl_wake(int32_t handle)
{
    PS_HOLD(ps_nl, nl, PS_KIND_NETLINK, handle);
    return nl->wake < 0 ? -EINVAL : eventfd_write(nl->wake, 1) < 0 ? -errno : 0;
}

int32_t ps_nl_dump(int32_t handle)
{
    PS_TAKE(ps_nl, nl, PS_KIND_NETLINK, handle);
    if (nl->events < 0)
        return -EINVAL;
    if (ps_nl_is_dumping(nl))
        return -EINPROGRESS;
    ps_nl_discard_events(nl);
    ps_nl_discard_dump(nl);
    nl->sequence = nl->sequence % 0x7fffffffu + 1;
    int error = ps_nl_request_dump(nl->dump, nl->sequence);
    if (error == 0) {
        ps_nl_add(&nl->dumps, 1);
        ps_nl_add_input(nl, PS_FRAME_BEGIN, nl->sequence);
    }
    return error;
}

static bool is_frame(const struct ps_frame *frame)
{
    if (frame->flags & ~PS_FRAME_TRUNCATED || frame->size > PS_DATAGRAM_MAX)
        return false;
    switch (frame->kind) {
    case PS_FRAME_EVENT:
    case PS_FRAME_DUMP:
        return true;
    case PS_FRAME_BEGIN:
        return frame->value != 0 && frame->size == 0;
    case PS_FRAME_OVERRUN:
    case PS_FRAME_FAILED:
        return frame->value <= 4095 && frame->size == 0;
    default:
        return false;
    }
}

/* Takes whole frames as long as there is room for them; returns the bytes taken. */
static int32_t feed(struct ps_nl *nl, const uint8_t *bytes, uint32_t size)
{
    uint32_t at = 0, used = 0;
    nl->inputs_at = nl->inputs_count = 0;
    while (nl->inputs_count < PS_NL_SLOTS && size - at >= sizeof(struct ps_frame)) {
        struct ps_frame frame;
        memcpy(&frame, bytes + at, sizeof(frame));
        uint32_t whole = (uint32_t)sizeof(frame) + PS_PADDED(frame.size);
        if (!is_frame(&frame) || whole > size - at)
            return at > 0 ? (int32_t)at : -EINVAL;
        if (frame.size > sizeof(nl->arena) - used)
            break;
        memcpy(nl->arena + used, bytes + at + sizeof(frame), frame.size);
        nl->inputs[nl->inputs_count++] = (struct ps_nl_input){
            .bytes = nl->arena + used,
            .size = frame.size,
            .kind = frame.kind,
            .flags = frame.flags,
            .value = frame.value,
            .seconds = frame.seconds,
            .nanoseconds = frame.nanoseconds,
        };
        if (frame.kind == PS_FRAME_BEGIN)
            ps_nl_add(&nl->dumps, 1);
        used += frame.size;
        at += whole;
    }
    return at > 0 ? (int32_t)at : -EINVAL;
}

int32_t ps_nl_feed(int32_t handle, const uint8_t *frames, uint32_t size)
{
    PS_TAKE(ps_nl, nl, PS_KIND_NETLINK, handle);
    if (nl->events >= 0 || size > INT32_MAX)
        return -EINVAL;
    return nl->inputs_at < nl->inputs_count ? -EAGAIN : feed(nl, frames, size);
}

int32_t ps_nl_stats(int32_t handle, struct ps_link_stats *ret_stats)
{
    PS_HOLD(ps_nl, nl, PS_KIND_NETLINK, handle);
    struct ps_nl_decoder *decoder = &nl->decoder;
    struct ps_link_stats stats = {
        .datagrams = decoder->datagrams,
        .messages = decoder->messages,
        .records = decoder->records,
        .ignored = decoder->ignored,
        .malformed = decoder->malformed,
        .foreign = nl->foreign,
        .lost = decoder->lost,
        .discarded = nl->discarded,
        .dumps = nl->dumps,
        .interrupted = decoder->interruptions,
        .lingered = nl->lingered,
        .slot_bytes = nl->event_slot,
    };
    int32_t result = nl->events < 0 ? 0 : ps_nl_memory(nl->events, &stats);
    if (result == 0)
        *ret_stats = stats;
    return result;
}

int32_t ps_nl_error(int32_t handle, uint8_t *ret_text, uint32_t capacity)
{
    PS_TAKE(ps_nl, nl, PS_KIND_NETLINK, handle);
    uint32_t size = nl->decoder.error_size < capacity ? nl->decoder.error_size : capacity;
    memcpy(ret_text, nl->decoder.error, size);
    return (int32_t)size;
}

static void free_netlink(struct ps_nl *nl)
{
    if (nl->events >= 0)
        close(nl->events);
    if (nl->dump >= 0)
        close(nl->dump);
    if (nl->wake >= 0)
        close(nl->wake);
    free(nl);
}

static struct ps_nl *new_netlink(void)
{
    struct ps_nl *nl = calloc(1, sizeof(*nl));
    if (!nl)
        return NULL;
    nl->events = nl->dump = nl->wake = -1;
    nl->event_slot = PS_NL_EVENT_SLOT_BYTES;
    nl->dump_slot = PS_NL_DUMP_SLOT_BYTES;
    nl->prepared = UINT32_MAX;
    return nl;
}

static int open_sockets(struct ps_nl *nl, const uint8_t *netns, uint32_t netns_size,
                        uint32_t receive_bytes)
{
    int error;
    if ((nl->events = ps_nl_socket(netns, netns_size)) < 0)
        return nl->events;
    if ((nl->dump = ps_nl_socket(netns, netns_size)) < 0)
        return nl->dump;
    if ((nl->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
        return -errno;
    if ((error = ps_nl_receive_buffer(nl->events, receive_bytes)) < 0)
        return error;
    /* Before any dump, so that nothing falls between the two. */
    return ps_nl_join(nl->events);
}

static int32_t hand_out(struct ps_nl *nl)
{
    int32_t handle = ps_handle_new(PS_KIND_NETLINK, nl);
    if (handle < 0)
        free_netlink(nl);
    return handle;
}

int32_t ps_nl_open(const uint8_t *netns, uint32_t netns_size, uint32_t receive_bytes,
                   uint32_t flags)
{
    if (flags & ~(uint32_t)PS_OPEN_FRAMES)
        return -EINVAL;
    struct ps_nl *nl = new_netlink();
    if (!nl)
        return -ENOMEM;
    nl->frames = flags & PS_OPEN_FRAMES;
    int error = open_sockets(nl, netns, netns_size, receive_bytes);
    if (error < 0) {
        free_netlink(nl);
        return error;
    }
    return hand_out(nl);
}

int32_t ps_nl_replay(void)
{
    struct ps_nl *nl = new_netlink();
    return nl ? hand_out(nl) : -ENOMEM;
}

int32_t ps_nl_close(int32_t handle)
{
    PS_END(ps_nl, nl, PS_KIND_NETLINK, handle);
    free_netlink(nl);
    return 0;
}
