/* Handles: wrong, old and busy ones are errors. */
#include <stddef.h>

#include "../handles.h"
#include "check.h"

static int first, second;

static void one_user_at_a_time(void)
{
    int error = 0;
    int32_t handle = ps_handle_new(1, &first);
    CHECK(handle > 0);
    CHECK(ps_handle_take(handle, 1, &error) == &first);
    CHECK(!ps_handle_take(handle, 1, &error));
    SAME(error, -EBUSY);
    CHECK(ps_handle_hold(handle, 1) == &first);
    CHECK(!ps_handle_end(handle, 1, &error));
    SAME(error, -EBUSY);
    ps_handle_put(handle);
    CHECK(!ps_handle_end(handle, 1, &error));
    SAME(error, -EBUSY);
    ps_handle_release(handle);
    CHECK(ps_handle_take(handle, 1, &error) == &first);
    ps_handle_put(handle);
    CHECK(ps_handle_end(handle, 1, &error) == &first);
}

static void only_the_right_handle(void)
{
    int error = 0;
    int32_t handle = ps_handle_new(1, &first);
    int32_t wrong[] = {0, -1, handle + (1 << 10), handle + 1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        error = 0;
        CHECK(!ps_handle_take(wrong[i], 1, &error));
        SAME(error, -EBADF);
        CHECK(!ps_handle_hold(wrong[i], 1));
        error = 0;
        CHECK(!ps_handle_end(wrong[i], 1, &error));
        SAME(error, -EBADF);
    }
    error = 0;
    CHECK(!ps_handle_take(handle, 2, &error) && error == -EBADF);
    CHECK(!ps_handle_hold(handle, 2));
    error = 0;
    CHECK(!ps_handle_end(handle, 2, &error) && error == -EBADF);
    CHECK(ps_handle_end(handle, 1, &error) == &first);
    error = 0;
    CHECK(!ps_handle_end(handle, 1, &error) && error == -EBADF);
}

static void an_old_handle_is_not_the_new_one(void)
{
    int error = 0;
    int32_t old = ps_handle_new(1, &first);
    CHECK(ps_handle_end(old, 1, &error) == &first);
    int32_t handle = ps_handle_new(1, &second);
    CHECK(handle != old);
    CHECK(!ps_handle_take(old, 1, &error));
    CHECK(ps_handle_take(handle, 1, &error) == &second);
    ps_handle_put(handle);
    CHECK(ps_handle_end(handle, 1, &error) == &second);
}

/* A slot's generation comes round; no handle is ever 0 or negative. */
static void generations_come_round(void)
{
    int error;
    for (int round = 0; round < 70000; round++) {
        int32_t handle = ps_handle_new(1, &first);
        CHECK(handle > 0);
        CHECK(ps_handle_end(handle, 1, &error) == &first);
    }
}

static void as_many_as_there_are_slots(void)
{
    static int32_t all[PS_HANDLES];
    int error;
    for (uint32_t i = 0; i < PS_HANDLES; i++)
        CHECK((all[i] = ps_handle_new(1, &all[i])) > 0);
    SAME(ps_handle_new(1, &first), -EMFILE);
    for (uint32_t i = 0; i < PS_HANDLES; i++)
        CHECK(ps_handle_end(all[i], 1, &error) == &all[i]);
}

static void holders_are_counted(void)
{
    int error;
    int32_t handle = ps_handle_new(1, &first);
    int holders = 0;
    while (ps_handle_hold(handle, 1))
        holders++;
    SAME(holders, 0x3fff);
    while (holders-- > 0)
        ps_handle_release(handle);
    CHECK(ps_handle_end(handle, 1, &error) == &first);
}

int main(void)
{
    one_user_at_a_time();
    only_the_right_handle();
    an_old_handle_is_not_the_new_one();
    generations_come_round();
    as_many_as_there_are_slots();
    holders_are_counted();
    return 0;
}
