/* The packets of the socket half against the vectors of the protocol, byte for byte. */
#include "uds_test.h"

static int hexadecimal(const char *text, uint8_t *bytes)
{
    int length = 0;
    for (unsigned byte; sscanf(text, " %2x", &byte) == 1; length++) {
        bytes[length] = (uint8_t)byte;
        text += strspn(text, " ") + 2;
    }
    return length;
}

/* The next packet of a socket has these bytes. */
static void receives(int fd, const char *text)
{
    uint8_t wanted[256], found[256];
    int length = hexadecimal(text, wanted);
    SAME(recv(fd, found, sizeof found, 0), length);
    for (int i = 0; i < length; i++)
        SAME(found[i], wanted[i]);
}

static void sends(int fd, const char *text)
{
    uint8_t packet[256];
    int length = hexadecimal(text, packet);
    SAME(send(fd, packet, (size_t)length, 0), length);
}

static const char *const hello =
    "4350494e0100200003000000010000002c000000010000000000000000000000"
    "0100000001000000010000000004000001000000000001000100000000000000bebafecaefbeadde00400300";
static const char *const chunks[] = {
    "4350494e0100200001000000010000001400000001000000 0807060504030201 1011121314151617",
    "4b48434e01000000 0807060504030201 34000000 01000000 03000000 08000000 18191a1b1c1d1e1f",
    "4b48434e01000000 0807060504030201 34000000 02000000 03000000 04000000 20212223"};

static struct ps_uds_config golden(void)
{
    return (struct ps_uds_config){.auth_token = 0xdeadbeefcafebabe,
                                  .request_bytes = 1024,
                                  .response_bytes = 65536,
                                  .packet_size = 40};
}

static void a_server_answers_as_the_vectors_do(void)
{
    const struct ps_uds_config own = {
        .auth_token = 0xdeadbeefcafebabe, .request_bytes = 65536, .response_bytes = 65536};
    open_server(&own);
    int fd = raw_client();
    sends(fd, hello);
    SAME(ps_uds_admit(hub, expect(hub, PS_UDS_HELLO, 0)->session, 1, 0), 0);
    /* But for the packet size: a packet of 212992 bytes could not be sent. */
    receives(fd, "4350494e0100200003000000020000003000000001000000 0000000000000000"
                 "0100000001000000010000000100000000040000010000000000010001000000"
                 "00000100000000000100000000000000");
    close(fd);
    ps_uds_free(hub);
}

static void a_message_in_chunks_comes_as_it_was_sent(void)
{
    const struct ps_uds_config own = golden();
    struct ps_hello small = good_hello();
    struct ps_hello_ack ack;
    uint8_t expected[20];
    open_server(&own);
    int fd = raw_client();
    const uint32_t token[2] = {0xcafebabe, 0xdeadbeef};
    memcpy(small.auth_token, token, sizeof token);
    small.packet_size = 40;
    send_hello(fd, hello_header(), small, 76);
    SAME(ps_uds_admit(hub, expect(hub, PS_UDS_HELLO, 0)->session, 1, 0), 0);
    SAME(answer_of(fd, &ack), 0);
    for (int i = 0; i < 3; i++)
        sends(fd, chunks[i]);
    for (uint8_t i = 0; i < 20; i++)
        expected[i] = 0x10 + i;
    SAME(expect(hub, PS_UDS_MESSAGE, 0)->length, 52);
    SAME(memcmp(data + events[0].offset + 32, expected, sizeof expected), 0);
    close(fd);
    ps_uds_free(hub);
}

static void a_client_says_what_the_vectors_say(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct ps_uds_config theirs = golden();
    uint8_t message[56] = {0};
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    SAME(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    SAME(listen(listener, 1), 0);
    hub = ps_uds_open();
    uint32_t client = (uint32_t)ps_uds_connect(hub, PATH(path), &theirs);
    int fd = accept(listener, NULL, NULL);
    receives(fd, "4350494e0100200003000000010000002c00000001000000 0000000000000000"
                 "0100000001000000010000000004000001000000000001000100000000000000"
                 "bebafecaefbeadde28000000");
    sends(fd, "4350494e0100200003000000020000003000000001000000 0000000000000000"
              "0100000001000000010000000100000000040000010000000000010001000000"
              "28000000000000000100000000000000");
    expect(hub, PS_UDS_READY, 0);
    struct ps_header header = ps_header_make(PS_REQUEST, 1, 0, 20, 0x0102030405060708);
    memcpy(message, &header, sizeof header);
    for (uint8_t i = 0; i < 20; i++)
        message[32 + i] = 0x10 + i;
    SAME(ps_uds_send(hub, client, message, 52), 52);
    for (int i = 0; i < 3; i++)
        receives(fd, chunks[i]);
    ps_uds_free(hub);
    close(fd);
    close(listener);
    unlink(path);
}

int main(void)
{
    begin();
    path = in_folder("service.sock");
    a_server_answers_as_the_vectors_do();
    a_message_in_chunks_comes_as_it_was_sent();
    a_client_says_what_the_vectors_say();
    finish();
    return 0;
}
