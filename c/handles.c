/* A slot's state is one word: generation (16 bits), live, taken, holders (14 bits). Every step is
 * one compare-and-swap, because `wake` comes from another thread than `wait`. */
#include "handles.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#define LIVE 0x8000u
#define TAKEN 0x4000u
#define HOLDERS 0x3fffu
#define INDEX_BITS 10u
#define GENERATION(state) ((state) >> 16)

_Static_assert(PS_HANDLES == 1u << INDEX_BITS, "a handle's low bits are its slot");

struct slot {
    atomic_uint state;
    /* Read before the state is taken, and believed only if it was. */
    atomic_uint kind;
    void *_Atomic object;
};

static struct slot slots[PS_HANDLES];

static struct slot *slot_of(int32_t handle)
{
    return &slots[(uint32_t)handle & (PS_HANDLES - 1)];
}

/* Whether the state belongs to this very handle, and not to one before or after it in its slot. */
static int is_live(int32_t handle, uint32_t state)
{
    return handle > 0 && (state & LIVE) && GENERATION(state) == (uint32_t)handle >> INDEX_BITS;
}

int32_t ps_handle_new(uint32_t kind, void *object)
{
    for (uint32_t index = 0; index < PS_HANDLES; index++) {
        struct slot *slot = &slots[index];
        uint32_t state = atomic_load(&slot->state);
        if (state & (LIVE | TAKEN))
            continue;
        /* Never 0, so that no handle is 0. */
        uint32_t generation = GENERATION(state) % 0xffffu + 1;
        if (!atomic_compare_exchange_strong(&slot->state, &state, generation << 16 | TAKEN))
            continue;
        slot->kind = kind;
        slot->object = object;
        atomic_store(&slot->state, generation << 16 | LIVE);
        return (int32_t)(generation << INDEX_BITS | index);
    }
    return -EMFILE;
}

void *ps_handle_take(int32_t handle, uint32_t kind, int *ret_error)
{
    struct slot *slot = slot_of(handle);
    uint32_t state = atomic_load(&slot->state);
    do {
        if (!is_live(handle, state) || slot->kind != kind) {
            *ret_error = -EBADF;
            return NULL;
        }
        if (state & TAKEN) {
            *ret_error = -EBUSY;
            return NULL;
        }
    } while (!atomic_compare_exchange_weak(&slot->state, &state, state | TAKEN));
    return slot->object;
}

void ps_handle_put(int32_t handle)
{
    atomic_fetch_and(&slot_of(handle)->state, ~TAKEN);
}

void *ps_handle_hold(int32_t handle, uint32_t kind)
{
    struct slot *slot = slot_of(handle);
    uint32_t state = atomic_load(&slot->state);
    do {
        if (!is_live(handle, state) || slot->kind != kind || (state & HOLDERS) == HOLDERS)
            return NULL;
    } while (!atomic_compare_exchange_weak(&slot->state, &state, state + 1));
    return slot->object;
}

void ps_handle_release(int32_t handle)
{
    atomic_fetch_sub(&slot_of(handle)->state, 1);
}

void *ps_handle_end(int32_t handle, uint32_t kind, int *ret_error)
{
    struct slot *slot = slot_of(handle);
    uint32_t state = atomic_load(&slot->state);
    void *object;
    do {
        if (!is_live(handle, state) || slot->kind != kind) {
            *ret_error = -EBADF;
            return NULL;
        }
        if (state & (TAKEN | HOLDERS)) {
            *ret_error = -EBUSY;
            return NULL;
        }
        object = slot->object;
    } while (!atomic_compare_exchange_weak(&slot->state, &state, state & ~0xffffu));
    return object;
}
