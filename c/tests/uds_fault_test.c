/* The system refuses what the socket half asks for, once at each place; and calls that nothing but
 * a mistake would make. */
#include "faults.h"
#include "uds_test.h"

static struct ps_uds_config own;
static int32_t client_hub;

static void a_hub_needs_its_descriptors(void)
{
    fail(EVENTFD, 0, EMFILE);
    SAME(ps_uds_open(), -EMFILE);
    fail(EPOLL_CREATE, 0, ENFILE);
    SAME(ps_uds_open(), -ENFILE);
    fail(EPOLL_CTL, 0, ENOSPC);
    SAME(ps_uds_open(), -ENOSPC);
    check_done();
}

static void listening_says_what_was_refused(void)
{
    hub = ps_uds_open();
    fail(OPENAT, 0, EACCES); /* of a folder on the way */
    SAME(ps_uds_listen(hub, PATH(path), &own), -EACCES);
    fail(SOCKET, 0, EMFILE); /* who cannot look must not remove */
    SAME(ps_uds_listen(hub, PATH(path), &own), -EADDRINUSE);
    fail(SOCKET, 1, EMFILE);
    SAME(ps_uds_listen(hub, PATH(path), &own), -EMFILE);
    fail(CONNECT, 0, EAGAIN); /* a full backlog is alive */
    SAME(ps_uds_listen(hub, PATH(path), &own), -EADDRINUSE);
    fail(FSTAT, 0, EIO);
    SAME(ps_uds_listen(hub, PATH(path), &own), -EIO);
    fail(FCHMOD, 0, EPERM);
    SAME(ps_uds_listen(hub, PATH(path), &own), -EPERM);
    fail(BIND, 0, EACCES);
    SAME(ps_uds_listen(hub, PATH(path), &own), -EACCES);
    own.mode = 0660;
    fail(CHMOD, 0, EROFS);
    SAME(ps_uds_listen(hub, PATH(path), &own), -EROFS);
    own.mode = 0;
    fail(LSTAT, 0, EIO);
    SAME(ps_uds_listen(hub, PATH(path), &own), -EIO);
    fail(LISTEN, 0, ENOBUFS);
    SAME(ps_uds_listen(hub, PATH(path), &own), -ENOBUFS);
    fail(EPOLL_CTL, 0, ENOSPC);
    SAME(ps_uds_listen(hub, PATH(path), &own), -ENOSPC);
    /* Whatever failed, nothing of it stands in the folder. */
    struct stat node;
    SAME(stat(path, &node), -1);
    SAME(mkdir(path, 0700), 0);
    SAME(mkdir(in_folder("service.sock/full"), 0700), 0);
    SAME(ps_uds_listen(hub, PATH(path), &own), -EADDRINUSE);
    rmdir(in_folder("service.sock/full"));
    rmdir(path);
    fclose(fopen(path, "w"));
    fail(UNLINK, 0, EPERM);
    SAME(ps_uds_listen(hub, PATH(path), &own), -EADDRINUSE);
    fail(UNLINK, 0, ENOENT); /* somebody else removed it, and somebody listens there again */
    SAME(ps_uds_listen(hub, PATH(path), &own), -EADDRINUSE);
    SAME(unlink(path), 0);
    SAME(ps_uds_listen(hub, PATH("/run/none/x.sock"), &own), -EACCES);
    SAME(ps_uds_listen(hub, PATH(path), &own), 0);
    fail(LSTAT, 0, EIO); /* who cannot look must not remove, here either */
    ps_uds_free(hub);
    SAME(unlink(path), 0);
    open_server(&own);
    other_device = true; /* another file has the number of our socket */
    ps_uds_free(hub);
    other_device = false;
    SAME(unlink(path), 0);
    check_done();
}

static void a_folder_that_others_may_write_to_is_refused(void)
{
    hub = ps_uds_open();
    fail(FSTAT, 0, EIO);
    SAME(ps_uds_listen(hub, PATH(path), &own), -EIO);
    for (mode_t mode = 0701; mode <= 0770; mode++) {
        SAME(chmod(folder, mode), 0);
        if (mode & 022)
            SAME(ps_uds_listen(hub, PATH(path), &own), -EPERM);
    }
    SAME(chmod(folder, 0755), 0);
    SAME(chown(folder, getuid() ? getuid() : 7, (gid_t)-1), 0); /* root's would always do */
    pretended_user = 8;
    SAME(ps_uds_listen(hub, PATH(path), &own), -EPERM);
    pretended_user = getuid() ? (int)getuid() : 7;
    SAME(ps_uds_listen(hub, PATH(path), &own), 0);
    pretended_user = -1;
    SAME(chown(folder, getuid(), (gid_t)-1), 0);
    ps_uds_free(hub);
    check_done();
}

static void look_at_the_new_socket(void)
{
    struct stat node;
    SAME(stat(path, &node), 0);
    SAME(node.st_mode & 0777, 0600);
}

/* Whatever the umask: the socket is made with its mode, and never gets it later. */
static void nobody_can_connect_before_the_mode_is_right(void)
{
    mode_t before = umask(0);
    hub = ps_uds_open();
    meanwhile(LSTAT, 0, look_at_the_new_socket); /* the first call behind bind() */
    SAME(ps_uds_listen(hub, PATH(path), &own), 0);
    ps_uds_free(hub);
    umask(before);
    check_done();
}

static void a_client_that_cannot_be_accepted_stays_in_the_backlog(void)
{
    open_server(&own);
    int fd = raw_client();
    fail(ACCEPT, 0, ECONNABORTED);
    expect_nothing(hub);
    fail(ACCEPT, 0, EINTR);
    expect_nothing(hub);
    fail_times(ACCEPT, 0, 2, EMFILE);
    expect(hub, PS_UDS_REFUSED, -EMFILE);
    SAME(ps_uds_wait(hub, 30), 0); /* and is not reported again at once */
    expect_nothing(hub);
    expect(hub, PS_UDS_REFUSED, -EMFILE);
    send_hello(fd, hello_header(), good_hello(), 76);
    expect(hub, PS_UDS_HELLO, 0);
    int other = raw_client();
    fail(EPOLL_CTL, 0, ENOSPC);
    expect(hub, PS_UDS_REFUSED, -EUSERS);
    close(fd);
    close(other);
    ps_uds_free(hub);
    check_done();
}

static void connecting_says_what_was_refused(void)
{
    open_server(&own);
    client_hub = ps_uds_open();
    SAME(ps_uds_connect(client_hub, PATH("/tmp/x.sock"), &own), -EACCES);
    fail(SOCKET, 0, EMFILE);
    SAME(ps_uds_connect(client_hub, PATH(path), &own), -EMFILE);
    fail(EPOLL_CTL, 0, ENOSPC);
    SAME(ps_uds_connect(client_hub, PATH(path), &own), -EUSERS);
    fail(SEND, 0, EPIPE);
    SAME(ps_uds_connect(client_hub, PATH(path), &own), -EPIPE);
    fail(GETSOCKOPT, 0, EBADF); /* then the packets are small, and the handshake goes on */
    CHECK(ps_uds_connect(client_hub, PATH(path), &own) > 0);
    SAME(expect(hub, PS_UDS_HELLO, 0)->packet_size, 4064);
    ps_uds_free(client_hub);
    ps_uds_free(hub);
    check_done();
}

static void a_handshake_may_break_anywhere(void)
{
    open_server(&own);
    int fd = raw_client();
    send_hello(fd, hello_header(), good_hello(), 76);
    fail(RECV, 0, EINTR);
    SAME(expect(hub, PS_UDS_HELLO, 0)->profile, 1);
    fail(SEND, 0, EPIPE);
    SAME(ps_uds_admit(hub, events[0].session, 1, 0), -EPIPE);
    SAME(ps_uds_admit(hub, events[0].session, 1, 0), -ENOTCONN);
    close(fd);
    fd = raw_client();
    send_hello(fd, hello_header(), good_hello(), 76);
    fail(RECV, 0, EAGAIN);
    expect(hub, PS_UDS_HELLO, 0);
    close(fd);
    expect(hub, PS_UDS_CLOSED, 0);
    fd = raw_client();
    send_hello(fd, hello_header(), good_hello(), 76);
    fail(RECV, 0, ECONNRESET); /* gone before it said hello: nobody to tell */
    expect_nothing(hub);
    close(fd);
    client_hub = ps_uds_open();
    uint32_t session = (uint32_t)ps_uds_connect(client_hub, PATH(path), &own);
    SAME(ps_uds_admit(hub, expect(hub, PS_UDS_HELLO, 0)->session, 1, 0), 0);
    fail(RECV, 0, EINTR);
    expect_nothing(client_hub);
    fail(RECV, 0, EAGAIN);
    expect(client_hub, PS_UDS_READY, 0);
    SAME(ps_uds_close(client_hub, session), 0);
    SAME(ps_uds_close(client_hub, session), -ENOTCONN);
    expect(hub, PS_UDS_CLOSED, 0);
    session = (uint32_t)ps_uds_connect(client_hub, PATH(path), &own);
    SAME(ps_uds_admit(hub, expect(hub, PS_UDS_HELLO, 0)->session, 1, 0), 0);
    fail(RECV, 0, EIO);
    expect(client_hub, PS_UDS_CLOSED, -EIO);
    ps_uds_free(client_hub);
    ps_uds_free(hub);
    check_done();
}

static uint32_t put(uint8_t *at, uint16_t kind, uint32_t length, uint64_t id)
{
    struct ps_header header = ps_header_make(kind, 1, 0, length, id);
    memcpy(at, &header, sizeof header);
    return 32 + length;
}

static void messages_may_break_anywhere(void)
{
    static uint8_t out[300032];
    struct ps_uds_config theirs = own;
    open_server(&own);
    theirs.packet_size = 4096;
    client_hub = ps_uds_open();
    uint32_t client = (uint32_t)ps_uds_connect(client_hub, PATH(path), &theirs);
    uint32_t server = expect(hub, PS_UDS_HELLO, 0)->session;
    SAME(ps_uds_admit(hub, server, 1, 0), 0);
    expect(client_hub, PS_UDS_READY, 0);
    fail(SENDMSG, 0, EINTR); /* nothing of it went, so its number is free again */
    SAME(ps_uds_send(client_hub, client, out, put(out, PS_REQUEST, 8, 1)), 0);
    expect(client_hub, PS_UDS_WRITABLE, 0);
    SAME(ps_uds_send(client_hub, client, out, put(out, PS_REQUEST, 8, 1)), 40);
    expect(hub, PS_UDS_MESSAGE, 0);
    fail(SENDMSG, 2, EAGAIN); /* in the middle of a message of several packets */
    uint32_t whole = put(out, PS_REQUEST, 100000, 2);
    SAME(ps_uds_exchange(client_hub, client, out, whole, events, 1, data, DATA, 0), -EAGAIN);
    /* Nothing but the rest of it may follow. */
    SAME(ps_uds_send(client_hub, client, out, put(out, PS_REQUEST, 100000, 3)), -EINVAL);
    SAME(ps_uds_send(client_hub, client, out, put(out, PS_REQUEST, 8, 2)), -EINVAL);
    expect(client_hub, PS_UDS_WRITABLE, 0);
    SAME(ps_uds_send(client_hub, client, out, put(out, PS_REQUEST, 100000, 2)), whole);
    fail(RECVMSG, 3, EINTR);
    SAME(expect(hub, PS_UDS_MESSAGE, 0)->length, whole);
    fail(SENDMSG, 0, EPIPE);
    SAME(ps_uds_send(client_hub, client, out, put(out, PS_REQUEST, 8, 4)), -EPIPE);
    SAME(ps_uds_send(client_hub, client, out, put(out, PS_REQUEST, 100000, 4)), whole);
    fail(RECVMSG, 5, EIO);
    expect(hub, PS_UDS_CLOSED, -EIO);
    SAME(ps_uds_exchange(hub, server, out, 40, events, 1, data, DATA, 0), -ENOTCONN);
    expect(client_hub, PS_UDS_CLOSED, -ECONNRESET);
    ps_uds_free(client_hub);
    ps_uds_free(hub);
    check_done();
}

static void sleeping_may_be_interrupted(void)
{
    hub = ps_uds_open();
    fail(EPOLL_WAIT, 0, EINTR);
    SAME(ps_uds_poll(hub, events, 1, data, DATA, 50), 0);
    fail(EPOLL_WAIT, 0, EBADF);
    SAME(ps_uds_poll(hub, events, 1, data, DATA, 0), -EBADF);
    fail(EPOLL_WAIT, 0, EINTR);
    SAME(ps_uds_wait(hub, 1000), 0);
    fail(EPOLL_WAIT, 0, EINVAL);
    SAME(ps_uds_wait(hub, 1000), -EINVAL);
    SAME(ps_uds_poll(hub, events, 0, data, DATA, 0), -EINVAL);
    SAME(ps_uds_poll(hub, events, 1, data, PS_UDS_MIN_DATA - 1, 0), -EINVAL);
    fail(EVENTFD_WRITE, 0, EAGAIN); /* woken more often than a number can hold */
    SAME(ps_uds_wake(hub), 0);
    fail(EVENTFD_WRITE, 0, EBADF);
    SAME(ps_uds_wake(hub), -EBADF);
    ps_uds_free(hub);
    check_done();
}

static void a_closed_hub_is_no_hub(void)
{
    SAME(ps_uds_listen(hub, PATH(path), &own), -EBADF);
    SAME(ps_uds_set_limits(hub, 1, 1), -EBADF);
    SAME(ps_uds_connect(hub, PATH(path), &own), -EBADF);
    SAME(ps_uds_admit(hub, 1, 1, 0), -EBADF);
    SAME(ps_uds_close(hub, 1), -EBADF);
    SAME(ps_uds_pause(hub, 1, 1), -EBADF);
    SAME(ps_uds_send(hub, 1, data, 40), -EBADF);
    SAME(ps_uds_poll(hub, events, 1, data, DATA, 0), -EBADF);
}

int main(void)
{
    begin();
    path = in_folder("service.sock");
    own = config();
    a_hub_needs_its_descriptors();
    listening_says_what_was_refused();
    a_folder_that_others_may_write_to_is_refused();
    nobody_can_connect_before_the_mode_is_right();
    a_client_that_cannot_be_accepted_stays_in_the_backlog();
    connecting_says_what_was_refused();
    a_handshake_may_break_anywhere();
    messages_may_break_anywhere();
    sleeping_may_be_interrupted();
    a_closed_hub_is_no_hub();
    finish();
    return 0;
}
