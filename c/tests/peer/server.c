/* A netipc server: server RUN_DIR SERVICE PROFILES METHOD [MAX_RESPONSE]
 *
 * PROFILES: 1 socket, 2 shared memory, 3 both. METHOD: 1 to 5. Prints READY, serves until it is
 * killed, one thread a session. An INCREMENT of FAIL (methods.h) fails, one of CRASH ends the
 * process. */
#include <pthread.h>

#include "methods.h"
#include "region.h"

#define LIMIT (1u << 20)
#define ROOM (LIMIT + 64)

static struct offer own = {0, LIMIT, 1024, LIMIT, 65536, TOKEN};
static const char *run_dir, *service;
static uint16_t method;
static uint64_t last_id;

static int answer_batch(struct message *request, uint8_t *out, uint32_t *used)
{
    uint32_t count = request->item_count, end = 8 * count;
    if (8 * count > request->payload_len)
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t offset = get32(request->payload + i * 8);
        uint32_t length = get32(request->payload + i * 8 + 4), start = align8(end);
        if (offset % 8 || (uint64_t)offset + length + 8 * count > request->payload_len)
            return 0;
        memset(out + end, 0, start - end);
        length = answer(method, request->payload + 8 * count + offset, length, out + start,
                        LIMIT - start);
        if (length == UINT32_MAX)
            return 0;
        put32(out + i * 8, start - 8 * count);
        put32(out + i * 8 + 4, length);
        end = start + length;
    }
    memset(out + end, 0, align8(end) - end);
    *used = align8(end);
    return 1;
}

/* The status of the answer. */
static uint16_t respond(struct session *session, struct message *request, uint8_t *out,
                        uint32_t *used)
{
    *used = 0;
    if (request->payload_len > session->max_request || request->item_count > session->max_items)
        return 5;
    if (request->code != method)
        return 4;
    if (method == INCREMENT && request->payload_len == 8 && get64(request->payload) == CRASH)
        exit(0);
    if (method == INCREMENT && request->payload_len == 8 && get64(request->payload) == FAIL)
        return 6;
    if (request->flags & 1)
        return answer_batch(request, out, used) ? 0 : 1;
    *used = answer(method, request->payload, request->payload_len, out, session->max_response);
    if (*used == UINT32_MAX)
        return 1;
    return *used > session->max_response ? 5 : 0;
}

static void converse(struct session *session)
{
    uint8_t *in = malloc(ROOM), *out = malloc(ROOM);
    struct message message;
    while (receive_message(session, in, ROOM, &message) && message.kind == REQUEST) {
        uint32_t used;
        message.status = respond(session, &message, out + 32, &used);
        message.kind = RESPONSE;
        message.flags = message.status ? 0 : message.flags & 1;
        message.item_count = message.flags ? message.item_count : 1;
        message.payload_len = message.status ? 0 : used;
        if (!send_message(session, out, &message) || (message.status != 0 && message.status != 4))
            break;
    }
    free(in);
    free(out);
}

/* A session from its handshake on, so that a silent client holds up nobody. */
static void *serve(void *argument)
{
    struct session *session = argument;
    struct region region = {0};
    int fd = session->fd, shares = (own.profiles & 2) != 0;
    name_region(&region, run_dir, service, session->id);
    if (shares &&
        !create_region(&region, align64(32 + own.max_request), align64(32 + own.max_response)))
        DIE("no region %s", region.path);
    if (answer_hello(fd, &own, session)) {
        session->region = session->profile == 2 ? &region : NULL;
        converse(session);
    }
    if (shares)
        drop_region(&region);
    close(fd);
    free(session);
    return NULL;
}

static void accept_one(int listener)
{
    pthread_t thread;
    int fd = accept(listener, NULL, NULL);
    struct session *session = calloc(1, sizeof *session);
    session->fd = fd;
    session->id = ++last_id;
    if (fd < 0 || pthread_create(&thread, NULL, serve, session) != 0)
        DIE("cannot accept: %s", strerror(errno));
    pthread_detach(thread);
}

int main(int count, char **arguments)
{
    if (count < 5)
        DIE("server RUN_DIR SERVICE PROFILES METHOD [MAX_RESPONSE]");
    run_dir = arguments[1];
    service = arguments[2];
    own.profiles = (uint32_t)atoi(arguments[3]);
    method = (uint16_t)atoi(arguments[4]);
    if (count > 5)
        own.max_response = (uint32_t)atoi(arguments[5]);
    struct sockaddr_un address = address_of(run_dir, service);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    unlink(address.sun_path);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 64) < 0)
        DIE("cannot listen: %s", strerror(errno));
    puts("READY");
    fflush(stdout);
    for (;;)
        accept_one(listener);
}
