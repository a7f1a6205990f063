/* A region of shared memory as a hostile owner may have made it, and messages in it. The input is
 * the region's header and what follows. */
#include "../shm.c"
#include "../shm_region.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static _Alignas(64) uint8_t memory[4096];
    static uint8_t data[2048];
    struct ps_shm_session session = {.state = PS_SHM_LIVE, .limits = {500, 3, 600, 3}};
    if (size < 1 || size > sizeof memory)
        return 0;
    memset(memory, 0, sizeof memory);
    memcpy(memory, input + 1, size - 1);
    session.server = input[0] & 1;
    session.mapping = (struct ps_mapping){.region = (void *)memory, .size = sizeof memory};
    if (check_areas(&session.mapping) < 0)
        return 0;
    for (int i = 0; i < 2; i++)
        if (session.mapping.area[i] < memory + PS_REGION_HEADER ||
            session.mapping.area[i] + session.mapping.capacity[i] > memory + sizeof memory)
            abort();
    uint32_t room = 64 + 8 * (uint32_t)(input[0] >> 1);
    for (int turn = 0; turn < 2 && has_message(&session); turn++) {
        int32_t used = take(&session, data, room, turn == 0);
        struct ps_shm_record record;
        if (used == -ENOBUFS)
            break;
        memcpy(&record, data, sizeof record);
        if (used < (int32_t)sizeof record || (uint32_t)used > room + 7 ||
            record.length + sizeof record > (uint32_t)used)
            abort();
    }
    return 0;
}
