/* Handles: small numbers in the place of pointers, so that a wrong, old or busy one is an error
 * and never a crash. For the library's own use. */
#ifndef PS_HANDLES_H
#define PS_HANDLES_H

#include <errno.h>

#include "include/ps_common.h"

/* Most handles open at one time in a process. */
#define PS_HANDLES 1024u

enum ps_kind { PS_KIND_NETLINK = 1, PS_KIND_LINKSET = 2, PS_KIND_NETIPC = 16 };

/* Returns a handle > 0 for the object, or -EMFILE. */
int32_t ps_handle_new(uint32_t kind, void *object);

/* Takes the handle for this call alone: NULL and -EBADF (unknown or closed) or -EBUSY in
 * `ret_error`. Ends with ps_handle_put(). PS_TAKE() does both. */
void *ps_handle_take(int32_t handle, uint32_t kind, int *ret_error);
void ps_handle_put(int32_t handle);

/* Holds the handle beside another's call, for what is safe there: wake and statistics. NULL for
 * -EBADF. Ends with ps_handle_release(). PS_HOLD() does both. */
void *ps_handle_hold(int32_t handle, uint32_t kind);
void ps_handle_release(int32_t handle);

/* Ends the handle and gives the object back; NULL and -EBADF or -EBUSY while anybody uses it. */
void *ps_handle_end(int32_t handle, uint32_t kind, int *ret_error);

static inline void ps_put_at_end(const int32_t *handle)
{
    if (*handle)
        ps_handle_put(*handle);
}

static inline void ps_release_at_end(const int32_t *handle)
{
    if (*handle)
        ps_handle_release(*handle);
}

/* Declare a handle's object for the rest of the function, or return the error from it. After
 * PS_END() it is the function's own. */
#define PS_TAKE(type, object, kind, handle)                                                        \
    PS_USE(type, object, ps_handle_take(handle, kind, &object##_error), ps_put_at_end, handle)
#define PS_HOLD(type, object, kind, handle)                                                        \
    PS_USE(type, object, ps_handle_hold(handle, kind), ps_release_at_end, handle)
#define PS_USE(type, object, begin, end, handle)                                                   \
    int object##_error = -EBADF;                                                                   \
    __attribute__((cleanup(end))) int32_t object##_handle = 0;                                     \
    struct type *object = begin;                                                                   \
    if (!object)                                                                                   \
        return object##_error;                                                                     \
    object##_handle = handle
#define PS_END(type, object, kind, handle)                                                         \
    int object##_error;                                                                            \
    struct type *object = ps_handle_end(handle, kind, &object##_error);                            \
    if (!object)                                                                                   \
    return object##_error

#endif
