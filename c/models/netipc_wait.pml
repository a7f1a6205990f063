/* The wait and wake of netipc through shared memory: c/shm.c, publish() and prepare().
 *
 * The sender publishes N messages, each after the last was taken, and always wakes. The receiver
 * reads the signal before the sequence, and sleeps only while the signal has the value that it read.
 * Claims: every message is taken, and nobody sleeps for ever. With ORDER=1 the receiver reads the
 * two in the wrong order, which must lose a wake; the check of the model demands that it fails. */

#ifndef N
#define N 3
#endif

byte sequence = 0, signal = 0; /* shared */
byte taken = 0;                /* the receiver's own; stands for the answer that lets the sender go on */
bool asleep = false;

/* futex(FUTEX_WAIT): the kernel compares and sleeps in one step. */
inline futex_wait(value)
{
    atomic {
        if
        :: signal == value -> asleep = true
        :: else -> skip
        fi
    };
    !asleep
}

active proctype sender()
{
    byte sent = 0;
    do
    :: sent < N ->
        taken == sent; /* one message on its way */
        /* the message and its length are stored before, with release */
        sequence++;
        signal++;
        asleep = false; /* futex(FUTEX_WAKE), always */
        sent++
    :: else -> break
    od
}

active proctype receiver()
{
    byte seen_signal, seen_sequence;
    do
    :: taken < N ->
        do
        :: true ->
#if ORDER == 1
            seen_sequence = sequence;
            seen_signal = signal;
#else
            seen_signal = signal;
            seen_sequence = sequence;
#endif
            if
            :: seen_sequence > taken -> break
            :: else -> futex_wait(seen_signal)
            fi
        od;
        taken++
    :: else -> break
    od
}

/* Every message is taken in the end, whichever way the two meet. */
ltl all_taken { <> (taken == N) }
