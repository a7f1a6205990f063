/* The sealed list: each process seals once, so each story is a child. */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../paths.h"
#include "check.h"

#define LIST(text) (const uint8_t *)(text), (uint32_t)sizeof(text) - 1
#define PATH(text) (const uint8_t *)(text), (uint32_t)strlen(text)

static void in_child(void (*story)(void))
{
    pid_t child = fork();
    if (child == 0) {
        story();
        exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    SAME(status, 0);
}

static void nothing_before_the_seal(void)
{
    SAME(ps_path_check(PATH("/run/a")), -EPERM);
    SAME(ps_paths_seal(NULL, 0), 0);
    SAME(ps_path_check(PATH("/run/a")), -EACCES);
    SAME(ps_path_check(NULL, 0), -EINVAL);
    SAME(ps_paths_seal(NULL, 0), 0);
    SAME(ps_paths_seal(LIST("/run/a\0")), -EALREADY);
}

static void only_plain_lists(void)
{
    static uint8_t large[PS_PATHS_SIZE + 1];
    SAME(ps_paths_seal(large, sizeof(large)), -E2BIG);
    SAME(ps_paths_seal(LIST("/run/a")), -EINVAL); /* no NUL at its end */
    SAME(ps_paths_seal(LIST("\0")), -EINVAL);
    SAME(ps_paths_seal(LIST("/\0")), -EINVAL);
    SAME(ps_paths_seal(LIST("run\0")), -EINVAL);
    SAME(ps_paths_seal(LIST("/run/./a\0")), -EINVAL);
    SAME(ps_paths_seal(LIST("/run/..\0")), -EINVAL);
    SAME(ps_paths_seal(LIST("/run//\0")), -EINVAL);
    memset(large, 'x', PS_PATH_SIZE + 1);
    large[0] = '/';
    large[PS_PATH_SIZE] = '\0';
    SAME(ps_paths_seal(large, PS_PATH_SIZE + 1), -EINVAL);
    SAME(ps_paths_seal(LIST("/run/.a\0/run/..b/\0/run/a.\0")), 0);
    SAME(ps_path_check(PATH("/run/.a")), 0);
    SAME(ps_path_check(PATH("/run/..b/c")), 0);
    SAME(ps_path_check(PATH("/run/a.")), 0);
}

static void files_and_folders(void)
{
    SAME(ps_paths_seal(LIST("/run/a\0/var/b/\0")), 0);
    SAME(ps_paths_seal(LIST("/run/a\0/var/b/\0")), 0);
    SAME(ps_paths_seal(LIST("/run/a\0/var/c/\0")), -EALREADY);
    SAME(ps_paths_seal(LIST("/run/a\0")), -EALREADY);
    SAME(ps_path_check(PATH("/run/a")), 0);
    SAME(ps_path_check(PATH("/run/b")), -EACCES);
    SAME(ps_path_check(PATH("/run/ab")), -EACCES);
    SAME(ps_path_check(PATH("/run/a/c")), -EACCES);
    SAME(ps_path_check(PATH("/var/b/c")), 0);
    SAME(ps_path_check(PATH("/var/c/c")), -EACCES);
    SAME(ps_path_check(PATH("/var/b/c/d")), -EACCES);
    SAME(ps_path_check(PATH("/var/b/")), -EINVAL);
    SAME(ps_path_check(PATH("/var/b")), -EACCES);
    SAME(ps_path_check((const uint8_t *)"/run\0a", 6), -EINVAL);
    char deep[PS_PATH_SIZE + 1];
    memset(deep, 'x', sizeof(deep) - 1);
    deep[0] = '/';
    deep[PS_PATH_SIZE] = '\0';
    SAME(ps_path_check(PATH(deep)), -ENAMETOOLONG);
    deep[PS_PATH_SIZE - 1] = '\0';
    SAME(ps_path_check(PATH(deep)), -EACCES);
}

static void no_link_on_the_way(void)
{
    char folder[] = "/tmp/portsync-paths-XXXXXX", name[PATH_MAX];
    const char *leaf;
    CHECK(mkdtemp(folder));
    CHECK(chdir(folder) == 0);
    CHECK(mkdir("real", 0700) == 0 && symlink("real", "folder") == 0);
    int file = open("real/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(file >= 0 && close(file) == 0 && symlink("file", "real/link") == 0);

    snprintf(name, sizeof(name), "%s/real/file", folder);
    file = ps_path_open(name, O_RDONLY, 0);
    CHECK(file >= 0 && close(file) == 0);
    int parent = ps_path_folder(name, &leaf);
    CHECK(parent >= 0 && close(parent) == 0);
    CHECK(strcmp(leaf, "file") == 0 && leaf > name && leaf < name + sizeof(name));
    snprintf(name, sizeof(name), "%s/real/new", folder);
    file = ps_path_open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);
    CHECK(file >= 0 && close(file) == 0);

    snprintf(name, sizeof(name), "%s/real/link", folder);
    SAME(ps_path_open(name, O_RDONLY, 0), -ELOOP);
    snprintf(name, sizeof(name), "%s/folder/file", folder);
    SAME(ps_path_open(name, O_RDONLY, 0), -ELOOP);
    snprintf(name, sizeof(name), "%s/real/file/x", folder);
    SAME(ps_path_open(name, O_RDONLY, 0), -ENOTDIR);
    snprintf(name, sizeof(name), "%s/none/x", folder);
    SAME(ps_path_open(name, O_RDONLY, 0), -ENOENT);
    snprintf(name, sizeof(name), "%s/real/none", folder);
    SAME(ps_path_open(name, O_RDONLY, 0), -ENOENT);
    SAME(ps_path_open("/none", O_RDONLY, 0), -ENOENT);

    CHECK(unlink("real/new") == 0 && unlink("real/link") == 0 && unlink("real/file") == 0);
    CHECK(unlink("folder") == 0 && rmdir("real") == 0 && rmdir(folder) == 0);
}

static void *seal_blue(void *ret_result)
{
    *(int *)ret_result = ps_paths_seal(LIST("/run/blue\0"));
    return NULL;
}

static void one_of_two_threads_seals(void)
{
    pthread_t other;
    int blue;
    CHECK(pthread_create(&other, NULL, seal_blue, &blue) == 0);
    int red = ps_paths_seal(LIST("/run/red\0"));
    CHECK(pthread_join(other, NULL) == 0);
    CHECK((blue == 0 && red == -EALREADY) || (blue == -EALREADY && red == 0));
    SAME(ps_path_check(PATH("/run/blue")), blue == 0 ? 0 : -EACCES);
}

int main(void)
{
    in_child(nothing_before_the_seal);
    in_child(only_plain_lists);
    in_child(files_and_folders);
    in_child(no_link_on_the_way);
    for (int round = 0; round < 20; round++)
        in_child(one_of_two_threads_seals);
    return 0;
}
