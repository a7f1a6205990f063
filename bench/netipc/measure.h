/* What the C programs of the netipc benchmarks measure with. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static uint64_t buckets[4096]; /* latencies: 64 for each power of two of nanoseconds */

static inline void die(const char *what, int error)
{
    fprintf(stderr, "%s: %s\n", what, strerror(-error));
    exit(1);
}

static inline uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The next requests are late by as much as a sleep is too long, and then come at once. */
static inline uint64_t sleep_until(uint64_t due)
{
    uint64_t now = now_ns();
    if (now < due) {
        struct timespec time = {(time_t)((due - now) / 1000000000u),
                                (long)((due - now) % 1000000000u)};
        nanosleep(&time, NULL);
        now = now_ns();
    }
    return now;
}

static inline double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static inline void record(uint64_t ns)
{
    uint32_t power = 63u - (uint32_t)__builtin_clzll(ns | 64);
    buckets[power * 64 + ((ns >> (power - 6)) & 63)]++;
}

static inline double percentile(double part, uint64_t total)
{
    uint64_t rank = (uint64_t)((double)total * part), seen = 0;
    for (uint32_t i = 0; i < 4096; i++) {
        seen += buckets[i];
        if (seen > rank)
            return (double)((64ull + i % 64) << (i / 64)) / 64e3;
    }
    return 0;
}

static inline void report(uint64_t requests, double seconds)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < 4096; i++)
        total += buckets[i];
    printf("{\"requests\":%llu,\"seconds\":%.6f,\"p50\":%.3f,\"p95\":%.3f,\"p99\":%.3f,"
           "\"cpu\":%.3f}\n",
           (unsigned long long)requests, seconds, percentile(0.5, total), percentile(0.95, total),
           percentile(0.99, total), cpu_seconds());
}

#endif
