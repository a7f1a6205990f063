/* Hubs and sessions of the socket half: the tables, polling, sleeping. */
#include "uds_internal.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define EPOLL_BATCH 64
#define WAKE (UINT64_MAX - 1)
#define SLOT(number) ((number) % PS_UDS_SLOTS)

static void destroy(struct ps_uds *hub)
{
    for (uint32_t i = 0; i < PS_UDS_SLOTS; i++)
        if (hub->slots[i])
            ps_uds_drop(hub, hub->slots[i]);
    ps_uds_unlisten(hub);
    if (hub->wake >= 0)
        close(hub->wake);
    if (hub->epoll >= 0)
        close(hub->epoll);
    free(hub);
}

int32_t ps_uds_open(void)
{
    struct ps_uds *hub = calloc(1, sizeof *hub);
    if (!hub)
        return -ENOMEM;
    hub->listener = -1;
    hub->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    hub->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE};
    bool failed = hub->wake < 0 || hub->epoll < 0 ||
                  epoll_ctl(hub->epoll, EPOLL_CTL_ADD, hub->wake, &event) < 0;
    int32_t handle = failed ? -errno : ps_handle_new(PS_KIND_UDS, hub);
    if (handle < 0)
        destroy(hub);
    return handle;
}

int32_t ps_uds_free(int32_t handle)
{
    PS_END(ps_uds, hub, PS_KIND_UDS, handle);
    destroy(hub);
    return 0;
}

struct ps_uds_session *ps_uds_find(struct ps_uds *hub, uint32_t number)
{
    struct ps_uds_session *session = hub->slots[SLOT(number)];
    return session && session->number == number ? session : NULL;
}

struct ps_uds_session *ps_uds_add(struct ps_uds *hub, int fd, bool server, uint32_t stall_ms)
{
    uint32_t slot = 0;
    while (slot < PS_UDS_SLOTS && hub->slots[slot])
        slot++;
    struct ps_uds_session *session = slot < PS_UDS_SLOTS ? calloc(1, sizeof *session) : NULL;
    if (!session)
        return NULL;
    hub->generation = hub->generation % 0xfffff + 1;
    *session = (struct ps_uds_session){.fd = fd, .server = server, .stall_ms = stall_ms};
    session->number = hub->generation * PS_UDS_SLOTS + slot;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = session->number};
    if ((!server && !(session->ids = calloc(PS_UDS_MAX_IN_FLIGHT, sizeof *session->ids))) ||
        epoll_ctl(hub->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        free(session->ids);
        free(session);
        return NULL;
    }
    hub->slots[slot] = session;
    hub->accepted += server;
    ps_uds_set_deadline(hub, session);
    return session;
}

void ps_uds_drop(struct ps_uds *hub, struct ps_uds_session *session)
{
    hub->slots[SLOT(session->number)] = NULL;
    hub->accepted -= session->server;
    close(session->fd);
    free(session->rx);
    free(session->ids);
    free(session);
}

int32_t ps_uds_close(int32_t handle, uint32_t number)
{
    PS_TAKE(ps_uds, hub, PS_KIND_UDS, handle);
    struct ps_uds_session *session = ps_uds_find(hub, number);
    if (session) {
        ps_uds_drain(session);
        ps_uds_drop(hub, session);
    }
    return session ? 0 : -ENOTCONN;
}

void ps_uds_watch(struct ps_uds *hub, struct ps_uds_session *session)
{
    /* Nobody's requests are read before the responses to the last ones are taken. */
    bool reads = session->state != PS_S_DECIDE && !session->paused &&
                 !(session->server && session->want_write);
    uint32_t events =
        (reads ? (uint32_t)EPOLLIN : 0u) | (session->want_write ? (uint32_t)EPOLLOUT : 0u);
    struct epoll_event event = {.events = events, .data.u64 = session->number};
    epoll_ctl(hub->epoll, EPOLL_CTL_MOD, session->fd, &event);
}

int32_t ps_uds_pause(int32_t handle, uint32_t number, uint32_t paused)
{
    PS_TAKE(ps_uds, hub, PS_KIND_UDS, handle);
    struct ps_uds_session *session = ps_uds_find(hub, number);
    if (!session)
        return -ENOTCONN;
    session->paused = paused != 0;
    if (session->deadline) /* what was not read cannot be late */
        ps_uds_set_deadline(hub, session);
    ps_uds_watch(hub, session);
    return 0;
}

struct ps_uds_event *ps_uds_put(struct ps_uds_out *out, uint32_t type, uint32_t session)
{
    struct ps_uds_event *event = &out->events[out->count++];
    *event = (struct ps_uds_event){.type = type, .session = session};
    return event;
}

void ps_uds_end(struct ps_uds *hub, struct ps_uds_session *session, int status,
                struct ps_uds_out *out)
{
    ps_uds_put(out, PS_UDS_CLOSED, session->number)->status = status;
    ps_uds_drop(hub, session);
}

/* -- Deadlines --------------------------------------------------------------------------------- */

void ps_uds_note_deadline(struct ps_uds *hub, uint64_t deadline)
{
    uint64_t next = atomic_load(&hub->next_deadline);
    if (!next || deadline < next)
        atomic_store(&hub->next_deadline, deadline);
}

void ps_uds_set_deadline(struct ps_uds *hub, struct ps_uds_session *session)
{
    session->deadline = ps_now_ns() + session->stall_ms * UINT64_C(1000000);
    ps_uds_note_deadline(hub, session->deadline);
}

/* Ends sessions whose deadline passed, and finds the next one. */
static void expire(struct ps_uds *hub, struct ps_uds_out *out)
{
    uint64_t next = atomic_load(&hub->next_deadline);
    uint64_t now = next ? ps_now_ns() : 0;
    if (now < next || !next)
        return;
    atomic_store(&hub->next_deadline, 0);
    if (hub->listen_again && hub->listen_again <= now) {
        hub->listen_again = 0;
        ps_uds_watch_listener(hub);
    } else if (hub->listen_again) {
        ps_uds_note_deadline(hub, hub->listen_again);
    }
    for (uint32_t i = 0; i < PS_UDS_SLOTS; i++) {
        struct ps_uds_session *session = hub->slots[i];
        if (!session || !session->deadline || session->paused)
            continue;
        if (session->deadline > now || out->count == out->capacity)
            ps_uds_note_deadline(hub, session->deadline);
        else if (session->state == PS_S_HELLO)
            ps_uds_refuse(hub, session, -ETIMEDOUT, out);
        else
            ps_uds_end(hub, session, -ETIMEDOUT, out);
    }
}

/* -- Polling ----------------------------------------------------------------------------------- */

static void serve(struct ps_uds *hub, struct ps_uds_session *session, uint32_t ready, bool at_once,
                  struct ps_uds_out *out)
{
    if (ready & EPOLLOUT) {
        session->want_write = false;
        ps_uds_watch(hub, session);
        ps_uds_put(out, PS_UDS_WRITABLE, session->number);
    }
    if (!(ready & ~(uint32_t)EPOLLOUT) || out->count == out->capacity)
        return;
    if (session->state == PS_S_HELLO)
        ps_uds_read_hello(hub, session, out);
    else if (session->state == PS_S_ACK)
        ps_uds_read_ack(hub, session, out);
    else if (session->state == PS_S_DECIDE) /* only a hang-up is reported here */
        ps_uds_end(hub, session, 0, out);
    else
        ps_uds_receive(hub, session, at_once, out);
}

/* Looks again and again, and lets the peer run in between where it shares the processor: a wake-up
 * costs many times as much, above all between the processors of a virtual machine. */
static int spin(int epoll, struct epoll_event *ready, uint32_t spin_us, bool *ret_at_once)
{
    int count = epoll_wait(epoll, ready, EPOLL_BATCH, 0);
    *ret_at_once = count != 0;
    if (count != 0 || spin_us == 0)
        return count;
    uint64_t end = ps_now_ns() + ps_spin_ns(spin_us);
    do {
        sched_yield();
        count = epoll_wait(epoll, ready, EPOLL_BATCH, 0);
    } while (count == 0 && ps_now_ns() < end);
    return count;
}

int32_t ps_uds_poll(int32_t handle, struct ps_uds_event *events, uint32_t capacity, uint8_t *data,
                    uint32_t size, uint32_t spin_us)
{
    PS_TAKE(ps_uds, hub, PS_KIND_UDS, handle);
    if (!capacity || size < PS_UDS_MIN_DATA)
        return -EINVAL;
    struct ps_uds_out out = {.events = events, .capacity = capacity, .data = data, .size = size};
    struct epoll_event ready[EPOLL_BATCH];
    bool at_once;
    int count = spin(hub->epoll, ready, spin_us, &at_once);
    if (count < 0 && errno != EINTR)
        return -errno;
    uint32_t first = count > 1 ? hub->turn++ : 0;
    for (int i = 0; i < count && out.count < capacity; i++) {
        const struct epoll_event *one = &ready[(first + (uint32_t)i) % (uint32_t)count];
        if (one->data.u64 == PS_UDS_LISTENER)
            ps_uds_accept(hub, &out);
        struct ps_uds_session *session =
            one->data.u64 < WAKE ? ps_uds_find(hub, (uint32_t)one->data.u64) : NULL;
        if (session)
            serve(hub, session, one->events, at_once, &out);
    }
    expire(hub, &out); /* after what has come in time, however late it is looked at */
    return (int32_t)out.count;
}

int32_t ps_uds_exchange(int32_t handle, uint32_t session, const uint8_t *message, uint32_t length,
                        struct ps_uds_event *events, uint32_t capacity, uint8_t *data,
                        uint32_t size, uint32_t spin_us)
{
    int32_t sent = ps_uds_send(handle, session, message, length);
    if (sent != (int32_t)length)
        return sent < 0 ? sent : -EAGAIN;
    return ps_uds_poll(handle, events, capacity, data, size, spin_us);
}

/* -- Sleeping ---------------------------------------------------------------------------------- */

int32_t ps_uds_wait(int32_t handle, uint32_t timeout_ms)
{
    PS_HOLD(ps_uds, hub, PS_KIND_UDS, handle);
    int timeout = timeout_ms > INT32_MAX ? -1 : (int)timeout_ms;
    uint64_t deadline = atomic_load(&hub->next_deadline);
    uint64_t now = ps_now_ns();
    uint64_t left = deadline > now ? (deadline - now) / 1000000 + 1 : 0;
    if (deadline && left < timeout_ms)
        timeout = (int)left;
    struct epoll_event ready;
    uint64_t wakes;
    int32_t count = epoll_wait(hub->epoll, &ready, 1, timeout);
    int error = errno;
    if (count == 1 && ready.data.u64 == WAKE)
        count = read(hub->wake, &wakes, sizeof wakes) > 0;
    return count >= 0 ? count : error == EINTR ? 0 : -error;
}

int32_t ps_uds_wake(int32_t handle)
{
    PS_HOLD(ps_uds, hub, PS_KIND_UDS, handle);
    return eventfd_write(hub->wake, 1) < 0 && errno != EAGAIN ? -errno : 0;
}
