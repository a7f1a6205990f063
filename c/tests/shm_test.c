/* The shared-memory half: messages between two sides, limits, sleeping. */
#include <pthread.h>

#include "../include/ps_netipc.h"
#include "../include/ps_shm.h"
#include "ipc_test.h"

static int32_t hub, client_hub;
static uint32_t server, client;
static const struct ps_shm_limits limits = {4096, 16, 65536, 16};
static uint8_t data[70000], out[70000];

static uint32_t put(uint16_t kind, uint32_t length, uint64_t id)
{
    struct ps_header header = ps_header_make(kind, 1, 0, length, id);
    memcpy(out, &header, sizeof header);
    memset(out + 32, (int)id, length);
    return 32 + length;
}

static struct ps_shm_record record_at(int32_t used)
{
    struct ps_shm_record record = {0};
    CHECK(used >= (int32_t)sizeof record);
    memcpy(&record, data, sizeof record);
    return record;
}

static void open_pair(const char *path)
{
    hub = ps_shm_open();
    client_hub = ps_shm_open();
    int32_t number = ps_shm_create(hub, PATH(path), &limits);
    CHECK(number > 0);
    server = (uint32_t)number;
    number = ps_shm_attach(client_hub, PATH(path), &limits);
    CHECK(number > 0);
    client = (uint32_t)number;
}

static void close_pair(void)
{
    SAME(ps_shm_free(hub), 0);
    SAME(ps_shm_free(client_hub), 0);
}

static void messages_go_to_and_fro(void)
{
    const char *path = in_folder("a-0000000000000001.ipcshm");
    open_pair(path);
    SAME(ps_shm_poll(hub, data, sizeof data, 10), 0);
    SAME(ps_shm_poll(hub, data, 40, 0), -EINVAL);
    SAME(ps_shm_send(hub, server, out, put(PS_RESPONSE, 0, 1)), -EINVAL); /* to nothing */
    for (uint64_t id = 1; id < 200; id++) {
        uint32_t length = put(PS_REQUEST, (uint32_t)id * 20, id);
        SAME(ps_shm_send(client_hub, client, out, length), 0);
        SAME(ps_shm_send(client_hub, client, out, length), -EAGAIN);
        struct ps_shm_record record = record_at(ps_shm_poll(hub, data, sizeof data, 0));
        SAME(record.session, server);
        SAME(record.status, 0);
        SAME(record.length, length);
        SAME(memcmp(data + sizeof record, out, length), 0);
        length = put(PS_RESPONSE, 65536 - (uint32_t)id, id);
        SAME(ps_shm_exchange(hub, server, out, length, data, sizeof data, 1), 0);
        SAME(ps_shm_wait(client_hub, PS_FOREVER), 1);
        record = record_at(ps_shm_poll(client_hub, data, sizeof data, 0));
        SAME(record.length, length);
        SAME(memcmp(data + sizeof record, out, length), 0);
    }
    /* What a caller may not send. */
    SAME(ps_shm_send(client_hub, client, out, put(PS_REQUEST, 4097, 1)), -EMSGSIZE);
    SAME(ps_shm_send(client_hub, client, out, put(PS_REQUEST, 8, 1) - 1), -EINVAL);
    SAME(ps_shm_send(client_hub, client, out, 31), -EINVAL);
    SAME(ps_shm_send(client_hub, client, out, put(PS_RESPONSE, 8, 1)), -EINVAL);
    SAME(ps_shm_send(client_hub, 12345, out, put(PS_REQUEST, 8, 1)), -ENOTCONN);
    close_pair();
    SAME(ps_shm_poll(hub, data, sizeof data, 0), -EBADF);
}

/* A peer that is not ours: writes into the region what it likes. */
static void bad_messages_are_reported(void)
{
    const char *path = in_folder("b-0000000000000001.ipcshm");
    hub = ps_shm_open();
    server = (uint32_t)ps_shm_create(hub, PATH(path), &limits);
    for (int i = 0; i < 8; i++) {
        struct ps_header header = ps_header_make(PS_REQUEST, 1, 0, 8, 1);
        uint32_t length = 40;
        int status = -EPROTO;
        switch (i) {
        case 0:
            length = 0, status = -EBADMSG;
            break;
        case 1:
            length = 31, status = -EBADMSG;
            break;
        case 2:
            length = 0x7fffffff, status = -EMSGSIZE;
            break;
        case 3:
            length = 41;
            break;
        case 4:
            header.magic++;
            break;
        case 5:
            header.kind = PS_RESPONSE;
            break;
        case 6:
            header.item_count = 17, status = -EMSGSIZE;
            break;
        case 7:
            header.payload_len = 4100, length = 4132, status = -EMSGSIZE;
            break;
        }
        FILE *file = fopen(path, "r+");
        uint64_t sequence = (uint64_t)i + 1;
        fseek(file, 64, SEEK_SET);
        fwrite(&header, 1, 32, file);
        fseek(file, 48, SEEK_SET);
        fwrite(&length, 1, 4, file);
        fseek(file, 32, SEEK_SET);
        fwrite(&sequence, 1, 8, file);
        fclose(file);
        SAME(ps_shm_wait(hub, 0), 1);
        struct ps_shm_record record = record_at(ps_shm_poll(hub, data, sizeof data, 0));
        SAME(record.status, status);
        SAME(record.length, status == -EMSGSIZE && i != 2 ? 32 : 0);
    }
    SAME(ps_shm_poll(hub, data, sizeof data, 0), 0);
    SAME(ps_shm_free(hub), 0);
}

/* As the protocol has it: every number stands for one message. */
static void numbers_that_were_passed_over_are_taken_one_by_one(void)
{
    const char *path = in_folder("n-0000000000000001.ipcshm");
    const uint64_t sequence = 2;
    open_pair(path);
    SAME(ps_shm_send(client_hub, client, out, put(PS_REQUEST, 8, 1)), 0);
    FILE *file = fopen(path, "r+");
    fseek(file, 32, SEEK_SET);
    fwrite(&sequence, 1, sizeof sequence, file);
    fclose(file);
    for (int i = 0; i < 2; i++)
        SAME(record_at(ps_shm_poll(hub, data, sizeof data, 0)).length, 40);
    SAME(ps_shm_poll(hub, data, sizeof data, 0), 0);
    close_pair();
}

static void a_client_that_comes_later_hears_no_old_answers(void)
{
    const char *path = in_folder("o-0000000000000001.ipcshm");
    open_pair(path);
    for (uint64_t id = 1; id < 4; id++) {
        SAME(ps_shm_send(client_hub, client, out, put(PS_REQUEST, 8, id)), 0);
        SAME(record_at(ps_shm_poll(hub, data, sizeof data, 0)).length, 40);
        SAME(ps_shm_send(hub, server, out, put(PS_RESPONSE, 8, id)), 0);
        SAME(ps_shm_close(client_hub, client), 0);
        client = (uint32_t)ps_shm_attach(client_hub, PATH(path), &limits);
        SAME(ps_shm_wait(client_hub, 0), 0);
        SAME(ps_shm_poll(client_hub, data, sizeof data, 0), 0);
    }
    close_pair();
}

/* The two sides may have other limits than the region has room for. */
static void the_region_limits_what_goes_through_it(void)
{
    const char *path = in_folder("l-0000000000000001.ipcshm");
    const struct ps_shm_limits small = {64, 1, 64, 1};
    const uint32_t beyond = 129;
    open_pair(path);
    SAME(ps_shm_close(hub, server), 0);
    server = (uint32_t)ps_shm_create(hub, PATH(path), &small);
    client = (uint32_t)ps_shm_attach(client_hub, PATH(path), &limits);
    SAME(ps_shm_send(client_hub, client, out, put(PS_REQUEST, 97, 1)), -EMSGSIZE);
    SAME(ps_shm_send(client_hub, client, out, put(PS_REQUEST, 64, 1)), 0);
    FILE *file = fopen(path, "r+");
    fseek(file, 48, SEEK_SET);
    fwrite(&beyond, 1, sizeof beyond, file);
    fclose(file);
    SAME(record_at(ps_shm_poll(hub, data, sizeof data, 0)).status, -EMSGSIZE);
    close_pair();
}

/* The client hears its answer and asks again. */
static void answer_and_ask(uint32_t of_server, uint32_t of_client)
{
    static uint8_t answer[64];
    SAME(ps_shm_send(hub, of_server, out, put(PS_RESPONSE, 8, 1)), 0);
    SAME(ps_shm_poll(client_hub, answer, sizeof answer, 0), 56);
    SAME(ps_shm_send(client_hub, of_client, out, put(PS_REQUEST, 8, 1)), 0);
}

static void there_is_room_for_so_many_sessions(void)
{
    const struct ps_shm_limits small = {64, 1, 64, 1};
    uint32_t servers[PS_SHM_SESSIONS], clients[PS_SHM_SESSIONS];
    bool heard[PS_SHM_SESSIONS] = {false};
    hub = ps_shm_open();
    client_hub = ps_shm_open();
    for (uint32_t i = 0; i < PS_SHM_SESSIONS; i++) {
        char name[64];
        snprintf(name, sizeof name, "m-%016x.ipcshm", i);
        servers[i] = (uint32_t)ps_shm_create(hub, PATH(in_folder(name)), &small);
        clients[i] = (uint32_t)ps_shm_attach(client_hub, PATH(in_folder(name)), &small);
        CHECK((int32_t)servers[i] > 0 && (int32_t)clients[i] > 0);
    }
    SAME(ps_shm_create(hub, PATH(in_folder("m-full.ipcshm")), &small), -EUSERS);
    for (uint32_t i = 0; i < PS_SHM_SESSIONS; i++)
        SAME(ps_shm_send(client_hub, clients[i], out, put(PS_REQUEST, 8, i)), 0);
    /* Those that find no place in the data stay where they are. */
    SAME(ps_shm_poll(hub, data, 56 * 100 + 20, 0), 56 * 100);
    SAME(ps_shm_poll(hub, data, sizeof data, 0), 56 * 27);
    /* And the next time they come before those who had a place. */
    for (uint32_t i = 0; i < PS_SHM_SESSIONS; i++)
        answer_and_ask(servers[i], clients[i]);
    uint32_t left = PS_SHM_SESSIONS;
    for (uint32_t turn = 0; left > 0; turn++) {
        CHECK(turn < 3);
        for (int32_t at = 0, used = ps_shm_poll(hub, data, 56 * 50, 0); at < used; at += 56) {
            struct ps_shm_record record;
            memcpy(&record, data + at, sizeof record);
            uint32_t i = 0;
            while (servers[i] != record.session)
                i++;
            left -= !heard[i];
            heard[i] = true;
            answer_and_ask(servers[i], clients[i]);
        }
    }
    SAME(ps_shm_poll(hub, data, sizeof data, 0), 56 * PS_SHM_SESSIONS);
    SAME(ps_shm_close(hub, servers[5]), 0);
    SAME(ps_shm_close(hub, servers[5]), -EBADF);
    int32_t again = ps_shm_create(hub, PATH(in_folder("m-again.ipcshm")), &small);
    CHECK(again > 0 && (uint32_t)again != servers[5]);
    SAME(ps_shm_close(hub, servers[5]), -EBADF); /* its place is taken, its number is not */
    SAME(ps_shm_close(hub, (uint32_t)again), 0);
    SAME(ps_shm_poll(hub, data, sizeof data, 0), 0);
    SAME(ps_shm_free(hub), 0);
    SAME(ps_shm_free(client_hub), 0);
}

/* -- Across threads ---------------------------------------------------------------------------- */

static void *answer(void *ignored)
{
    static uint8_t in[70000];
    for (uint64_t id = 1; id <= 20000; id++) {
        while (ps_shm_poll(hub, in, sizeof in, id % 5 ? 20 : 0) == 0)
            CHECK(ps_shm_wait(hub, 10000) == 1);
        struct ps_header header = ps_header_make(PS_RESPONSE, 1, 0, 0, id);
        SAME(ps_shm_send(hub, server, (uint8_t *)&header, sizeof header), 0);
    }
    return ignored;
}

static void no_wake_is_lost(void)
{
    pthread_t thread;
    open_pair(in_folder("w-0000000000000001.ipcshm"));
    pthread_create(&thread, NULL, answer, NULL);
    for (uint64_t id = 1; id <= 20000; id++) {
        SAME(ps_shm_send(client_hub, client, out, put(PS_REQUEST, 0, id)), 0);
        while (ps_shm_poll(client_hub, data, sizeof data, id % 7 ? 20 : 0) == 0)
            CHECK(ps_shm_wait(client_hub, 10000) == 1);
        struct ps_header header;
        memcpy(&header, data + 16, sizeof header);
        SAME(header.message_id, id);
    }
    pthread_join(thread, NULL);
    close_pair();
}

static void *wait_long(void *result)
{
    *(int32_t *)result = ps_shm_wait(hub, 10000);
    return NULL;
}

static void a_wait_sees_sessions_that_come_and_go(void)
{
    pthread_t thread;
    int32_t result = 7;
    const char *path = in_folder("v-0000000000000001.ipcshm");
    open_pair(path);
    pthread_create(&thread, NULL, wait_long, &result);
    usleep(50000);
    SAME(ps_shm_close(hub, server), 0); /* the memory stays until the wait has let go */
    pthread_join(thread, NULL);
    SAME(result, 0);
    pthread_create(&thread, NULL, wait_long, &result);
    usleep(50000);
    server = (uint32_t)ps_shm_create(hub, PATH(path), &limits);
    pthread_join(thread, NULL);
    SAME(result, 0);
    pthread_create(&thread, NULL, wait_long, &result);
    usleep(50000);
    SAME(ps_shm_wake(hub), 0);
    pthread_join(thread, NULL);
    SAME(result, 0);
    SAME(ps_shm_wake(hub), 0);
    SAME(ps_shm_wait(hub, 10000), 0);
    SAME(ps_shm_wait(hub, 5), 0);
    close_pair();
}

int main(void)
{
    begin();
    messages_go_to_and_fro();
    bad_messages_are_reported();
    numbers_that_were_passed_over_are_taken_one_by_one();
    a_client_that_comes_later_hears_no_old_answers();
    the_region_limits_what_goes_through_it();
    there_is_room_for_so_many_sessions();
    no_wake_is_lost();
    a_wait_sees_sessions_that_come_and_go();
    finish();
    return 0;
}
