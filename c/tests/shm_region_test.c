/* Files of the shared-memory half: the region's bytes, regions that make no sense, stale ones, a
 * full store. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "../include/ps_netipc.h"
#include "../include/ps_ring.h"
#include "../include/ps_shm.h"
#include "ipc_test.h"

static int32_t hub, client_hub;
static const struct ps_shm_limits limits = {4096, 16, 65536, 16};

static void the_region_has_the_bytes_of_the_protocol(void)
{
    const char *path = in_folder("gold-000000000000002a.ipcshm");
    static const uint8_t wanted[] = {
        0x4d, 0x48, 0x53, 0x4e, 3,    0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0x40, 0x10,
        0,    0,    0x80, 0x10, 0,    0, 0x40, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0,    0,
        0,    0,    0,    0,    0x28, 0, 0,    0, 0, 0, 0, 0, 1, 0, 0, 0, 0,    0, 0, 0};
    uint8_t found[128];
    struct stat info;
    hub = ps_shm_open();
    client_hub = ps_shm_open();
    CHECK(ps_shm_create(hub, PATH(path), &limits) > 0);
    int32_t client = ps_shm_attach(client_hub, PATH(path), &limits);
    const struct ps_header header = ps_header_make(PS_REQUEST, 1, 0, 8, 1);
    uint8_t out[40] = {[32] = 41};
    memcpy(out, &header, sizeof header);
    SAME(ps_shm_send(client_hub, (uint32_t)client, out, sizeof out), 0);
    FILE *file = fopen(path, "r");
    SAME(fread(found, 1, sizeof found, file), sizeof found);
    fclose(file);
    SAME(stat(path, &info), 0);
    SAME(info.st_mode & 0777, 0600);
    SAME(info.st_size, 69824);
    int32_t pid;
    memcpy(&pid, found + 8, 4);
    SAME(pid, getpid());
    CHECK(memcmp(found + 12, "\0\0\0\0", 4) != 0);
    memset(found + 8, 0, 8);
    SAME(memcmp(found, wanted, 64), 0);
    SAME(memcmp(found + 64, out, 40), 0);
    SAME(ps_shm_free(hub), 0);
    SAME(ps_shm_free(client_hub), 0);
    SAME(stat(path, &info), -1);
}

static void attach_to(const void *head, size_t length, int error)
{
    const char *path = in_folder("c-0000000000000001.ipcshm");
    FILE *file = fopen(path, "w");
    fwrite(head, 1, length, file);
    if (length == 64)
        SAME(ftruncate(fileno(file), 4096), 0);
    fclose(file);
    SAME(ps_shm_attach(client_hub, PATH(path), &limits), error);
    unlink(path);
}

static void a_region_that_makes_no_sense_is_refused(void)
{
    client_hub = ps_shm_open();
    SAME(ps_shm_attach(client_hub, PATH(in_folder("none")), &limits), -ENOENT);
    SAME(ps_shm_attach(client_hub, PATH("/tmp/none"), &limits), -EACCES);
    uint32_t good[16] = {0x4e53484d, 3 | 64 << 16, 1, 1, 64, 128, 192, 128};
    attach_to(good, 63, -ENODATA);
#define BAD(place, value, error)                                                                   \
    do {                                                                                           \
        uint32_t head[16];                                                                         \
        memcpy(head, good, sizeof head);                                                           \
        head[place] = value;                                                                       \
        attach_to(head, sizeof head, error);                                                       \
    } while (0)
    BAD(0, 1, -EBADMSG);
    BAD(1, 2 | 64 << 16, -EPROTONOSUPPORT);
    BAD(1, 3 | 60 << 16, -EPROTO);
    BAD(4, 0, -ENODATA);
    BAD(5, 0, -ENODATA);
    BAD(7, 0, -ENODATA);
    BAD(4, 65, -EINVAL);
    BAD(5, 100, -EINVAL);
    BAD(5, 192, -EINVAL);
    BAD(6, 100, -EINVAL);
    BAD(7, 4096, -EINVAL);
    BAD(7, 0xffffffc0, -EINVAL);
    BAD(6, 0xffffffc0, -EINVAL);
    SAME(ps_shm_free(client_hub), 0);
}

static void write_region(const char *path, int32_t pid, uint32_t generation)
{
    uint32_t head[16] = {0x4e53484d, 3 | 64 << 16, (uint32_t)pid, generation, 64, 128, 192, 128};
    FILE *file = fopen(path, "w");
    fwrite(head, 1, sizeof head, file);
    fclose(file);
}

static void corrupt(const char *path)
{
    FILE *file = fopen(path, "r+");
    fwrite("not", 1, 3, file);
    fclose(file);
}

static void stale_regions_are_removed_and_live_ones_are_not(void)
{
    struct stat info;
    pid_t dead = fork();
    if (dead == 0)
        _exit(0);
    waitpid(dead, NULL, 0);
    hub = ps_shm_open();
    const char *live = in_folder("s-0000000000000001.ipcshm");
    const char *old = in_folder("s-0000000000000002.ipcshm");
    const char *junk = in_folder("s-x.ipcshm");
    const char *other = in_folder("t-0000000000000001.ipcshm");
    write_region(live, getpid(), 5);
    write_region(old, dead, 5);
    write_region(other, dead, 5);
    fclose(fopen(junk, "w"));
    SAME(symlink(live, in_folder("s-link.ipcshm")), 0);
    SAME(mkdir(in_folder("s-folder.ipcshm"), 0700), 0);
    for (int i = 0; i < 3; i++) { /* no process of that number, no process at all, no region */
        char name[32];
        snprintf(name, sizeof name, "s-%d.ipcshm", i);
        write_region(in_folder(name), i - 1, 5);
    }
    corrupt(in_folder("s-2.ipcshm"));
    fclose(fopen(in_folder("s-"), "w"));
    fclose(fopen(in_folder("s-other.kind"), "w"));
    SAME(mkdir(in_folder("s-full.ipcshm"), 0700), 0);
    SAME(mkdir(in_folder("s-full.ipcshm/x"), 0700), 0);
    SAME(ps_shm_reap(PATH(in_folder("s-"))), 7);
    SAME(rmdir(in_folder("s-full.ipcshm/x")), 0);
    SAME(rmdir(in_folder("s-full.ipcshm")), 0);
    SAME(stat(live, &info), 0);
    SAME(stat(other, &info), 0);
    SAME(unlink(in_folder("s-")), 0);
    SAME(unlink(in_folder("s-other.kind")), 0);
    SAME(ps_shm_create(hub, PATH(live), &limits), -EADDRINUSE);
    write_region(live, getpid(), 0); /* a generation of 0 was never finished */
    CHECK(ps_shm_create(hub, PATH(live), &limits) > 0);
    CHECK(ps_shm_create(hub, PATH(other), &limits) > 0);
    SAME(ps_shm_reap(PATH("/tmp/s-")), -EACCES);
    SAME(ps_shm_free(hub), 0);
}

/* A file system of the test's own with room for 16 pages; false where that is not allowed. */
static bool mount_small_store(void)
{
    return unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", folder, "tmpfs", 0, "size=64k") == 0;
}

static int32_t open_ring(const char *path)
{
    return ps_ring_open(PATH(path), PS_RING_MIN, PS_RING_PRODUCER);
}

/* In a process of its own, because it leaves this one's file system. */
static void fill_the_store(void)
{
    struct stat info;
    const struct ps_shm_limits small = {64, 1, 64, 1};
    const char *path = in_folder("f-0000000000000001.ipcshm"), *ring = in_folder("ring");
    if (!mount_small_store())
        exit(SKIPPED);
    hub = ps_shm_open();
    SAME(ps_shm_create(hub, PATH(path), &limits), -ENOSPC); /* more than there is */
    SAME(stat(path, &info), -1);
    SAME(open_ring(ring), -ENOSPC);
    SAME(unlink(ring), 0);
    int filler = open(in_folder("filler"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    SAME(posix_fallocate(filler, 0, 60 << 10), 0);
    SAME(ps_shm_create(hub, PATH(path), &limits), -ENOSPC); /* less than it needs */
    SAME(stat(path, &info), -1);
    int32_t made = ps_shm_create(hub, PATH(path), &small); /* the last page */
    CHECK(made > 0);
    SAME(ps_shm_close(hub, (uint32_t)made), 0);
    SAME(posix_fallocate(filler, 0, 64 << 10), 0);
    SAME(ps_shm_create(hub, PATH(path), &small), -ENOSPC); /* and none at all */
    SAME(stat(path, &info), -1);
    SAME(ps_shm_free(hub), 0);
    exit(0);
}

static void a_full_store_is_an_error_and_leaves_nothing(void)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        fill_the_store();
    SAME(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == SKIPPED));
    if (WEXITSTATUS(status) == SKIPPED)
        fprintf(stderr, "a full store could not be made\n");
}

static void a_region_has_no_more_bytes_than_a_number_can_count(void)
{
    const struct ps_shm_limits huge = {0xfffffff0, 1, 0xfffffff0, 1};
    hub = ps_shm_open();
    SAME(ps_shm_create(hub, PATH(in_folder("h.ipcshm")), &huge), -EMSGSIZE);
    SAME(ps_shm_free(hub), 0);
}

int main(void)
{
    begin();
    the_region_has_the_bytes_of_the_protocol();
    a_region_that_makes_no_sense_is_refused();
    stale_regions_are_removed_and_live_ones_are_not();
    a_full_store_is_an_error_and_leaves_nothing();
    a_region_has_no_more_bytes_than_a_number_can_count();
    finish();
    return 0;
}
