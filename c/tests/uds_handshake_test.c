/* The handshake of the socket half against raw packets. */
#include "uds_test.h"

static void refused(struct ps_header header, struct ps_hello hello, size_t length, int answer,
                    int reason)
{
    struct ps_hello_ack ack;
    int fd = raw_client();
    send_hello(fd, header, hello, length);
    struct ps_uds_event *event = expect(hub, PS_UDS_REFUSED, reason);
    SAME(event->uid, getuid());
    SAME(event->pid, getpid());
    SAME(answer_of(fd, &ack), answer);
    if (answer > 0) {
        const struct ps_hello_ack zero = {.layout_version = 1};
        SAME(memcmp(&ack, &zero, sizeof zero), 0);
        SAME(answer_of(fd, &ack), -1);
    }
    close(fd);
}

#define REFUSED_HELLO(change, answer, reason)                                                      \
    do {                                                                                           \
        struct ps_hello hello = good_hello();                                                      \
        change;                                                                                    \
        refused(hello_header(), hello, 76, answer, reason);                                        \
    } while (0)

#define REFUSED_HEADER(change, answer, reason)                                                     \
    do {                                                                                           \
        struct ps_header header = hello_header();                                                  \
        change;                                                                                    \
        refused(header, good_hello(), 76, answer, reason);                                         \
    } while (0)

static void the_server_decides_in_the_order_of_the_protocol(void)
{
    struct ps_uds_config own = config();
    open_server(&own);
    REFUSED_HEADER(header.version = 2, PS_INCOMPATIBLE, -ENOPROTOOPT);
    REFUSED_HEADER(header.magic++, -1, -EPROTO);
    REFUSED_HEADER(header.header_len = 36, -1, -EPROTO);
    REFUSED_HEADER(header.kind = PS_REQUEST, -1, -EPROTO);
    REFUSED_HEADER(header.kind = 9, -1, -EPROTO);
    REFUSED_HEADER(header.code = PS_OP_HELLO_ACK, -1, -EPROTO);
    REFUSED_HEADER((header.version = 2, header.code = 9), -1, -EPROTO);
    REFUSED_HEADER((header.version = 2, header.kind = PS_REQUEST), -1, -EPROTO);
    REFUSED_HEADER((header.version = 2, header.header_len = 36), -1, -EPROTO);
    refused(hello_header(), good_hello(), 75, -1, -EPROTO);
    refused(hello_header(), good_hello(), 20, -1, -EPROTO);
    REFUSED_HELLO(hello.layout_version = 2, PS_INCOMPATIBLE, -ENOPROTOOPT);
    REFUSED_HELLO(hello.reserved = 1, -1, -EPROTO);
    REFUSED_HELLO((hello.supported = 2, hello.auth_token[0] = 8), PS_UNSUPPORTED, -EPROTONOSUPPORT);
    REFUSED_HELLO(hello.auth_token[1] = 1, PS_AUTH_FAILED, -EACCES);
    REFUSED_HELLO(hello.request_bytes = 300001, PS_LIMIT_EXCEEDED, -EMSGSIZE);
    REFUSED_HELLO(hello.packet_size = 32, PS_INCOMPATIBLE, -ENOPROTOOPT);
    /* Of two faults the one that is looked at first is told. */
    REFUSED_HELLO((hello.layout_version = 2, hello.reserved = 1), PS_INCOMPATIBLE, -ENOPROTOOPT);
    REFUSED_HELLO((hello.reserved = 1, hello.supported = 8), -1, -EPROTO);
    REFUSED_HELLO((hello.auth_token[0] = 8, hello.request_bytes = 300001), PS_AUTH_FAILED, -EACCES);
    REFUSED_HELLO((hello.request_bytes = 300001, hello.packet_size = 32), PS_LIMIT_EXCEEDED,
                  -EMSGSIZE);
    ps_uds_free(hub);
}

static void a_good_hello_is_answered_with_the_agreed_values(void)
{
    struct ps_uds_config own = config();
    struct ps_hello_ack ack;
    own.supported = 3;
    open_server(&own);
    int fd = raw_client();
    struct ps_hello hello = good_hello();
    hello.flags = 5; /* nobody looks */
    hello.supported = hello.preferred = 3;
    send_hello(fd, hello_header(), hello, 80); /* longer than needed is fine */
    struct ps_uds_event *event = expect(hub, PS_UDS_HELLO, 0);
    SAME(event->profile, 2);
    uint32_t session = event->session;
    SAME(ps_uds_send(hub, session, data, 32), -ENOTCONN);
    SAME(ps_uds_admit(hub, session, 4, 0), -EINVAL);
    SAME(ps_uds_admit(hub, session, 3, 0), -EINVAL);
    SAME(ps_uds_admit(hub, session, 1, 0), 0); /* no region could be made */
    SAME(ps_uds_admit(hub, session, 1, 0), -ENOTCONN);
    SAME(answer_of(fd, &ack), 0);
    const struct ps_hello_ack wanted = {.layout_version = 1,
                                        .supported = 1,
                                        .intersection = 1,
                                        .selected = 1,
                                        .request_bytes = 1024,
                                        .request_items = 4,
                                        .response_bytes = 400000,
                                        .response_items = 4,
                                        .packet_size = 65536,
                                        .session_id = 1};
    SAME(memcmp(&ack, &wanted, sizeof ack), 0);
    close(fd);
    expect(hub, PS_UDS_CLOSED, 0);
    /* The embedding program may refuse too. */
    fd = raw_client();
    send_hello(fd, hello_header(), good_hello(), 76);
    SAME(ps_uds_admit(hub, expect(hub, PS_UDS_HELLO, 0)->session, 0, PS_AUTH_FAILED), 0);
    SAME(answer_of(fd, &ack), PS_AUTH_FAILED);
    SAME(answer_of(fd, &ack), -1);
    close(fd);
    /* A preference of the client alone decides nothing that both can do. */
    fd = raw_client();
    hello.preferred = 1;
    send_hello(fd, hello_header(), hello, 76);
    SAME(expect(hub, PS_UDS_HELLO, 0)->profile, 1);
    close(fd);
    expect(hub, PS_UDS_CLOSED, 0);
    fd = raw_client();
    hello.preferred = 0;
    send_hello(fd, hello_header(), hello, 76);
    SAME(expect(hub, PS_UDS_HELLO, 0)->profile, 2);
    close(fd);
    ps_uds_free(hub);
}

static void the_highest_profile_that_both_prefer_is_taken(void)
{
    const uint32_t choices[][4] = {/* supported and preferred by us, by the client: profile */
                                   {7, 7, 7, 4}, {7, 7, 3, 2}, {7, 7, 1, 1}, {3, 3, 4, 2},
                                   {1, 7, 7, 1}, {2, 7, 7, 2}, {5, 3, 2, 1}};
    for (uint32_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        struct ps_uds_config own = config();
        struct ps_hello hello = good_hello();
        own.supported = choices[i][0];
        hello.supported = choices[i][1];
        hello.preferred = choices[i][2];
        open_server(&own);
        int fd = raw_client();
        send_hello(fd, hello_header(), hello, 76);
        SAME(expect(hub, PS_UDS_HELLO, 0)->profile, choices[i][3]);
        close(fd);
        ps_uds_free(hub);
    }
}

static void a_client_that_wants_no_bytes_gets_none(void)
{
    struct ps_uds_config own = config();
    struct ps_hello_ack ack;
    struct ps_hello hello = good_hello();
    open_server(&own);
    refused(hello_header(), good_hello(), 75, -1, -EPROTO);
    int fd = raw_client();
    hello.request_bytes = 0;
    send_hello(fd, hello_header(), hello, 76);
    SAME(ps_uds_admit(hub, expect(hub, PS_UDS_HELLO, 0)->session, 1, 0), 0);
    SAME(answer_of(fd, &ack), 0);
    SAME(ack.request_bytes, 0);
    SAME(ack.session_id, 2); /* a client that was refused had one as well */
    struct ps_header request = ps_header_make(PS_REQUEST, 1, 0, 0, 1);
    SAME(send(fd, &request, sizeof request, 0), sizeof request);
    expect(hub, PS_UDS_MESSAGE, 0);
    uint8_t packet[33] = {0};
    request.payload_len = 1;
    memcpy(packet, &request, sizeof request);
    SAME(send(fd, packet, sizeof packet, 0), sizeof packet);
    expect(hub, PS_UDS_CLOSED, -EMSGSIZE);
    close(fd);
    ps_uds_free(hub);
}

/* A server that is not ours: our client must see what is wrong. */
static void the_client_judges_the_answer(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ps_uds_config theirs = config();
    theirs.supported = 5;
    strcpy(address.sun_path, path);
    for (int i = 0; i < 19; i++) {
        uint8_t packet[128] = {0};
        int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        SAME(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
        SAME(listen(listener, 1), 0);
        int32_t client_hub = ps_uds_open();
        CHECK(ps_uds_connect(client_hub, PATH(path), &theirs) > 0);
        int fd = accept(listener, NULL, NULL);
        SAME(recv(fd, packet, sizeof packet, 0), 76);
        struct ps_hello hello;
        memcpy(&hello, packet + 32, sizeof hello);
        SAME(hello.packet_size, 65536);
        SAME(hello.auth_token[0], 7);
        struct ps_header header = ps_header_make(PS_CONTROL, PS_OP_HELLO_ACK, 0, 48, 0);
        struct ps_hello_ack ack = {.layout_version = 1,
                                   .supported = 1,
                                   .intersection = 1,
                                   .selected = 1,
                                   .packet_size = 4096,
                                   .reserved = 7};
        int status = -EPROTO;
        size_t length = 80;
        switch (i) {
        case 0:
            header.status = PS_AUTH_FAILED, status = -EACCES;
            break;
        case 1:
            header.status = PS_UNSUPPORTED, status = -EPROTONOSUPPORT;
            break;
        case 2:
            header.status = PS_INCOMPATIBLE, status = -ENOPROTOOPT;
            break;
        case 3:
            header.status = PS_LIMIT_EXCEEDED, status = -EMSGSIZE;
            break;
        case 4:
            header.status = 77, status = -EBADE;
            break;
        case 5:
            header.version = 2, status = -ENOPROTOOPT;
            break;
        case 6:
            header.code = PS_OP_HELLO;
            break;
        case 7:
            ack.layout_version = 2, status = -ENOPROTOOPT;
            break;
        case 8:
            ack.flags = 1;
            break;
        case 9:
            ack.packet_size = 32;
            break;
        case 10:
            ack.selected = 2;
            break;
        case 11:
            length = 79;
            break;
        case 12:
            length = 0, status = -ECONNRESET;
            break;
        case 13:
            header.magic++;
            break;
        case 14:
            header.kind = PS_RESPONSE;
            break;
        case 15:
            ack.packet_size = 65537;
            break;
        case 16:
            ack.selected = 3;
            break;
        case 17: /* the status is looked at before there is anything else to look at */
            header.status = PS_AUTH_FAILED, length = 32, status = -EACCES;
            break;
        default: /* nothing is wrong: the reserved word is not looked at */
            status = 0;
            break;
        }
        memcpy(packet, &header, 32);
        memcpy(packet + 32, &ack, sizeof ack);
        if (length)
            SAME(send(fd, packet, length, 0), length);
        if (status < 0)
            close(fd);
        expect(client_hub, status < 0 ? PS_UDS_CLOSED : PS_UDS_READY, status);
        if (status == 0)
            close(fd);
        ps_uds_free(client_hub);
        close(listener);
        unlink(path);
    }
}

int main(void)
{
    begin();
    path = in_folder("service.sock");
    the_server_decides_in_the_order_of_the_protocol();
    a_good_hello_is_answered_with_the_agreed_values();
    the_highest_profile_that_both_prefer_is_taken();
    a_client_that_wants_no_bytes_gets_none();
    the_client_judges_the_answer();
    finish();
    return 0;
}
