/* The wait and wake of netipc through shared memory, many sessions on one wait.
 *
 * Stands for: publish() in c/shm.c, from the store of `sequence` to ps_futex_wake(); prepare() and
 * ps_shm_wait() there, with sleep_on() as futex_waitv(2) does it; wake_all(). The stores and loads
 * of the code are at least release and acquire, and the kernel puts a full barrier before it looks
 * for sleepers, so steps are taken one after the other here.
 *
 * Each sender publishes N messages, each after the last was taken, and always wakes. The receiver
 * reads the wake word, then of each session the signal before the sequence, and sleeps only while
 * every word has the value that it read. Once, somebody calls ps_shm_wake(), and once the sleep
 * ends for no reason, as it does for a signal or at its end. Where there is no futex_waitv(2) the
 * wait looks at all sessions every 1 ms, which needs no model.
 *
 * Claims: every message is taken, the call of wake ends a wait, and nobody sleeps for ever. These
 * faults must each lose a wake: ORDER=1 reads sequence and signal in the wrong order, ORDER=2 has
 * the sender store the signal before the sequence, ORDER=3 has a wake that sets no word to sleep
 * on. */

#ifndef N
#define N 2
#endif
#define SESSIONS 2
#define WAKE SESSIONS /* the hub's own word, behind those of the sessions */

byte sequence[SESSIONS], taken[SESSIONS]; /* taken stands for the answer that lets a sender go on */
byte word[SESSIONS + 1];                  /* what is slept on: the signals, and the hub's */
bool woken = false, wake_seen = false;
bool asleep = false;

#define ALL_TAKEN (taken[0] == N && taken[1] == N)

active [SESSIONS] proctype sender()
{
    byte sent = 0;
    do
    :: sent < N ->
        taken[_pid] == sent; /* one message on its way; it and its length are stored before */
#if ORDER == 2
        word[_pid]++;
        asleep = false;
        sequence[_pid]++;
#else
        sequence[_pid]++;
        word[_pid]++;
        asleep = false; /* futex(FUTEX_WAKE), always */
#endif
        sent++
    :: else -> break
    od
}

active proctype waker()
{
    woken = true;
#if ORDER != 3
    word[WAKE]++;
#endif
    asleep = false
}

active proctype chance()
{
    asleep = false
}

active proctype receiver()
{
    byte seen[SESSIONS + 1], i;
    bool ready;
    do
    :: ALL_TAKEN && wake_seen -> break
    :: else ->
        do /* one wait */
        :: true ->
            ready = false;
            seen[WAKE] = word[WAKE];
            i = 0;
            do
            :: i < SESSIONS && !ready ->
#if ORDER == 1
                ready = sequence[i] > taken[i];
                seen[i] = word[i];
#else
                seen[i] = word[i];
                ready = sequence[i] > taken[i];
#endif
                i++
            :: else -> break
            od;
            if
            :: ready -> break
            :: else ->
                if
                :: atomic { woken -> woken = false }; wake_seen = true; break
                :: atomic { !woken -> skip };
                    atomic { /* futex_waitv: the kernel compares and sleeps in one step */
                        if
                        :: seen[0] == word[0] && seen[1] == word[1] && seen[WAKE] == word[WAKE] ->
                            asleep = true
                        :: else -> skip
                        fi
                    };
                    !asleep
                fi
            fi
        od;
        i = 0;
        do /* poll_all() */
        :: i < SESSIONS ->
            if
            :: sequence[i] > taken[i] -> taken[i]++
            :: else -> skip
            fi;
            i++
        :: else -> break
        od
    od
}

ltl all_taken { <> (ALL_TAKEN && wake_seen) }
