/* Region files: making, mapping, and the stale ones of servers that died. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "paths.h"
#include "shm_internal.h"

static uint32_t align64(uint32_t value)
{
    return (value + 63) & ~63u;
}

static int map(int file, size_t size, struct ps_mapping *mapping)
{
    struct stat info;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED)
        return -errno;
    if (fstat(file, &info) < 0) {
        int error = -errno;
        munmap(memory, size);
        return error;
    }
    *mapping = (struct ps_mapping){
        .region = memory, .size = size, .device = info.st_dev, .inode = info.st_ino};
    return 0;
}

void ps_region_unmap(struct ps_mapping *mapping)
{
    munmap(mapping->region, mapping->size);
}

/* -- Stale files ------------------------------------------------------------------------------- */

static bool is_alive(int32_t pid)
{
    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

static bool is_same(const struct stat *info, dev_t device, ino_t inode)
{
    return info->st_dev == device && info->st_ino == inode;
}

/* Whether the open file is the region of a process that lives. */
static bool is_live_region(int file, const struct stat *info)
{
    if (!S_ISREG(info->st_mode) || info->st_size < (off_t)PS_REGION_HEADER)
        return false;
    struct ps_region header;
    if (pread(file, &header, sizeof header, 0) != (ssize_t)sizeof header)
        return false;
    return header.magic == PS_REGION_MAGIC && header.owner_generation != 0 &&
           is_alive(header.owner_pid);
}

/* 1: removed, 0: nothing of that name, -EADDRINUSE: alive, or nobody can tell. */
static int remove_if_stale(int folder, const char *name)
{
    struct stat found, again;
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 && errno == ENOENT)
        return 0;
    if (file < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
        return -EADDRINUSE;
    if (file >= 0) {
        bool keep = fstat(file, &found) < 0 || is_live_region(file, &found);
        close(file);
        if (keep || fstatat(folder, name, &again, AT_SYMLINK_NOFOLLOW) < 0 ||
            !is_same(&again, found.st_dev, found.st_ino))
            return -EADDRINUSE;
    }
    if (unlinkat(folder, name, 0) == 0 || unlinkat(folder, name, AT_REMOVEDIR) == 0)
        return 1;
    return errno == ENOENT ? 0 : -EADDRINUSE;
}

static bool is_region_name(const char *name, const char *prefix)
{
    size_t length = strlen(name), start = strlen(prefix);
    const char *end = ".ipcshm";
    return length >= start + strlen(end) && strncmp(name, prefix, start) == 0 &&
           strcmp(name + length - strlen(end), end) == 0;
}

int32_t ps_shm_reap(const uint8_t *prefix, uint32_t prefix_size)
{
    char copy[PS_PATH_SIZE];
    const char *leaf;
    int error = ps_path_take(prefix, prefix_size, copy);
    int folder = error < 0 ? error : ps_path_folder(copy, &leaf);
    if (folder < 0)
        return folder;
    int listing = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = listing < 0 ? NULL : fdopendir(listing);
    error = -errno;
    int32_t removed = 0;
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (is_region_name(entry->d_name, leaf))
            removed += remove_if_stale(folder, entry->d_name) > 0;
    if (entries)
        closedir(entries);
    else if (listing >= 0)
        close(listing);
    close(folder);
    return entries ? removed : error;
}

void ps_region_unlink(const char *path, const struct ps_mapping *mapping)
{
    const char *leaf;
    struct stat info;
    int folder = ps_path_folder(path, &leaf);
    if (folder < 0)
        return;
    if (fstatat(folder, leaf, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        is_same(&info, mapping->device, mapping->inode))
        unlinkat(folder, leaf, 0);
    close(folder);
}

/* -- Making ------------------------------------------------------------------------------------ */

static uint32_t generation(void)
{
    uint64_t now = ps_now_ns();
    uint32_t value = (uint32_t)(now / 1000000000u) ^ (uint32_t)(now % 1000000000u >> 10);
    return value ? value : 1;
}

static int create_file(int folder, const char *name)
{
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    int file = openat(folder, name, flags, 0600);
    if (file >= 0 || errno != EEXIST)
        return file < 0 ? -errno : file;
    int removed = remove_if_stale(folder, name);
    if (removed < 0)
        return removed;
    file = openat(folder, name, flags, 0600);
    return file >= 0 ? file : errno == EEXIST ? -EADDRINUSE : -errno;
}

/* Reserves every page: a store that is full must say so now, not as SIGBUS at the first write. */
static int fill_file(int file, uint32_t request, uint32_t response, struct ps_mapping *mapping)
{
    uint32_t offset = align64(PS_REGION_HEADER + request);
    size_t size = (size_t)offset + response;
    int result;
    do
        result = fallocate(file, 0, 0, (off_t)size);
    while (result < 0 && errno == EINTR);
    int error = result < 0 ? -errno : map(file, size, mapping);
    if (error < 0)
        return error;
    struct ps_region *region = mapping->region;
    memset(region, 0, size);
    region->version = PS_REGION_VERSION;
    region->header_len = PS_REGION_HEADER;
    region->owner_pid = getpid();
    region->owner_generation = generation();
    region->request_offset = PS_REGION_HEADER;
    region->request_capacity = request;
    region->response_offset = offset;
    region->response_capacity = response;
    mapping->area[0] = (uint8_t *)region + PS_REGION_HEADER;
    mapping->area[1] = (uint8_t *)region + offset;
    mapping->capacity[0] = request;
    mapping->capacity[1] = response;
    atomic_store_explicit(&region->magic, PS_REGION_MAGIC, memory_order_release);
    return 0;
}

int ps_region_create(const char *path, const struct ps_shm_limits *limits,
                     struct ps_mapping *mapping)
{
    const char *leaf;
    if ((uint64_t)limits->request_bytes + limits->response_bytes > UINT32_MAX - 1024)
        return -EMSGSIZE;
    uint32_t request = align64(PS_HEADER_BYTES + limits->request_bytes);
    uint32_t response = align64(PS_HEADER_BYTES + limits->response_bytes);
    int folder = ps_path_folder(path, &leaf);
    if (folder < 0)
        return folder;
    int file = create_file(folder, leaf);
    int error = file < 0 ? file : fill_file(file, request, response, mapping);
    if (file >= 0 && error < 0)
        unlinkat(folder, leaf, 0);
    if (file >= 0)
        close(file);
    close(folder);
    return error;
}

/* -- Mapping ----------------------------------------------------------------------------------- */

/* Checks the header of what the peer made, and notes where its areas are. */
static int read_header(struct ps_mapping *mapping)
{
    const struct ps_region *region = mapping->region;
    if (atomic_load_explicit(&mapping->region->magic, memory_order_acquire) != PS_REGION_MAGIC)
        return -EBADMSG;
    if (region->version != PS_REGION_VERSION)
        return -EPROTONOSUPPORT;
    if (region->header_len != PS_REGION_HEADER)
        return -EPROTO;
    const uint32_t offset[2] = {region->request_offset, region->response_offset};
    const uint32_t capacity[2] = {region->request_capacity, region->response_capacity};
    for (int i = 0; i < 2; i++) {
        if (offset[i] < PS_REGION_HEADER || capacity[i] == 0)
            return -ENODATA;
        if (offset[i] % 64 || capacity[i] % 64 || (uint64_t)offset[i] + capacity[i] > mapping->size)
            return -EINVAL;
        mapping->area[i] = (uint8_t *)mapping->region + offset[i];
        mapping->capacity[i] = capacity[i];
    }
    return (uint64_t)offset[0] + capacity[0] > offset[1] ? -EINVAL : 0;
}

int ps_region_attach(const char *path, struct ps_mapping *mapping)
{
    struct stat info;
    int file = ps_path_open(path, O_RDWR, 0);
    if (file < 0)
        return file;
    int error = fstat(file, &info) < 0                                             ? -errno
                : !S_ISREG(info.st_mode) || info.st_size < (off_t)PS_REGION_HEADER ? -ENODATA
                : info.st_size > INT32_MAX                                         ? -EINVAL
                                           : map(file, (size_t)info.st_size, mapping);
    close(file);
    if (error == 0 && (error = read_header(mapping)) < 0)
        ps_region_unmap(mapping);
    return error;
}
