/* Paths that the library was given, and no others. For the library's own use. */
#ifndef PS_PATHS_H
#define PS_PATHS_H

#include <sys/types.h>

#include "include/ps_common.h"

/* Checks the path of an export against the sealed list and copies it, ended by a NUL.
 * Errors: those of ps_path_check(). */
int ps_path_take(const uint8_t *path, uint32_t path_size, char ret_path[PS_PATH_SIZE]);

/* Opens the folder of a path that ps_path_take() has passed, following no symbolic link, and says
 * where the last part begins. The descriptor is O_PATH: use it with the *at() calls, or as
 * /proc/self/fd/N/LEAF for connect() and bind(). -ELOOP: a link on the way. */
int ps_path_folder(const char *path, const char **ret_leaf);

/* Opens a path that ps_path_take() has passed; no part of it may be a symbolic link. */
int ps_path_open(const char *path, int flags, mode_t mode);

/* Seals the list; see ps_init(). */
int ps_paths_seal(const uint8_t *paths, uint32_t paths_size);

#endif
