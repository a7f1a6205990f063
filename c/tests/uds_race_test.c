/* The socket half under the thread sanitizer: of each hub one thread polls, connects and sends, a
 * second one waits, as Deno does it, and a third one wakes. */
#include <pthread.h>
#include <stdatomic.h>

#include "uds_test.h"

#ifndef TURNS
#define TURNS 5000u
#endif
#define CLIENTS 3

static int32_t client_hub;
static atomic_bool stop;

static void *wait_on_and_on(void *of)
{
    while (!atomic_load(&stop))
        CHECK(ps_uds_wait(*(int32_t *)of, 10000) >= 0);
    return NULL;
}

static void *disturb(void *ignored)
{
    while (!atomic_load(&stop)) {
        SAME(ps_uds_wake(hub), 0);
        SAME(ps_uds_wake(client_hub), 0);
        usleep(500);
    }
    return ignored;
}

static void *serve(void *ignored)
{
    static struct ps_uds_event event;
    static uint8_t bytes[PS_UDS_MIN_DATA];
    while (!atomic_load(&stop)) {
        if (ps_uds_poll(hub, &event, 1, bytes, sizeof bytes, 20) == 0)
            continue;
        if (event.type == PS_UDS_HELLO)
            SAME(ps_uds_admit(hub, event.session, 1, 0), 0);
        if (event.type != PS_UDS_MESSAGE)
            continue;
        struct ps_header header;
        memcpy(&header, bytes + event.offset, sizeof header);
        header.kind = PS_RESPONSE;
        memcpy(bytes + event.offset, &header, sizeof header);
        SAME(ps_uds_send(hub, event.session, bytes + event.offset, event.length), event.length);
    }
    return ignored;
}

static void ask(uint32_t session, uint64_t id)
{
    struct ps_header header = ps_header_make(PS_REQUEST, 1, 0, 0, id);
    SAME(ps_uds_send(client_hub, session, (const uint8_t *)&header, sizeof header), sizeof header);
}

/* One client after the other connects, asks and goes. */
static void talk(const struct ps_uds_config *own)
{
    for (int i = 0; i < CLIENTS; i++) {
        struct ps_uds_event *event;
        CHECK(ps_uds_connect(client_hub, PATH(path), own) > 0);
        uint32_t session = expect(client_hub, PS_UDS_READY, 0)->session;
        for (uint64_t id = 0; id < TURNS; id++) {
            ask(session, id);
            event = expect(client_hub, PS_UDS_MESSAGE, 0);
            struct ps_header header;
            memcpy(&header, data + event->offset, sizeof header);
            SAME(header.message_id, id);
        }
        SAME(ps_uds_close(client_hub, session), 0);
    }
}

int main(void)
{
    const struct ps_uds_config own = config();
    pthread_t threads[4];
    begin();
    path = in_folder("service.sock");
    open_server(&own);
    client_hub = ps_uds_open();
    pthread_create(&threads[0], NULL, wait_on_and_on, &hub);
    pthread_create(&threads[1], NULL, wait_on_and_on, &client_hub);
    pthread_create(&threads[2], NULL, disturb, NULL);
    pthread_create(&threads[3], NULL, serve, NULL);
    talk(&own);
    atomic_store(&stop, true);
    SAME(ps_uds_wake(hub), 0);
    SAME(ps_uds_wake(client_hub), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    SAME(ps_uds_free(client_hub), 0);
    SAME(ps_uds_free(hub), 0);
    finish();
    return 0;
}
