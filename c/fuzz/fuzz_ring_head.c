/* The head of a ring's file, and where its two sides say they are, as anybody may have written
 * them: the first 192 bytes of a file. */
#include "../ring.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct ps_ring_head head = {0};
    struct ps_ring_side sides[2] = {0};
    struct ps_ring ring = {.producer = &sides[0], .consumer = &sides[1]};
    if (size < sizeof head)
        return 0;
    memcpy(&head, input, sizeof head);
    if (!is_head(&head))
        return 0;
    if (head.capacity < PS_RING_MIN || head.capacity > PS_RING_MAX ||
        __builtin_popcountll(head.capacity) != 1)
        abort();
    ring.capacity = head.capacity;
    memcpy(sides, input + sizeof head,
           size - sizeof head < sizeof sides ? size - sizeof head : sizeof sides);
    if (read_positions(&ring) == 0 &&
        (unread(&ring) > ring.capacity || unread(&ring) % 8 || ring.copied % 8))
        abort();
    return 0;
}
