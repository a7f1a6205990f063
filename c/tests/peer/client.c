/* A netipc client: client RUN_DIR SERVICE PROFILES MODE [N]
 *
 * PROFILES: 1 socket, 2 shared memory, 3 both. MODE is what it asks for and checks, see below.
 * Prints PASS last and ends with 0, or says what was wrong and ends with 1. */
#include "methods.h"
#include "region.h"

#define ROOM ((1u << 20) + 64)
static uint8_t in[ROOM], out[ROOM];
static struct session session;
static struct offer offer = {1, 65536, 64, 65536, 65536, TOKEN};
static const char *run_dir, *service;
static long number = 1;

static int open_socket(void)
{
    struct sockaddr_un address = address_of(run_dir, service);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        DIE("cannot connect: %s", strerror(errno));
    return fd;
}

static void begin(void)
{
    static struct region region;
    int status = say_hello(open_socket(), &offer, &session);
    if (status != 0)
        DIE("refused with %d", status);
    if (session.profile == 2) {
        name_region(&region, run_dir, service, session.id);
        if (!attach_region(&region))
            DIE("cannot attach to %s", region.path);
        session.region = &region;
    }
}

static void ask(uint16_t code, uint16_t flags, uint32_t items, uint32_t length, uint64_t id)
{
    struct message message = {.kind = REQUEST,
                              .flags = flags,
                              .code = code,
                              .payload_len = length,
                              .item_count = items,
                              .id = id};
    if (!send_message(&session, out, &message))
        DIE("cannot send: %s", strerror(errno));
}

static struct message hear(uint16_t code, uint16_t status, uint64_t id)
{
    struct message message;
    if (!receive_message(&session, in, ROOM, &message))
        DIE("the server hung up");
    if (message.kind != RESPONSE || message.code != code || message.id != id)
        DIE("a response of kind %d, code %d", message.kind, message.code);
    if (message.status != status)
        DIE("a response with status %d", message.status);
    if (status != 0 && (message.flags || message.item_count != 1 || message.payload_len))
        DIE("an error that is not plain");
    return message;
}

static void increment(void)
{
    for (long i = 1; i <= number; i++) {
        put64(out + 32, (uint64_t)i);
        ask(INCREMENT, 0, 1, 8, (uint64_t)i);
        if (hear(INCREMENT, 0, (uint64_t)i).payload_len != 8 || get64(in + 32) != (uint64_t)i + 1)
            DIE("a wrong sum");
    }
}

/* Keeps 16 requests on their way. */
static void pipeline(void)
{
    for (long i = 1; i <= number + 16; i++) {
        if (i > 16) {
            hear(INCREMENT, 0, (uint64_t)i - 16);
            if (get64(in + 32) != (uint64_t)i - 15)
                DIE("a wrong sum");
        }
        put64(out + 32, (uint64_t)i);
        if (i <= number)
            ask(INCREMENT, 0, 1, 8, (uint64_t)i);
    }
}

/* A batch of `number` increments, twice; also of one. */
static void batch(void)
{
    for (int turn = 1; turn <= 2; turn++) {
        uint32_t count = (uint32_t)number;
        for (uint32_t i = 0; i < count; i++) {
            put32(out + 32 + i * 8, i * 8);
            put32(out + 36 + i * 8, 8);
            put64(out + 32 + count * 8 + i * 8, i + 100);
        }
        ask(INCREMENT, 1, count, count * 16, (uint64_t)turn);
        struct message message = hear(INCREMENT, 0, (uint64_t)turn);
        if (message.flags != 1 || message.item_count != count || message.payload_len != count * 16)
            DIE("a wrong batch");
        for (uint32_t i = 0; i < count; i++)
            if (get32(in + 32 + i * 8) != i * 8 || get32(in + 36 + i * 8) != 8 ||
                get64(in + 32 + count * 8 + i * 8) != i + 101)
                DIE("a wrong item in a batch");
    }
}

/* A string of `number` bytes. */
static void reverse(void)
{
    put32(out + 32, 8);
    put32(out + 36, (uint32_t)number);
    for (long i = 0; i < number; i++)
        out[40 + i] = (uint8_t)(1 + i % 255);
    out[40 + number] = 0;
    ask(REVERSE, 0, 1, (uint32_t)number + 9, 5);
    if (hear(REVERSE, 0, 5).payload_len != number + 9 || get32(in + 32) != 8 ||
        get32(in + 36) != number || in[40 + number] != 0)
        DIE("a wrong reversed string");
    for (long i = 0; i < number; i++)
        if (in[40 + i] != (uint8_t)(1 + (number - 1 - i) % 255))
            DIE("a wrong byte in a reversed string");
}

static void snapshot(void)
{
    for (long i = 1; i <= number; i++) {
        put16(out + 32, 1);
        put16(out + 34, 0);
        ask(SNAPSHOT, 0, 1, 4, (uint64_t)i);
        check_snapshot(in + 32, hear(SNAPSHOT, 0, (uint64_t)i).payload_len);
    }
}

/* One lookup request with all keys; the answer must be byte for byte what we would say. */
static void lookup(int apps)
{
    static uint8_t wanted[ROOM];
    uint32_t count = (uint32_t)number, end = 16 + 8 * count;
    memset(out + 32, 0, 16);
    put16(out + 32, 1);
    put32(out + 36, count);
    for (uint32_t i = 0; i < count; i++) {
        char path[64];
        const char *names[5] = {"/cg/0000", "/retry/", "/never/", "/large/", "/"};
        uint32_t start = align8(end), length = 8;
        memset(out + 32 + end, 0, start - end);
        if (apps) {
            put32(out + 32 + start, 1000 + i);
            put32(out + 36 + start, 0);
        } else {
            snprintf(path, sizeof path, "%s%u", names[i % 5], i);
            length = put_string(out + 32 + start, 0, path, (uint32_t)strlen(path));
        }
        put32(out + 48 + i * 8, start - 16 - 8 * count);
        put32(out + 52 + i * 8, length);
        end = start + length;
    }
    ask(apps ? APPS : CGROUPS, 0, 1, end, 9);
    uint32_t size = put_lookup(wanted, session.max_response, out + 32, end, apps);
    struct message message = hear(apps ? APPS : CGROUPS, 0, 9);
    if (message.payload_len != size)
        DIE("%u bytes instead of %u", message.payload_len, size);
    if (memcmp(in + 32, wanted, size) != 0)
        DIE("a wrong answer to a lookup");
}

/* What a server must refuse and how; after all of it, it must still serve. */
static void refusals(void)
{
    struct offer good = offer;
    struct session ignored;
    offer.token++;
    if (say_hello(open_socket(), &offer, &ignored) != 2)
        DIE("a wrong token was not refused");
    offer = good, offer.profiles = 8;
    if (say_hello(open_socket(), &offer, &ignored) != 4)
        DIE("a foreign profile was not refused");
    offer = good, offer.max_request = 0xffffffff;
    if (say_hello(open_socket(), &offer, &ignored) != 5)
        DIE("an immense request was not refused");
    offer = good, offer.packet = 32;
    if (say_hello(open_socket(), &offer, &ignored) != 3)
        DIE("a tiny packet was not refused");
    offer = good;
    int silent = open_socket();
    begin();
    put64(out + 32, 1);
    ask(77, 0, 1, 8, 1); /* a foreign method leaves the session open */
    hear(77, 4, 1);
    ask(INCREMENT, 0, 1, 8, 2);
    hear(INCREMENT, 0, 2);
    ask(INCREMENT, 0, 1, 7, 3);
    hear(INCREMENT, 1, 3);
    begin();
    put32(out + 32, 4);
    ask(INCREMENT, 1, 1, 16, 4);
    hear(INCREMENT, 1, 4);
    begin();
    put64(out + 32, FAIL);
    ask(INCREMENT, 0, 1, 8, 5);
    hear(INCREMENT, 6, 5);
    if (session.region == NULL) {
        begin();
        ask(INCREMENT, 0, 1, offer.max_request + 1, 6);
        hear(INCREMENT, 5, 6);
        begin();
        ask(INCREMENT, 0, offer.max_items + 1, 8, 7);
        hear(INCREMENT, 5, 7);
    }
    begin();
    increment();
    close(silent);
}

/* Sends `number` requests and goes without hearing. */
static void leave(void)
{
    put64(out + 32, 1);
    for (long i = 1; i <= number; i++)
        ask(INCREMENT, 0, 1, 8, (uint64_t)i);
}

int main(int count, char **arguments)
{
    if (count < 5)
        DIE("client RUN_DIR SERVICE PROFILES MODE [N]");
    run_dir = arguments[1];
    service = arguments[2];
    offer.profiles = (uint32_t)atoi(arguments[3]);
    const char *mode = arguments[4];
    if (count > 5)
        number = atol(arguments[5]);
    if (strcmp(mode, "refusals") == 0) {
        refusals();
        puts("PASS");
        return 0;
    }
    if (strcmp(mode, "reverse") == 0)
        offer.max_request = (uint32_t)number + 9;
    begin();
    if (strcmp(mode, "increment") == 0)
        increment();
    else if (strcmp(mode, "pipeline") == 0)
        pipeline();
    else if (strcmp(mode, "batch") == 0)
        batch();
    else if (strcmp(mode, "reverse") == 0)
        reverse();
    else if (strcmp(mode, "snapshot") == 0)
        snapshot();
    else if (strcmp(mode, "cgroups") == 0)
        lookup(0);
    else if (strcmp(mode, "apps") == 0)
        lookup(1);
    else if (strcmp(mode, "leave") == 0)
        leave();
    else
        DIE("no mode %s", mode);
    puts("PASS");
    return 0;
}
