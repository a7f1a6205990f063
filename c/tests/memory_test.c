/* There is no memory, at each place where the library asks for some: the call says so, and nothing
 * is half made. */
#include "../include/ps_linkset.h"
#include "../include/ps_netipc.h"
#include "../include/ps_netlink.h"
#include "../include/ps_ring.h"
#include "../include/ps_shm.h"
#include "faults.h"
#include "uds_test.h"

static int32_t open_ring(void)
{
    return ps_ring_open(PATH(in_folder("ring")), PS_RING_MIN, PS_RING_PRODUCER);
}

static void no_handle_is_made_without_memory(void)
{
    fail(CALLOC, 0, ENOMEM);
    SAME(ps_uds_open(), -ENOMEM);
    fail(CALLOC, 0, ENOMEM);
    SAME(ps_shm_open(), -ENOMEM);
    fail(CALLOC, 0, ENOMEM);
    SAME(open_ring(), -ENOMEM);
    SAME(access(in_folder("ring"), F_OK), -1);
    fail(CALLOC, 0, ENOMEM);
    SAME(ps_nl_open(NULL, 0, 0, 0), -ENOMEM);
    fail(CALLOC, 0, ENOMEM);
    SAME(ps_nl_replay(), -ENOMEM);
    fail(CALLOC, 0, ENOMEM);
    SAME(ps_ls_open(NULL, 0), -ENOMEM);
    check_done();
}

static void no_folder_is_reaped_without_memory(void)
{
    fail(MALLOC, 0, ENOMEM);
    SAME(ps_shm_reap(PATH(in_folder("s-"))), -ENOMEM);
    check_done();
}

static void a_session_needs_memory(void)
{
    const struct ps_uds_config own = config();
    open_server(&own);
    int32_t client_hub = ps_uds_open();
    fail(CALLOC, 0, ENOMEM); /* for the session */
    SAME(ps_uds_connect(client_hub, PATH(path), &own), -EUSERS);
    fail(CALLOC, 1, ENOMEM); /* for its requests in flight */
    SAME(ps_uds_connect(client_hub, PATH(path), &own), -EUSERS);
    expect_nothing(hub);
    int fd = raw_client();
    fail(CALLOC, 0, ENOMEM);
    expect(hub, PS_UDS_REFUSED, -EUSERS);
    close(fd);
    SAME(ps_uds_free(client_hub), 0);
    SAME(ps_uds_free(hub), 0);
    check_done();
}

static void a_message_of_several_packets_needs_memory(void)
{
    const struct ps_uds_config own = config();
    uint8_t packet[40] = {0};
    open_server(&own);
    int fd = admitted(40);
    struct ps_header header = ps_header_make(PS_REQUEST, 1, 0, 20, 5);
    memcpy(packet, &header, sizeof header);
    SAME(send(fd, packet, sizeof packet, 0), sizeof packet);
    fail(MALLOC, 0, ENOMEM);
    expect(hub, PS_UDS_CLOSED, -ENOMEM);
    close(fd);
    SAME(ps_uds_free(hub), 0);
    check_done();
}

int main(void)
{
    begin();
    path = in_folder("service.sock");
    no_handle_is_made_without_memory();
    no_folder_is_reaped_without_memory();
    a_session_needs_memory();
    a_message_of_several_packets_needs_memory();
    finish();
    return 0;
}
