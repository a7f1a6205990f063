/* The producer's header against the vectors of docs/change-codec.md. */
#include "../include/ps_change.h"
#include "ipc_test.h"

static uint8_t buffer[4096];

static void same(uint32_t length, const char *hex)
{
    SAME(length, strlen(hex) / 2);
    for (uint32_t i = 0; i < length; i++) {
        char digits[3];
        snprintf(digits, sizeof digits, "%02x", buffer[i]);
        SAME(memcmp(digits, hex + (size_t)i * 2, 2), 0);
    }
}

static void batches_have_the_bytes_of_the_vectors(void)
{
    struct ps_changes batch;
    memset(buffer, 0xee, sizeof buffer);
    ps_changes_begin(&batch, buffer, sizeof buffer, PS_MARK_NONE);
    ps_change_begin(&batch, &(struct ps_change){.op = PS_CHANGE_SET,
                                                .table = "PORT_TABLE",
                                                .key = "Ethernet0",
                                                .time = 1700000000000.5,
                                                .id = 7});
    ps_change_field(&batch, "state", "ok");
    ps_change_field(&batch, "mtu", "9100");
    SAME(ps_change_end(&batch), 0);
    same(ps_changes_end(&batch), "0100000001000000510000000101020000088056febc78420700000000000000"
                                 "0a00090000000000504f52545f5441424c4545746865726e6574300500000002"
                                 "00000073746174656f6b03000000040000006d747539313030");
    memset(buffer, 0xee, sizeof buffer);
    ps_changes_begin(&batch, buffer, sizeof buffer, PS_MARK_DUMP_BEGIN);
    ps_change_begin(
        &batch, &(struct ps_change){.op = PS_CHANGE_DELETE, .table = "T", .key = "a", .time = 1});
    SAME(ps_change_end(&batch), 0);
    ps_change_begin(
        &batch,
        &(struct ps_change){
            .op = PS_CHANGE_SET, .table = "T", .key = "\xc3\xa9", .time = 2, .cause = "why"});
    ps_change_field(&batch, "x", "");
    ps_change_field(&batch, "y", NULL);
    SAME(ps_change_end(&batch), 0);
    same(ps_changes_end(&batch), "01000100020000002200000001020000000000000000f03f0000000000000000"
                                 "0100010000000000546100000000000038000000010102000000000000000040"
                                 "0000000000000000010002000300000054c3a977687901000000000000007801"
                                 "000000ffffffff79");
    ps_changes_begin(&batch, buffer, sizeof buffer, PS_MARK_DUMP_END);
    same(ps_changes_end(&batch), "0100020000000000");
}

static void a_change_that_does_not_fit_leaves_the_batch_as_it_was(void)
{
    static uint8_t wanted[256];
    static char long_name[70000];
    struct ps_changes batch;
    const struct ps_change change = {.op = PS_CHANGE_SET, .table = "T", .key = "a"};
    memset(long_name, 'x', sizeof long_name - 1);
    for (uint32_t size = 8; size < 8 + 2 * 48; size++) {
        ps_changes_begin(&batch, wanted, size, PS_MARK_NONE);
        uint32_t fitting = 0;
        for (int i = 0; i < 2; i++) {
            ps_change_begin(&batch, &change);
            ps_change_field(&batch, "n", "vv");
            fitting += ps_change_end(&batch) == 0;
        }
        SAME(batch.count, fitting);
        SAME(fitting, size < 8 + 45 ? 0 : size < 8 + 48 + 45 ? 1 : 2);
        SAME(ps_changes_end(&batch), fitting == 0 ? 8 : fitting * 48 + 5);
        SAME(wanted[4], fitting);
    }
    static uint8_t large[200000];
    ps_changes_begin(&batch, large, sizeof large, PS_MARK_NONE);
    ps_change_begin(&batch,
                    &(struct ps_change){.op = PS_CHANGE_SET, .table = long_name, .key = "a"});
    SAME(ps_change_end(&batch), -1);
    ps_change_begin(&batch, &change);
    ps_change_field(&batch, long_name, "v");
    SAME(ps_change_end(&batch), -1);
    ps_change_begin(&batch, &change);
    ps_change_field(&batch, "n", long_name);
    SAME(ps_change_end(&batch), 0);
    static uint8_t many[300000];
    ps_changes_begin(&batch, many, sizeof many, PS_MARK_NONE);
    for (uint32_t i = 0; i <= PS_CHANGES_MAX; i++) {
        ps_change_begin(&batch, &change);
        SAME(ps_change_end(&batch), i < PS_CHANGES_MAX ? 0 : -1);
    }
}

int main(void)
{
    batches_have_the_bytes_of_the_vectors();
    a_change_that_does_not_fit_leaves_the_batch_as_it_was();
    return 0;
}
