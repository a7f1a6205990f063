/* Writes first inputs for fuzz_nl_decode.c into a folder. */
#include <stdio.h>
#include <stdlib.h>

#include "../include/ps_netlink.h"
#include "../tests/nl_bytes.h"

static const char *folder;
static int seeds;

struct frame {
    uint8_t kind, value;
    const struct bytes *bytes;
};

static void write_seed(const struct frame *frames, int count)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/seed-%d", folder, seeds++);
    FILE *file = fopen(path, "wb");
    if (!file)
        exit(1);
    for (int i = 0; i < count; i++) {
        uint32_t size = frames[i].bytes ? frames[i].bytes->size : 0;
        uint8_t head[] = {frames[i].kind, frames[i].value, (uint8_t)size, (uint8_t)(size >> 8)};
        fwrite(head, 1, sizeof(head), file);
        if (size > 0)
            fwrite(frames[i].bytes->at, 1, size, file);
    }
    if (fclose(file) != 0)
        exit(1);
}

int main(int count, char **arguments)
{
    static struct bytes event, gone, dump, done, failed;
    if (count != 2)
        return 64;
    folder = arguments[1];

    uint32_t place = begin_link(&event, RTM_NEWLINK, AF_UNSPEC, 7);
    put_name(&event, "Ethernet0");
    put_u32(&event, IFLA_MTU, 9100);
    put_u32(&event, IFLA_MASTER, 3);
    put_attribute(&event, IFLA_OPERSTATE, "\6", 1);
    put_attribute(&event, IFLA_CARRIER, "\1", 1);
    put_attribute(&event, IFLA_ADDRESS, "\2\0\0\0\0\7", 6);
    put_attribute(&event, IFLA_LINKINFO, "\x09\0\1\0veth\0\0\0\0", 12);
    end_message(&event, place);
    put_link(&event, RTM_NEWLINK, 8, "Ethernet4");
    put_link(&gone, RTM_DELLINK, 7, "Ethernet0");
    place = begin_link(&gone, RTM_DELLINK, 7, 8);
    put_u32(&gone, IFLA_MASTER, 3);
    end_message(&gone, place);
    end_message(&gone, begin_message(&gone, NLMSG_OVERRUN, 0, 0));
    for (int i = 0; i < 3; i++)
        put_entry(&dump, 5, 0, "Ethernet8");
    put_entry(&dump, 5, NLM_F_DUMP_INTR, "Ethernet12");
    put_done(&done, 5, 0, 0);
    place = begin_message(&failed, NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, 5);
    struct nlmsgerr error = {.error = -22};
    put_bytes(&failed, &error, sizeof(error));
    put_bytes(&failed, "\x0a\0\1\0wrong\0\0\0", 12);
    end_message(&failed, place);

    write_seed(&(struct frame){PS_FRAME_EVENT, 0, &event}, 1);
    write_seed(&(struct frame){PS_FRAME_EVENT, 1, &gone}, 1);
    struct frame good[] = {
        {PS_FRAME_BEGIN, 5, NULL}, {PS_FRAME_DUMP, 3, &dump}, {PS_FRAME_DUMP, 0, &done}};
    write_seed(good, 3);
    struct frame bad[] = {
        {PS_FRAME_BEGIN, 5, NULL}, {PS_FRAME_DUMP, 0, &failed}, {PS_FRAME_OVERRUN, 1, NULL}};
    write_seed(bad, 3);
    struct frame cut[] = {{PS_FRAME_BEGIN, 5, NULL},
                          {PS_FRAME_DUMP | PS_FRAME_TRUNCATED << 4, 0, &dump},
                          {PS_FRAME_FAILED, 12, NULL}};
    write_seed(cut, 3);
    return 0;
}
