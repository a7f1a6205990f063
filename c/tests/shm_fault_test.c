/* The system refuses what the shared-memory half asks for, once at each place; and calls that
 * nothing but a mistake would make. */
#include "../include/ps_netipc.h"
#include "../include/ps_shm.h"
#include "faults.h"

static const struct ps_shm_limits limits = {4096, 16, 4096, 16};
static int32_t hub;
static uint8_t data[70000];
static const char *region;

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

static void who_cannot_look_must_not_remove(void)
{
    struct stat info;
    const int refusals[] = {EMFILE, ENFILE, ENOMEM};
    int32_t made = ps_shm_create(hub, PATH(region), &limits);
    for (int i = 0; i < 3; i++) { /* the folders of the path are opened first */
        fail(OPENAT, 3, refusals[i]);
        SAME(ps_shm_create(hub, PATH(region), &limits), -EADDRINUSE);
    }
    fail(FSTAT, 0, EIO);
    SAME(ps_shm_create(hub, PATH(region), &limits), -EADDRINUSE);
    fail(KILL, 0, EPERM); /* alive, and somebody else's */
    SAME(ps_shm_create(hub, PATH(region), &limits), -EADDRINUSE);
    fail(OPENAT, 0, ENFILE); /* at the end: the folder cannot be opened */
    SAME(ps_shm_close(hub, (uint32_t)made), 0);
    SAME(stat(region, &info), 0);
    SAME(unlink(region), 0);
    made = ps_shm_create(hub, PATH(region), &limits);
    other_device = true; /* at the end: another file has the number of ours */
    SAME(ps_shm_close(hub, (uint32_t)made), 0);
    other_device = false;
    SAME(unlink(region), 0);
    check_done();
}

static int kept; /* its number is not given to another file while it is open */

static void replace_region(void)
{
    kept = open(region, O_RDONLY | O_CLOEXEC);
    unlink(region);
    fclose(fopen(region, "w"));
}

static void remove_region(void)
{
    unlink(region);
}

static void another_server_may_be_faster(void)
{
    fclose(fopen(region, "w"));
    meanwhile(FSTATAT, 0, replace_region); /* the dead file is gone, and the new one is not dead */
    SAME(ps_shm_create(hub, PATH(region), &limits), -EADDRINUSE);
    SAME(close(kept), 0);
    fail(OPENAT, 4, EACCES); /* the dead one is gone, and making another is not allowed */
    SAME(ps_shm_create(hub, PATH(region), &limits), -EACCES);
    nothing_is_left(region);
    fclose(fopen(region, "w"));
    meanwhile(OPENAT, 3,
              remove_region); /* it was there when it was made, and is gone when looked at */
    int32_t made = ps_shm_create(hub, PATH(region), &limits);
    CHECK(made > 0);
    SAME(ps_shm_close(hub, (uint32_t)made), 0);
    check_done();
}

static void no_generation_is_zero(void)
{
    uint32_t generation = 0;
    no_time = true;
    int32_t made = ps_shm_create(hub, PATH(region), &limits);
    no_time = false;
    FILE *file = fopen(region, "r");
    fseek(file, 12, SEEK_SET);
    SAME(fread(&generation, sizeof generation, 1, file), 1);
    fclose(file);
    SAME(generation, 1);
    SAME(ps_shm_close(hub, (uint32_t)made), 0);
}

static int32_t of_the_wait;

static void close_the_hub(void)
{
    SAME(ps_shm_free(hub), -EBUSY);
}

static void end_the_session(void)
{
    SAME(ps_shm_close(hub, (uint32_t)of_the_wait), 0);
}

static void begin_a_session(void)
{
    of_the_wait = ps_shm_create(hub, PATH(region), &limits);
    CHECK(of_the_wait > 0);
}

/* The clock is read inside a wait after each sleep. */
static void sessions_come_and_go_under_a_wait(void)
{
    of_the_wait = ps_shm_create(hub, PATH(region), &limits);
    meanwhile(CLOCK, 1, close_the_hub);
    SAME(ps_shm_wait(hub, 2), 0);
    meanwhile(CLOCK, 1, end_the_session); /* its memory stays until the wait has let go */
    SAME(ps_shm_wait(hub, 2), 0);
    meanwhile(CLOCK, 1, begin_a_session);
    SAME(ps_shm_wait(hub, 2), 0);
    SAME(ps_shm_wait(hub, 0), 0);
    end_the_session();
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
    SAME(mkfifo(region, 0600), 0);
    SAME(ps_shm_attach(hub, PATH(region), &limits), -ENODATA);
    unlink(region);
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

static void a_folder_that_is_none_may_vanish(void)
{
    char inside[128];
    fclose(fopen(region, "w"));
    snprintf(inside, sizeof inside, "%s/x", region);
    SAME(ps_path_open(inside, O_RDONLY, 0), -ENOTDIR);
    meanwhile(FSTATAT, 0, remove_region); /* before it is asked whether it is a link */
    SAME(ps_path_open(inside, O_RDONLY, 0), -ENOTDIR);
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

int main(void)
{
    begin();
    region = in_folder("f-0000000000000001.ipcshm");
    a_region_that_cannot_be_made_leaves_nothing();
    a_name_that_cannot_be_freed_is_in_use();
    who_cannot_look_must_not_remove();
    another_server_may_be_faster();
    no_generation_is_zero();
    sessions_come_and_go_under_a_wait();
    reaping_says_what_was_refused();
    mapping_says_what_was_refused();
    a_folder_that_is_none_may_vanish();
    a_closed_hub_is_no_hub();
    finish();
    return 0;
}
