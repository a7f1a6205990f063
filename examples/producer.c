/* Sends numbered changes to a pipeline, over a socket or through a ring.
 *
 *   cc -I c/include examples/producer.c -L build -lportsync -Wl,-rpath,$PWD/build -o producer
 *   ./producer uds /run/portsync ports 1000
 *   ./producer ring /run/portsync/ports.ring 1000
 *
 * Ends when everything was answered (uds), or written (ring); while the pipeline is away it waits.
 * After each batch it prints the number to go on with: as a last argument it makes a new process
 * go on where one that was killed had come to.
 */
#include <unistd.h>

#include "ps_producer.h"

#define KEYS 64u
#define BATCH 256u

/* Writes changes from number `from` on; returns the batch's length and how many there are. */
static uint32_t write_batch(uint8_t *room, uint32_t size, uint32_t from, uint32_t to,
                            uint32_t *ret_count)
{
    struct ps_changes batch;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    ps_changes_begin(&batch, room, size, PS_MARK_NONE);
    for (uint32_t number = from; number < to && number < from + BATCH; number++) {
        char key[32], text[32];
        snprintf(key, sizeof key, "Ethernet%u", number % KEYS);
        snprintf(text, sizeof text, "%u", number);
        ps_change_begin(&batch, &(struct ps_change){.op = PS_CHANGE_SET,
                                                    .table = "NUMBER_TABLE",
                                                    .key = key,
                                                    .time = (double)now.tv_sec * 1e3 +
                                                            (double)now.tv_nsec / 1e6});
        ps_change_field(&batch, "number", text);
        if (ps_change_end(&batch) < 0)
            break; /* the rest goes with the next batch */
    }
    *ret_count = batch.count;
    return ps_changes_end(&batch);
}

static void print_next(uint32_t number)
{
    printf("%u\n", number);
    fflush(stdout);
}

/* Says it the first time; producers may wait for long. */
static void say_once(int error)
{
    static int said;
    if (said++ == 0)
        fprintf(stderr, "The pipeline cannot be reached: %s; trying again until it works\n",
                strerror(-error));
}

static int over_socket(const char *run_dir, const char *service, uint32_t from, uint32_t count)
{
    struct ps_producer producer = {0};
    uint8_t outcomes[BATCH];
    for (uint32_t number = from; number < count;) {
        /* Whatever failed: connect again, and send the same changes again. */
        int error = producer.hub == 0 ? ps_producer_open(&producer, run_dir, service, 0, 5000) : 0;
        if (error < 0) {
            say_once(error);
            usleep(20000);
            continue;
        }
        uint32_t sent;
        uint32_t length =
            write_batch(ps_producer_room(&producer), producer.limit, number, count, &sent);
        int answered = ps_producer_publish(&producer, length, outcomes, BATCH, 30000);
        if (answered == -EBADMSG)
            return 1;
        if (answered < 0) {
            ps_producer_close(&producer);
            continue;
        }
        for (int i = 0; i < answered; i++)
            if (outcomes[i] == PS_REJECTED)
                return 1;
        number += sent;
        print_next(number);
    }
    ps_producer_close(&producer);
    return 0;
}

static int through_ring(const char *path, uint32_t from, uint32_t count)
{
    static uint8_t frame[1 << 16];
    int32_t ring =
        ps_ring_open((const uint8_t *)path, (uint32_t)strlen(path), 1 << 20, PS_RING_PRODUCER);
    if (ring < 0) {
        fprintf(stderr, "Cannot open the ring: %s\n", strerror(-ring));
        return 1;
    }
    int error = 0;
    for (uint32_t number = from, sent = 0; number < count && error == 0;) {
        uint32_t length = write_batch(frame + 8, sizeof frame - 16, number, count, &sent);
        error = ps_ring_publish(ring, frame, length, 60000);
        if (error == 0)
            print_next(number += sent);
    }
    ps_ring_close(ring);
    return error < 0;
}

int main(int argc, char **argv)
{
    char allowed[4096];
    int ring = argc > 1 && strcmp(argv[1], "ring") == 0, last = ring ? 3 : 4;
    if (argc < last + 1 || argc > last + 2 || (!ring && strcmp(argv[1], "uds") != 0)) {
        fprintf(stderr, "producer uds RUN_DIR SERVICE COUNT [FROM]\n"
                        "producer ring FILE COUNT [FROM]\n");
        return 64;
    }
    int length = snprintf(allowed, sizeof allowed, "%s%s", argv[2], ring ? "" : "/");
    int error = ps_producer_allow(allowed, (uint32_t)length + 1);
    if (error < 0) {
        fprintf(stderr, "Cannot use %s: %s\n", argv[2], strerror(-error));
        return 69;
    }
    uint32_t count = (uint32_t)atol(argv[last]);
    uint32_t from = argc > last + 1 ? (uint32_t)atol(argv[last + 1]) : 0;
    return ring ? through_ring(argv[2], from, count) : over_socket(argv[2], argv[3], from, count);
}
