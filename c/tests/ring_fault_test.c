/* The system refuses what the ring asks for, once at each place; what the other side does in the
 * middle of a call; and calls that nothing but a mistake would make. */
#include "../include/ps_ring.h"
#include "../include/ps_shm.h"
#include "faults.h"

static uint8_t data[70000];
static const char *ring;
static int32_t producer, consumer;

static int32_t open_ring(uint32_t role)
{
    return ps_ring_open(PATH(ring), PS_RING_MIN, role);
}

static void open_both(void)
{
    producer = open_ring(PS_RING_PRODUCER);
    consumer = open_ring(PS_RING_CONSUMER);
    CHECK(producer > 0 && consumer > 0);
}

static void close_both(void)
{
    SAME(ps_ring_close(producer), 0);
    SAME(ps_ring_close(consumer), 0);
    unlink(ring);
}

static void a_ring_that_cannot_be_made_is_made_the_next_time(void)
{
    fail(FTRUNCATE, 0, EIO);
    SAME(open_ring(PS_RING_PRODUCER), -EIO);
    fail_times(FALLOCATE, 0, 2, EINTR);
    fail(PWRITE, 0, ENOSPC);
    SAME(open_ring(PS_RING_PRODUCER), -ENOSPC);
    fail(PREAD, 0, EIO);
    SAME(open_ring(PS_RING_PRODUCER), -EIO);
    fail(FSTAT, 0, EIO);
    SAME(open_ring(PS_RING_PRODUCER), -EBADMSG);
    fail(FSTAT, 1, EIO);
    SAME(open_ring(PS_RING_PRODUCER), -EIO);
    for (int i = 0; i < 3; i++) {
        fail(MMAP, i, ENOMEM);
        SAME(open_ring(PS_RING_PRODUCER), -ENOMEM);
    }
    fail(FCNTL, 1, ENOLCK); /* nobody is kept from making it at the same time */
    SAME(open_ring(PS_RING_PRODUCER), -ENOLCK);
    fail_times(FCNTL, 1, 2, EINTR);
    producer = open_ring(PS_RING_PRODUCER);
    CHECK(producer > 0);
    SAME(ps_ring_close(producer), 0);
    SAME(ps_ring_open(PATH(ring), PS_RING_MIN, 0), -EINVAL);
    unlink(ring);
    SAME(ps_ring_open(PATH(ring), 2u << 30, PS_RING_PRODUCER), -EINVAL);
    /* Who only looks does not make one of an unfinished file. */
    SAME(open_ring(PS_RING_LOOK), -EBADMSG);
    unlink(ring);
    check_done();
}

static void a_closed_ring_is_no_ring(void)
{
    struct ps_ring_stat stat;
    open_both();
    SAME(ps_ring_stat(consumer, &stat), 0);
    fail(FCNTL, 0, EINVAL); /* who cannot look says that nobody is there */
    SAME(ps_ring_stat(producer, &stat), 0);
    SAME(stat.consumer_pid, 0);
    SAME(ps_ring_stat(producer, &stat), 0);
    SAME(stat.consumer_pid, getpid());
    SAME(ps_ring_wake(producer), 0);
    SAME(ps_ring_wait(producer, 1000), 1); /* there is room, whoever wakes */
    /* Behind good frames the first bad one is left. */
    static uint8_t frames[PS_RING_MIN];
    const uint32_t good = 8, immense = PS_RING_MIN, cut = 4000;
    memcpy(frames, &good, 4);
    memcpy(frames + 16, &immense, 4);
    SAME(ps_ring_push(producer, frames, 100), 16);
    memcpy(frames + 16, &cut, 4);
    SAME(ps_ring_push(producer, frames, 100), 16);
    SAME(ps_ring_push(producer, frames, 0x80000000u), -EINVAL);
    SAME(ps_ring_poll(consumer, data, 0x80000000u, 0), -EINVAL);
    SAME(ps_ring_close(producer), 0);
    SAME(ps_ring_close(consumer), 0);
    SAME(ps_ring_push(producer, frames, 8), -EBADF);
    SAME(ps_ring_poll(consumer, data, sizeof data, 0), -EBADF);
    SAME(ps_ring_commit(consumer, 0, 0), -EBADF);
    SAME(ps_ring_stat(consumer, &stat), -EBADF);
    unlink(ring);
}

static void push_one(void)
{
    const uint32_t frame[2] = {0, 0};
    SAME(ps_ring_push(producer, (const uint8_t *)frame, sizeof frame), sizeof frame);
}

static void wake_consumer(void)
{
    SAME(ps_ring_wake(consumer), 0);
}

/* The clock is read for the last time before the word to sleep on is. */
static void what_comes_just_before_the_sleep_is_seen(void)
{
    struct ps_ring_stat stat;
    open_both();
    meanwhile(CLOCK, 1, push_one);
    SAME(ps_ring_wait(consumer, PS_FOREVER), 1);
    SAME(ps_ring_poll(consumer, data, sizeof data, 0), 8);
    meanwhile(CLOCK, 1, wake_consumer);
    SAME(ps_ring_wait(consumer, PS_FOREVER), 0);
    SAME(ps_ring_stat(consumer, &stat), 0);
    SAME(stat.consumer_sleeps, 0); /* neither of them slept */
    meanwhile(CLOCK, 1, push_one); /* it is looked for many times between two looks at the clock */
    no_time = true;
    SAME(ps_ring_poll(consumer, data, sizeof data, 50), 8);
    no_time = false;
    SAME(ps_ring_poll(consumer, data, sizeof data, 50), 0);
    close_both();
    check_done();
}

static void a_pipe_in_the_place_of_a_ring_is_refused_at_once(void)
{
    SAME(mkfifo(ring, 0600), 0);
    for (uint32_t role = PS_RING_PRODUCER; role <= PS_RING_LOOK; role++)
        SAME(open_ring(role), -EBADMSG);
    unlink(ring);
}

static void a_ring_that_everyone_may_write_to_is_only_looked_at(void)
{
    SAME(ps_ring_close(open_ring(PS_RING_PRODUCER)), 0);
    SAME(chmod(ring, 0606), 0);
    SAME(open_ring(PS_RING_PRODUCER), -EPERM);
    SAME(open_ring(PS_RING_CONSUMER), -EPERM);
    SAME(ps_ring_close(open_ring(PS_RING_LOOK)), 0);
    unlink(ring);
}

static void there_are_so_many_handles(void)
{
    int32_t handles[1200];
    int count = 0;
    while (count < 1200 && (handles[count] = ps_shm_open()) > 0)
        count++;
    SAME(handles[count], -EMFILE);
    SAME(open_ring(PS_RING_PRODUCER), -EMFILE);
    while (count > 0)
        SAME(ps_shm_free(handles[--count]), 0);
    unlink(ring);
}

int main(void)
{
    begin();
    ring = in_folder("ring");
    a_ring_that_cannot_be_made_is_made_the_next_time();
    a_closed_ring_is_no_ring();
    what_comes_just_before_the_sleep_is_seen();
    a_pipe_in_the_place_of_a_ring_is_refused_at_once();
    a_ring_that_everyone_may_write_to_is_only_looked_at();
    there_are_so_many_handles();
    finish();
    return 0;
}
