/* Any frames, fed to a replay handle: nothing is read outside of them, and whatever comes out is a
 * record that TypeScript may believe.
 *
 * The input is a list of frames: kind and flags (4 bits each), value, two bytes of length, bytes.
 * seeds_nl_decode.c writes the first ones. */
#include <stdlib.h>
#include <string.h>

#include "../handles.h"
#include "../nl_receive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void check(const struct ps_link *link, int *dumping)
{
    switch (link->type) {
    case PS_LINK_DUMPED:
        must(*dumping);
        /* fall through */
    case PS_LINK_SET:
    case PS_LINK_GONE:
        must(link->ifindex > 0 && link->ifindex <= INT32_MAX && link->family == 0);
        must(link->name_size >= 1 && link->name_size <= 15 && link->present & PS_HAS_NAME);
        must(!memchr(link->name, 0, link->name_size) && link->name[link->name_size] == 0);
        must(link->kind_size <= 16 && link->mac_size <= 32 && link->value == 0);
        break;
    case PS_DUMP_BEGIN:
        *dumping = 1;
        break;
    case PS_DUMP_END:
    case PS_DUMP_INTERRUPTED:
    case PS_DUMP_FAILED:
        must(*dumping);
        must(link->type == PS_DUMP_FAILED ? link->value > 0 && link->value < 4096 : !link->value);
        *dumping = 0;
        break;
    case PS_LOST:
        must(link->ifindex == 0 && link->value < 4096);
        break;
    default:
        abort();
    }
}

static void drain(int32_t handle, uint32_t capacity, int *dumping)
{
    /* Of its exact size, so that a record too many is seen. */
    struct ps_link *links = malloc(capacity * sizeof(*links));
    int32_t count;
    must(links != NULL);
    while ((count = ps_nl_poll(handle, (uint8_t *)links, capacity, 0)) != 0) {
        must(count > 0 && (uint32_t)count <= capacity);
        for (int32_t i = 0; i < count; i++)
            check(&links[i], dumping);
    }
    free(links);
}

/* One handle for all inputs, since it is large, as new each time. */
static int32_t new_handle(void)
{
    static int32_t handle;
    if (handle == 0)
        handle = ps_nl_replay();
    struct ps_nl *nl = ps_handle_hold(handle, PS_KIND_NETLINK);
    must(nl != NULL);
    memset(&nl->decoder, 0, sizeof(nl->decoder));
    ps_handle_release(handle);
    return handle;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int32_t handle = new_handle();
    int dumping = 0;
    uint8_t text[256];
    while (size >= 4) {
        uint32_t length = (uint32_t)(data[2] | data[3] << 8);
        if (length > size - 4)
            length = (uint32_t)size - 4;
        uint32_t whole = (uint32_t)sizeof(struct ps_frame) + PS_PADDED(length);
        struct ps_frame frame = {
            .size = length, .kind = data[0] & 15, .flags = data[0] >> 4, .value = data[1]};
        uint8_t *bytes = calloc(1, whole);
        must(bytes != NULL);
        memcpy(bytes, &frame, sizeof(frame));
        memcpy(bytes + sizeof(frame), data + 4, length);
        int32_t taken = ps_nl_feed(handle, bytes, whole);
        must(taken == (int32_t)whole || taken < 0);
        free(bytes);
        drain(handle, 1 + data[1] % 7, &dumping);
        data += 4 + length;
        size -= 4 + length;
    }
    int32_t words = ps_nl_error(handle, text, sizeof(text));
    must(words >= 0 && words <= 128);
    return 0;
}
