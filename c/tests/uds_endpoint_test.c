/* Listening, many sessions, sleeping. */
#include "uds_test.h"

static void a_dead_socket_is_replaced_and_a_live_one_is_not(void)
{
    struct ps_uds_config own = config();
    struct stat node;
    umask(077);
    own.mode = 0666;
    open_server(&own);
    umask(022);
    SAME(stat(path, &node), 0);
    SAME(node.st_mode & 0777, 0666);
    SAME(ps_uds_listen(hub, PATH(path), &own), -EALREADY);
    int32_t other = ps_uds_open();
    SAME(ps_uds_listen(other, PATH(path), &own), -EADDRINUSE);
    expect_nothing(hub); /* the probe left no trace */
    SAME(ps_uds_listen(other, PATH("/tmp/elsewhere.sock"), &own), -EACCES);
    char long_path[200];
    snprintf(long_path, sizeof long_path, "%s/%0120d", folder, 1);
    SAME(ps_uds_listen(other, PATH(long_path), &own), -ENAMETOOLONG);
    ps_uds_free(hub);
    SAME(stat(path, &node), -1);
    /* What stands there dead: a socket, a file, an empty folder. */
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int dead = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    SAME(bind(dead, (struct sockaddr *)&address, sizeof address), 0);
    close(dead);
    own.mode = 0;
    SAME(ps_uds_listen(other, PATH(path), &own), 0);
    SAME(stat(path, &node), 0);
    SAME(node.st_mode & 0777, 0600);
    /* A successor's socket is not removed. */
    unlink(path);
    fclose(fopen(path, "w"));
    ps_uds_free(other);
    SAME(stat(path, &node), 0);
    open_server(&own);
    ps_uds_free(hub);
    SAME(mkdir(path, 0700), 0);
    open_server(&own);
    ps_uds_free(hub);
    /* A link: to nothing it cannot be bound over; to something dead it is removed, and that is not;
     * to something alive it is alive. */
    const char *target = in_folder("target");
    hub = ps_uds_open();
    SAME(symlink(target, path), 0);
    SAME(ps_uds_listen(hub, PATH(path), &own), -EADDRINUSE);
    fclose(fopen(target, "w"));
    SAME(ps_uds_listen(hub, PATH(path), &own), 0);
    SAME(lstat(path, &node), 0);
    CHECK(S_ISSOCK(node.st_mode));
    SAME(stat(target, &node), 0);
    ps_uds_free(hub);
    hub = ps_uds_open();
    SAME(ps_uds_listen(hub, PATH(target), &own), 0);
    SAME(symlink(target, path), 0);
    other = ps_uds_open();
    SAME(ps_uds_listen(other, PATH(path), &own), -EADDRINUSE);
    ps_uds_free(other);
    ps_uds_free(hub);
    SAME(unlink(path), 0);
    other = ps_uds_open();
    SAME(ps_uds_connect(other, PATH(path), &own), -ENOENT);
    ps_uds_free(other);
    SAME(ps_uds_free(other), -EBADF);
}

static void a_folder_that_others_may_write_to_is_refused(void)
{
    struct ps_uds_config own = config();
    int32_t server = ps_uds_open();
    const mode_t open_to_others[] = {0720, 0702, 01777};
    for (int i = 0; i < 3; i++) {
        SAME(chmod(folder, open_to_others[i]), 0);
        SAME(ps_uds_listen(server, PATH(path), &own), -EPERM);
        SAME(ps_uds_connect(server, PATH(path), &own), -ENOENT);
    }
    SAME(chmod(folder, 0700), 0);
    if (geteuid() == 0) { /* nobody else may give a folder away */
        SAME(chown(folder, 1, (gid_t)-1), 0);
        SAME(ps_uds_listen(server, PATH(path), &own), -EPERM);
        SAME(chown(folder, 0, (gid_t)-1), 0);
    }
    SAME(ps_uds_listen(server, PATH(path), &own), 0);
    ps_uds_free(server);
}

static void there_is_room_for_so_many_sessions(void)
{
    struct ps_uds_config own = config();
    int clients[64];
    own.max_sessions = 64;
    own.backlog = 64;
    open_server(&own);
    for (int i = 0; i < 64; i++) {
        struct ps_hello_ack ack;
        clients[i] = raw_client();
        send_hello(clients[i], hello_header(), good_hello(), 76);
        SAME(ps_uds_admit(hub, expect(hub, PS_UDS_HELLO, 0)->session, 1, 0), 0);
        SAME(answer_of(clients[i], &ack), 0);
        SAME(ack.session_id, i + 1);
    }
    close(raw_client());
    expect(hub, PS_UDS_REFUSED, -EUSERS);
    struct ps_header request = ps_header_make(PS_REQUEST, 1, 0, 0, 1);
    for (int i = 0; i < 64; i++)
        SAME(send(clients[i], &request, 32, 0), 32);
    for (int left = 64; left > 0;)
        left -= ps_uds_poll(hub, events, 64, data, DATA, 50);
    for (int i = 0; i < 64; i++)
        close(clients[i]);
    for (int left = 64; left > 0;)
        left -= ps_uds_poll(hub, events, 64, data, DATA, 50);
    int fd = admitted(4096);
    close(fd);
    ps_uds_free(hub);
}

static void a_wait_is_woken(void)
{
    hub = ps_uds_open();
    double before = seconds();
    SAME(ps_uds_wait(hub, 20), 0);
    CHECK(seconds() - before >= 0.019);
    SAME(ps_uds_wake(hub), 0);
    SAME(ps_uds_wait(hub, PS_FOREVER), 1);
    SAME(ps_uds_wait(hub, 0), 0);
    ps_uds_free(hub);
    SAME(ps_uds_wait(hub, 0), -EBADF);
    SAME(ps_uds_wake(hub), -EBADF);
}

int main(void)
{
    begin();
    path = in_folder("service.sock");
    a_dead_socket_is_replaced_and_a_live_one_is_not();
    a_folder_that_others_may_write_to_is_refused();
    there_is_room_for_so_many_sessions();
    a_wait_is_woken();
    finish();
    return 0;
}
