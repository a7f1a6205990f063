/* The peer's own shared memory; see wire.h. */
#ifndef PEER_REGION_H
#define PEER_REGION_H

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "wire.h"

struct region {
    uint8_t *memory;
    size_t size;
    char path[256];
    int server;
    uint64_t received;
};

static inline uint32_t align64(uint32_t value)
{
    return (value + 63) / 64 * 64;
}

static inline void name_region(struct region *region, const char *run_dir, const char *service,
                               uint64_t id)
{
    snprintf(region->path, sizeof region->path, "%s/%s-%016llx.ipcshm", run_dir, service,
             (unsigned long long)id);
}

/* 1: made. */
static inline int create_region(struct region *region, uint32_t request, uint32_t response)
{
    int file = open(region->path, O_RDWR | O_CREAT | O_EXCL, 0600);
    uint32_t offset = align64(64 + request);
    struct timespec now;
    region->size = offset + response;
    region->server = 1;
    region->received = 0;
    if (file < 0 || fallocate(file, 0, 0, (off_t)region->size) < 0)
        return 0;
    region->memory = mmap(NULL, region->size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (region->memory == MAP_FAILED)
        return 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    memset(region->memory, 0, region->size);
    put16(region->memory + 4, 3);
    put16(region->memory + 6, 64);
    put32(region->memory + 8, (uint32_t)getpid());
    put32(region->memory + 12, (uint32_t)(now.tv_sec ^ (now.tv_nsec >> 10)) | 1);
    put32(region->memory + 16, 64);
    put32(region->memory + 20, request);
    put32(region->memory + 24, offset);
    put32(region->memory + 28, response);
    put32(region->memory, 0x4e53484d);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    return 1;
}

/* 1: attached. Tries for five seconds. */
static inline int attach_region(struct region *region)
{
    for (int i = 0; i < 1000; i++, usleep(5000)) {
        struct stat info;
        int file = open(region->path, O_RDWR);
        if (file < 0)
            continue;
        if (fstat(file, &info) < 0 || info.st_size < 64) {
            close(file);
            continue;
        }
        region->size = (size_t)info.st_size;
        region->memory = mmap(NULL, region->size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        close(file);
        if (region->memory == MAP_FAILED)
            return 0;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (get32(region->memory) != 0x4e53484d || get16(region->memory + 4) != 3 ||
            get16(region->memory + 6) != 64)
            return 0;
        region->server = 0;
        region->received = get64(region->memory + 40);
        return 1;
    }
    return 0;
}

static inline void drop_region(struct region *region)
{
    if (region->server)
        unlink(region->path);
    munmap(region->memory, region->size);
}

static inline uint32_t *word(struct region *region, int offset)
{
    return (uint32_t *)(void *)(region->memory + offset);
}

static inline uint64_t *sequence(struct region *region, int offset)
{
    return (uint64_t *)(void *)(region->memory + offset);
}

/* 1: published. */
static inline int send_region(struct region *region, uint8_t *buffer, const struct message *message)
{
    uint32_t length = 32 + message->payload_len;
    int server = region->server;
    put_header(buffer, message);
    if (length > get32(region->memory + (server ? 28 : 20)))
        return 0;
    memcpy(region->memory + get32(region->memory + (server ? 24 : 16)), buffer, length);
    __atomic_store_n(word(region, server ? 52 : 48), length, __ATOMIC_RELEASE);
    __atomic_fetch_add(sequence(region, server ? 40 : 32), 1, __ATOMIC_RELEASE);
    __atomic_fetch_add(word(region, server ? 60 : 56), 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, word(region, server ? 60 : 56), FUTEX_WAKE, 1, NULL, NULL, 0);
    return 1;
}

static inline int hung_up(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return poll(&one, 1, 0) == 1;
}

/* 1: a message, 0: the peer hung up. */
static inline int receive_region(struct region *region, int fd, uint8_t *buffer, uint32_t size,
                                 struct message *message)
{
    int server = region->server;
    uint64_t *seq = sequence(region, server ? 32 : 40);
    uint32_t *signal = word(region, server ? 56 : 60);
    for (int i = 0; i < 2000 && __atomic_load_n(seq, __ATOMIC_ACQUIRE) <= region->received; i++)
        __asm__ volatile("" ::: "memory");
    for (;;) {
        uint32_t value = __atomic_load_n(signal, __ATOMIC_ACQUIRE);
        const struct timespec slice = {.tv_nsec = 100000000};
        if (__atomic_load_n(seq, __ATOMIC_ACQUIRE) > region->received)
            break;
        syscall(SYS_futex, signal, FUTEX_WAIT, value, &slice, NULL, 0);
        if (__atomic_load_n(seq, __ATOMIC_ACQUIRE) <= region->received && hung_up(fd))
            return 0;
    }
    uint32_t length = __atomic_load_n(word(region, server ? 48 : 52), __ATOMIC_ACQUIRE);
    region->received++;
    if (length < 32 || length > size)
        DIE("a message of %u bytes in shared memory", length);
    memcpy(buffer, region->memory + get32(region->memory + (server ? 16 : 24)), length);
    if (!get_header(buffer, length, message) || message->payload_len != length - 32)
        DIE("a wrong message in shared memory");
    message->payload = buffer + 32;
    return 1;
}

static inline int send_message(struct session *session, uint8_t *buffer,
                               const struct message *message)
{
    return session->region ? send_region(session->region, buffer, message)
                           : send_packets(session, buffer, message);
}

static inline int receive_message(struct session *session, uint8_t *buffer, uint32_t size,
                                  struct message *message)
{
    return session->region ? receive_region(session->region, session->fd, buffer, size, message)
                           : receive_packets(session, buffer, size, message);
}

#endif
