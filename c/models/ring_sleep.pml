/* The sleep of the ring's two sides, and their deaths.
 *
 * Stands for, in c/ring.c: what ps_ring_push() and ps_ring_commit() do from the store of their
 * position, wake_sleeper(), the loop of ps_ring_wait(), and arrive(). A store before a full fence is
 * seen by a load behind it, and the flag is taken by an exchange: so steps are taken one after the
 * other here.
 *
 * A producer writes N frames into a ring with room for ROOM, a consumer takes them. Who finds nothing
 * to do reads its word, says that it sleeps, looks again, and sleeps while the word has that value.
 * Who has moved its position looks whether the other says that it sleeps; only the one that takes
 * the flag back adds to the word and wakes. Each side may be killed once in the middle of that, with
 * the flag taken and nobody woken, and is started again; it does not know what it left undone. Once
 * each sleep ends for no reason, as it does for a signal, at its end, or for ps_ring_wake().
 *
 * Claims: every frame is taken, nobody sleeps for ever. These faults must each lose a wake: FAULT=1
 * has a sleeper that does not look again, FAULT=2 one that reads its word after it has looked,
 * FAULT=3 a side that is started again and does not wake the other. */

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
bool died[2] = false;

#define HAS_ROOM (produced - consumed <= ROOM / 2)
#define HAS_FRAMES (produced > consumed)

/* wake_sleeper(), by the side that is not `side`; it may end in the middle of it. */
inline wake(side)
{
    if
    :: sleeping[side] ->
        atomic { was = sleeping[side]; sleeping[side] = false }; /* exchange */
        if
        :: was && !died[1 - side] -> died[1 - side] = true; goto started
        :: was -> word[side]++; asleep[side] = false
        :: else -> skip
        fi
    :: else -> skip
    fi
}

/* arrive(): the last one of this side may have died after it took the other's flag. */
inline arrive(other)
{
#if FAULT != 3
    word[other]++;
    asleep[other] = false
#else
    skip
#endif
}

/* One turn of ps_ring_wait(). */
inline wait(side, ready)
{
#if FAULT == 2
    sleeping[side] = true;
    if
    :: ready -> skip
    :: else -> value = word[side]; futex_wait(side)
    fi;
#else
    value = word[side];
    sleeping[side] = true;
    if
#if FAULT != 1
    :: ready -> skip
#endif
    :: else -> futex_wait(side)
    fi;
#endif
    sleeping[side] = false
}

/* futex(FUTEX_WAIT): the kernel compares and sleeps in one step. */
inline futex_wait(side)
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
    bool was;
started:
    arrive(1);
    do
    :: produced < N ->
        if
        :: produced - consumed < ROOM -> produced++; wake(1)
        :: else -> wait(0, HAS_ROOM)
        fi
    :: else -> break
    od
}

active proctype consumer()
{
    byte value;
    bool was;
started:
    arrive(0);
    do
    :: consumed < N ->
        if
        :: HAS_FRAMES ->
            consumed++;
            if
            :: HAS_ROOM -> wake(0)
            :: else -> skip
            fi
        :: else -> wait(1, HAS_FRAMES)
        fi
    :: else -> break
    od
}

active proctype chance()
{
    asleep[0] = false;
    asleep[1] = false
}

ltl all_taken { <> (consumed == N) }
