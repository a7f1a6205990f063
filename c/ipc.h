/* What the halves of the library share: handles, words to sleep on, time. */
#ifndef PS_IPC_H
#define PS_IPC_H

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "handles.h"

enum { PS_KIND_UDS = PS_KIND_NETIPC, PS_KIND_SHM, PS_KIND_RING };

static inline uint64_t ps_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* When a wait of timeout_ms ends; an endless one ends in a century. */
static inline uint64_t ps_wait_end(uint32_t timeout_ms)
{
    uint64_t ms = timeout_ms == PS_FOREVER ? UINT64_C(3153600000000) : timeout_ms;
    return ps_now_ns() + ms * 1000000u;
}

static inline struct timespec ps_timespec(uint64_t ns)
{
    return (struct timespec){(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
}

static inline void ps_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

/* Brings a line here for writing, long before it is written. */
static inline void ps_will_write(const void *line)
{
#if defined(__x86_64__) /* of the oldest the instruction does nothing, so compilers leave it out */
    __asm__ volatile("prefetchw %0" ::"m"(*(const char *)line));
#else
    __builtin_prefetch(line, 1);
#endif
}

/* How long a poll may spin. */
static inline uint64_t ps_spin_ns(uint32_t spin_us)
{
    return (spin_us < PS_SPIN_MAX_US ? spin_us : PS_SPIN_MAX_US) * UINT64_C(1000);
}

/* Wakes a sleeper of any process that maps the word. */
static inline void ps_futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Sleeps at most `ns` while the word has this value; may return for no reason. */
static inline void ps_futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t ns)
{
    struct timespec time = ps_timespec(ns);
    syscall(SYS_futex, word, FUTEX_WAIT, value, &time, NULL, 0);
}

#endif
