/* The ring: frames, both ends, restarts, broken files. */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../include/ps_ring.h"
#include "ipc_test.h"

#define CAPACITY 65536u

static uint8_t frames[CAPACITY * 2], data[CAPACITY * 2];
static const char *path;

static uint32_t put(uint32_t at, uint32_t length, uint8_t fill)
{
    memset(frames + at, 0, 16 + length);
    memcpy(frames + at, &length, 4);
    memset(frames + at + 8, fill, length);
    return at + ((8 + length + 7) & ~7u);
}

static int32_t open_side(uint32_t role)
{
    int32_t handle = ps_ring_open(PATH(path), CAPACITY, role);
    CHECK(handle > 0);
    return handle;
}

static void frames_come_out_as_they_went_in(void)
{
    int32_t producer = open_side(PS_RING_PRODUCER), consumer = open_side(PS_RING_CONSUMER);
    SAME(ps_ring_poll(consumer, data, sizeof data, 10), 0);
    for (uint32_t turn = 0; turn < 500; turn++) {
        uint32_t length = 0;
        for (uint32_t i = 0; i < 9; i++)
            length = put(length, (turn * 37 + i * 11) % 700, (uint8_t)(turn + i));
        SAME(ps_ring_push(producer, frames, length), length);
        SAME(ps_ring_poll(consumer, data, sizeof data, 0), length);
        for (uint32_t at = 0; at < length;) {
            uint32_t size;
            memcpy(&size, frames + at, 4);
            SAME(memcmp(data + at, frames + at, 4), 0);
            SAME(memcmp(data + at + 8, frames + at + 8, size), 0);
            at += (8 + size + 7) & ~7u;
        }
        SAME(ps_ring_commit(consumer, length, 9), 0);
    }
    struct ps_ring_stat stat;
    SAME(ps_ring_stat(consumer, &stat), 0);
    SAME(stat.produced, 4500);
    SAME(stat.consumed, 4500);
    SAME(stat.produced_bytes, stat.consumed_bytes);
    SAME(stat.producer_pid, getpid());
    SAME(stat.consumer_pid, getpid());
    SAME(ps_ring_close(producer), 0);
    SAME(ps_ring_close(consumer), 0);
    unlink(path);
}

static void a_full_ring_takes_no_more_and_loses_nothing(void)
{
    int32_t producer = open_side(PS_RING_PRODUCER), consumer = open_side(PS_RING_CONSUMER);
    uint32_t length = 0;
    for (int i = 0; i < 100; i++)
        length = put(length, 992, (uint8_t)i); /* 1000 bytes each */
    SAME(ps_ring_push(producer, frames, length), 65000);
    SAME(ps_ring_push(producer, frames, 1000), 0);
    SAME(ps_ring_wait(producer, 10), 0);
    SAME(ps_ring_poll(consumer, data, 500, 0), -ENOBUFS);
    SAME(ps_ring_poll(consumer, data, 2500, 0), 2000);
    SAME(ps_ring_push(producer, frames, 1000), 0); /* copied is not done with */
    SAME(ps_ring_commit(consumer, 2008, 2), -EINVAL);
    SAME(ps_ring_commit(consumer, 1001, 1), -EINVAL);
    SAME(ps_ring_commit(consumer, 1000, 1), 0);
    SAME(ps_ring_push(producer, frames, 2000), 1000);
    /* A consumer that starts again gets what it did not finish. */
    SAME(ps_ring_close(consumer), 0);
    consumer = open_side(PS_RING_CONSUMER);
    SAME(ps_ring_poll(consumer, data, sizeof data, 0), 65000);
    SAME(data[8], 1);
    SAME(ps_ring_commit(consumer, 65000, 65), 0);
    SAME(ps_ring_wait(producer, 0), 1);
    /* What is no frame. */
    length = put(0, CAPACITY / 2 - 7, 1);
    SAME(ps_ring_push(producer, frames, length), -EMSGSIZE);
    length = put(0, 100, 1);
    SAME(ps_ring_push(producer, frames, length - 8), -EINVAL);
    SAME(ps_ring_push(producer, frames, 5), -EINVAL);
    SAME(ps_ring_push(producer, frames, 0), 0);
    SAME(ps_ring_push(consumer, frames, 8), -EINVAL);
    SAME(ps_ring_poll(producer, data, 8, 0), -EINVAL);
    SAME(ps_ring_commit(producer, 0, 0), -EINVAL);
    SAME(ps_ring_close(producer), 0);
    SAME(ps_ring_close(consumer), 0);
    unlink(path);
}

static void each_side_is_held_once(void)
{
    struct ps_ring_stat stat;
    SAME(ps_ring_open(PATH(path), CAPACITY, PS_RING_LOOK), -ENOENT);
    SAME(ps_ring_open(PATH(path), CAPACITY, 9), -EINVAL);
    SAME(ps_ring_open(PATH("/tmp/ring"), CAPACITY, 1), -EACCES);
    SAME(ps_ring_open(PATH(path), 70000, PS_RING_PRODUCER), -EINVAL);
    SAME(ps_ring_open(PATH(path), 32768, PS_RING_PRODUCER), -EINVAL);
    unlink(path);
    int32_t producer = open_side(PS_RING_PRODUCER);
    SAME(ps_ring_open(PATH(path), CAPACITY, PS_RING_PRODUCER), -EADDRINUSE);
    int32_t look = open_side(PS_RING_LOOK);
    SAME(ps_ring_stat(look, &stat), 0);
    SAME(stat.producer_pid, getpid());
    SAME(stat.consumer_pid, 0);
    SAME(stat.capacity, CAPACITY);
    SAME(ps_ring_push(look, frames, 8), -EINVAL);
    SAME(ps_ring_wait(look, 0), 1); /* looking needs no sleep */
    SAME(ps_ring_wake(look), 0);
    SAME(ps_ring_close(producer), 0);
    SAME(ps_ring_stat(look, &stat), 0);
    SAME(stat.producer_pid, 0);
    SAME(ps_ring_close(look), 0);
    SAME(ps_ring_close(look), -EBADF);
    unlink(path);
}

static void corrupt(long offset, uint64_t value, size_t length)
{
    FILE *file = fopen(path, "r+");
    fseek(file, offset, SEEK_SET);
    fwrite(&value, 1, length, file);
    fclose(file);
}

static void refused_after(long offset, uint64_t value, size_t length)
{
    SAME(ps_ring_close(open_side(PS_RING_PRODUCER)), 0);
    corrupt(offset, value, length);
    SAME(ps_ring_open(PATH(path), CAPACITY, PS_RING_CONSUMER), -EBADMSG);
    unlink(path);
}

static void a_broken_file_is_refused(void)
{
    refused_after(0, 1, 8);
    refused_after(8, 2, 4);
    refused_after(12, 4096, 4);
    refused_after(16, 65537, 8);
    refused_after(16, 131072, 8);
    refused_after(16, 32768, 8);
    refused_after(64, 4, 8);
    refused_after(128, 4, 8);
    refused_after(128, 8, 8); /* done with more than was published */
    refused_after(64, CAPACITY + 8, 8);
    SAME(mkdir(path, 0700), 0);
    SAME(ps_ring_open(PATH(path), CAPACITY, PS_RING_LOOK), -EBADMSG);
    rmdir(path);
    SAME(ps_ring_close(open_side(PS_RING_PRODUCER)), 0);
    SAME(chmod(path, 0622), 0);
    SAME(ps_ring_open(PATH(path), CAPACITY, PS_RING_CONSUMER), -EPERM);
    SAME(ps_ring_close(ps_ring_open(PATH(path), CAPACITY, PS_RING_LOOK)), 0);
    SAME(chmod(path, 0620), 0);
    SAME(ps_ring_close(open_side(PS_RING_CONSUMER)), 0);
    unlink(path);
    /* A frame with a wrong check or length, under an open consumer. */
    for (int i = 0; i < 4; i++) {
        int32_t producer = open_side(PS_RING_PRODUCER), consumer = open_side(PS_RING_CONSUMER);
        uint32_t length = put(put(0, 24, 1), 24, 2);
        SAME(ps_ring_push(producer, frames, length), 64);
        if (i == 0)
            corrupt(PS_RING_DATA + 4, 9, 4);
        if (i == 1)
            corrupt(PS_RING_DATA + 32, 25, 4);
        if (i == 2)
            corrupt(64, 1 << 20, 8);
        if (i == 3)
            corrupt(64, 12, 8);
        SAME(ps_ring_poll(consumer, data, sizeof data, 0), i == 1 ? 32 : -EBADMSG);
        if (i == 1)
            SAME(ps_ring_poll(consumer, data, sizeof data, 0), -EBADMSG);
        SAME(ps_ring_close(producer), 0);
        SAME(ps_ring_close(consumer), 0);
        unlink(path);
    }
    /* A consumer's cursor that ran away. */
    int32_t producer = open_side(PS_RING_PRODUCER);
    corrupt(128, 8, 8);
    SAME(ps_ring_push(producer, frames, put(0, 1, 1)), -EBADMSG);
    SAME(ps_ring_close(producer), 0);
    unlink(path);
}

static void a_full_store_is_an_error(void)
{
    struct rlimit old, small = {30000, 0};
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    SAME(ps_ring_open(PATH(path), CAPACITY, PS_RING_PRODUCER), -EFBIG);
    setrlimit(RLIMIT_FSIZE, &old);
    SAME(ps_ring_close(open_side(PS_RING_PRODUCER)), 0); /* an unfinished file is made again */
    unlink(path);
}

/* -- Across threads and processes -------------------------------------------------------------- */

#define MESSAGES 200000u

static void *produce(void *handle)
{
    static uint8_t out[64 * 24];
    for (uint32_t number = 0; number < MESSAGES;) {
        uint32_t count = MESSAGES - number < 64 ? MESSAGES - number : 1 + number % 64;
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t frame[6] = {16, 0, number + i, ~(number + i), 0, 0};
            memcpy(out + i * 24, frame, 24);
        }
        int32_t taken = ps_ring_push(*(int32_t *)handle, out, count * 24);
        CHECK(taken >= 0);
        number += (uint32_t)taken / 24;
        if (taken == 0)
            SAME(ps_ring_wait(*(int32_t *)handle, 10000), 1);
    }
    return NULL;
}

/* Takes frames until the last; their numbers must be without a gap from `next` on. */
static uint32_t consume(int32_t handle, uint32_t next, uint32_t until)
{
    while (next < until) {
        int32_t length = ps_ring_poll(handle, data, sizeof data, next % 3 ? 20 : 0);
        CHECK(length >= 0);
        if (length == 0)
            SAME(ps_ring_wait(handle, 10000), 1);
        for (int32_t at = 0; at < length; at += 24, next++) {
            uint32_t frame[6];
            memcpy(frame, data + at, 24);
            SAME(frame[2], next);
            SAME(frame[3], ~next);
        }
        SAME(ps_ring_commit(handle, (uint32_t)length, (uint32_t)length / 24), 0);
    }
    return next;
}

static void no_frame_and_no_wake_is_lost(void)
{
    pthread_t thread;
    int32_t producer = open_side(PS_RING_PRODUCER), consumer = open_side(PS_RING_CONSUMER);
    pthread_create(&thread, NULL, produce, &producer);
    consume(consumer, 0, MESSAGES);
    pthread_join(thread, NULL);
    SAME(ps_ring_close(producer), 0);
    SAME(ps_ring_close(consumer), 0);
    unlink(path);
}

/* The consumer is killed at any moment and started again: it may repeat, but never skip. */
static void a_killed_consumer_goes_on_where_it_was(void)
{
    pthread_t thread;
    int32_t producer = open_side(PS_RING_PRODUCER);
    struct ps_ring_stat stat = {0};
    pthread_create(&thread, NULL, produce, &producer);
    for (int turn = 0; stat.consumed_bytes < MESSAGES * 24ull; turn++) {
        pid_t child = fork();
        if (child == 0) {
            int32_t consumer = open_side(PS_RING_CONSUMER);
            SAME(ps_ring_stat(consumer, &stat), 0);
            consume(consumer, (uint32_t)(stat.consumed_bytes / 24), MESSAGES);
            _exit(0);
        }
        if (turn < 20) {
            usleep(1000 + (useconds_t)turn * 100);
            kill(child, SIGKILL);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
        SAME(ps_ring_stat(producer, &stat), 0);
        SAME(stat.consumer_pid, 0);
    }
    pthread_join(thread, NULL);
    SAME(ps_ring_close(producer), 0);
    unlink(path);
}

/* The producer is killed at any moment: what it had not published is not there, and the next one
 * goes on behind what it had. */
static void a_killed_producer_leaves_no_part_of_a_frame(void)
{
    uint32_t next = 0;
    int32_t consumer = open_side(PS_RING_CONSUMER);
    for (int turn = 0; turn < 20; turn++) {
        pid_t child = fork();
        if (child == 0) {
            struct ps_ring_stat stat;
            int32_t producer = open_side(PS_RING_PRODUCER);
            SAME(ps_ring_stat(producer, &stat), 0);
            for (uint32_t number = (uint32_t)(stat.produced_bytes / 24);; number++) {
                const uint32_t frame[6] = {16, 0, number, ~number, 0, 0};
                if (ps_ring_push(producer, (const uint8_t *)frame, sizeof frame) == 0 &&
                    number-- > 0)
                    ps_ring_wait(producer, 10000);
            }
        }
        SAME(ps_ring_wait(consumer, 10000), 1);
        next = consume(consumer, next, next + 1 + (uint32_t)turn * 50);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    struct ps_ring_stat stat;
    SAME(ps_ring_stat(consumer, &stat), 0);
    SAME(stat.producer_pid, 0);
    next = consume(consumer, next, (uint32_t)(stat.produced_bytes / 24));
    SAME(ps_ring_poll(consumer, data, sizeof data, 0), 0);
    SAME(ps_ring_close(consumer), 0);
    unlink(path);
}

static void *wait_for_frames(void *consumer)
{
    SAME(ps_ring_wait(*(int32_t *)consumer, PS_FOREVER), 1);
    return NULL;
}

/* A producer that ends after it has taken the flag of a sleeper, and before the wake. */
static void a_producer_that_comes_wakes_whom_the_last_one_left_asleep(void)
{
    pthread_t thread;
    struct ps_ring_stat stat = {0};
    int32_t producer = open_side(PS_RING_PRODUCER), consumer = open_side(PS_RING_CONSUMER);
    pthread_create(&thread, NULL, wait_for_frames, &consumer);
    while (stat.consumer_sleeps == 0)
        SAME(ps_ring_stat(producer, &stat), 0);
    usleep(1000);
    corrupt(128 + 28, 0, 4);
    SAME(ps_ring_push(producer, frames, put(0, 8, 1)), 16);
    SAME(ps_ring_close(producer), 0);
    producer = open_side(PS_RING_PRODUCER);
    pthread_join(thread, NULL);
    SAME(ps_ring_close(producer), 0);
    SAME(ps_ring_close(consumer), 0);
    unlink(path);
}

static void a_wait_is_woken(void)
{
    int32_t consumer = open_side(PS_RING_CONSUMER);
    SAME(ps_ring_wake(consumer), 0);
    SAME(ps_ring_wait(consumer, 10000), 0);
    SAME(ps_ring_wait(consumer, 5), 0);
    SAME(ps_ring_close(consumer), 0);
    SAME(ps_ring_wake(consumer), -EBADF);
    SAME(ps_ring_wait(consumer, 0), -EBADF);
    unlink(path);
}

int main(void)
{
    begin();
    path = in_folder("ring");
    frames_come_out_as_they_went_in();
    a_full_ring_takes_no_more_and_loses_nothing();
    each_side_is_held_once();
    a_broken_file_is_refused();
    a_full_store_is_an_error();
    no_frame_and_no_wake_is_lost();
    a_killed_consumer_goes_on_where_it_was();
    a_killed_producer_leaves_no_part_of_a_frame();
    a_producer_that_comes_wakes_whom_the_last_one_left_asleep();
    a_wait_is_woken();
    finish();
    return 0;
}
