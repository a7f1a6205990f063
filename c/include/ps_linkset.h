/* Changing links of the kernel: RTM_SETLINK, many in one call, each with its own answer.
 *
 * The kernel makes a change while the request is being sent and has answered by then, so there is
 * nothing to wait for and one call does it all. It takes as long as the driver takes: call it from
 * a thread that may sleep. */
#ifndef PS_LINKSET_H
#define PS_LINKSET_H

#include "ps_common.h"

/* Most changes in one call. */
#define PS_LINK_CHANGES_MAX 64u

struct ps_link_change {
    uint32_t ifindex; /* 0: by the name */
    uint32_t set;
    uint32_t up;
    uint32_t mtu;
    uint32_t master;
    uint8_t name_size;
    uint8_t reserved[3];
    uint8_t name[16];
};

struct ps_link_answer {
    uint32_t error;
    uint8_t words_size;
    uint8_t reserved[3];
    uint8_t words[120];
};

enum { PS_SET_ADMIN = 1, PS_SET_MTU = 2, PS_SET_MASTER = 4 };

/* Opens a socket in a network namespace; see ps_nl_open(). Returns a handle. */
PS_EXPORT int32_t ps_ls_open(const uint8_t *netns, uint32_t netns_size);

/* Makes `count` changes (ps_link_change) in their order and writes an answer (ps_link_answer) for
 * each: 0 or an errno, and the kernel's own words if it has any; EAGAIN where no answer came. A
 * change that fails keeps no other from being made, but the kernel may have made a part of it.
 * Returns `count`. -EINVAL: too many, or one with unknown bits, none, or neither index nor name;
 * then none was made. */
PS_EXPORT int32_t ps_ls_apply(int32_t handle, const uint8_t *changes, uint32_t count,
                              uint8_t *ret_answers);

PS_EXPORT int32_t ps_ls_close(int32_t handle);

#endif
