/* The ABI number and the layout table, held against the compiler here and the caller in ps_init. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "include/portsync.h"
#include "paths.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef uint8_t text;

#define MEMBER(record, name) (((struct record *)0)->name)

#define RECORD(record, size, meaning)                                                              \
    _Static_assert(sizeof(struct record) == (size) && (size) % 8 == 0, "size of " #record);
#define FIELD(record, type, name, count, offset, meaning)                                          \
    _Static_assert(offsetof(struct record, name) == (offset) &&                                    \
                       sizeof(MEMBER(record, name)) == sizeof(type) * (count),                     \
                   "place of " #record "." #name);
#define VALUE(group, name, value, meaning) _Static_assert(name == (value), "value of " #name);
#include "records.def"
#undef RECORD
#undef FIELD
#undef VALUE

static const uint32_t layout[] = {
#define RECORD(record, size, meaning) sizeof(struct record), _Alignof(struct record),
#define FIELD(record, type, name, count, offset, meaning)                                          \
    offsetof(struct record, name), sizeof(MEMBER(record, name)),
#define VALUE(group, name, value, meaning) name,
#include "records.def"
};

int32_t ps_abi(void)
{
    return PS_ABI;
}

int32_t ps_layout(uint32_t *ret_words, uint32_t capacity)
{
    uint32_t words = sizeof(layout) / sizeof(layout[0]);
    if (capacity < words)
        return -ENOBUFS;
    memcpy(ret_words, layout, sizeof(layout));
    return (int32_t)words;
}

int32_t ps_init(uint32_t abi, const uint32_t *expected, uint32_t expected_words,
                const uint8_t *paths, uint32_t paths_size)
{
    if (abi != PS_ABI || expected_words != sizeof(layout) / sizeof(layout[0]) ||
        memcmp(expected, layout, sizeof(layout)) != 0)
        return -EPROTO;
    return ps_paths_seal(paths, paths_size);
}
