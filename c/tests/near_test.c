/* A thread that waits sits down on the CPU of the one it waits for. */
#include <pthread.h>

#include "../include/ps_common.h"
#include "../near.h"
#include "faults.h"

static void *sit(void *ret_cpu)
{
    ps_sit_near();
    *(int *)ret_cpu = sched_getcpu();
    ps_sit_near();
    return NULL;
}

static int where_it_sits(void)
{
    pthread_t thread;
    int cpu = -1;
    SAME(pthread_create(&thread, NULL, sit, &cpu), 0);
    SAME(pthread_join(thread, NULL), 0);
    return cpu;
}

static void stays_where_it_is_without_a_caller(void)
{
    cpu_set_t before, after;
    SAME(sched_getaffinity(0, sizeof(before), &before), 0);
    ps_sit_near();
    SAME(sched_getaffinity(0, sizeof(after), &after), 0);
    CHECK(CPU_EQUAL(&before, &after));
}

static void follows_the_caller(void)
{
    cpu_set_t all;
    SAME(sched_getaffinity(0, sizeof(all), &all), 0);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((unsigned)cpu, &all))
            continue;
        cpu_set_t only;
        CPU_ZERO(&only);
        CPU_SET((unsigned)cpu, &only);
        SAME(sched_setaffinity(0, sizeof(only), &only), 0);
        SAME(ps_near(), 0);
        SAME(sched_setaffinity(0, sizeof(all), &all), 0);
        SAME(where_it_sits(), cpu);
    }
}

static void stays_where_it_is_when_the_system_refuses(void)
{
    fail(GETCPU, 0, ENOSYS);
    SAME(ps_near(), -ENOSYS);
    pretended_cpu = CPU_SETSIZE; /* more than a set has room for */
    SAME(ps_near(), 0);
    CHECK(where_it_sits() >= 0);
    pretended_cpu = -1;
    SAME(ps_near(), 0);
    fail_times(SETAFFINITY, 0, 2, EPERM); /* and it is asked again the next time */
    CHECK(where_it_sits() >= 0);
    check_done();
}

int main(void)
{
    stays_where_it_is_without_a_caller();
    follows_the_caller();
    stays_where_it_is_when_the_system_refuses();
    return 0;
}
