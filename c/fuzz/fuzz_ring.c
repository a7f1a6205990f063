/* Frames as a hostile producer may have left them in a ring, and frames as a careless program may
 * push them. */
#include "../ring.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static uint8_t memory[2 * PS_RING_MIN], data[4096];
    struct ps_ring_side producer = {0}, consumer = {0};
    struct ps_ring ring = {.role = PS_RING_CONSUMER,
                           .capacity = PS_RING_MIN,
                           .producer = &producer,
                           .consumer = &consumer,
                           .data = memory};
    if (size < 4 || size > 4096)
        return 0;
    uint32_t room = (uint32_t)input[1] * 16;
    uint64_t at = (uint64_t)input[2] * 8;
    memcpy(memory + at, input + 4, size - 4);
    atomic_store(&ring.copied, at);
    atomic_store(&producer.position, at + size - 4 + (uint64_t)input[3] * 8);
    for (int turn = 0; turn < 4; turn++) {
        int32_t used = copy(&ring, data, room, unread(&ring));
        if (used < 0)
            break;
        if ((uint32_t)used > room || used % 8)
            abort();
    }
    int64_t taken = whole_frames(input + 4, size - 4, (uint64_t)input[0] * 16, 2048);
    if (taken > (int64_t)size + 3 || taken > (int64_t)input[0] * 16)
        abort();
    return 0;
}
