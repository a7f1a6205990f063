/* What a test of the library says of the world, or else ends. A test is a program that returns 0;
 * SKIPPED stands for one that cannot run here. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SKIPPED 77

/* Ends the program with the place and the errno of what was wrong. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s (errno %d)\n", __FILE__, __LINE__, #condition,    \
                    errno);                                                                        \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* As CHECK of equality of integers, showing both. */
#define SAME(left, right)                                                                          \
    do {                                                                                           \
        long long left_ = (long long)(left), right_ = (long long)(right);                          \
        if (left_ != right_) {                                                                     \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #left, left_,     \
                    right_);                                                                       \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#endif
