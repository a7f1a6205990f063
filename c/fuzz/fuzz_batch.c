/* Directories of batches: what is let through must have every item inside the payload. The first
 * two bytes are the number of items, the rest is the payload. */
#include <stdlib.h>

#include "../include/ps_netipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static volatile uint8_t sum;
    if (size < 2)
        return 0;
    uint32_t count = input[0] | (uint32_t)input[1] << 8;
    const uint8_t *payload = input + 2, *items = payload + (size_t)count * 8;
    if (!ps_batch_fits(payload, (uint32_t)size - 2, count))
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry[2];
        memcpy(entry, payload + (size_t)i * 8, sizeof entry);
        if (entry[0] % 8)
            abort();
        for (uint32_t at = 0; at < entry[1]; at++)
            sum += items[entry[0] + at]; /* the address sanitizer sees a byte too far */
    }
    return 0;
}
