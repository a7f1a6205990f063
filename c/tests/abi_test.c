/* What the library says of itself when it is loaded. */
#include <string.h>

#include "../include/portsync.h"
#include "check.h"

int main(void)
{
    uint32_t words[1024];
    SAME(ps_abi(), PS_ABI);
    int32_t count = ps_layout(words, 1024);
    CHECK(count > 0);
    SAME(words[0], sizeof(struct ps_link));
    SAME(ps_layout(words, (uint32_t)count - 1), -ENOBUFS);
    SAME(ps_layout(words, (uint32_t)count), count);

    SAME(ps_init(PS_ABI + 1, words, (uint32_t)count, NULL, 0), -EPROTO);
    SAME(ps_init(PS_ABI, words, (uint32_t)count - 1, NULL, 0), -EPROTO);
    words[1]++;
    SAME(ps_init(PS_ABI, words, (uint32_t)count, NULL, 0), -EPROTO);
    words[1]--;
    /* What was refused has sealed nothing. */
    SAME(ps_path_check((const uint8_t *)"/run/a", 6), -EPERM);
    SAME(ps_init(PS_ABI, words, (uint32_t)count, (const uint8_t *)"/run/a", 7), 0);
    SAME(ps_path_check((const uint8_t *)"/run/a", 6), 0);
    SAME(ps_init(PS_ABI, words, (uint32_t)count, (const uint8_t *)"/run/b", 7), -EALREADY);
    return 0;
}
