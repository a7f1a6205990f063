/* When the last row was written, as a subscriber sees it.
 *
 *   rowwatch REDIS_SOCKET DATABASE PATTERN QUIET_MS [PID]
 *
 * Subscribes to the keyspace notifications of PATTERN, prints "ready", and waits for a byte on
 * standard input. Then it lets process PID go on (SIGCONT) if one is named, takes the time, and
 * counts notifications until none has come for QUIET_MS after the first. Prints one line of JSON:
 * the notifications, the seconds from the byte to the last of them, and the wall-clock times of
 * the byte, of the first and of the last. Ends by itself after two minutes. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 18];

static void fail(const char *what)
{
    fprintf(stderr, "rowwatch: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int subscribe(const char *path, const char *database, const char *pattern)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int redis = socket(AF_UNIX, SOCK_STREAM, 0);
    if (redis < 0 || connect(redis, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail(path);
    char channel[512], command[640];
    snprintf(channel, sizeof(channel), "__keyspace@%s__:%s", database, pattern);
    int size = snprintf(command, sizeof(command), "*2\r\n$10\r\nPSUBSCRIBE\r\n$%zu\r\n%s\r\n",
                        strlen(channel), channel);
    if (write(redis, command, (size_t)size) != size || read(redis, buffer, sizeof(buffer)) <= 0)
        fail("PSUBSCRIBE");
    return redis;
}

/* Every message begins with an array header, and nothing else in it holds an asterisk after a
 * line end. */
static long count(const char *text, ssize_t size, char *before)
{
    long messages = 0;
    for (ssize_t at = 0; at < size; at++) {
        messages += text[at] == '*' && *before == '\n';
        *before = text[at];
    }
    return messages;
}

int main(int argc, char **argv)
{
    int quiet = argc >= 5 ? atoi(argv[4]) : 0, pid = argc == 6 ? atoi(argv[5]) : 0;
    if (quiet <= 0 || argc > 6) {
        fprintf(stderr, "usage: rowwatch REDIS_SOCKET DATABASE PATTERN QUIET_MS [PID]\n");
        return 64;
    }
    alarm(120);
    struct pollfd redis = {.fd = subscribe(argv[1], argv[2], argv[3]), .events = POLLIN};
    char byte, before = '\n';
    printf("ready\n");
    fflush(stdout);
    if (read(0, &byte, 1) != 1)
        return 1;
    double start = now(), first = 0, last = 0;
    if (pid > 0 && kill(pid, SIGCONT) < 0)
        fail(argv[5]);
    long rows = 0;
    while (poll(&redis, 1, rows > 0 ? quiet : -1) > 0) {
        ssize_t size = read(redis.fd, buffer, sizeof(buffer));
        if (size <= 0)
            fail("subscription ended");
        last = now();
        if (rows == 0)
            first = last;
        rows += count(buffer, size, &before);
    }
    printf("{\"rows\":%ld,\"seconds\":%.6f,\"began\":%.6f,\"first\":%.6f,\"last\":%.6f}\n", rows,
           last - start, start, first, last);
    return 0;
}
