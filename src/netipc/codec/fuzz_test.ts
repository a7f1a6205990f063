// Every decoder on damaged messages. It refuses them with a CodecError, or what it gives can be
// written and read again and is the same; and it reads nothing beside the message, or its result
// would change with what stands there.
//
//   deno test -P src/netipc/codec/fuzz_test.ts -- --codec-runs=1000000 --codec-seed=2
import assert from "node:assert/strict";
import { CORPUS } from "./fuzz_corpus.ts";
import { TARGETS } from "./fuzz_targets.ts";
import type { Decoded, Target } from "./fuzz_targets.ts";
import { CodecError } from "./errors.ts";
import { type Span, spanOf } from "./span.ts";

/** Random messages for each decoder. */
const RUNS = numberOf("runs", 4000);
const SEED = numberOf("seed", 1);

const LONGEST = 1024;
const BESIDE = 64;

function numberOf(name: string, otherwise: number): number {
  const prefix = `--codec-${name}=`;
  const given = Deno.args.find((argument) => argument.startsWith(prefix));
  return given === undefined ? otherwise : Number(given.slice(prefix.length));
}

const INTERESTING = [
  ...[0, 1, 2, 7, 8, 9, 15, 16, 24, 31, 32, 60, 63, 64, 0xffff, 0x10000],
  ...[0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff],
];

/** Numbers below 2^32 that look random, always the same ones (xorshift). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed * 0x9e3779b1 >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** A place for messages between bytes that are none of them. */
class Arena {
  readonly span: Span;
  readonly #beside: number;
  readonly #start: number;

  constructor(start: number, beside: number) {
    this.span = spanOf(new Uint8Array(LONGEST + 2 * BESIDE));
    this.#start = start;
    this.#beside = beside;
  }

  put(message: Uint8Array): Span {
    const { bytes } = this.span;
    bytes.fill(this.#beside);
    bytes.set(message, this.#start);
    return { ...this.span, start: this.#start, length: message.length };
  }
}

// Zeros end strings that do not end, and large numbers are lengths that lie.
const ZEROS = new Arena(BESIDE, 0);
const LARGE = new Arena(13, 0xa5);
const TARGET = spanOf(new Uint8Array(1 << 18));
const AGAIN = spanOf(new Uint8Array(1 << 18));

/** What a decoder makes of a message: the fault, or what it says and our own bytes of it. */
function outcomeOf(decoder: Target, message: Span, target: Span): Decoded | string {
  try {
    return decoder.again(message, target);
  } catch (error) {
    if (error instanceof CodecError) return error.message;
    throw error;
  }
}

/** Checks one message; whether it was taken. */
function check(decoder: Target, message: Uint8Array): boolean {
  const first = outcomeOf(decoder, ZEROS.put(message), TARGET);
  const second = outcomeOf(decoder, LARGE.put(message), AGAIN);
  if (typeof first === "string" || typeof second === "string") {
    assert.equal(first, second, "It is refused or not by what stands beside it");
    return false;
  }
  same(first.length, second.length);
  const third = decoder.again({ ...TARGET, length: first.length }, AGAIN);
  assert.deepEqual(third.value, second.value, "It says something else when it is written again");
  same(first.length, third.length);
  return true;
}

function same(length: number, other: number): void {
  const a = TARGET.bytes.subarray(0, length);
  const b = AGAIN.bytes.subarray(0, other);
  if (length !== other || a.some((byte, i) => byte !== b[i])) {
    assert.equal(b.toHex(), a.toHex());
  }
}

function attempt(decoder: Target, message: Uint8Array): boolean {
  try {
    return check(decoder, message);
  } catch (error) {
    throw new Error(`${decoder.name} of ${message.toHex()}: ${error}`, { cause: error });
  }
}

/** Each message cut off anywhere, longer, and with each number and each byte changed. */
function* systematic(seed: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length <= seed.length; length++) yield seed.subarray(0, length);
  for (const more of [1, 7, 8, 64]) yield Uint8Array.of(...seed, ...new Uint8Array(more));
  const bytes = new Uint8Array(seed);
  const { view } = spanOf(bytes);
  for (let at = 0; at < seed.length; at++) {
    const byte = bytes[at] ?? 0;
    for (const other of [0, 1, 0xff, byte ^ 0x80, byte + 1]) {
      bytes[at] = other;
      yield bytes;
    }
    bytes[at] = byte;
  }
  for (let at = 0; at + 4 <= seed.length; at += 2) {
    const word = view.getUint32(at, true);
    for (const other of [...INTERESTING, word - 8, word - 1, word + 1, word + 8]) {
      view.setUint32(at, other, true);
      yield bytes;
    }
    view.setUint32(at, word, true);
  }
}

/** Damages a message of `length` bytes in place; returns its new length. */
function damage({ bytes, view }: Span, length: number, random: (below: number) => number): number {
  for (let i = random(4); i >= 0; i--) {
    const at = random(length + 1);
    const field = at & ~3;
    switch (random(7)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ 1 << random(8);
        break;
      case 2:
        view.setUint32(field, INTERESTING[random(INTERESTING.length)] ?? 0, true);
        break;
      case 3:
        view.setUint32(field, view.getUint32(field, true) + random(17) - 8, true);
        break;
      case 4:
        length = at;
        break;
      case 5:
        // A piece of the message in another place: entries that overlap, strings that run on.
        bytes.copyWithin(field, random(length + 1), random(length + 1));
        break;
      default:
        length = Math.min(length + random(32), LONGEST - 8);
    }
  }
  return length;
}

Deno.test("the corpus is that of the decoders", () => {
  assert.deepEqual(TARGETS.map(({ name }) => name).sort(), Object.keys(CORPUS).sort());
});

Deno.test("bytes behind a message change nothing", () => {
  for (const decoder of TARGETS) {
    const said = (message: Uint8Array) => outcomeOf(decoder, ZEROS.put(message), TARGET);
    for (const hex of CORPUS[decoder.name] ?? []) {
      const seed = Uint8Array.fromHex(hex);
      const before = said(seed);
      if (typeof before === "string") continue;
      for (const more of [1, 8, 64]) {
        const longer = new Uint8Array(seed.length + more).fill(0x5a);
        longer.set(seed);
        assert.deepEqual(said(longer), before, decoder.name);
      }
    }
  }
});

for (const decoder of TARGETS) {
  const seeds = (CORPUS[decoder.name] ?? []).map((hex) => Uint8Array.fromHex(hex));

  Deno.test(`the decoder of ${decoder.name} refuses messages that are damaged in one place, or they are whole`, () => {
    const taken = seeds.filter((seed) => attempt(decoder, seed)).length;
    assert.ok(taken > 0, "no seed is a good message");
    let refused = 0;
    for (const seed of seeds) {
      for (const message of systematic(seed)) if (!attempt(decoder, message)) refused++;
    }
    assert.ok(refused > 0);
  });

  Deno.test(`the decoder of ${decoder.name} refuses messages that are damaged at random, or they are whole`, () => {
    const random = randomNumbers(SEED);
    const span = spanOf(new Uint8Array(LONGEST));
    let refused = 0;
    for (let run = 0; run < RUNS; run++) {
      const seed = seeds[run % seeds.length] ?? span.bytes;
      span.bytes.set(seed);
      span.bytes.fill(0, seed.length);
      const length = damage(span, seed.length, random);
      if (!attempt(decoder, span.bytes.subarray(0, length))) refused++;
    }
    assert.ok(0 < refused && refused < RUNS);
  });
}
