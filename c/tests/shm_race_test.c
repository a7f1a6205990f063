/* The shared-memory protocol under the thread sanitizer, which knows memory by its address: so both
 * sides, in two threads, are given one mapping. */
#include <pthread.h>
#include <sched.h>

#include "../shm.c"
#include "../shm_region.c"
#include "ipc_test.h"

#ifndef TURNS
#define TURNS 30000u
#endif
#define SESSIONS 3u

static const struct ps_shm_limits limits = {256, 1, 256, 1};
static int32_t server_hub, client_hub;
static uint32_t clients[SESSIONS];

/* The client's session looks at the server's mapping instead of its own. */
static void share(const char *path, uint32_t i)
{
    struct ps_shm_session *server, *client;
    struct ps_shm *hub = ps_handle_hold(server_hub, PS_KIND_SHM);
    server = find(hub, (uint32_t)ps_shm_create(server_hub, PATH(path), &limits));
    ps_handle_release(server_hub);
    clients[i] = (uint32_t)ps_shm_attach(client_hub, PATH(path), &limits);
    hub = ps_handle_hold(client_hub, PS_KIND_SHM);
    client = find(hub, clients[i]);
    ps_handle_release(client_hub);
    ps_region_unmap(&client->mapping);
    client->mapping = server->mapping;
}

static void *serve(void *ignored)
{
    static uint8_t data[4096];
    for (uint32_t left = TURNS * SESSIONS; left > 0;) {
        int32_t used = ps_shm_poll(server_hub, data, sizeof data, left % 3 ? 10 : 0);
        if (used == 0)
            ps_shm_wait(server_hub, 10000);
        for (int32_t at = 0; at < used;) {
            struct ps_shm_record record;
            struct ps_header header;
            memcpy(&record, data + at, sizeof record);
            SAME(record.status, 0);
            memcpy(&header, data + at + sizeof record, sizeof header);
            header.kind = PS_RESPONSE;
            memcpy(data + at + sizeof record, &header, sizeof header);
            SAME(ps_shm_send(server_hub, record.session, data + at + sizeof record, record.length),
                 0);
            at += (int32_t)((sizeof record + record.length + 7) & ~7u);
            left--;
        }
    }
    return ignored;
}

static void *disturb(void *stop)
{
    while (!atomic_load((atomic_bool *)stop)) {
        ps_shm_wake(server_hub);
        ps_shm_wake(client_hub);
        usleep(500);
    }
    return NULL;
}

static void *wait_on_and_on(void *stop)
{
    while (!atomic_load((atomic_bool *)stop))
        CHECK(ps_shm_wait(server_hub, 10000) >= 0);
    return NULL;
}

/* A session that ends is unmapped only when no wait looks at it. */
static void let_sessions_come_and_go(void)
{
    pthread_t threads[2];
    atomic_bool stop = false;
    pthread_create(&threads[0], NULL, wait_on_and_on, &stop);
    pthread_create(&threads[1], NULL, disturb, &stop);
    for (uint32_t i = 0; i < TURNS / 100; i++) {
        char name[64];
        snprintf(name, sizeof name, "r-%u.ipcshm", i % 5);
        int32_t number;
        do /* the dead keep their places while the other waits, which is nearly always */
            number = ps_shm_create(server_hub, PATH(in_folder(name)), &limits);
        while (number == -EUSERS);
        CHECK(number > 0);
        if (i % 3)
            sched_yield();
        SAME(ps_shm_close(server_hub, (uint32_t)number), 0);
    }
    atomic_store(&stop, true);
    SAME(ps_shm_wake(server_hub), 0);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

int main(void)
{
    pthread_t server, disturber;
    atomic_bool stop = false;
    static uint8_t message[64], data[4096];
    begin();
    server_hub = ps_shm_open();
    client_hub = ps_shm_open();
    for (uint32_t i = 0; i < SESSIONS; i++) {
        char name[64];
        snprintf(name, sizeof name, "r-%016x.ipcshm", i);
        share(in_folder(name), i);
    }
    pthread_create(&server, NULL, serve, NULL);
    pthread_create(&disturber, NULL, disturb, &stop);
    uint64_t ids[SESSIONS] = {0};
    for (uint32_t i = 0; i < SESSIONS; i++) {
        struct ps_header header = ps_header_make(PS_REQUEST, 1, 0, 8, 0);
        memcpy(message, &header, sizeof header);
        SAME(ps_shm_send(client_hub, clients[i], message, 40), 0);
    }
    for (uint32_t left = TURNS * SESSIONS; left > 0;) {
        int32_t used = ps_shm_poll(client_hub, data, sizeof data, left % 5 ? 10 : 0);
        if (used == 0)
            ps_shm_wait(client_hub, 10000);
        for (int32_t at = 0; at < used; at += 56, left--) {
            struct ps_shm_record record;
            struct ps_header header;
            uint32_t i = 0;
            memcpy(&record, data + at, sizeof record);
            memcpy(&header, data + at + 16, sizeof header);
            while (clients[i] != record.session)
                i++;
            SAME(header.message_id, ids[i]);
            if (++ids[i] == TURNS)
                continue;
            header = ps_header_make(PS_REQUEST, 1, 0, 8, ids[i]);
            memcpy(message, &header, sizeof header);
            SAME(ps_shm_send(client_hub, clients[i], message, 40), 0);
        }
    }
    pthread_join(server, NULL);
    atomic_store(&stop, true);
    pthread_join(disturber, NULL);
    let_sessions_come_and_go();
    SAME(ps_shm_free(server_hub), 0);
    struct ps_shm *hub = ps_handle_hold(client_hub, PS_KIND_SHM);
    for (uint32_t i = 0; i < SESSIONS; i++) /* the mapping was the server's */
        atomic_store(&hub->slots[i].state, PS_SHM_EMPTY);
    ps_handle_release(client_hub);
    SAME(ps_shm_free(client_hub), 0);
    finish();
    return 0;
}
