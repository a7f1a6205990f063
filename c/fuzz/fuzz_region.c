/* A region of shared memory as a hostile owner may have made it, and messages in it. The first
 * byte picks the side and the room; the rest is the region's header and what follows. */
#include "../shm.c"
#include "../shm_region.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void take_messages(struct ps_shm_session *session, uint32_t room)
{
    uint8_t *data = malloc(room); /* of its exact size, for the address sanitizer */
    uint32_t used = 0;
    for (int turn = 0; turn < 2 && has_message(session); turn++) {
        struct ps_shm_record record;
        int32_t taken = take(session, data + used, (room - used) & ~7u, used == 0);
        if (taken == -ENOBUFS)
            break;
        memcpy(&record, data + used, sizeof record);
        require(taken >= (int32_t)sizeof record && taken % 8 == 0);
        require(record.length + sizeof record <= (uint32_t)taken);
        used += (uint32_t)taken;
        require(used <= room);
        if (used == room)
            break;
    }
    free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static _Alignas(64) uint8_t memory[4096];
    struct ps_shm_session session = {.state = PS_SHM_LIVE, .limits = {500, 3, 600, 3}};
    struct ps_mapping *mapping = &session.mapping;
    if (size < 1 || size > sizeof memory)
        return 0;
    memset(memory, 0, sizeof memory);
    memcpy(memory, input + 1, size - 1);
    session.server = input[0] & 1;
    *mapping = (struct ps_mapping){.region = (void *)memory, .size = sizeof memory};
    if (read_header(mapping) < 0)
        return 0;
    for (int i = 0; i < 2; i++)
        require(mapping->area[i] >= memory + PS_REGION_HEADER && mapping->capacity[i] > 0 &&
                mapping->area[i] + mapping->capacity[i] <= memory + sizeof memory);
    require(mapping->area[0] + mapping->capacity[0] <= mapping->area[1]);
    take_messages(&session, 48 + 8 * (uint32_t)(input[0] >> 1));
    return 0;
}
