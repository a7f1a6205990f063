/* What every part of the library keeps to.
 *
 * Results: every export returns a negative errno, or 0, or a count or handle where it says so.
 * Outputs (`ret_…`) are written only on success. Nothing is logged and nothing allocates without a
 * bound. Integers have fixed widths, buffers belong to the caller, text has a length and no NUL.
 *
 * A source of records has one shape:
 *
 *   int32_t ps_X_open(…)                                          → handle > 0
 *   int32_t ps_X_poll(handle, buffer, capacity, spin_us)          → records, now or within spin_us
 *   int32_t ps_X_wait(handle, buffer, capacity, timeout_ms, linger_us) → records; 0: timeout or wake
 *   int32_t ps_X_wake(handle)                                     → ends one wait, now or the next
 *   int32_t ps_X_close(handle)
 *
 * `poll` is for the caller's own thread and spins at most PS_SPIN_MAX_US. `wait` is for a thread
 * that may sleep. Both fill `buffer` with at most `capacity` records of fixed size. A handle has
 * one user at a time: a call that meets another's `wait` gets -EBUSY, and so does `close`, so
 * nothing is ever freed under somebody's feet. Only `wake` and statistics may run beside a call.
 * The end of a source is: wake, let the wait return, close. */
#ifndef PS_COMMON_H
#define PS_COMMON_H

#include <stdint.h>

/* Changes with every change of an export's meaning or of a record's layout. */
#define PS_ABI 1u

#define PS_EXPORT __attribute__((visibility("default")))

/* `poll` spins no longer than this, whatever it is asked for. */
#define PS_SPIN_MAX_US 50u
/* `timeout_ms` of a wait without end. */
#define PS_FOREVER 0xffffffffu
/* Longest path, and the most bytes of a sealed list. */
#define PS_PATH_SIZE 4096u
#define PS_PATHS_SIZE 16384u

/* The library's PS_ABI. */
PS_EXPORT int32_t ps_abi(void);

/* Writes the layout of every record and the value of every constant in `records.def`, in the
 * order of that table: for a record (size, alignment), for a field (offset, size), for a constant
 * its value. Returns the number of words; -ENOBUFS when `capacity` words are too few. */
PS_EXPORT int32_t ps_layout(uint32_t *ret_words, uint32_t capacity);

/* To be called once, before anything else. Checks that the caller was built for this library
 * (-EPROTO: other ABI or layout), then seals the list of paths that the library may open.
 *
 * `paths` holds `paths_size` bytes: absolute paths, each ended by a NUL. A path that ends in a
 * slash stands for everything directly inside that folder. A second call with the same list is
 * fine and with another list is -EALREADY. With `paths` NULL nothing is sealed if a list stands
 * already, and otherwise the empty list is. -EINVAL: a path that is not absolute, or has empty,
 * `.` or `..` parts; -E2BIG: more than PS_PATHS_SIZE bytes. */
PS_EXPORT int32_t ps_init(uint32_t abi, const uint32_t *layout, uint32_t layout_words,
                          const uint8_t *paths, uint32_t paths_size);

/* Whether the library would open this path: 0, -EACCES (not on the list), -EPERM (no list was
 * sealed yet), -EINVAL, -ENAMETOOLONG. */
PS_EXPORT int32_t ps_path_check(const uint8_t *path, uint32_t path_size);

/* Notes on which CPU the caller runs, so that waits that begin after this sleep there: what they
 * bring is handed over several times as fast as to a thread on another, idle CPU. To be called
 * before a wait that is left to another thread. */
PS_EXPORT int32_t ps_near(void);

#endif
