/* A peer that says what it is told: raw RUN_DIR SERVICE (listen|connect)
 *
 * Each line of standard input is one packet in hexadecimal, or `close` to hang up. Each packet that
 * comes is a line of standard output; `open` says that there is a connection, `end` that the other
 * side hung up. A listener says READY first and takes one connection after the other. */
#include <poll.h>

#include "wire.h"

#define PACKET (1u << 18)

static uint8_t packet[PACKET];
static char input[2 * PACKET + 2];
static size_t waiting; /* bytes of `input` */
static struct sockaddr_un address;
static int listener = -1, connection = -1;

static void say(const char *word)
{
    puts(word);
    fflush(stdout);
}

static void hang_up(void)
{
    if (connection >= 0)
        close(connection);
    connection = -1;
    if (listener < 0)
        exit(0);
}

static int digit(char character)
{
    const char *digits = "0123456789abcdef", *found = strchr(digits, character);
    if (found == NULL || character == 0)
        DIE("no hexadecimal digit: %d", character);
    return (int)(found - digits);
}

static void obey(const char *line, size_t length)
{
    if (strncmp(line, "close", length) == 0) {
        hang_up();
        return;
    }
    for (size_t i = 0; i < length / 2; i++)
        packet[i] = (uint8_t)(digit(line[2 * i]) << 4 | digit(line[2 * i + 1]));
    /* A peer that has hung up already is what some tests want. */
    if (connection >= 0 && send(connection, packet, length / 2, MSG_NOSIGNAL) < 0 && errno != EPIPE)
        DIE("cannot send: %s", strerror(errno));
}

/* Takes what stands on standard input and does its whole lines. */
static void listen_to_lines(void)
{
    ssize_t length = read(STDIN_FILENO, input + waiting, sizeof input - waiting);
    if (length <= 0) {
        if (listener >= 0)
            unlink(address.sun_path);
        exit(0);
    }
    waiting += (size_t)length;
    for (char *end; (end = memchr(input, '\n', waiting)) != NULL;) {
        size_t used = (size_t)(end - input) + 1;
        obey(input, used - 1);
        memmove(input, input + used, waiting -= used);
    }
    if (waiting == sizeof input)
        DIE("a line of %zu bytes", waiting);
}

static void hear(void)
{
    ssize_t length = recv(connection, packet, sizeof packet, 0);
    if (length <= 0) {
        say("end");
        hang_up();
        return;
    }
    for (ssize_t i = 0; i < length; i++)
        printf("%02x", packet[i]);
    say("");
}

static void begin(const char *run_dir, const char *service, int listens)
{
    address = address_of(run_dir, service);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0), large = 1 << 20;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
    if (listens) {
        unlink(address.sun_path);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0)
            DIE("cannot listen: %s", strerror(errno));
        listener = fd;
        say("READY");
        return;
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        DIE("cannot connect: %s", strerror(errno));
    connection = fd;
    say("open");
}

int main(int count, char **arguments)
{
    if (count != 4)
        DIE("raw RUN_DIR SERVICE (listen|connect)");
    begin(arguments[1], arguments[2], strcmp(arguments[3], "listen") == 0);
    for (;;) {
        int taking = connection < 0;
        struct pollfd files[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                  {.fd = taking ? listener : connection, .events = POLLIN}};
        if (poll(files, 2, -1) < 0)
            DIE("cannot poll: %s", strerror(errno));
        if (files[0].revents) {
            listen_to_lines();
        } else if (taking) {
            connection = accept(listener, NULL, NULL);
            say("open");
        } else {
            hear();
        }
    }
}
