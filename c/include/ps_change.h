/* Changes as portsync's `uds` and `shm` sources take them; docs/change-codec.md describes every
 * byte. Needs no library: the functions write into a buffer of the caller.
 *
 *   struct ps_changes batch;
 *   ps_changes_begin(&batch, buffer, sizeof buffer, PS_MARK_NONE);
 *   ps_change_begin(&batch, &(struct ps_change){PS_CHANGE_SET, "PORT_TABLE", "Ethernet0", .time =
 * now}); ps_change_field(&batch, "state", "ok"); if (ps_change_end(&batch) < 0) …; // it did not
 * fit: send what is there, and begin again with this one length = ps_changes_end(&batch); */
#ifndef PS_CHANGE_H
#define PS_CHANGE_H

#include <stdint.h>
#include <string.h>

/* The method of a netipc request whose payload is a batch. */
#define PS_PUBLISH 0x5053
/* Most changes of one batch. */
#define PS_CHANGES_MAX 4096u
#define PS_CHANGES_HEADER 8u

enum { PS_CHANGE_SET = 1, PS_CHANGE_DELETE = 2 };
/* Where a batch stands in a dump of everything there is: begin applies before its changes, end
 * after them; lost says that changes before them were lost. */
enum { PS_MARK_NONE, PS_MARK_DUMP_BEGIN, PS_MARK_DUMP_END, PS_MARK_LOST };
/* What became of a change, in a response. */
enum { PS_APPLIED = 1, PS_SUPERSEDED = 2, PS_REJECTED = 3, PS_DEFERRED = 4 };

/* What stands before a change's texts. */
struct ps_change_head {
    uint32_t length;
    uint8_t layout_version, op;
    uint16_t fields;
    double time;
    uint64_t id;
    uint16_t table_length, key_length, cause_length, reserved;
};

_Static_assert(sizeof(struct ps_change_head) == 32, "a change's head is 32 bytes");

/* A change without its fields. */
struct ps_change {
    int op;
    const char *table, *key;
    const char *cause; /* for people; may be NULL */
    double time;       /* milliseconds since the epoch */
    uint64_t id;       /* of the object behind the key, below 2^53; 0 for none */
};

/* A batch that is being written. */
struct ps_changes {
    uint8_t *bytes;
    uint32_t size, used, count;
    uint32_t change; /* where the open change begins */
    struct ps_change_head head;
    int overflow; /* the open change does not fit */
};

static inline void ps_changes_put(struct ps_changes *batch, const void *bytes, size_t length)
{
    if (batch->overflow || length > batch->size - batch->used) {
        batch->overflow = 1;
        return;
    }
    memcpy(batch->bytes + batch->used, bytes, length);
    batch->used += (uint32_t)length;
}

/* A name's length has 16 bits; a longer one does not fit. */
static inline uint16_t ps_changes_name(struct ps_changes *batch, const char *name)
{
    size_t length = name ? strlen(name) : 0;
    if (length > UINT16_MAX)
        batch->overflow = 1;
    else if (length > 0)
        ps_changes_put(batch, name, length);
    return (uint16_t)length;
}

/* `buffer` has room for at least the header of 8 bytes. */
static inline void ps_changes_begin(struct ps_changes *batch, void *buffer, uint32_t size, int mark)
{
    const uint16_t head[2] = {1, (uint16_t)mark};
    *batch = (struct ps_changes){.bytes = buffer, .size = size, .used = PS_CHANGES_HEADER};
    memcpy(batch->bytes, head, sizeof head);
}

static inline void ps_change_begin(struct ps_changes *batch, const struct ps_change *change)
{
    static const uint8_t zeros[32];
    batch->change = batch->used;
    batch->overflow = batch->count == PS_CHANGES_MAX;
    ps_changes_put(batch, zeros, -batch->used & 7u);
    batch->head = (struct ps_change_head){
        .layout_version = 1, .op = (uint8_t)change->op, .time = change->time, .id = change->id};
    ps_changes_put(batch, zeros, sizeof batch->head);
    batch->head.table_length = ps_changes_name(batch, change->table);
    batch->head.key_length = ps_changes_name(batch, change->key);
    batch->head.cause_length = ps_changes_name(batch, change->cause);
}

/* `value` NULL takes the field away. Only for a set. */
static inline void ps_change_field(struct ps_changes *batch, const char *name, const char *value)
{
    uint32_t at = batch->used;
    uint32_t head[2] = {0, value ? (uint32_t)strlen(value) : UINT32_MAX};
    ps_changes_put(batch, head, sizeof head);
    uint16_t length = ps_changes_name(batch, name);
    if (value)
        ps_changes_put(batch, value, head[1]);
    if (!batch->overflow)
        memcpy(batch->bytes + at, &length, sizeof length);
    batch->head.fields++;
}

/* 0; or -1 when the change did not fit, and then the batch is as before it. */
static inline int ps_change_end(struct ps_changes *batch)
{
    uint32_t at = (batch->change + 7u) & ~7u;
    if (batch->overflow) {
        batch->used = batch->change;
        batch->overflow = 0;
        return -1;
    }
    batch->head.length = batch->used - at;
    memcpy(batch->bytes + at, &batch->head, sizeof batch->head);
    batch->count++;
    return 0;
}

/* The batch's length. */
static inline uint32_t ps_changes_end(struct ps_changes *batch)
{
    memcpy(batch->bytes + 4, &batch->count, sizeof batch->count);
    return batch->used;
}

#endif
