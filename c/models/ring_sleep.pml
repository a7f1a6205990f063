/* The sleep of the ring's two sides: c/ring.c, wake_sleeper() and ps_ring_wait().
 *
 * A producer writes N frames into a ring with room for ROOM, a consumer takes them. Who finds nothing
 * to do reads its word, says that it sleeps, looks again, and sleeps while the word has that value.
 * Who has moved its position looks whether the other says that it sleeps; only the one that takes
 * the flag back adds to the word and wakes. Stores before a full fence are seen by loads behind it
 * (the model's memory is sequential, which is what the fences are for).
 *
 * Claims: every frame is taken, nobody sleeps for ever. With FAULT=1 a sleeper does not look again,
 * with FAULT=2 it reads its word after it has looked; both must lose a wake. */

#ifndef N
#define N 4
#endif
#ifndef ROOM
#define ROOM 2
#endif

byte produced = 0, consumed = 0;
byte word[2] = 0;
bool sleeping[2] = false; /* 0 producer, 1 consumer */
bool asleep[2] = false;

inline wake(side)
{
    bool was;
    was = false;
    if
    :: sleeping[side] ->
        atomic { was = sleeping[side]; sleeping[side] = false }; /* exchange */
        if
        :: was -> word[side]++; asleep[side] = false
        :: else -> skip
        fi
    :: else -> skip
    fi
}

inline futex_wait(side, value)
{
    atomic {
        if
        :: word[side] == value -> asleep[side] = true
        :: else -> skip
        fi
    };
    !asleep[side]
}

active proctype producer()
{
    byte value;
    do
    :: produced < N ->
        if
        :: produced - consumed < ROOM -> produced++; wake(1)
        :: else ->
#if FAULT == 2
            sleeping[0] = true;
            if
            :: produced - consumed <= ROOM / 2 -> skip
            :: else -> value = word[0]; futex_wait(0, value)
            fi;
#else
            value = word[0];
            sleeping[0] = true;
            if
#if FAULT != 1
            :: produced - consumed <= ROOM / 2 -> skip
#endif
            :: else -> futex_wait(0, value)
            fi;
#endif
            sleeping[0] = false
        fi
    :: else -> break
    od
}

active proctype consumer()
{
    byte value;
    do
    :: consumed < N ->
        if
        :: produced > consumed ->
            consumed++;
            if
            :: produced - consumed <= ROOM / 2 -> wake(0)
            :: else -> skip
            fi
        :: else ->
#if FAULT == 2
            sleeping[1] = true;
            if
            :: produced > consumed -> skip
            :: else -> value = word[1]; futex_wait(1, value)
            fi;
#else
            value = word[1];
            sleeping[1] = true;
            if
#if FAULT != 1
            :: produced > consumed -> skip
#endif
            :: else -> futex_wait(1, value)
            fi;
#endif
            sleeping[1] = false
        fi
    :: else -> break
    od
}

ltl all_taken { <> (consumed == N) }
