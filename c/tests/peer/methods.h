/* The payloads of the methods and what the peers say in them; see wire.h. */
#ifndef PEER_METHODS_H
#define PEER_METHODS_H

#include "wire.h"

/* Values to increment that make a server fail the request, or end. */
#define FAIL 0xF00000000001ull
#define CRASH 0xF00000000002ull

/* Appends bytes and a NUL; returns the place after it. */
static inline uint32_t put_string(uint8_t *at, uint32_t place, const char *text, uint32_t length)
{
    memcpy(at + place, text, length);
    at[place + length] = 0;
    return place + length + 1;
}

/* -- CGROUPS_SNAPSHOT: three items, as the public fixtures have them --------------------------- */

struct item {
    uint32_t hash, enabled;
    const char *name, *path;
};

static const struct item ITEMS[3] = {
    {1001, 1, "docker-abc123", "/sys/fs/cgroup/docker/abc123"},
    {2002, 1, "k8s-pod-xyz", "/sys/fs/cgroup/kubepods/xyz"},
    {3003, 0, "systemd-user", "/sys/fs/cgroup/user.slice/user-1000"}};

static inline uint32_t put_snapshot(uint8_t *out)
{
    memset(out, 0, 48);
    put16(out, 1);
    put32(out + 4, 3);
    put32(out + 8, 1);
    put64(out + 16, 42);
    uint32_t end = 48;
    for (int i = 0; i < 3; i++) {
        uint32_t name = (uint32_t)strlen(ITEMS[i].name), path = (uint32_t)strlen(ITEMS[i].path);
        uint32_t start = align8(end);
        memset(out + end, 0, start - end);
        uint8_t *at = out + start;
        memset(at, 0, 32);
        put16(at, 1);
        put32(at + 4, ITEMS[i].hash);
        put32(at + 12, ITEMS[i].enabled);
        put32(at + 16, 32);
        put32(at + 20, name);
        put32(at + 24, 33 + name);
        put32(at + 28, path);
        put_string(at, put_string(at, 32, ITEMS[i].name, name), ITEMS[i].path, path);
        put32(out + 24 + i * 8, start - 48);
        put32(out + 28 + i * 8, 34 + name + path);
        end = start + 34 + name + path;
    }
    return end;
}

static inline void check_snapshot(const uint8_t *in, uint32_t length)
{
    static uint8_t wanted[1024];
    uint32_t size = put_snapshot(wanted);
    if (length != size || memcmp(in, wanted, size) != 0)
        DIE("a wrong snapshot");
}

/* -- Lookups ----------------------------------------------------------------------------------- */

/* What is known of a path: those that begin with /retry and /never are not; one that begins with
 * /large has a name of 3000 bytes. */
static inline uint32_t put_cgroup(uint8_t *at, const char *path, uint32_t length, int status)
{
    static char large[3000];
    int known = status == 0;
    uint32_t name_length = !known ? 0 : strncmp(path, "/large", 6) == 0 ? sizeof large : 2;
    memset(large, 'n', sizeof large);
    memset(at, 0, 28);
    put16(at, 1);
    put16(at + 2, (uint16_t)status);
    put16(at + 4, known ? 3 : 0);
    put32(at + 8, 28);
    put32(at + 12, length);
    put32(at + 16, 29 + length);
    put32(at + 20, name_length);
    put16(at + 24, known ? 1 : 0);
    uint32_t end = put_string(at, 28, path, length);
    end = put_string(at, end, name_length > 2 ? large : "ok", name_length);
    if (!known)
        return end;
    uint32_t table = align8(end);
    memset(at + end, 0, table - end);
    put32(at + table, table + 16);
    put32(at + table + 4, 4);
    put32(at + table + 8, table + 21);
    put32(at + table + 12, length);
    return put_string(at, put_string(at, table + 16, "path", 4), path, length);
}

static inline int status_of(const char *path)
{
    return strncmp(path, "/retry", 6) == 0 ? 1 : strncmp(path, "/never", 6) == 0 ? 2 : 0;
}

/* Even pids are known and live in docker, odd ones are not. */
static inline uint32_t put_app(uint8_t *at, uint32_t pid, int status)
{
    int known = status == 0;
    uint32_t comm = known ? 2 : 0, path = known ? 3 : 0, name = known ? 4 : 0;
    memset(at, 0, 60);
    put16(at, 1);
    put16(at + 2, (uint16_t)status);
    put16(at + 4, known ? 2 : 0);
    put32(at + 8, pid);
    put32(at + 12, known ? 1 : 0);
    put32(at + 16, known ? 1000 : 0xffffffff);
    put64(at + 24, known ? 42 : 0);
    put32(at + 32, 60);
    put32(at + 36, comm);
    put32(at + 40, 61 + comm);
    put32(at + 44, path);
    put32(at + 48, 62 + comm + path);
    put32(at + 52, name);
    uint32_t end = put_string(at, 60, "ok", comm);
    return put_string(at, put_string(at, end, "/ok", path), "name", name);
}

/* Answers a lookup request; 0 for one that is malformed. Whole items as long as those after them
 * still fit in their shortest form, then only these. */
static inline uint32_t put_lookup(uint8_t *out, uint32_t size, const uint8_t *in, uint32_t length,
                                  int apps)
{
    uint32_t count = length >= 16 ? get32(in + 4) : 0;
    const uint8_t *keys = in + 16 + 8 * (size_t)count;
    if (length < 16 || get16(in) != 1 || get16(in + 2) || get64(in + 8) || 16 + 8 * count > length)
        return 0;
    uint32_t *suffix = calloc(count + 1, 4);
    for (uint32_t i = count; i-- > 0;) {
        uint32_t compact = apps ? 63 : 28 + get32(in + 20 + i * 8) + 1;
        suffix[i] = (suffix[i + 1] ? align8(compact) : compact) + suffix[i + 1];
    }
    uint32_t end = 16 + 8 * count, exceeded = 0;
    memset(out, 0, 16);
    put16(out, 1);
    put32(out + 4, count);
    put64(out + 8, apps ? 9 : 7);
    for (uint32_t i = 0; i < count && end <= size; i++) {
        uint32_t start = align8(end);
        const uint8_t *key = keys + get32(in + 16 + i * 8);
        uint32_t key_length = get32(in + 20 + i * 8) - 1;
        memset(out + end, 0, start - end);
        uint8_t *at = out + start;
        int status = apps ? (int)(get32(key) % 2) : status_of((const char *)key);
        for (int form = exceeded ? 1 : 0; form < 2; form++) {
            if (form == 1)
                status = apps ? 2 : 3;
            if (form == 1 && i == 0)
                status++; /* OVERSIZED_ITEM */
            uint32_t used = apps ? put_app(at, get32(key), status)
                                 : put_cgroup(at, (const char *)key, key_length, status);
            end = start + used;
            put32(out + 16 + i * 8, start - 16 - 8 * count);
            put32(out + 20 + i * 8, used);
            if (form == 1 || align8(end) + suffix[i + 1] <= size)
                break;
            exceeded = i > 0;
        }
    }
    free(suffix);
    return end;
}

/* -- Every method ------------------------------------------------------------------------------ */

/* The response's length; UINT32_MAX for a malformed request. */
static inline uint32_t answer(uint16_t code, const uint8_t *in, uint32_t length, uint8_t *out,
                              uint32_t size)
{
    if (code == INCREMENT && length >= 8) {
        put64(out, get64(in) + 1);
        return 8;
    }
    if (code == REVERSE && length >= 9 && get32(in) == 8 && get32(in + 4) <= length - 9 &&
        in[8 + get32(in + 4)] == 0) {
        uint32_t count = get32(in + 4);
        memcpy(out, in, 8);
        for (uint32_t i = 0; i < count; i++)
            out[8 + i] = in[7 + count - i];
        out[8 + count] = 0;
        return 9 + count;
    }
    if (code == SNAPSHOT && length >= 4 && get16(in) == 1 && get16(in + 2) == 0)
        return put_snapshot(out);
    if (code == CGROUPS || code == APPS) {
        uint32_t used = put_lookup(out, size, in, length, code == APPS);
        return used ? used : UINT32_MAX;
    }
    return UINT32_MAX;
}

#endif
