/* The sealed list of paths: the library is code with the process's full rights, outside Deno's
 * permissions, so it opens what the pipeline's grant names and nothing else. */
#include "paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN, SEALING, SEALED };

static char sealed_paths[PS_PATHS_SIZE];
static uint32_t sealed_size;
static atomic_int sealed_state = OPEN;

/* Absolute, and no empty, `.` or `..` part; a slash at the end only where a folder is meant. */
static bool is_plain(const char *path, size_t size, bool may_be_folder)
{
    if (size < 2 || path[0] != '/')
        return false;
    for (size_t start = 1; start < size;) {
        const char *slash = memchr(path + start, '/', size - start);
        size_t end = slash ? (size_t)(slash - path) : size;
        const char *part = path + start;
        size_t length = end - start;
        if (length == 0 || (length == 1 && part[0] == '.') ||
            (length == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        start = end + 1;
    }
    return may_be_folder || path[size - 1] != '/';
}

static bool list_is_plain(const char *list, uint32_t list_size)
{
    if (list_size > 0 && list[list_size - 1] != '\0')
        return false;
    for (uint32_t at = 0; at < list_size;) {
        size_t size = strlen(list + at);
        if (size >= PS_PATH_SIZE || !is_plain(list + at, size, true))
            return false;
        at += (uint32_t)size + 1;
    }
    return true;
}

int ps_paths_seal(const uint8_t *paths, uint32_t paths_size)
{
    if (paths_size > PS_PATHS_SIZE)
        return -E2BIG;
    if (!paths)
        paths_size = 0;
    if (!list_is_plain((const char *)paths, paths_size))
        return -EINVAL;
    int expected = OPEN;
    if (atomic_compare_exchange_strong(&sealed_state, &expected, SEALING)) {
        if (paths_size > 0)
            memcpy(sealed_paths, paths, paths_size);
        sealed_size = paths_size;
        atomic_store(&sealed_state, SEALED);
        return 0;
    }
    while (atomic_load(&sealed_state) != SEALED)
        ;
    if (!paths)
        return 0;
    bool same = sealed_size == paths_size && memcmp(sealed_paths, paths, paths_size) == 0;
    return same ? 0 : -EALREADY;
}

static bool is_listed(const char *path, size_t size)
{
    for (uint32_t at = 0; at < sealed_size;) {
        const char *entry = sealed_paths + at;
        size_t length = strlen(entry);
        bool is_folder = entry[length - 1] == '/';
        if (!is_folder && length == size && memcmp(entry, path, size) == 0)
            return true;
        if (is_folder && length < size && memcmp(entry, path, length) == 0 &&
            !memchr(path + length, '/', size - length))
            return true;
        at += (uint32_t)length + 1;
    }
    return false;
}

int ps_path_take(const uint8_t *path, uint32_t path_size, char ret_path[PS_PATH_SIZE])
{
    if (atomic_load(&sealed_state) != SEALED)
        return -EPERM;
    if (path_size >= PS_PATH_SIZE)
        return -ENAMETOOLONG;
    if (!path || memchr(path, '\0', path_size) || !is_plain((const char *)path, path_size, false))
        return -EINVAL;
    if (!is_listed((const char *)path, path_size))
        return -EACCES;
    memcpy(ret_path, path, path_size);
    ret_path[path_size] = '\0';
    return 0;
}

int32_t ps_path_check(const uint8_t *path, uint32_t path_size)
{
    char copy[PS_PATH_SIZE];
    return ps_path_take(path, path_size, copy);
}

/* openat() without following a link; O_DIRECTORY turns a link into ENOTDIR, said here as ELOOP. */
static int open_folder(int parent, const char *name)
{
    int folder = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0)
        return folder;
    int error = errno;
    struct stat info;
    if (error == ENOTDIR && fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(info.st_mode))
        error = ELOOP;
    return -error;
}

int ps_path_folder(const char *path, const char **ret_leaf)
{
    char copy[PS_PATH_SIZE];
    size_t size = strlen(path);
    memcpy(copy, path, size + 1);
    int folder = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    char *part = copy + 1;
    for (char *slash; (slash = strchr(part, '/')); part = slash + 1) {
        *slash = '\0';
        int inner = open_folder(folder, part);
        close(folder);
        if (inner < 0)
            return inner;
        folder = inner;
    }
    *ret_leaf = path + (part - copy);
    return folder;
}

int ps_path_open(const char *path, int flags, mode_t mode)
{
    const char *leaf;
    int folder = ps_path_folder(path, &leaf);
    if (folder < 0)
        return folder;
    /* O_NONBLOCK: a pipe in the file's place would be waited for. */
    int file = openat(folder, leaf, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode);
    int error = errno;
    close(folder);
    return file < 0 ? -error : file;
}
