/* Frames as a hostile producer may have left them in a ring, and frames as a careless program may
 * push them. The input is room, where the frames begin, how far the producer says it is beyond
 * them, and frames. */
#include "../ring.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static uint8_t memory[2 * PS_RING_MIN];
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
    atomic_store(&consumer.position, at);
    atomic_store(&producer.position, at + size - 4 + (uint64_t)input[3] * 8);
    if (read_positions(&ring) == 0) {
        uint8_t *data = malloc(room); /* of its exact size, for the address sanitizer */
        for (int turn = 0; turn < 4 && unread(&ring); turn++) {
            uint64_t before = atomic_load(&ring.copied);
            int32_t used = copy(&ring, data, room, unread(&ring));
            if (used < 0)
                break;
            require((uint32_t)used <= room && used > 0 && used % 8 == 0);
            require(atomic_load(&ring.copied) == before + (uint64_t)used);
        }
        free(data);
    }
    memset(memory + at, 0, size - 4);
    int64_t taken = whole_frames(input + 4, size - 4, (uint64_t)input[0] * 16, 2048);
    require(taken <= (int64_t)size - 4 && taken <= (int64_t)input[0] * 16);
    return 0;
}
