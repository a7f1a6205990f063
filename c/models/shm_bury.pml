/* Sessions of shared memory that end under a wait.
 *
 * Stands for, in c/shm.c: begin_session(), end_session() and bury() on the caller's thread; the
 * looks of prepare() at a session's state and memory, inside ps_shm_wait(), on another. `state`,
 * `waiting` and `woken` are sequentially consistent there, so steps are taken one after the other
 * here.
 *
 * A session begins and ends N times while somebody waits again and again; in the end the caller
 * wakes until nobody waits any more, as close() does. Claims: a wait never looks at memory that is
 * not mapped, and the session's place becomes free. These faults must each be found: FAULT=1 looks
 * whether somebody waits before the session is dead, FAULT=2 has a wait that looks at the session
 * before it says that it waits. */

#ifndef N
#define N 3
#endif

mtype = { EMPTY, LIVE, DEAD }
mtype state = EMPTY;
bool mapped = false, woken = false, asleep = false;
byte waiting = 0, word = 0;
bool nobody_waits = false, all_free = false;

inline bury()
{
    if
    :: state == DEAD && waiting == 0 -> mapped = false; state = EMPTY
    :: else -> skip
    fi
}

inline wake_all()
{
    woken = true;
    word = (word + 1) % 4;
    asleep = false
}

inline wake_if(waits)
{
    if
    :: waits -> wake_all()
    :: else -> skip
    fi
}

active proctype caller()
{
    byte turn = 0;
    bool waits;
    do
    :: turn < N && state == EMPTY ->
        mapped = true; /* begin_session() */
        state = LIVE;
        wake_if(waiting > 0);
#if FAULT == 1
        waits = waiting > 0; /* end_session() */
        state = DEAD;
        if
        :: waits -> wake_all()
        :: else -> mapped = false; state = EMPTY
        fi;
#else
        state = DEAD; /* end_session() */
        wake_if(waiting > 0);
        bury();
#endif
        turn++
    :: turn < N && state == DEAD -> wake_all(); bury() /* its place is not free yet */
    :: turn == N -> break
    od;
    do
    :: nobody_waits -> break
    :: else -> wake_all()
    od;
    bury();
    all_free = state == EMPTY && !mapped
}

active proctype waiter()
{
    byte turn = 0, seen;
    do
    :: turn < N ->
#if FAULT != 2
        waiting++;
#endif
        do
        :: true ->
            seen = word;
            if
            :: state == LIVE ->
#if FAULT == 2
                waiting++;
#endif
                assert(mapped); /* its signal and its sequence */
#if FAULT == 2
                waiting--
#endif
            :: else -> skip
            fi;
            if
            :: atomic { woken -> woken = false }; break
            :: atomic { !woken -> skip };
                atomic {
                    if
                    :: word == seen -> asleep = true
                    :: else -> skip
                    fi
                };
                !asleep
            fi
        od;
#if FAULT != 2
        waiting--;
#endif
        turn++
    :: else -> break
    od;
    nobody_waits = true
}

ltl all_is_free { <> all_free }
