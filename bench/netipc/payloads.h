/* What the pair of the netipc benchmarks writes and checks. */
#ifndef BENCH_PAYLOADS_H
#define BENCH_PAYLOADS_H

#include <errno.h>

#include "measure.h"
#include "ps_netipc.h"

#define ITEMS 16u

static struct {
    uint32_t name_length, path_length;
    char name[32], path[64];
} items[ITEMS];

static void name_items(void)
{
    for (uint32_t i = 0; i < ITEMS; i++) {
        items[i].name_length =
            (uint32_t)snprintf(items[i].name, sizeof items[i].name, "container-%02u", i);
        items[i].path_length = (uint32_t)snprintf(items[i].path, sizeof items[i].path,
                                                  "/sys/fs/cgroup/docker/%02u", i);
    }
}

static uint32_t put_snapshot(uint8_t *at)
{
    static uint32_t generation;
    uint32_t end = 24 + 8 * ITEMS, head[6] = {1, ITEMS, 1, 0, generation++, 0};
    memcpy(at, head, sizeof head);
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t n = items[i].name_length, p = items[i].path_length, start = (end + 7) & ~7u;
        uint32_t item[8] = {1, 1000 + i, 0, 1, 32, n, 33 + n, p};
        uint32_t entry[2] = {start - 24 - 8 * ITEMS, 34 + n + p};
        memset(at + end, 0, start - end);
        memcpy(at + 24 + i * 8, entry, sizeof entry);
        memcpy(at + start, item, sizeof item);
        memcpy(at + start + 32, items[i].name, n + 1);
        memcpy(at + start + 33 + n, items[i].path, p + 1);
        end = start + entry[1];
    }
    return end;
}

/* Checks a directory behind `head` bytes; where its items begin. */
static const uint8_t *directory(const uint8_t *at, uint32_t head, uint32_t length, uint32_t count)
{
    if (length < head || !ps_batch_fits(at + head, length - head, count))
        die("a wrong directory", -EPROTO);
    return at + head + 8 * count;
}

static uint32_t word_at(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, 4);
    return value;
}

static uint64_t value_at(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}

/* Reads one item, as a program would that looks for one. */
static void check_snapshot(const uint8_t *at, uint32_t length, uint64_t turn)
{
    if (length < 24 || word_at(at) != 1 || word_at(at + 4) != ITEMS || word_at(at + 12) ||
        value_at(at + 16) != turn)
        die("a wrong snapshot", -EPROTO);
    const uint8_t *first = directory(at, 24, length, ITEMS);
    uint32_t i = (uint32_t)(turn % ITEMS), size = word_at(at + 28 + i * 8), item[8];
    const uint8_t *start = first + word_at(at + 24 + i * 8);
    if (size < sizeof item)
        die("a short item", -EPROTO);
    memcpy(item, start, sizeof item);
    uint64_t name_end = (uint64_t)item[4] + item[5], path_end = (uint64_t)item[6] + item[7];
    if (item[0] != 1 || item[4] < 32 || item[6] < 32 || name_end >= size || path_end >= size ||
        start[name_end] || start[path_end] || (name_end >= item[6] && path_end >= item[4]) ||
        item[1] != 1000 + i)
        die("a wrong item", -EPROTO);
}

#endif
