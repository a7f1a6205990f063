/* What the two files of the shared-memory half share. */
#ifndef PS_SHM_INTERNAL_H
#define PS_SHM_INTERNAL_H

#include <sys/types.h>

#include "include/ps_netipc.h"
#include "include/ps_shm.h"
#include "ipc.h"

#define PS_REGION_MAGIC 0x4e53484du
#define PS_REGION_VERSION 3
#define PS_REGION_HEADER 64u

/* The region's header, as both processes see it. */
struct ps_region {
    _Atomic uint32_t magic; /* written last */
    uint16_t version, header_len;
    int32_t owner_pid;
    uint32_t owner_generation;
    uint32_t request_offset, request_capacity, response_offset, response_capacity;
    _Atomic uint64_t sequence[2]; /* of requests, of responses */
    _Atomic uint32_t length[2];
    _Atomic uint32_t signal[2];
};

_Static_assert(sizeof(struct ps_region) == PS_REGION_HEADER, "the region's header is 64 bytes");

/* A mapped region. Offsets are copied when it is mapped: the peer may write over the header. */
struct ps_mapping {
    struct ps_region *region;
    size_t size;
    uint8_t *area[2];
    uint32_t capacity[2];
    dev_t device;
    ino_t inode;
};

enum { PS_SHM_EMPTY, PS_SHM_LIVE, PS_SHM_DEAD };

struct ps_shm_session {
    _Atomic uint32_t state;
    uint32_t number;
    bool server;
    bool pending; /* a request without its response */
    struct ps_mapping mapping;
    struct ps_shm_limits limits;
    uint64_t sent; /* our own; the peer may write over those in the region */
    uint32_t signalled;
    _Atomic uint64_t seen; /* sequence of the last message taken */
    char path[256];        /* of the server's file */
};

struct ps_shm {
    _Atomic uint32_t wake, woken, waiting;
    uint32_t generation;
    uint32_t used;  /* slots below this may be live */
    uint32_t first; /* the slot that is looked at first: one that had no room the last time */
    struct ps_shm_session slots[PS_SHM_SESSIONS];
};

int ps_region_create(const char *path, const struct ps_shm_limits *limits,
                     struct ps_mapping *ret_mapping);
int ps_region_attach(const char *path, struct ps_mapping *ret_mapping);
void ps_region_unmap(struct ps_mapping *mapping);
/* Removes the file if it is still this region's. */
void ps_region_unlink(const char *path, const struct ps_mapping *mapping);

#endif
