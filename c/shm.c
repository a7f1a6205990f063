/* Sessions of the shared-memory half: publishing, taking, sleeping. */
#include "shm_internal.h"

#include <stdlib.h>

#include "paths.h"

/* The words of a futex_waitv(2), which is younger than the headers of some build machines. */
struct waiter {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};
#define WAITER_U32 2u
#define NR_FUTEX_WAITV 449

/* Between two looks at a region while spinning. */
#define LOOK_PAUSES 4u

/* -- Sessions ---------------------------------------------------------------------------------- */

/* A wait on another thread may be looking at a dead session's memory; the first call after it
 * lets go. The order of `state` and `waiting` decides: a wait that begins later sees it dead. */
static void bury(struct ps_shm *hub)
{
    for (uint32_t i = 0; i < hub->used; i++) {
        struct ps_shm_session *session = &hub->slots[i];
        if (atomic_load(&session->state) != PS_SHM_DEAD || atomic_load(&hub->waiting))
            continue;
        ps_region_unmap(&session->mapping);
        atomic_store(&session->state, PS_SHM_EMPTY);
    }
}

static void wake_all(struct ps_shm *hub)
{
    atomic_store(&hub->woken, 1);
    atomic_fetch_add(&hub->wake, 1);
    ps_futex_wake(&hub->wake);
}

static struct ps_shm_session *find(struct ps_shm *hub, uint32_t number)
{
    struct ps_shm_session *session = &hub->slots[number % 128 % PS_SHM_SESSIONS];
    bool live = atomic_load_explicit(&session->state, memory_order_relaxed) == PS_SHM_LIVE;
    return live && session->number == number ? session : NULL;
}

static void end_session(struct ps_shm *hub, struct ps_shm_session *session)
{
    if (session->server)
        ps_region_unlink(session->path, &session->mapping);
    atomic_store(&session->state, PS_SHM_DEAD);
    if (atomic_load(&hub->waiting))
        wake_all(hub);
    bury(hub);
}

int32_t ps_shm_open(void)
{
    struct ps_shm *hub = calloc(1, sizeof *hub);
    int32_t handle = hub ? ps_handle_new(PS_KIND_SHM, hub) : -ENOMEM;
    if (handle < 0)
        free(hub);
    return handle;
}

int32_t ps_shm_free(int32_t handle)
{
    PS_END(ps_shm, hub, PS_KIND_SHM, handle);
    for (uint32_t i = 0; i < hub->used; i++)
        if (atomic_load(&hub->slots[i].state) == PS_SHM_LIVE)
            end_session(hub, &hub->slots[i]);
    bury(hub);
    free(hub);
    return 0;
}

/* Makes (server) or maps (client) the region, and gives it a session. */
static int32_t begin_session(struct ps_shm *hub, const uint8_t *path, uint32_t path_size,
                             const struct ps_shm_limits *limits, bool server)
{
    char copy[PS_PATH_SIZE];
    uint32_t slot = 0;
    bury(hub);
    while (slot < PS_SHM_SESSIONS && atomic_load(&hub->slots[slot].state) != PS_SHM_EMPTY)
        slot++;
    if (slot == PS_SHM_SESSIONS)
        return -EUSERS;
    struct ps_shm_session *session = &hub->slots[slot];
    int error = ps_path_take(path, path_size, copy);
    if (error == 0 && path_size >= sizeof session->path)
        error = -ENAMETOOLONG;
    if (error == 0)
        error = server ? ps_region_create(copy, limits, &session->mapping)
                       : ps_region_attach(copy, &session->mapping);
    if (error < 0)
        return error;
    hub->generation = hub->generation % 0xfffff + 1;
    session->number = hub->generation * 128 + slot;
    session->server = server;
    session->pending = false;
    session->limits = *limits;
    memcpy(session->path, copy, path_size + 1);
    struct ps_region *region = session->mapping.region;
    session->sent = atomic_load(&region->sequence[server]);
    session->signalled = atomic_load(&region->signal[server]);
    atomic_store(&session->seen, atomic_load(&region->sequence[!server]));
    if (slot >= hub->used)
        hub->used = slot + 1;
    atomic_store(&session->state, PS_SHM_LIVE);
    if (atomic_load(&hub->waiting)) /* so that the wait looks at this one too */
        wake_all(hub);
    return (int32_t)session->number;
}

int32_t ps_shm_create(int32_t handle, const uint8_t *path, uint32_t path_size,
                      const struct ps_shm_limits *limits)
{
    PS_TAKE(ps_shm, hub, PS_KIND_SHM, handle);
    return begin_session(hub, path, path_size, limits, true);
}

int32_t ps_shm_attach(int32_t handle, const uint8_t *path, uint32_t path_size,
                      const struct ps_shm_limits *limits)
{
    PS_TAKE(ps_shm, hub, PS_KIND_SHM, handle);
    return begin_session(hub, path, path_size, limits, false);
}

int32_t ps_shm_close(int32_t handle, uint32_t number)
{
    PS_TAKE(ps_shm, hub, PS_KIND_SHM, handle);
    struct ps_shm_session *session = find(hub, number);
    if (!session)
        return -EBADF;
    end_session(hub, session);
    return 0;
}

/* -- Messages ---------------------------------------------------------------------------------- */

/* 0 is the direction of requests, 1 of responses. */
static int check(const struct ps_shm_session *session, const struct ps_header *header,
                 uint32_t length, int direction)
{
    uint32_t bytes = direction ? session->limits.response_bytes : session->limits.request_bytes;
    uint32_t items = direction ? session->limits.response_items : session->limits.request_items;
    if (header->kind != (direction ? PS_RESPONSE : PS_REQUEST) ||
        header->payload_len != length - PS_HEADER_BYTES)
        return -EPROTO;
    return header->payload_len > bytes || header->item_count > items ? -EMSGSIZE : 0;
}

static int32_t publish(struct ps_shm_session *session, const uint8_t *message, uint32_t length)
{
    int direction = session->server;
    struct ps_region *region = session->mapping.region;
    struct ps_header header;
    if (session->server != session->pending)
        return session->server ? -EINVAL : -EAGAIN;
    if (ps_header_read(&header, message, length) != PS_GOOD)
        return -EINVAL;
    int error = check(session, &header, length, direction);
    if (error < 0 || length > session->mapping.capacity[direction])
        return error == -EPROTO ? -EINVAL : -EMSGSIZE;
    memcpy(session->mapping.area[direction], message, length);
    /* Nobody else writes these. As stores they leave this processor together; three additions would
     * each fetch the line anew from a peer that spins on it. */
    atomic_store_explicit(&region->length[direction], length, memory_order_release);
    atomic_store_explicit(&region->sequence[direction], ++session->sent, memory_order_release);
    atomic_store_explicit(&region->signal[direction], ++session->signalled, memory_order_release);
    session->pending = !session->server;
    /* The receiver has no way to say that it sleeps, so it is always woken. */
    ps_futex_wake(&region->signal[direction]);
    return 0;
}

static bool has_message(struct ps_shm_session *session)
{
    int direction = !session->server;
    return atomic_load_explicit(&session->mapping.region->sequence[direction],
                                memory_order_acquire) >
           atomic_load_explicit(&session->seen, memory_order_relaxed);
}

/* Copies the message out before looking at it: the peer can write over it at any time. Returns the
 * bytes used in `data`, or -ENOBUFS with the message left where it is. */
static int32_t take(struct ps_shm_session *session, uint8_t *data, uint32_t size, bool first)
{
    int direction = !session->server;
    struct ps_shm_record record = {.session = session->number};
    struct ps_header header;
    uint32_t length =
        atomic_load_explicit(&session->mapping.region->length[direction], memory_order_acquire);
    uint32_t most = size > sizeof record ? size - (uint32_t)sizeof record : 0;
    if (length > most && !first)
        return -ENOBUFS;
    if (length > most || length > session->mapping.capacity[direction])
        record.status = -EMSGSIZE;
    else if (length < PS_HEADER_BYTES)
        record.status = -EBADMSG;
    if (record.status == 0) {
        memcpy(data + sizeof record, session->mapping.area[direction], length);
        record.status = ps_header_read(&header, data + sizeof record, length) == PS_GOOD
                            ? check(session, &header, length, direction)
                            : -EPROTO;
        record.length = record.status == 0           ? length
                        : record.status == -EMSGSIZE ? PS_HEADER_BYTES
                                                     : 0;
    }
    uint64_t seen = atomic_load_explicit(&session->seen, memory_order_relaxed);
    atomic_store_explicit(&session->seen, seen + 1, memory_order_relaxed);
    session->pending = session->server;
    ps_will_write(session->mapping.area[!direction]); /* the answer, or the next request */
    memcpy(data, &record, sizeof record);
    return (int32_t)((sizeof record + record.length + 7) & ~7u);
}

static int32_t poll_all(struct ps_shm *hub, uint8_t *data, uint32_t size, uint32_t spin_us)
{
    uint64_t end = 0;
    uint32_t used = 0;
    if (size < sizeof(struct ps_shm_record) + PS_HEADER_BYTES)
        return -EINVAL;
    for (uint32_t turn = 0;; turn++) {
        for (uint32_t n = 0; n < hub->used; n++) {
            uint32_t i = hub->first + n;
            i -= i < hub->used ? 0 : hub->used;
            struct ps_shm_session *session = &hub->slots[i];
            if (atomic_load_explicit(&session->state, memory_order_relaxed) != PS_SHM_LIVE ||
                !has_message(session))
                continue;
            int32_t taken = take(session, data + used, (size - used) & ~7u, used == 0);
            if (taken < 0) {
                hub->first = i;
                break;
            }
            used += (uint32_t)taken;
        }
        if (used || !spin_us)
            return (int32_t)used;
        /* A look takes the line from a peer that is about to write it: not too often. */
        for (uint32_t i = 0; i < LOOK_PAUSES; i++)
            ps_pause();
        if (turn % 16 == 15) {
            uint64_t now = ps_now_ns();
            end = end ? end : now + ps_spin_ns(spin_us);
            if (now >= end)
                return 0;
        }
    }
}

int32_t ps_shm_send(int32_t handle, uint32_t number, const uint8_t *message, uint32_t length)
{
    PS_TAKE(ps_shm, hub, PS_KIND_SHM, handle);
    struct ps_shm_session *session = find(hub, number);
    return session ? publish(session, message, length) : -ENOTCONN;
}

int32_t ps_shm_poll(int32_t handle, uint8_t *data, uint32_t size, uint32_t spin_us)
{
    PS_TAKE(ps_shm, hub, PS_KIND_SHM, handle);
    bury(hub);
    return poll_all(hub, data, size, spin_us);
}

int32_t ps_shm_exchange(int32_t handle, uint32_t number, const uint8_t *message, uint32_t length,
                        uint8_t *data, uint32_t size, uint32_t spin_us)
{
    PS_TAKE(ps_shm, hub, PS_KIND_SHM, handle);
    struct ps_shm_session *session = find(hub, number);
    int32_t error = session ? publish(session, message, length) : -ENOTCONN;
    return error < 0 ? error : poll_all(hub, data, size, spin_us);
}

/* -- Sleeping ---------------------------------------------------------------------------------- */

static void sleep_on(struct waiter *waiters, uint32_t count, uint64_t end)
{
    static _Atomic bool without_waitv;
    struct timespec until = ps_timespec(end);
    if (!atomic_load_explicit(&without_waitv, memory_order_relaxed)) {
        if (syscall(NR_FUTEX_WAITV, waiters, count, 0, &until, CLOCK_MONOTONIC) >= 0 ||
            (errno != ENOSYS && errno != EPERM))
            return;
        atomic_store(&without_waitv, true);
    }
    /* Linux before 5.16: wait on the newest session's word, and look at the others every 1 ms. */
    const struct waiter *last = &waiters[count - 1];
    ps_futex_wait((_Atomic uint32_t *)(uintptr_t)last->address, (uint32_t)last->value, 1000000);
}

/* Each signal is read before its sequence, so that a message that comes between the two changes
 * the word that is waited on. */
static bool prepare(struct ps_shm *hub, struct waiter *waiters, uint32_t *count)
{
    waiters[0] = (struct waiter){
        .value = atomic_load(&hub->wake), .address = (uintptr_t)&hub->wake, .flags = WAITER_U32};
    *count = 1;
    for (uint32_t i = 0; i < PS_SHM_SESSIONS; i++) {
        struct ps_shm_session *session = &hub->slots[i];
        if (atomic_load(&session->state) != PS_SHM_LIVE)
            continue;
        _Atomic uint32_t *signal = &session->mapping.region->signal[!session->server];
        waiters[(*count)++] =
            (struct waiter){.value = atomic_load_explicit(signal, memory_order_acquire),
                            .address = (uintptr_t)signal,
                            .flags = WAITER_U32};
        if (has_message(session))
            return true;
    }
    return false;
}

int32_t ps_shm_wait(int32_t handle, uint32_t timeout_ms)
{
    PS_HOLD(ps_shm, hub, PS_KIND_SHM, handle);
    struct waiter waiters[PS_SHM_SESSIONS + 1];
    uint64_t end = ps_wait_end(timeout_ms);
    uint32_t count;
    atomic_fetch_add(&hub->waiting, 1);
    bool ready = prepare(hub, waiters, &count);
    while (!ready && !atomic_exchange(&hub->woken, 0)) {
        sleep_on(waiters, count, end);
        ready = prepare(hub, waiters, &count);
        if (!ready && ps_now_ns() >= end)
            break;
    }
    atomic_fetch_sub(&hub->waiting, 1);
    return ready;
}

int32_t ps_shm_wake(int32_t handle)
{
    PS_HOLD(ps_shm, hub, PS_KIND_SHM, handle);
    wake_all(hub);
    return 0;
}
