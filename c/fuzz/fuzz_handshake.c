/* HELLO and HELLO_ACK packets as a hostile peer may send them. The first byte picks the side. */
#include <stdlib.h>
#include <sys/socket.h>

/* The size of the send buffer without a socket: a system call for each input would cost most. */
#define getsockopt fuzz_getsockopt
static int fuzz_getsockopt(int fd, int level, int name, void *value, socklen_t *length);
#include "../uds_handshake.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int fuzz_getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
    const int size = 212992;
    (void)fd, (void)level, (void)name;
    memcpy(value, &size, sizeof size < *length ? sizeof size : *length);
    return 0;
}

void ps_uds_drop(struct ps_uds *hub, struct ps_uds_session *session)
{
    (void)hub;
    (void)session;
}

void ps_uds_end(struct ps_uds *hub, struct ps_uds_session *session, int status,
                struct ps_uds_out *out)
{
    (void)hub, (void)session, (void)status, (void)out;
}

void ps_uds_watch(struct ps_uds *hub, struct ps_uds_session *session)
{
    (void)hub, (void)session;
}

struct ps_uds_session *ps_uds_find(struct ps_uds *hub, uint32_t number)
{
    (void)hub, (void)number;
    return NULL;
}

struct ps_uds_event *ps_uds_put(struct ps_uds_out *out, uint32_t type, uint32_t session)
{
    (void)out, (void)type, (void)session;
    return NULL;
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    uint8_t packet[CONTROL_BUFFER];
    struct ps_uds_session session = {.fd = -1, .supported = 3, .packet = 65536};
    struct ps_uds_config own = {.supported = 3, .preferred = 3, .request_bytes = 65536};
    if (size < 1 || size > sizeof packet)
        return 0;
    memcpy(packet, input + 1, size - 1);
    if (input[0] & 1) {
        if (judge_hello_packet(packet, (uint32_t)size - 1, &own, &session) == PS_OK) {
            require(session.packet > PS_HEADER_BYTES && session.packet <= PS_UDS_MIN_DATA);
            require(session.profile == 1 || session.profile == 2);
            require(session.bytes[0] <= own.request_bytes);
        }
    } else if (judge_ack(packet, (uint32_t)size - 1, &session) == 0) {
        require(session.packet > PS_HEADER_BYTES && session.packet <= PS_UDS_MIN_DATA);
        require(session.profile == 1 || session.profile == 2);
    }
    return 0;
}
