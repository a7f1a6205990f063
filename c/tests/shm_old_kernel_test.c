/* Shared memory on a kernel that knows no futex_waitv(2), or in a container that forbids it: nothing
 * is lost, only slower. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/wait.h>

#include "../include/ps_netipc.h"
#include "../include/ps_shm.h"
#include "ipc_test.h"

#define FUTEX_WAITV 449
#define SESSIONS 3u
#define TURNS 200u

static int refused, refusal = ENOSYS;

long syscall(long number, ...);
long syscall(long number, ...)
{
    static long (*real)(long, ...);
    long values[6];
    va_list list;
    if (number == FUTEX_WAITV) {
        refused++;
        errno = refusal;
        return -1;
    }
    if (!real)
        real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        values[i] = va_arg(list, long);
    va_end(list);
    return real(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

static const struct ps_shm_limits limits = {64, 1, 64, 1};
static int32_t hub, client_hub;

static void *serve(void *ignored)
{
    static uint8_t in[4096];
    for (uint32_t left = SESSIONS * TURNS; left > 0;) {
        int32_t used = ps_shm_poll(hub, in, sizeof in, 0);
        if (used == 0)
            ps_shm_wait(hub, 10000);
        for (int32_t at = 0; at < used; at += 48, left--) {
            struct ps_shm_record record;
            memcpy(&record, in + at, sizeof record);
            struct ps_header header = ps_header_make(PS_RESPONSE, 1, 0, 0, 1);
            SAME(ps_shm_send(hub, record.session, (uint8_t *)&header, sizeof header), 0);
        }
    }
    return ignored;
}

static void nothing_is_lost(void)
{
    uint32_t sessions[SESSIONS];
    pthread_t thread;
    static uint8_t data[4096];
    hub = ps_shm_open();
    client_hub = ps_shm_open();
    SAME(ps_shm_wait(hub, 3), 0); /* without sessions */
    for (uint32_t i = 0; i < SESSIONS; i++) {
        char name[64];
        snprintf(name, sizeof name, "o-%016x.ipcshm", i);
        CHECK(ps_shm_create(hub, PATH(in_folder(name)), &limits) > 0);
        sessions[i] = (uint32_t)ps_shm_attach(client_hub, PATH(in_folder(name)), &limits);
    }
    SAME(ps_shm_wait(hub, 3), 0);
    pthread_create(&thread, NULL, serve, NULL);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        for (uint32_t i = 0; i < SESSIONS; i++) {
            struct ps_header header = ps_header_make(PS_REQUEST, 1, 0, 0, 1);
            SAME(ps_shm_send(client_hub, sessions[i], (uint8_t *)&header, sizeof header), 0);
        }
        for (uint32_t heard = 0; heard < SESSIONS;) {
            int32_t used = ps_shm_poll(client_hub, data, sizeof data, 0);
            if (used == 0)
                SAME(ps_shm_wait(client_hub, 10000), 1);
            heard += (uint32_t)used / 48;
        }
    }
    pthread_join(thread, NULL);
    SAME(refused, 1); /* once it is known, nobody asks again */
    SAME(ps_shm_free(hub), 0);
    SAME(ps_shm_free(client_hub), 0);
}

int main(void)
{
    int status;
    begin();
    pid_t other = fork();
    if (other == 0) {
        refusal = EPERM;
        nothing_is_lost();
        exit(0);
    }
    SAME(waitpid(other, &status, 0), other);
    SAME(status, 0);
    nothing_is_lost();
    finish();
    return 0;
}
