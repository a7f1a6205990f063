/* What a pipeline answers to a producer, as a hostile one may write it. The first byte is the room
 * for outcomes. */
#include "../include/ps_producer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    uint8_t outcomes[255];
    if (size < 1)
        return 0;
    int count = ps_producer_outcomes(input + 1, (uint32_t)size - 1, outcomes, input[0]);
    if (count > (int)input[0] || (count > 0 && (size_t)count + 49 > size))
        abort();
    return 0;
}
