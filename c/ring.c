/* The ring: frames in a mapped file between one producer and one consumer. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "include/ps_ring.h"
#include "ipc.h"
#include "paths.h"

/* Bytes of the file that stand for a right: to be this side, to make the file. */
enum { LOCK_MAKE = 0, LOCK_PRODUCER = PS_RING_PRODUCER, LOCK_CONSUMER = PS_RING_CONSUMER };

struct ps_ring {
    int file;
    uint32_t role;
    uint64_t capacity;
    struct ps_ring_head *head;
    struct ps_ring_side *producer, *consumer;
    uint8_t *data;           /* mapped twice, one behind the other */
    _Atomic uint64_t copied; /* the consumer's own position, at or after its published one */
    _Atomic uint32_t woken;
};

/* -- The file ---------------------------------------------------------------------------------- */

/* Locks belong to the open file: the kernel gives them back when the process ends, however. */
static int lock(int file, int command, off_t byte, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int result;
    do
        result = fcntl(file, command, &lock);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

static bool is_held(int file, off_t byte)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(file, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static bool is_capacity(uint64_t capacity)
{
    return capacity >= PS_RING_MIN && capacity <= PS_RING_MAX && !(capacity & (capacity - 1));
}

static bool is_head(const struct ps_ring_head *head)
{
    return head->magic == PS_RING_MAGIC && head->version == PS_RING_VERSION &&
           head->header_bytes == PS_RING_DATA && is_capacity(head->capacity);
}

/* Writes a new file's head last, so that a maker that dies leaves a file without one. */
static int make(int file, uint32_t capacity)
{
    const struct ps_ring_head head = {.magic = PS_RING_MAGIC,
                                      .version = PS_RING_VERSION,
                                      .header_bytes = PS_RING_DATA,
                                      .capacity = capacity};
    int result;
    if (!is_capacity(capacity))
        return -EINVAL;
    if (ftruncate(file, 0) < 0)
        return -errno;
    do /* every page is reserved: a full store must say so now, not as SIGBUS at a later write */
        result = fallocate(file, 0, 0, (off_t)PS_RING_DATA + capacity);
    while (result < 0 && errno == EINTR);
    if (result < 0 || pwrite(file, &head, sizeof head, 0) != (ssize_t)sizeof head)
        return -errno;
    return 0;
}

/* Reads the file's head, after making it if it has none yet. */
static int read_head(struct ps_ring *ring, uint32_t capacity)
{
    struct ps_ring_head head = {0};
    struct stat info;
    if (pread(ring->file, &head, sizeof head, 0) < 0)
        return -errno;
    if (head.magic == 0 && ring->role != PS_RING_LOOK) {
        int error = make(ring->file, capacity);
        if (error < 0)
            return error;
        head.capacity = capacity;
    } else if (!is_head(&head)) {
        return -EBADMSG;
    }
    if (fstat(ring->file, &info) < 0)
        return -errno;
    ring->capacity = head.capacity;
    return info.st_size == (off_t)(PS_RING_DATA + head.capacity) ? 0 : -EBADMSG;
}

/* Begins where the last consumer ended. */
static int read_positions(struct ps_ring *ring)
{
    uint64_t published = atomic_load(&ring->producer->position);
    uint64_t done = atomic_load(&ring->consumer->position);
    atomic_store(&ring->copied, done);
    return done % 8 || published % 8 || published - done > ring->capacity ? -EBADMSG : 0;
}

static int map(struct ps_ring *ring)
{
    const int access = ring->role == PS_RING_LOOK ? PROT_READ : PROT_READ | PROT_WRITE;
    size_t size = PS_RING_DATA + 2 * ring->capacity;
    uint8_t *all = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED)
        return -errno;
    ring->head = (struct ps_ring_head *)all;
    ring->producer = (struct ps_ring_side *)(all + 64);
    ring->consumer = (struct ps_ring_side *)(all + 128);
    ring->data = all + PS_RING_DATA;
    if (mmap(all, PS_RING_DATA + ring->capacity, access, MAP_SHARED | MAP_FIXED, ring->file, 0) ==
            MAP_FAILED ||
        mmap(ring->data + ring->capacity, ring->capacity, access, MAP_SHARED | MAP_FIXED,
             ring->file, PS_RING_DATA) == MAP_FAILED)
        return -errno;
    return read_positions(ring);
}

static void destroy(struct ps_ring *ring)
{
    if (ring->head)
        munmap(ring->head, PS_RING_DATA + 2 * ring->capacity);
    if (ring->file >= 0)
        close(ring->file);
    free(ring);
}

/* The last one on this side may have ended after it took the other's flag, before it woke it. */
static void arrive(struct ps_ring *ring)
{
    bool produces = ring->role == PS_RING_PRODUCER;
    struct ps_ring_side *other = produces ? ring->consumer : ring->producer;
    atomic_store(&(produces ? ring->producer : ring->consumer)->pid, (uint32_t)getpid());
    atomic_fetch_add(&other->word, 1);
    ps_futex_wake(&other->word);
}

static int open_ring(struct ps_ring *ring, const char *path, uint32_t capacity)
{
    bool looks = ring->role == PS_RING_LOOK;
    ring->file = ps_path_open(path, looks ? O_RDONLY : O_RDWR | O_CREAT, 0600);
    if (ring->file < 0)
        return ring->file;
    struct stat info;
    if (fstat(ring->file, &info) < 0 || !S_ISREG(info.st_mode))
        return -EBADMSG;
    if (!looks && (info.st_mode & S_IWOTH)) /* anyone could cut it short under our feet */
        return -EPERM;
    if (!looks && lock(ring->file, F_OFD_SETLK, (off_t)ring->role, F_WRLCK) < 0)
        return -EADDRINUSE;
    int error = looks ? 0 : lock(ring->file, F_OFD_SETLKW, LOCK_MAKE, F_WRLCK);
    if (error == 0)
        error = read_head(ring, capacity);
    if (!looks)
        lock(ring->file, F_OFD_SETLK, LOCK_MAKE, F_UNLCK);
    if (error == 0)
        error = map(ring);
    if (error == 0 && !looks)
        arrive(ring);
    return error;
}

int32_t ps_ring_open(const uint8_t *path, uint32_t path_size, uint32_t capacity, uint32_t role)
{
    char copy[PS_PATH_SIZE];
    int error = ps_path_take(path, path_size, copy);
    if (error < 0 || role < PS_RING_PRODUCER || role > PS_RING_LOOK)
        return error < 0 ? error : -EINVAL;
    struct ps_ring *ring = calloc(1, sizeof *ring);
    if (!ring)
        return -ENOMEM;
    ring->role = role;
    error = open_ring(ring, copy, capacity);
    int32_t handle = error < 0 ? error : ps_handle_new(PS_KIND_RING, ring);
    if (handle < 0)
        destroy(ring);
    return handle;
}

int32_t ps_ring_close(int32_t handle)
{
    PS_END(ps_ring, ring, PS_KIND_RING, handle);
    destroy(ring);
    return 0;
}

/* -- Frames ------------------------------------------------------------------------------------ */

/* Whole frames at the start of `bytes`, at most `room` bytes of them. Errors are those of the
 * first frame. */
static int64_t whole_frames(const uint8_t *bytes, uint64_t length, uint64_t room, uint64_t most)
{
    uint64_t end = 0;
    while (length - end >= 8) {
        uint32_t size;
        memcpy(&size, bytes + end, sizeof size);
        uint64_t next = end + ((8 + (uint64_t)size + 7) & ~UINT64_C(7));
        if (next - end > most)
            return end ? (int64_t)end : -EMSGSIZE;
        if (next > length)
            return end ? (int64_t)end : -EINVAL;
        if (next > room)
            break;
        end = next;
    }
    return end || length == 0 || room < length ? (int64_t)end : -EINVAL;
}

/* The other side sleeps, or not: only the one that takes the flag wakes it. */
static void wake_sleeper(struct ps_ring_side *sleeper)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&sleeper->sleeping, memory_order_relaxed) &&
        atomic_exchange(&sleeper->sleeping, 0)) {
        atomic_fetch_add(&sleeper->word, 1);
        ps_futex_wake(&sleeper->word);
    }
}

int32_t ps_ring_push(int32_t handle, const uint8_t *frames, uint32_t length)
{
    PS_TAKE(ps_ring, ring, PS_KIND_RING, handle);
    if (ring->role != PS_RING_PRODUCER || length > INT32_MAX)
        return -EINVAL;
    uint64_t at = atomic_load_explicit(&ring->producer->position, memory_order_relaxed);
    uint64_t done = atomic_load_explicit(&ring->consumer->position, memory_order_acquire);
    if (at - done > ring->capacity)
        return -EBADMSG;
    int64_t taken = whole_frames(frames, length, ring->capacity - (at - done), ring->capacity / 2);
    if (taken <= 0)
        return (int32_t)taken;
    uint8_t *place = ring->data + (at & (ring->capacity - 1));
    uint64_t count = 0;
    memcpy(place, frames, (size_t)taken);
    for (uint64_t i = 0; i < (uint64_t)taken; count++) {
        uint32_t words[2];
        memcpy(words, frames + i, 4);
        words[1] = (uint32_t)((at + i) >> 3);
        memcpy(place + i, words, sizeof words);
        i += (8 + (uint64_t)words[0] + 7) & ~UINT64_C(7);
    }
    atomic_fetch_add_explicit(&ring->producer->frames, count, memory_order_relaxed);
    atomic_store_explicit(&ring->producer->position, at + (uint64_t)taken, memory_order_release);
    wake_sleeper(ring->consumer);
    return (int32_t)taken;
}

static uint64_t unread(struct ps_ring *ring)
{
    return atomic_load_explicit(&ring->producer->position, memory_order_acquire) -
           atomic_load_explicit(&ring->copied, memory_order_relaxed);
}

/* Copies what is there before looking at it, because the producer is another process. */
static int32_t copy(struct ps_ring *ring, uint8_t *data, uint32_t size, uint64_t there)
{
    uint64_t at = atomic_load_explicit(&ring->copied, memory_order_relaxed);
    if (there > ring->capacity || there % 8)
        return -EBADMSG;
    uint64_t length = there < size ? there : size & ~7u;
    memcpy(data, ring->data + (at & (ring->capacity - 1)), length);
    uint64_t end = 0;
    int32_t error = -ENOBUFS;
    while (length - end >= 8) {
        uint32_t words[2];
        memcpy(words, data + end, sizeof words);
        uint64_t next = end + ((8 + (uint64_t)words[0] + 7) & ~UINT64_C(7));
        if (words[1] != (uint32_t)((at + end) >> 3) || next > there)
            error = -EBADMSG;
        if (error == -EBADMSG || next > length)
            break;
        end = next;
    }
    atomic_store_explicit(&ring->copied, at + end, memory_order_relaxed);
    return end ? (int32_t)end : error;
}

int32_t ps_ring_poll(int32_t handle, uint8_t *data, uint32_t size, uint32_t spin_us)
{
    PS_TAKE(ps_ring, ring, PS_KIND_RING, handle);
    if (ring->role != PS_RING_CONSUMER || size > INT32_MAX)
        return -EINVAL;
    uint64_t there = unread(ring);
    uint64_t end = there || !spin_us ? 0 : ps_now_ns() + ps_spin_ns(spin_us);
    while (!there && ps_now_ns() < end) {
        for (int i = 0; i < 32 && !there; i++, there = unread(ring))
            ps_pause();
    }
    return there ? copy(ring, data, size, there) : 0;
}

int32_t ps_ring_commit(int32_t handle, uint32_t bytes, uint32_t frames)
{
    PS_TAKE(ps_ring, ring, PS_KIND_RING, handle);
    uint64_t done = atomic_load_explicit(&ring->consumer->position, memory_order_relaxed);
    if (ring->role != PS_RING_CONSUMER || bytes % 8 ||
        bytes > atomic_load_explicit(&ring->copied, memory_order_relaxed) - done)
        return -EINVAL;
    atomic_fetch_add_explicit(&ring->consumer->frames, frames, memory_order_relaxed);
    atomic_store_explicit(&ring->consumer->position, done + bytes, memory_order_release);
    uint64_t used = atomic_load(&ring->producer->position) - (done + bytes);
    if (used <= ring->capacity / 2) /* a producer that waits is woken once for much room */
        wake_sleeper(ring->producer);
    return 0;
}

/* -- Sleeping ---------------------------------------------------------------------------------- */

static bool is_ready(struct ps_ring *ring)
{
    if (ring->role == PS_RING_CONSUMER)
        return unread(ring) > 0;
    return atomic_load(&ring->producer->position) - atomic_load(&ring->consumer->position) <=
           ring->capacity / 2;
}

int32_t ps_ring_wait(int32_t handle, uint32_t timeout_ms)
{
    PS_HOLD(ps_ring, ring, PS_KIND_RING, handle);
    struct ps_ring_side *own = ring->role == PS_RING_PRODUCER ? ring->producer : ring->consumer;
    uint64_t end = ps_wait_end(timeout_ms);
    bool ready = ring->role == PS_RING_LOOK || is_ready(ring);
    while (!ready && !atomic_exchange(&ring->woken, 0)) {
        uint64_t now = ps_now_ns();
        if (now >= end)
            break;
        uint32_t value = atomic_load(&own->word);
        atomic_store(&own->sleeping, 1);
        atomic_thread_fence(memory_order_seq_cst);
        ready = is_ready(ring);
        if (!ready && !atomic_load(&ring->woken)) {
            atomic_fetch_add_explicit(&own->sleeps, 1, memory_order_relaxed);
            ps_futex_wait(&own->word, value, end - now);
            ready = is_ready(ring);
        }
        atomic_store(&own->sleeping, 0);
    }
    return ready;
}

int32_t ps_ring_wake(int32_t handle)
{
    PS_HOLD(ps_ring, ring, PS_KIND_RING, handle);
    struct ps_ring_side *own = ring->role == PS_RING_PRODUCER ? ring->producer : ring->consumer;
    if (ring->role != PS_RING_LOOK) {
        atomic_store(&ring->woken, 1);
        atomic_fetch_add(&own->word, 1);
        ps_futex_wake(&own->word);
    }
    return 0;
}

int32_t ps_ring_stat(int32_t handle, struct ps_ring_stat *ret_stat)
{
    PS_HOLD(ps_ring, ring, PS_KIND_RING, handle);
    struct ps_ring_side *producer = ring->producer, *consumer = ring->consumer;
    bool has_producer = ring->role == PS_RING_PRODUCER || is_held(ring->file, LOCK_PRODUCER);
    bool has_consumer = ring->role == PS_RING_CONSUMER || is_held(ring->file, LOCK_CONSUMER);
    /* The consumer first: then it never seems to be ahead of the producer. */
    uint64_t consumed_bytes = atomic_load(&consumer->position);
    *ret_stat =
        (struct ps_ring_stat){.capacity = ring->capacity,
                              .consumed_bytes = consumed_bytes,
                              .produced_bytes = atomic_load(&producer->position),
                              .consumed = atomic_load(&consumer->frames),
                              .produced = atomic_load(&producer->frames),
                              .producer_sleeps = atomic_load(&producer->sleeps),
                              .consumer_sleeps = atomic_load(&consumer->sleeps),
                              .producer_pid = has_producer ? atomic_load(&producer->pid) : 0,
                              .consumer_pid = has_consumer ? atomic_load(&consumer->pid) : 0};
    return 0;
}
