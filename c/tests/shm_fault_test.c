/* The system refuses what the shared-memory half and the ring ask for, once at each place; and
 * calls that nothing but a mistake would make. */
#include <pthread.h>

#include "../include/ps_netipc.h"
#include "../include/ps_ring.h"
#include "../include/ps_shm.h"
#include "faults.h"

static const struct ps_shm_limits limits = {4096, 16, 4096, 16};
static int32_t hub;
static uint8_t data[70000];
static const char *region, *ring;

static void nothing_is_left(const char *path)
{
    struct stat info;
    SAME(stat(path, &info), -1);
}

static void a_region_that_cannot_be_made_leaves_nothing(void)
{
    hub = ps_shm_open();
    fail(OPENAT, 0, EMFILE); /* of the folder */
    CHECK(ps_shm_create(hub, PATH(region), &limits) < 0);
    for (int i = 0; i < 4; i++) {
        fail(OPENAT, i, EACCES);
        int32_t made = ps_shm_create(hub, PATH(region), &limits);
        faults[OPENAT].times = 0;
        if (made > 0)
            SAME(ps_shm_close(hub, (uint32_t)made), 0);
    }
    fail_times(FALLOCATE, 0, 3, EINTR);
    int32_t made = ps_shm_create(hub, PATH(region), &limits);
    CHECK(made > 0);
    SAME(ps_shm_close(hub, (uint32_t)made), 0);
    fail(FALLOCATE, 0, EOPNOTSUPP);
    SAME(ps_shm_create(hub, PATH(region), &limits), -EOPNOTSUPP);
    nothing_is_left(region);
    fail(MMAP, 0, ENOMEM);
    SAME(ps_shm_create(hub, PATH(region), &limits), -ENOMEM);
    nothing_is_left(region);
    fail(FSTAT, 0, EIO);
    SAME(ps_shm_create(hub, PATH(region), &limits), -EIO);
    nothing_is_left(region);
    char name[300];
    memset(name, 'x', sizeof name);
    memcpy(name, folder, strlen(folder));
    name[strlen(folder)] = '/';
    SAME(ps_shm_create(hub, (uint8_t *)name, 299, &limits), -ENAMETOOLONG);
    SAME(ps_shm_create(hub, PATH("/tmp/x"), &limits), -EACCES);
    check_done();
}

static void a_name_that_cannot_be_freed_is_in_use(void)
{
    fclose(fopen(region, "w"));
    fail_times(UNLINKAT, 0, 2, EPERM);
    SAME(ps_shm_create(hub, PATH(region), &limits), -EADDRINUSE);
    fail_times(UNLINKAT, 0, 2, ENOENT); /* somebody else was faster, and there is another now */
    SAME(ps_shm_create(hub, PATH(region), &limits), -EADDRINUSE);
    fail(FSTATAT, 0, ENOENT);
    SAME(ps_shm_create(hub, PATH(region), &limits), -EADDRINUSE);
    SAME(truncate(region, 4096), 0);
    fail(PREAD, 0, EIO); /* what cannot be read is no region of anybody */
    int32_t made = ps_shm_create(hub, PATH(region), &limits);
    CHECK(made > 0);
    SAME(ps_shm_close(hub, (uint32_t)made), 0);
    made = ps_shm_create(hub, PATH(region), &limits);
    fail(FSTATAT, 0, EIO); /* who cannot look must not remove */
    SAME(ps_shm_close(hub, (uint32_t)made), 0);
    SAME(unlink(region), 0);
    check_done();
}

static void reaping_says_what_was_refused(void)
{
    fail(OPENAT, 0, EMFILE);
    CHECK(ps_shm_reap(PATH(region)) < 0);
    for (int i = 1; i < 4; i++) {
        fail(OPENAT, i, EMFILE);
        CHECK(ps_shm_reap(PATH(region)) <= 0);
        faults[OPENAT].times = 0;
    }
    SAME(ps_shm_reap(PATH(region)), 0);
}

static void mapping_says_what_was_refused(void)
{
    SAME(ps_shm_attach(hub, PATH(folder), &limits), -EACCES);
    SAME(mkdir(region, 0700), 0);
    CHECK(ps_shm_attach(hub, PATH(region), &limits) < 0);
    rmdir(region);
    int32_t made = ps_shm_create(hub, PATH(region), &limits);
    fail(FSTAT, 0, EIO);
    SAME(ps_shm_attach(hub, PATH(region), &limits), -EIO);
    fail(MMAP, 0, ENOMEM);
    SAME(ps_shm_attach(hub, PATH(region), &limits), -ENOMEM);
    SAME(ps_shm_close(hub, (uint32_t)made), 0);
    FILE *file = fopen(region, "w");
    SAME(ftruncate(fileno(file), (off_t)1 << 32), 0);
    fclose(file);
    SAME(ps_shm_attach(hub, PATH(region), &limits), -EINVAL);
    unlink(region);
    check_done();
}

static void a_closed_hub_is_no_hub(void)
{
    SAME(ps_shm_exchange(hub, 5, data, 40, data, sizeof data, 0), -ENOTCONN);
    SAME(ps_shm_free(hub), 0);
    SAME(ps_shm_create(hub, PATH(region), &limits), -EBADF);
    SAME(ps_shm_attach(hub, PATH(region), &limits), -EBADF);
    SAME(ps_shm_close(hub, 1), -EBADF);
    SAME(ps_shm_send(hub, 1, data, 40), -EBADF);
    SAME(ps_shm_exchange(hub, 1, data, 40, data, sizeof data, 0), -EBADF);
    SAME(ps_shm_wait(hub, 0), -EBADF);
    SAME(ps_shm_wake(hub), -EBADF);
}

/* -- The ring ---------------------------------------------------------------------------------- */

static int32_t open_ring(uint32_t role)
{
    return ps_ring_open(PATH(ring), PS_RING_MIN, role);
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
    int32_t producer = open_ring(PS_RING_PRODUCER);
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
    int32_t producer = open_ring(PS_RING_PRODUCER), consumer = open_ring(PS_RING_CONSUMER);
    SAME(ps_ring_stat(consumer, &stat), 0);
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

/* -- Handles ----------------------------------------------------------------------------------- */

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
    region = in_folder("f-0000000000000001.ipcshm");
    ring = in_folder("ring");
    a_region_that_cannot_be_made_leaves_nothing();
    a_name_that_cannot_be_freed_is_in_use();
    reaping_says_what_was_refused();
    mapping_says_what_was_refused();
    a_closed_hub_is_no_hub();
    a_ring_that_cannot_be_made_is_made_the_next_time();
    a_closed_ring_is_no_ring();
    there_are_so_many_handles();
    finish();
    return 0;
}
