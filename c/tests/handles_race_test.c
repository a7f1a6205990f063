/* Threads that open, use, wake and close the same few handles: nobody gets an object that another
 * takes at the same time, or one that has ended. */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "../handles.h"
#include "check.h"

#ifndef ROUNDS
#define ROUNDS 20000
#endif
#define SHARED 4

struct object {
    int taken; /* not atomic: the handle keeps others away */
    atomic_int ended;
};

static _Atomic int32_t handles[SHARED];

static void *use(void *seed)
{
    unsigned random = (unsigned)(size_t)seed;
    for (int round = 0; round < ROUNDS; round++) {
        random = random * 1664525u + 1013904223u;
        _Atomic int32_t *place = &handles[random >> 30];
        int32_t handle = atomic_load(place);
        int error = 0;
        struct object *object;
        switch (random >> 27 & 3) {
        case 0:
            if ((object = ps_handle_take(handle, 1, &error))) {
                SAME(object->taken++, 0);
                SAME(atomic_load(&object->ended), 0);
                SAME(--object->taken, 0);
                ps_handle_put(handle);
            }
            break;
        case 1:
            if ((object = ps_handle_hold(handle, 1))) {
                SAME(atomic_load(&object->ended), 0);
                ps_handle_release(handle);
            }
            break;
        default:
            if ((object = ps_handle_end(handle, 1, &error))) {
                SAME(object->taken, 0);
                SAME(atomic_exchange(&object->ended, 1), 0);
                free(object);
                object = calloc(1, sizeof(*object));
                CHECK(object);
                handle = ps_handle_new(1, object);
                CHECK(handle > 0);
                atomic_store(place, handle);
            }
        }
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[4];
    int error;
    for (int i = 0; i < SHARED; i++)
        handles[i] = ps_handle_new(1, calloc(1, sizeof(struct object)));
    for (size_t i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, use, (void *)(i + 1)) == 0);
    for (size_t i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < SHARED; i++)
        free(ps_handle_end(handles[i], 1, &error));
    return 0;
}
